"""How things stand when a team has ended: a line for each task that wants somebody, and the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import standing, waiting
from orchgit.model.dataclass import dataclass
from orchgit.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.api import Project
    from orchgit.model.scheduling import Snapshot
    from orchgit.model.task import Task

_WAITING = frozenset({Status.TODO, Status.RETRYING})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a task at the end; `bad` where it went wrong, or waits for what can't come by itself."""

    task: Task
    text: str
    bad: bool


def verdicts(project: Project, after: Snapshot) -> Iterator[Verdict]:
    """Yield what is to be said, most pressing first."""
    in_view = [task for task in after.tasks.values() if after.only in (None, task.id)]
    for task in sorted(in_view, key=lambda each: standing.order(each, after.config)):
        if task.status is Status.REVIEW:
            yield Verdict(task, f"{task.id} waits for your review: orchgit task show {task.id}", bad=False)
        elif task.status is Status.FAILED:
            reason = (project.reason(task.id) or "given up").rstrip(".")
            step = f"orchgit logs --task {task.id}, and once that is mended orchgit task retry {task.id}"
            yield Verdict(task, f"{task.id} failed: {reason}. {step}", bad=True)
        elif task.status in _WAITING and (why := _hindrance(task, after)):
            yield Verdict(task, f"{task.id} was not started: it {why}", bad=_is_stuck(task, after))
        elif task.status is Status.IN_PROGRESS and after.only and not waiting.runs_here(task, after):
            yield Verdict(task, f"{task.id} was not started: {task.agent or 'somebody'} has it", bad=True)


def exit_code(found: list[Verdict], *, left: bool) -> int:
    """Return 1 where something is bad, however long it has been; 0 too where the runs were `left` to themselves."""
    return int(not left and any(each.bad for each in found))


def _hindrance(task: Task, after: Snapshot) -> str | None:
    return waiting.obstacle(task, after) or ("waits for `orchgit resume`: the team is paused" if after.paused else None)


def _is_stuck(task: Task, after: Snapshot) -> bool:
    return not after.draining and (after.paused or after.only is not None or waiting.is_stuck(task, after))
