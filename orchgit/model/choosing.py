"""Whom a task is given to: its assignee, else the free agent that its labels suit best."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from orchgit.model.agent import Agent
    from orchgit.model.task import Task
    from orchgit.model.team import Team

_WORD = re.compile(r"[^\W_]+")


def room(agents: Iterable[Agent], running: Iterable[Task]) -> dict[str, int]:
    """Return how many more tasks each agent may be given, for those that may be given any."""
    busy = Counter(task.agent for task in running)
    found = {agent.name: most(agent) - busy[agent.name] for agent in agents}
    return {name: places for name, places in found.items() if places > 0}


def less(free: Mapping[str, int], agent: Agent) -> dict[str, int]:
    """Return the room that is left when `agent` is given one task more."""
    left = {**free, agent.name: free[agent.name] - 1}
    return {name: places for name, places in left.items() if places > 0}


def most(agent: Agent) -> int:
    """Return how many tasks `agent` may do at once."""
    return agent.max_concurrent or 1


def able(
    task: Task, free: Mapping[str, int], *, claiming: Collection[str], teams: Mapping[str, Team]
) -> dict[str, int]:
    """Return the room of those agents that `task` may be given to: its assignee, its team's members, or who claims it.

    `claiming` are the agents that take what is nobody's.
    """
    named = claiming if task.assignee is None else members(task.assignee, teams)
    return {name: places for name, places in free.items() if name in named}


def members(assignee: str, teams: Mapping[str, Team]) -> tuple[str, ...]:
    """Return whom a task of `assignee` may be given to: that agent, or everyone of that team."""
    return teams[assignee].everyone if assignee in teams else (assignee,)


def suited(
    task: Task, agents: Mapping[str, Agent], free: Mapping[str, int], awaited: Mapping[str | None, int]
) -> Agent:
    """Return the assignee, who is free; for a task of a team's or of nobody's the one of `free` whom its labels suit
    best.

    Among equals it is whom the fewest tasks wait for by name, then who has the most room, then the first by name. No
    task waits for a better match that is busy.
    """
    if task.assignee is not None and task.assignee in agents:
        return agents[task.assignee]
    return agents[min(free, key=lambda name: (*_unlike(task.labels, agents[name]), awaited[name], -free[name], name))]


def _unlike(labels: Iterable[str], agent: Agent) -> tuple[int, int]:
    """Return how badly labels suit an agent: first by its name, labels and skills, then by the words of its role."""
    wanted = [words for words in map(_words, labels) if words]
    if not wanted:
        return 0, 0
    named = [_words(word) for word in (agent.name, *agent.labels, *agent.skills)]
    role = _words(agent.role)
    return -sum(any(words <= own for own in named) for words in wanted), -sum(words <= role for words in wanted)


@lru_cache(maxsize=1024)
def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))
