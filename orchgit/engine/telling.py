"""What whoever runs the loop is told: what happened to a task, and what else they may want to know."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.model.task import Task


class Level(StrEnum):
    """How much a line of a log matters."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Happening:
    """What the loop tells whoever runs it: a task after a transition, why, and the run and agent that it is about."""

    task: Task
    reason: str = ""
    run: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What else whoever runs the loop may want to know: `kind` is one word, `text` a line.

    `task` is what it is about, or `run` where that has no task any more, or `agent` where it is no task's matter.
    """

    kind: str
    text: str
    level: Level
    task: Task | None = None
    run: str | None = None
    agent: str | None = None


BEGAN = "began"  # the kind of the notice that a loop has its lock, and begins

Report: TypeAlias = Callable[[Happening], None]
Notify: TypeAlias = Callable[[Notice], None]


def ignore(_: Notice) -> None:
    """Tell nobody."""


@contextmanager
def hearing(notify: Notify) -> Iterator[None]:
    """Pass on what is logged for a person, in the ledger say, as notices."""

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            notify(Notice("note", record.getMessage().removeprefix("orchgit: "), Level.WARNING))

    ear, logger = Ear(logging.WARNING), logging.getLogger("orchgit")
    logger.addHandler(ear)
    try:
        yield
    finally:
        logger.removeHandler(ear)
