"""How a list of tasks is shown: open ones, archived ones, and why one waits."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.cli import show
from orchgit.model import checkout, standing
from orchgit.model import goal as goals
from orchgit.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchgit.api import Project
    from orchgit.engine.pasts import Past
    from orchgit.model.task import Task

_ORDER = (
    Status.IN_PROGRESS, Status.RETRYING, Status.REVIEW, Status.TODO, Status.FAILED, Status.DONE, Status.CANCELLED,
)  # fmt: skip


def of_open(
    project: Project, wanted: Mapping[str, str | None], statuses: frozenset[Status], *, wants_json: bool
) -> None:
    """Print the tasks that fit what is wanted, in any of the statuses: what moves first, then by priority and age."""
    fitting = (each for each in project.tasks(**wanted) if not statuses or each.status in statuses)
    found = sorted(fitting, key=lambda each: _ORDER.index(each.status))
    show.warn(project.doubts_of_files())
    if not found:
        show.warn(project.doubts_of_name(wanted["assignee"]))
    told = statuses == {Status.REVIEW}  # of all tasks it would take the whole history
    pasts = project.pasts(found) if told else {}
    if wants_json:
        show.dump([_data(project, each, pasts.get(each.id), told=told) for each in found])
    elif found:
        at_work, user = standing.at_work(project.state.tasks), project.in_checkout()
        rows = (_row(project, each, at_work, user, pasts.get(each.id)) for each in found)
        show.table(("ID", "STATUS", "PRI", "WHO", "TITLE"), rows, paint={1: _paint})
    elif sys.stdout.isatty():
        show.say(
            "No tasks." if statuses or any(wanted.values()) else 'No tasks yet. `orchgit task add "TITLE"` makes one.'
        )


def of_archived(
    project: Project, wanted: Mapping[str, str | None], statuses: frozenset[Status], *, wants_json: bool
) -> None:
    """Print the archived tasks that fit what is wanted, in any of the statuses, the last closed first."""
    fitting, broken = project.archived(**wanted)
    found = [each for each in fitting if not statuses or each.status in statuses]
    show.warn(error.what for error in broken)
    if wants_json:
        show.dump([show.task_data(project, each, blocked_by=[]) for each in found])
    elif found:
        closed = [f"{each.closed:%Y-%m-%d}" if each.closed else "-" for each in found]
        rows = (
            (each.id, each.status.value, when, who(each), each.title) for each, when in zip(found, closed, strict=True)
        )
        show.table(("ID", "STATUS", "CLOSED", "WHO", "TITLE"), rows, paint={1: _paint})
    elif sys.stdout.isatty():
        show.say("No task is archived." if not statuses and not any(wanted.values()) else "No tasks.")


def who(task: Task) -> str:
    """Return who has it, or is to have it."""
    return task.agent or task.assignee or "-"


def again(task: Task) -> str:
    """Return when a task is tried again, or "" where it isn't."""
    if task.status is not Status.RETRYING or not task.retry_at:
        return ""
    return "again when the team runs" if task.retry_at <= datetime.now(UTC) else f"again at {show.clock(task.retry_at)}"


def note(project: Project, task: Task, at_work: Sequence[Task], user: Task | None) -> str:
    """Return what a person should know beside the title, or ''."""
    unmet = standing.blockers(task, project.state.known) if task.status is Status.TODO else ()
    if unmet:
        return f"(waits for {', '.join(f'{needed}: {how}' for needed, how in unmet)})"
    if when := again(task):
        return f"(attempt {task.attempts} failed; {when})" if task.attempts else f"({when})"
    why = in_the_way(project, task, at_work, user) if task.status is Status.TODO else ""
    return f"({why})" if why else ""


def in_the_way(project: Project, task: Task, at_work: Sequence[Task], user: Task | None) -> str:
    """Return which task at work has to end first, and why, or ""; `user` has the checkout."""
    state = project.state
    if goal := goals.held(task, state.goals):
        return goals.holds(goal)
    if other := standing.in_the_way(task, at_work):
        return standing.overlaps(other)
    return checkout.waits(user) if user and checkout.awaits(task, state.agents, state.teams, state.config) else ""


def _row(
    project: Project, task: Task, at_work: Sequence[Task], user: Task | None, past: Past | None
) -> tuple[str, ...]:
    priority = str(standing.priority(task, project.state.config))
    said = f"({past.gist})" if past and past.summary else ""
    title = " ".join(filter(None, (task.title, note(project, task, at_work, user), said)))
    return task.id, task.status.value, priority, who(task), title


def _paint(cell: str) -> str:
    return show.style(cell, fg=show.COLORS[Status(cell.strip())])


def _data(project: Project, task: Task, past: Past | None, *, told: bool) -> dict[str, object]:
    said = {"summary": past.summary if past else "", "note": past.note if past else ""} if told else {}
    return show.task_data(project, task, blocked_by=_blocked_by(project, task), **said)


def _blocked_by(project: Project, task: Task) -> list[str]:
    return [needed for needed, _ in standing.blockers(task, project.state.known)]
