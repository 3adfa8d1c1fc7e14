"""What runs have used, added up: per agent, task, goal or day."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from orchgit.model.dataclass import dataclass
from orchgit.model.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class By(StrEnum):
    AGENT = "agent"
    TASK = "task"
    GOAL = "goal"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Spent:
    """One run that has ended, at that time; `goal` is "" where its task serves none that is known, as is `agent`.

    `used` is None where it didn't say what it used.
    """

    at: datetime
    task: str
    title: str
    agent: str
    succeeded: bool
    used: Usage | None
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Sum:
    """Runs added up. `key` is what they have in common: an agent's name, a task's id, a goal, a day; "" is none.

    `title` is the task's newest, where it is a task that they have in common.
    """

    key: str
    runs: int = 0
    succeeded: int = 0
    used: Usage = field(default_factory=Usage)
    title: str = ""


def total(runs: Iterable[Spent]) -> Sum:
    return _added(Sum(""), runs)


def sums(runs: Iterable[Spent], by: By) -> tuple[Sum, ...]:
    """Return the sums: days in their order, anything else by cost, then by tokens, the most first."""
    groups: dict[str, list[Spent]] = {}
    for each in runs:
        groups.setdefault(_key(each, by), []).append(each)
    found = [_added(Sum(key, title=_title(some) if by is By.TASK else ""), some) for key, some in groups.items()]
    if by is By.DAY:
        return tuple(sorted(found, key=lambda each: each.key))
    return tuple(sorted(found, key=lambda each: (-(each.used.cost_usd or 0), -each.used.tokens, each.key)))


def _added(start: Sum, runs: Iterable[Spent]) -> Sum:
    count, succeeded, used = start.runs, start.succeeded, start.used
    for each in runs:
        count, succeeded = count + 1, succeeded + each.succeeded
        used = used + each.used if each.used else used
    return Sum(start.key, count, succeeded, used, start.title)


def _key(spent: Spent, by: By) -> str:
    match by:
        case By.AGENT:
            return spent.agent
        case By.TASK:
            return spent.task
        case By.GOAL:
            return spent.goal
        case By.DAY:
            return f"{spent.at:%Y-%m-%d}"
        case _:
            assert_never(by)


def _title(runs: list[Spent]) -> str:
    return max(runs, key=lambda each: each.at).title
