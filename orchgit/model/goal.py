"""A goal: what tasks are done for."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from orchgit.model import fields
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError
from orchgit.model.task import CLOSED, Purpose
from orchgit.model.task import Status as TaskStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime

    from orchgit.model.agent import Agent
    from orchgit.model.task import Task
    from orchgit.model.team import Team

FOLDER = "goals"


class Status(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    ACHIEVED = "achieved"
    ABANDONED = "abandoned"


_OVER: Final = frozenset({Status.ACHIEVED, Status.ABANDONED})


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal file. `path` is relative to the state folder; None means that the file doesn't say."""

    id: str
    title: str
    path: str
    status: Status = Status.ACTIVE
    assignee: str | None = None
    created: datetime | None = None

    @property
    def is_over(self) -> bool:
        return self.status in _OVER

    @property
    def age_key(self) -> tuple[datetime, str]:
        return fields.age_key(self.created, self.id)


READERS: Final[dict[str, Callable[[object], Any]]] = {
    "id": fields.identifier("goal", example="gol_5n2c8v"),
    "title": fields.line,
    "status": fields.one_of(Status),
    "assignee": fields.line,
    "created": fields.moment,
}


def read(path: str, text: str) -> Goal:
    """Return the goal that the file at `path` describes; InvalidFileError names line and key of the first fault."""
    from orchgit.model import document

    try:
        found = document.parse(text)
    except InvalidFileError as error:
        raise error.at(path) from None
    for key in ("id", "title"):
        if found.values.get(key) is None:
            raise InvalidFileError(path, "is missing", line=found.line(key), key=key)
    return Goal(path=path, **fields.typed(path, found.values, READERS, line=found.line))


def planner(goal: Goal, agents: Mapping[str, Agent], teams: Mapping[str, Team]) -> str | None:
    """Return the agent that has the goal: its assignee, or the lead of that team; None where a person has it."""
    name = goal.assignee or ""
    name = teams[name].lead if name in teams else name
    return name if name in agents and agents[name].enabled else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a goal's work is done; what was cancelled is no part of it, and neither are plans."""

    done: int = 0
    all: int = 0

    def __str__(self) -> str:
        return f"{self.done}/{self.all}"

    @property
    def percent(self) -> int:
        return 100 * self.done // self.all if self.all else 0


def progress(tasks: Iterable[Task]) -> Progress:
    """Return how far a goal is whose tasks these are."""
    work = [each.status for each in tasks if each.purpose is None and each.status is not TaskStatus.CANCELLED]
    return Progress(sum(each is TaskStatus.DONE for each in work), len(work))


def serving(tasks: Iterable[Task], goals: Iterable[str]) -> dict[str, list[Task]]:
    """Return the tasks of each of these goals, by the goal's id."""
    found: dict[str, list[Task]] = {goal: [] for goal in goals}
    for task in tasks:
        if task.goal in found:
            found[task.goal].append(task)
    return found


def is_worked_off(tasks: Collection[Task]) -> bool:
    """Are all tasks of a goal, as these are, closed, and is any of its work done?"""
    return all(task.status in CLOSED for task in tasks) and any(
        task.purpose is None and task.status is TaskStatus.DONE for task in tasks
    )


def awaits_verdict(tasks: Collection[Task]) -> bool:
    """Is the work at a goal, whose tasks these are, closed, and has nobody been asked since whether it is achieved?"""
    if not is_worked_off(tasks):
        return False
    asked = max((task.created for task in tasks if task.purpose is Purpose.ASSESS and task.created), default=None)
    work = [task for task in tasks if task.purpose is None]
    known = (moment for task in work for moment in (task.created, task.closed) if moment)
    return asked is None or asked < max(known, default=asked)


def is_answered(task: Task, goals: Mapping[str, Goal]) -> bool:
    """Does `task` ask whether a goal is achieved that is over by now?"""
    goal = goals.get(task.goal or "")
    return task.purpose is Purpose.ASSESS and goal is not None and goal.is_over


def has_work(goal: str | None, tasks: Iterable[Task]) -> bool:
    """Does the goal have any task that is neither to plan nor to assess it, and not cancelled?"""
    return any(task.goal == goal and task.purpose is None and task.status is not TaskStatus.CANCELLED for task in tasks)


def held(task: Task, goals: Mapping[str, Goal]) -> Goal | None:
    """Return the goal that keeps `task` from being started: it is paused or over. None where none does."""
    goal = goals.get(task.goal or "")
    return goal if goal is not None and goal.status is not Status.ACTIVE else None


def holds(goal: Goal) -> str:
    """Return how a person reads that a task waits for its goal."""
    return f"waits: its goal {goal.id} is {goal.status}"
