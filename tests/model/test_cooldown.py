"""When an agent whose provider's limit was hit is given nothing more, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchgit.model import breaker, cooldown
from orchgit.model.breaker import Ending
from orchgit.model.run import Outcome

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LIMITED = Outcome.LIMITED


def ending(
    at: int, outcome: Outcome = LIMITED, *, said: float | None = None, file: str = "f1", took: int = 10
) -> Ending:
    """Return a run that ended `at` seconds from noon, having taken `took`."""
    finished = NOON + at * SECOND
    return Ending(f"run_{at}", "x", "bot", file, outcome, finished - took * SECOND, finished, said)


def ends(*endings: Ending, now: datetime = NOON) -> timedelta | None:
    """Return how long from noon the agent cools down."""
    newest_first = sorted(endings, key=lambda each: each.finished, reverse=True)
    found = cooldown.cool_down(newest_first, file="f1", now=now)
    return found.until - NOON if found else None


@pytest.mark.parametrize(
    ("endings", "until"),
    [
        pytest.param((), None, id="no runs"),
        pytest.param((ending(0, Outcome.FAILED),), None, id="a failure is no limit"),
        pytest.param((ending(0),), MINUTE, id="a minute where the provider says no time"),
        pytest.param((ending(0, said=600),), 600 * SECOND, id="as it says"),
        pytest.param((ending(0, said=7200),), 7200 * SECOND, id="also longer than an hour"),
        pytest.param((ending(0, said=10**9),), timedelta(days=31), id="a month at most"),
        pytest.param((ending(0, said=0),), SECOND, id="a second at least"),
        pytest.param((ending(-100), ending(0)), 2 * MINUTE, id="the next in a row doubles it"),
        pytest.param(tuple(ending(-100 * n) for n in range(7)), timedelta(hours=1), id="an hour at most"),
        pytest.param(
            (ending(-100, said=1), ending(0, said=1)), 2 * SECOND, id="what it says can't be nothing for ever"
        ),
        pytest.param((ending(-100, said=5), ending(0)), 2 * MINUTE, id="each by its own word"),
        pytest.param((ending(-1, took=9), ending(0, took=9)), MINUTE, id="runs side by side hit the same limit"),
        pytest.param((ending(-1, said=600), ending(0)), 599 * SECOND, id="the longest word of those counts"),
        pytest.param((ending(-100), ending(-50, Outcome.SUCCEEDED), ending(0)), MINUTE, id="an answer between"),
        pytest.param(
            (ending(-5), ending(0, Outcome.SUCCEEDED, took=60)), 55 * SECOND, id="a run begun before the limit"
        ),
        pytest.param((ending(-30), ending(0, Outcome.SUCCEEDED)), None, id="an answer since"),
        pytest.param((ending(-30), ending(0, Outcome.FAILED)), None, id="a failure is an answer too"),
        pytest.param((ending(-30), ending(0, Outcome.STOPPED)), 30 * SECOND, id="a stopped run says nothing"),
        pytest.param((ending(-30), ending(0, Outcome.VANISHED)), 30 * SECOND, id="nor one whose runner died"),
        pytest.param((ending(0, file="f0"),), None, id="its file was changed since"),
        pytest.param((ending(-100, file="f0"), ending(0)), MINUTE, id="what was before that doesn't count"),
    ],
)
def test_an_agent_cools_down(endings: tuple[Ending, ...], until: timedelta | None) -> None:
    assert ends(*endings) == until


def test_it_is_over_when_its_time_has_come() -> None:
    assert ends(ending(0), now=NOON + 59 * SECOND) == MINUTE
    assert ends(ending(0), now=NOON + MINUTE) is None


def test_it_ends_with_a_whole_second_and_never_early() -> None:
    late = NOON + timedelta(microseconds=1)
    known = [Ending("run_x", "x", "bot", "f1", LIMITED, NOON, late)]
    found = cooldown.cool_down(known, file="f1", now=NOON)
    assert found is not None
    assert found.until == NOON + MINUTE + SECOND


def test_a_limit_is_no_death() -> None:
    deaths = [
        Ending(f"run_{n}", f"t{n}", "bot", "f1", LIMITED if n == 1 else Outcome.FAILED, NOON - SECOND, NOON)
        for n in range(3)
    ]
    assert breaker.rest(deaths, file="f1", now=NOON) is None


@pytest.mark.parametrize(
    ("endings", "words"),
    [
        ((ending(0),), "cools down until 12:01:00 UTC: its provider's limit was hit"),
        (
            (ending(0), ending(-100)),
            "cools down until 12:02:00 UTC: its provider's limit was hit, 2 times in a row",
        ),
        ((ending(0, said=86400),), "cools down until 2026-11-23 12:00:00 UTC: its provider's limit was hit"),
    ],
)
def test_it_says_until_when_and_why(endings: tuple[Ending, ...], words: str) -> None:
    assert str(cooldown.cool_down(endings, file="f1", now=NOON)) == words
