"""How a task stands among the others: its rank, what it waits for, how often it may be tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchgit.model.agent import Agent
    from orchgit.model.config import Config
    from orchgit.model.task import Task


def priority(task: Task, config: Config) -> int:
    """Return 1 (urgent) to 4 (low)."""
    return task.priority if task.priority is not None else config.task_priority


def order(task: Task, config: Config) -> tuple[object, ...]:
    """Return the key that sorts tasks: priority, then age."""
    return (priority(task, config), *task.age_key)


def max_attempts(task: Task, agent: Agent | None, config: Config) -> int:
    """Return how many attempts `task` gets: its own word, else its agent's retries, else the project's."""
    if task.max_attempts is not None:
        return task.max_attempts
    if agent is not None and agent.max_retries is not None:
        return agent.max_retries + 1
    return config.task_max_attempts


def blockers(task: Task, tasks: Mapping[str, Task]) -> tuple[tuple[str, str], ...]:
    """Return the dependencies that `task` still waits for, each with how it stands: a status, or `missing`."""
    standing = ((needed, tasks[needed].status if needed in tasks else "missing") for needed in task.depends_on)
    return tuple((needed, how) for needed, how in standing if how != Status.DONE)


def circle(start: str, depends_on: Iterable[str], tasks: Mapping[str, Task]) -> tuple[str, ...]:
    """Return a way along dependencies from `start` back to it, were it to depend on `depends_on`; () if none."""
    ways: list[tuple[str, ...]] = [(start, each) for each in depends_on]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        if way[-1] == start:
            return way
        if way[-1] not in seen and way[-1] in tasks:
            seen.add(way[-1])
            ways.extend((*way, each) for each in tasks[way[-1]].depends_on)
    return ()
