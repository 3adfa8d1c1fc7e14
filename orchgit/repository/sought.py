"""Whether the work in review was already sought in the base branch as it is: for that, files alone are read."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from orchgit.model.task import Status
from orchgit.repository import files, refs

if TYPE_CHECKING:
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State

Question = tuple[str, ...]  # the tip of the base branch, and each task in review with its commit


def waiting(state: State) -> list[Task]:
    """Return the tasks in review that have a branch of their own, and something on it to merge."""
    reviews = (task for task in state.tasks.values() if task.status is Status.REVIEW and task.branch)
    return [task for task in reviews if task.review_commit != task.review_base]


def question(layout: Layout, state: State) -> Question:
    """Return what there is to seek, and where; () where there is nothing."""
    found = waiting(state)
    tip = refs.branch(state.config.project_base, common=layout.common) if found else None
    return (tip, *sorted(f"{task.id} {task.review_commit}" for task in found)) if tip else ()


def is_new(layout: Layout, state: State) -> bool:
    """Did the base branch move, or a review begin, since the work in review was last sought there in vain?"""
    asked = question(layout, state)
    return bool(asked) and files.read(layout.sought) != _bytes(asked)


def note(layout: Layout, asked: Question) -> None:
    """Remember that nothing of it was found; where that can't be written, it is sought again."""
    if asked:
        with suppress(OSError):
            files.replace(layout.sought, _bytes(asked))


def _bytes(asked: Question) -> bytes:
    return "".join(f"{each}\n" for each in asked).encode()
