"""A run: one attempt of an agent at a task, how it stands and how it ended."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from orchgit.model.usage import Usage


class Outcome(StrEnum):
    """How a run ended. Only `succeeded` leads to review."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    FATAL = "fatal"  # no retry can mend it
    STALLED = "stalled"
    TIMED_OUT = "timed_out"
    OVERSPENT = "overspent"  # used more turns, tokens or money than it may
    LIMITED = "limited"  # its provider's limit was hit: nobody's failure, and it comes again later
    STOPPED = "stopped"
    VANISHED = "vanished"  # its runner died
    NEVER_STARTED = "never_started"


class Stop(StrEnum):
    """What the one who asked a run to stop wants of its task."""

    CANCEL = "cancel"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation that a CLI keeps, by its own id, with what it counted so far, in its own terms.

    A run that goes on with it subtracts these counters from those that the CLI goes on to count up.
    """

    id: str
    counters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended and what it left: `commit` holds its work, `base` is where that left the base branch.

    `again_in` are the seconds until its provider may be asked again, where that said so. `usage` is the sum of what it
    used, None where nothing is known. `resumed`: it was to go on with a session; `session_lost`: nobody can any more.
    """

    run: str
    outcome: Outcome
    reason: str = ""
    exit_code: int | None = None
    commit: str | None = None
    base: str | None = None
    stop: Stop | None = None
    stopped_by: str | None = None
    started: datetime | None = None
    finished: datetime | None = None
    summary: str = ""
    notes: tuple[str, ...] = ()
    again_in: float | None = None
    usage: Usage | None = None
    session_lost: bool = False
    resumed: bool = False

    @property
    def is_void(self) -> bool:
        """Did it do nothing, for want of the session that it was to go on with? Then it counts as no attempt."""
        worked = self.usage is not None and self.usage.tokens + self.usage.cache > 0
        return self.outcome is Outcome.FAILED and self.session_lost and self.resumed and not worked


@dataclass(frozen=True, slots=True)
class Alive:
    """Its runner holds its lock."""


@dataclass(frozen=True, slots=True)
class Finished:
    result: Result


@dataclass(frozen=True, slots=True)
class Gone:
    """No runner holds its lock and there is no result. `started`: a runner once did."""

    started: bool


State: TypeAlias = Alive | Finished | Gone


@dataclass(frozen=True, slots=True)
class Stray:
    """A run of this clone that no task names any more; `task` is the id of the one that it was started for."""

    run: str
    task: str
    state: State
