"""The breaker: an agent whose last runs all died within seconds rests for a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from orchgit.model.dataclass import dataclass
from orchgit.model.run import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

TRIPS_AT: Final = 3  # deaths in a row
SECONDS: Final = timedelta(seconds=10)  # a run that lasted longer than this did not die at once
FIRST_REST: Final = timedelta(minutes=1)
LONGEST_REST: Final = timedelta(hours=1)

NOT_ITS_DOING: Final = frozenset({Outcome.STOPPED, Outcome.VANISHED, Outcome.NEVER_STARTED})


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run of an agent ended.

    `file` is the version of the agent's file that it was started with. `again_in` are the seconds until its provider
    may be asked again, where a limit of that ended it and it said so.
    """

    run: str
    task: str
    agent: str
    file: str
    outcome: Outcome
    started: datetime
    finished: datetime
    again_in: float | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """An agent is given nothing until `until`: its last `deaths` runs died at once, `task` in the last of them."""

    agent: str
    until: datetime
    deaths: int
    task: str

    def __str__(self) -> str:
        return f"rests until {self.until:%H:%M:%S} UTC: its last {self.deaths} runs died within seconds"


def rest(endings: Iterable[Ending], *, file: str, now: datetime) -> Rest | None:
    """Return whether an agent rests, given how its runs ended, newest first, and the version of its file.

    What died before the file was changed doesn't count, and neither do deaths at one task alone: its own attempts bound
    those. Each death beyond those that trip the breaker doubles the rest.
    """
    deaths: list[Ending] = []
    for each in endings:
        if each.outcome in NOT_ITS_DOING or each.outcome is Outcome.LIMITED:  # the cool-down sees to that
            continue
        if each.file != file or not _died_at_once(each):
            break
        deaths.append(each)
    if len(deaths) < TRIPS_AT or len({each.task for each in deaths}) < 2:
        return None
    last = deaths[0]
    doubled = min(len(deaths) - TRIPS_AT, 10)
    until = last.finished + min(FIRST_REST * 2**doubled, LONGEST_REST)
    return Rest(last.agent, until, len(deaths), last.task) if until > now else None


def _died_at_once(ending: Ending) -> bool:
    did_something = ending.outcome in (Outcome.SUCCEEDED, Outcome.OVERSPENT)
    return not did_something and ending.finished - ending.started <= SECONDS
