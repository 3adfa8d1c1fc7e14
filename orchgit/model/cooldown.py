"""The cool-down: an agent whose provider's limit was hit is given nothing until that may be asked again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from orchgit.model import limits
from orchgit.model.breaker import NOT_ITS_DOING
from orchgit.model.dataclass import dataclass
from orchgit.model.run import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchgit.model.breaker import Ending

FIRST: Final = timedelta(minutes=1)  # where the provider says no time
LONGEST: Final = timedelta(hours=1)
_LEAST: Final = timedelta(seconds=1)  # where it does: a provider that says "at once" each time is not believed for ever
_BELIEVED: Final = timedelta(days=31)

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CoolDown:
    """An agent is given nothing until `until`: its provider's limit was hit `hits` times in a row, at `task` last."""

    agent: str
    until: datetime
    hits: int
    task: str
    since: datetime

    def __str__(self) -> str:
        day = "" if self.until.date() == self.since.date() else f"{self.until:%Y-%m-%d} "
        again = f", {self.hits} times in a row" if self.hits > 1 else ""
        return f"cools down until {day}{self.until:%H:%M:%S} UTC: its provider's limit was hit{again}"


def cool_down(endings: Iterable[Ending], *, file: str, now: datetime) -> CoolDown | None:
    """Return whether an agent cools down, given how its runs ended, newest first, and the version of its file.

    What was before its file was changed doesn't count, nor what was before the start of a run that ended in any other
    way: that one was answered. Runs that were at work when the limit was hit hit the same one.
    """
    known = [each for each in endings if each.file == file and each.outcome not in NOT_ITS_DOING]
    answered = max((each.started for each in known if each.outcome is not Outcome.LIMITED), default=_NEVER)
    limited = [each for each in known if each.outcome is Outcome.LIMITED and each.finished > answered]
    hits, hit, until = 0, _NEVER, _NEVER
    for each in reversed(limited):
        if each.started >= hit:
            hits, hit = hits + 1, each.finished
        until = max(until, limits.whole_second(each.finished + _wait(each.again_in, hits)))
    if until <= now:
        return None
    last = limited[0]
    return CoolDown(last.agent, until, hits, last.task, last.finished)


def _wait(said: float | None, hits: int) -> timedelta:
    doubled = 1 << min(hits - 1, 12)
    if said is None:
        return min(FIRST * doubled, LONGEST)
    return max(min(timedelta(seconds=said), _BELIEVED), min(_LEAST * doubled, LONGEST))
