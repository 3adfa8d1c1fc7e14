"""What became of a task, as the state branch tells it: who did it, what was said of it, who approved it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from orchgit.model.actor import ENGINE
from orchgit.model.dataclass import dataclass
from orchgit.model.task import Status
from orchgit.repository import git, runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from orchgit.engine.history import Entry
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State


class Where(StrEnum):
    """Where the task's file is."""

    TASKS = "tasks"
    ARCHIVE = "archive"
    DELETED = "deleted"
    UNKNOWN = "unknown"  # the state branch never had it


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that somebody did to the task. `words` are theirs, if they gave any."""

    by: str
    at: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """A task, and the run of it that is asked about; what isn't known is None.

    `status` is the last one where the task is gone, `attempt` reads `2/3`. `feedback` is what the run had been told of
    earlier work; `prompt` is a file of this clone.
    """

    task: str
    title: str | None
    status: str | None
    where: Where
    run: str | None
    agent: str | None
    attempt: str | None
    approved: Deed | None
    feedback: tuple[Deed, ...]
    prompt: Path | None


def of(layout: Layout, state: State, task: str, told: Sequence[Entry], *, run: str | None) -> Story:
    """Return the story of a task, open, archived or deleted, and of one run of it; `told` are its commits."""
    known = state.tasks.get(task)
    own = [each for each in told if run is not None and each.message.get("Run") == run]
    place = runs.folder(layout, run) if run else None
    return Story(
        task=task,
        title=known.title if known else _title(told),
        status=known.status.value if known else _status(told),
        where=Where.TASKS if known else _where(layout, state, task, told),
        run=run,
        agent=_agent(own if run else told),
        attempt=next((found for each in own if (found := each.message.get("Attempt"))), None),
        approved=_approved(told),
        feedback=_feedback(told, own),
        prompt=place.prompt if place and place.prompt.is_file() else None,
    )


def _title(told: Sequence[Entry]) -> str | None:
    """Every commit that the ledger makes of a task has its title as its body."""
    bodies = (each.message.body.partition("\n")[0] for each in told if each.message.get("Actor"))
    return next(filter(None, bodies), None)


def _status(told: Sequence[Entry]) -> str | None:
    moves = (each.message.get("Transition") for each in told)
    return next((move.rpartition(" ")[2] for move in moves if move), Status.TODO.value if told else None)


def _where(layout: Layout, state: State, task: str, told: Sequence[Entry]) -> Where:
    names = git.call("ls-tree", "-r", "-z", "--name-only", state.tip, "archive/", cwd=layout.common).fields
    stems = (name.rpartition("/")[2] for name in names)
    if any(stem == f"{task}.md" or stem.startswith(f"{task}-") for stem in stems):
        return Where.ARCHIVE
    return Where.DELETED if told else Where.UNKNOWN


def _agent(told: Sequence[Entry]) -> str | None:
    """Return who did the work: who had the run, or is credited with ending it."""
    ended = (each for each in told if (each.message.get("Transition") or "").startswith(f"{Status.IN_PROGRESS} ->"))
    by = next((each.message.get("Agent") or each.message.get("Actor") for each in ended), None)
    given = (found for each in told if (found := each.message.get("Agent")))
    return by if by not in (None, ENGINE.name) else next(given, None)


def _approved(told: Sequence[Entry]) -> Deed | None:
    found = (each for each in told if (each.message.get("Transition") or "").endswith(f"-> {Status.DONE}"))
    return next((Deed(each.message.get("Actor") or each.author, each.at) for each in found), None)


def _feedback(told: Sequence[Entry], own: Sequence[Entry]) -> tuple[Deed, ...]:
    """Return the rejections that came before the run began, or all where no run is known, oldest first."""
    before = told[told.index(own[-1]) :] if own else told
    rejected = f"{Status.REVIEW} -> {Status.TODO}"
    return tuple(
        Deed(each.message.get("Actor") or each.author, each.at, each.message.get("Reason") or "")
        for each in reversed(before)
        if each.message.get("Transition") == rejected
    )
