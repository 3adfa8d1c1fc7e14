"""What a check finds, and what can be done about it."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass
from orchgit.model.task import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchgit.model.actor import Actor
    from orchgit.model.errors import OrchgitError
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State


class Level(StrEnum):
    """How much it matters."""

    OK = "ok"
    INFO = "info"  # good to know
    WARNING = "warning"  # something is not as it should be, and the team can work
    ERROR = "error"  # something keeps the team, or a part of it, from working


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is the fact, `meaning` what follows from it, `fix` the next step: a sentence, never a destructive command.

    `mend` does what is safe to do about it, and says what it did. `fixed` is what it said, `check` whose finding it is.
    """

    level: Level
    what: str
    meaning: str = ""
    fix: str = ""
    mend: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    check: str = ""
    fixed: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """An initialised project as it stood when it was looked at; `by` is who asks."""

    layout: Layout
    state: State
    by: Actor

    def is_gone(self, task: str) -> bool:
        """Is there no task of that id? Where a task's file can't be read, nobody can tell."""
        unread = any(error.path.startswith(f"{FOLDER}/") for error in self.state.broken)
        return task not in self.state.tasks and not unread


def of_error(error: OrchgitError | OSError, meaning: str = "", *, level: Level = Level.ERROR) -> Finding:
    """Return the finding that an error is."""
    what, fix = getattr(error, "what", str(error)), getattr(error, "next_step", "")
    return Finding(level, what, meaning, fix)
