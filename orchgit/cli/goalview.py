"""Goals on the screen: how far they are, and their tasks as a tree of what waits for what."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from orchgit.cli import everywhere, goalnext, show
from orchgit.model import document, spending, standing
from orchgit.model import goal as goals
from orchgit.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from orchgit.api import Project
    from orchgit.engine.pasts import Past
    from orchgit.model.goal import Goal
    from orchgit.model.task import Task

_BAR = 30  # columns
_MARKS = {
    Status.DONE: "✓", Status.IN_PROGRESS: "●", Status.REVIEW: "?", Status.RETRYING: "↻", Status.FAILED: "✗",
    Status.CANCELLED: "-", Status.TODO: "·",
}  # fmt: skip
_ASCII = str.maketrans({
    "✓": "x", "●": ">", "↻": "~", "✗": "!", "·": ".", "█": "#", "░": "-", "└": "`", "├": "|", "│": "|", "─": "-",
})  # fmt: skip


def _drawn(signs: str) -> str:
    return signs.translate(_ASCII) if everywhere.is_asked(everywhere.ASCII) else signs


def _bar(count: goals.Progress) -> str:
    full = _BAR * count.done // count.all if count.all else 0
    return _drawn("█") * full + _drawn("░") * (_BAR - full)


def data(project: Project, goal: Goal) -> dict[str, object]:
    """Return a goal as `--json` prints it: every key of its file, and how far it is."""
    count = project.progress([goal]).get(goal.id)
    named = {key: getattr(goal, key) for key in goal.__slots__}
    return {**named, "done": count.done if count else None, "all": count.all if count else None}


def show_goal(project: Project, goal: Goal, *, wants_json: bool) -> None:
    tasks = project.tasks_of_goal(goal.id)
    pasts, count = project.pasts(tasks), goals.progress(tasks)
    total, body = spending.total(project.spent_on_goal(goal.id)), document.body_of(project.text(goal.path)).strip()
    if wants_json:
        show.dump({
            **data(project, goal), "done": count.done, "all": count.all, "body": body,
            "runs": total.runs, "used": total.used,
            "tasks": [
                show.task_data(project,
                    each, blocked_by=[needed for needed, _ in standing.blockers(each, _known(project, tasks))],
                    summary=pasts[each.id].summary if each.id in pasts else "",
                    reason=(project.reason(each.id) or "") if each.status is Status.FAILED else "",
                )
                for each in tasks
            ],
        })  # fmt: skip
        return
    click.echo(show.style(f"{goal.id}  {goal.title}", bold=True))
    for name, value in _facts(goal, tasks):
        click.echo(f"  {name:<12}{value}")
    if total.runs:
        click.echo(f"  {'used':<12}{total.used}, by {total.runs} run{'s' if total.runs > 1 else ''}")
    click.echo(f"  {'file':<12}.orchestry/{goal.path}")
    if body:
        click.echo(f"\n{body}")
    if tasks:
        click.echo("\n" + "\n".join(tree(tasks)))
    if report := list(_report(tasks, pasts)):
        click.echo("\n" + show.style("What was said last", bold=True))
        click.echo("\n".join(report))
    if next_step := goalnext.words(project, goal, tasks):
        click.echo(f"\n{next_step}")


def _facts(goal: Goal, tasks: Sequence[Task]) -> Iterator[tuple[str, str]]:
    yield "status", goal.status.value
    if goal.assignee:
        yield "assignee", goal.assignee
    count = goals.progress(tasks)
    yield "progress", f"{_bar(count)} {count.percent}%, {count.done} of {count.all} done"
    states = Counter(each.status for each in tasks if each.purpose is None)
    if states:
        yield "tasks", ", ".join(f"{states[each]} {show.status(each)}" for each in Status if states[each])
    if goal.created:
        yield "created", show.local(goal.created)


def tree(tasks: Sequence[Task]) -> Iterator[str]:
    """Yield a line a task, below what it waits for; one that waits for several is below the last of them.

    Tasks that wait for each other, and so are below nothing, come at the end.
    """
    known = {each.id: each for each in tasks}
    depth = _depths(known)
    below: dict[str, list[Task]] = {}
    for each in tasks:
        needed = max((one for one in each.depends_on if one in depth), key=lambda one: depth[one], default="")
        below.setdefault(needed if each.id in depth else "", []).append(each)
    yield from _branches("", below, "")


def _depths(known: Mapping[str, Task]) -> dict[str, int]:
    """Return how many tasks stand above each; what is in a circle, or behind one, is left out."""
    depth: dict[str, int] = {}
    left = dict(known)
    while left:
        level = [each for each in left.values() if not any(needed in left for needed in each.depends_on)]
        if not level:
            return depth
        for each in level:
            depth[each.id] = 1 + max((depth[one] for one in each.depends_on if one in depth), default=-1)
        for each in level:
            del left[each.id]
    return depth


def _branches(above: str, below: Mapping[str, Sequence[Task]], indent: str) -> Iterator[str]:
    children = below.get(above, ())
    for number, each in enumerate(children):
        last = number == len(children) - 1
        mark = show.style(_drawn(_MARKS[each.status]), fg=show.COLORS[each.status])
        line = f"{mark} {each.id}  {show.status(each.status)}  {each.agent or each.assignee or '-'}  {each.title}"
        others = [needed for needed in each.depends_on if needed != above]
        also = f" (after {', '.join(others)} too)" if above and others and each.status is Status.TODO else ""
        yield f"{indent}{_drawn('└─ ' if last else '├─ ')}{line}{also}"
        yield from _branches(each.id, below, f"{indent}{'   ' if last else _drawn('│  ')}")


def _report(tasks: Iterable[Task], pasts: Mapping[str, Past]) -> Iterator[str]:
    """Yield what the last run of each task said, in one line."""
    for each in tasks:
        if each.id in pasts and (words := pasts[each.id].gist):
            yield f"  {each.id}  {words}"


def _known(project: Project, tasks: Iterable[Task]) -> dict[str, Task]:
    return {**project.state.known, **{each.id: each for each in tasks}}
