"""What the history says that runs used: of tasks that are open, archived and deleted, and of runs that were stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.engine import moves, stats
from orchgit.model import spending
from orchgit.model.spending import By
from orchgit.model.usage import Usage
from tests.engine.team import ADA
from tests.support import agents

if TYPE_CHECKING:
    from tests.engine.team import Team

SPENDS = "echo ::usage input=4 output=2 cache=9 reasoning=1 cost-usd=0.25 turns=1"


def sums(team: Team, by: By, *, since: int | None = None, until: int | None = None) -> dict[str, tuple[int, Usage]]:
    found = stats.with_goals(team.layout, team.state, stats.spent(team.layout, team.state, since=since, until=until))
    return {each.key: (each.runs, each.used) for each in spending.sums(found, by)}


def once(times: int = 1) -> Usage:
    return Usage(4 * times, 2 * times, 9 * times, times, cost_usd=0.25 * times)


def test_every_run_counts_whatever_became_of_its_task(team: Team) -> None:
    team.agent(f"{SPENDS}; test $ORCHGIT_ATTEMPT = 2", retry_delay_ms=0)
    kept, gone, archived = team.add("Kept", goal="speed"), team.add("Gone", goal="speed"), team.add("Old", goal="size")
    for each in (kept, gone, archived):
        team.run(only=each)
    team.approve(archived)
    moves.archive(team.layout, ADA, [team.task(archived)])
    moves.delete(team.layout, team.state, ADA, team.task(gone))
    assert sums(team, By.AGENT) == {"bot": (6, once(6))}
    assert sums(team, By.TASK) == {each: (2, once(2)) for each in (kept, gone, archived)}
    assert sums(team, By.GOAL) == {"speed": (2, once(2)), "size": (2, once(2)), "": (2, once(2))}
    assert len(sums(team, By.DAY)) in (1, 2)
    assert sums(team, By.AGENT, since=1_000_000_000, until=4_000_000_000) == {"bot": (6, once(6))}
    assert sums(team, By.AGENT, since=4_000_000_000) == {}
    assert sums(team, By.AGENT, until=1_000_000_000) == {}
    assert [each.task for each in stats.spent(team.layout, team.state, task=kept)] == [kept, kept]
    assert [each.succeeded for each in stats.spent(team.layout, team.state, task=kept)] == [True, False]


def test_a_run_that_a_person_stopped_is_its_agents(team: Team) -> None:
    team.agent(f"{SPENDS}; sleep 300")
    task = team.add()
    team.tick()
    place = team.place(task)
    agents.until(place.usage.exists)
    team.cancel(task)
    assert sums(team, By.AGENT) == {"bot": (1, once())}


def test_what_a_person_did_by_hand_is_no_run(team: Team) -> None:
    task = team.add()
    moves.take(team.layout, ADA, team.task(task))
    team.release(task)
    assert stats.spent(team.layout, team.state) == []
