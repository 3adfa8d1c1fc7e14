"""When an agent whose runs die at once is given nothing more, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchgit.model import breaker
from orchgit.model.breaker import Ending
from orchgit.model.run import Outcome

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
FAILED = Outcome.FAILED


def ending(task: str, outcome: Outcome = FAILED, *, file: str = "f1", took: timedelta = SECOND, **said: Any) -> Ending:
    finished = said.pop("finished", NOON)
    return Ending(f"run_{task}", task, "bot", file, outcome, finished - took, finished)


def ends(*endings: Ending, now: datetime = NOON) -> datetime | None:
    rest = breaker.rest(endings, file="f1", now=now)
    return rest.until if rest else None


THREE = (ending("x"), ending("y"), ending("x"))


@pytest.mark.parametrize(
    ("endings", "until"),
    [
        pytest.param((), None, id="no runs"),
        pytest.param(THREE[:2], None, id="two deaths"),
        pytest.param(THREE, NOON + MINUTE, id="three deaths at two tasks"),
        pytest.param((ending("x"),) * 5, None, id="at one task alone"),
        pytest.param((ending("y"), *THREE), NOON + 2 * MINUTE, id="each further one doubles it"),
        pytest.param((ending("y"),) * 3 + THREE, NOON + 8 * MINUTE, id="and again"),
        pytest.param((ending("y"),) * 50 + THREE, NOON + 60 * MINUTE, id="an hour at most"),
        pytest.param((ending("z", Outcome.SUCCEEDED), *THREE), None, id="a success ends it"),
        pytest.param(
            (*THREE, ending("z", Outcome.SUCCEEDED), *THREE), NOON + MINUTE, id="what was before doesn't count"
        ),
        pytest.param((ending("z", took=11 * SECOND), *THREE), None, id="a run that lasted"),
        pytest.param((ending("z", took=10 * SECOND), *THREE[1:]), NOON + MINUTE, id="ten seconds are within seconds"),
        pytest.param((ending("z", Outcome.FATAL), *THREE[1:]), NOON + MINUTE, id="what no retry can mend"),
        pytest.param((ending("z", Outcome.OVERSPENT), *THREE), None, id="what was stopped for its budget has worked"),
        pytest.param((ending("z", Outcome.STALLED), *THREE[1:]), NOON + MINUTE, id="silent for its short limit"),
        pytest.param((ending("z", Outcome.STOPPED), *THREE), NOON + MINUTE, id="a stopped run says nothing"),
        pytest.param((ending("z", Outcome.VANISHED), *THREE), NOON + MINUTE, id="nor one whose runner died"),
        pytest.param((ending("z", Outcome.NEVER_STARTED), *THREE[:2]), None, id="nor one that never was"),
        pytest.param((*THREE[:2], ending("z", file="f0"), ending("z")), None, id="its file was changed since"),
    ],
)
def test_an_agent_rests(endings: tuple[Ending, ...], until: datetime | None) -> None:
    assert ends(*endings) == until


def test_a_rest_ends_with_its_time_or_with_another_file() -> None:
    assert ends(*THREE, now=NOON + MINUTE - SECOND)
    assert ends(*THREE, now=NOON + MINUTE) is None
    assert breaker.rest(THREE, file="f2", now=NOON) is None


def test_it_says_until_when_and_why() -> None:
    rest = breaker.rest(THREE, file="f1", now=NOON)
    assert rest is not None
    assert f"{rest.agent} {rest}" == "bot rests until 12:01:00 UTC: its last 3 runs died within seconds"
    assert rest.task == "x"
