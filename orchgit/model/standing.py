"""How a task stands among the others: its rank, and what it waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from orchgit.model import scope
from orchgit.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orchgit.model.config import Config
    from orchgit.model.task import Task

_NEVER = datetime.max.replace(tzinfo=UTC)


def priority(task: Task, config: Config) -> int:
    """Return 1 (urgent) to 4 (low)."""
    return task.priority if task.priority is not None else config.task_priority


def fits(task: Task, *, status: str | None, assignee: str | None, label: str | None, goal: str | None) -> bool:
    """Does `task` pass every filter that is given?"""
    return (
        status in (None, task.status)
        and (assignee is None or assignee in (task.assignee, task.agent))
        and (label is None or label in task.labels)
        and goal in (None, task.goal)
    )


def order(task: Task, config: Config) -> tuple[object, ...]:
    """Return the key that sorts tasks: priority, then age."""
    return (priority(task, config), *task.age_key)


def rank(task: Task, tasks: Mapping[str, Task], config: Config, now: datetime) -> tuple[object, ...]:
    """Return the key that sorts tasks that are ready: urgent ones first, each group by priority, then age.

    Of those that are not urgent, one that has waited long climbs: a step of priority for each `starvation_ms`, past any
    fresh one in the end. Nothing overtakes what a person called urgent.
    """
    own = priority(task, config)
    steps = waited(task, tasks, now) // timedelta(milliseconds=config.starvation_ms) if own > 1 else 0
    return (own > 1, own - steps, *task.age_key)


def waited(task: Task, tasks: Mapping[str, Task], now: datetime) -> timedelta:
    """Return how long `task` has been ready: made, its last dependency done, its retry due. No date, no wait."""
    needed = (tasks[each].closed for each in task.depends_on if each in tasks)
    since = max(filter(None, (task.created, task.retry_at, *needed)), default=_NEVER) if task.created else _NEVER
    return max(now - since, timedelta())


def blockers(task: Task, tasks: Mapping[str, Task]) -> tuple[tuple[str, str], ...]:
    """Return the dependencies that `task` still waits for, each with how it stands: a status, or `missing`."""
    standing = ((needed, tasks[needed].status if needed in tasks else "missing") for needed in task.depends_on)
    return tuple((needed, how) for needed, how in standing if how != Status.DONE)


def circle(start: str, depends_on: Iterable[str], tasks: Mapping[str, Task]) -> tuple[str, ...]:
    """Return a way along dependencies from `start` back to it, were it to depend on `depends_on`; () if none."""
    return _way_back(start, depends_on, lambda each: tasks[each].depends_on if each in tasks else ())


def deadlock(task: Task, tasks: Mapping[str, Task]) -> tuple[str, ...]:
    """Return the circle of tasks that wait for each other, from `task` back to it; () where it is in none."""

    def unmet(each: str) -> Iterable[str]:
        return (needed for needed, _ in blockers(tasks[each], tasks)) if each in tasks else ()

    return _way_back(task.id, (needed for needed, _ in blockers(task, tasks)), unmet)


def tangled(tasks: Mapping[str, Task]) -> frozenset[str]:
    """Return the ids of the tasks that are in a circle of waiting ones, or behind one: all others get their turn."""
    unmet = {task.id: {needed for needed, _ in blockers(task, tasks)} for task in tasks.values() if task.depends_on}
    blocked = {each: needed for each, needed in unmet.items() if needed}
    left = {each: len(needed & blocked.keys()) for each, needed in blocked.items()}
    behind: dict[str, list[str]] = {}
    for each, needed in blocked.items():
        for other in needed:
            behind.setdefault(other, []).append(each)
    loose = [each for each, count in left.items() if not count]
    while loose:
        for each in behind.get(loose.pop(), ()):
            left[each] -= 1
            loose.extend([each] if not left[each] else [])
    return frozenset(each for each, count in left.items() if count)


def dependency(task: Task, tasks: Mapping[str, Task], knots: frozenset[str]) -> str | None:
    """Return how a person reads what `task` waits for: the circle that it is in, or what it depends on.

    `knots` are the tangled tasks: only there is a circle worth looking for.
    """
    way = deadlock(task, tasks) if task.id in knots else ()
    if way:
        return f"waits in a circle: {' -> '.join(way)}"
    unmet = blockers(task, tasks)
    return f"waits for {', '.join(f'{needed} ({how})' for needed, how in unmet)}" if unmet else None


def _way_back(start: str, first: Iterable[str], after: Callable[[str], Iterable[str]]) -> tuple[str, ...]:
    came_from = dict.fromkeys(first, start)
    ahead = list(came_from)
    while ahead and start not in came_from:
        here = ahead.pop()
        fresh = [each for each in after(here) if each not in came_from]
        came_from.update(dict.fromkeys(fresh, here))
        ahead.extend(fresh)
    if start not in came_from:
        return ()
    way = [start, came_from[start]]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))


def at_work(tasks: Mapping[str, Task]) -> tuple[Task, ...]:
    """Return the tasks in progress, whoever has them: an agent here, a person, another machine."""
    return tuple(sorted((task for task in tasks.values() if task.status is Status.IN_PROGRESS), key=lambda t: t.id))


def in_the_way(task: Task, others: Iterable[Task]) -> Task | None:
    """Return the first of `others` that may write where `task` may; a task without a scope is in nobody's way."""
    if not task.scope:
        return None
    return next((other for other in others if other.id != task.id and scope.overlap(task.scope, other.scope)), None)


def overlaps(other: Task) -> str:
    """Return how a person reads that `other` is in the way."""
    return f"its scope overlaps {other.id}, which {'runs' if other.run else f'{other.agent} has'}"
