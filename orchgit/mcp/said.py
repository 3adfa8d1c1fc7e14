"""What tools are given and give back: lists of words, and values in forms that JSON has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from orchgit.model import jsonable, span, standing
from orchgit.model.errors import UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from orchgit.api import Project
    from orchgit.model.task import Task


WARNINGS: Final = "warnings"


def short(project: Project, task: Task) -> dict[str, Any]:
    """Return what a list says of a task."""
    return {
        "id": task.id, "title": task.title, "status": task.status, "assignee": task.assignee, "agent": task.agent,
        "priority": standing.priority(task, project.state.config), "goal": task.goal,
        "blocked_by": [needed for needed, _ in standing.blockers(task, project.state.known)],
    }  # fmt: skip


def whole(task: Task, **more: object) -> dict[str, Any]:
    """Return all that a task says, and `more`; what it doesn't say is left out."""
    return plain({key: value for key, value in jsonable.task(task, **more).items() if value is not None})


def warned(doubts: list[str]) -> dict[str, Any]:
    """Return the key that holds what a command says on stderr besides, where that is anything."""
    return {WARNINGS: doubts} if doubts else {}


def beginning(text: str, most: int) -> str:
    """Return a text, or how it begins where it is longer than `most` characters, and how long it is."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters in all)"


def words(given: list[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(each.strip() for each in given if each.strip())


def count_of(given: int, *, most: int) -> int:
    """Return how many are wanted, `most` at most; UsageError where that is none."""
    if given < 1:
        raise UsageError(f"{given} is no number of things to show.", f"Give 1 to {most}.")
    return min(given, most)


def priority_of(given: int | None) -> int | None:
    if given is not None and not 1 <= given <= 4:
        raise UsageError(f"{given} is no priority.", "1 is urgent, 4 is low.")
    return given


def plain(value: dict[str, Any]) -> dict[str, Any]:
    found = json.loads(json.dumps(value, default=jsonable.plain))
    assert isinstance(found, dict)
    return found


def span_of(word: str) -> timedelta | None:
    try:
        return span.read(word) if word else None
    except ValueError as error:
        raise UsageError(f"{error}.") from None
