"""What runs use: told, added up, held to a limit, and written where it can be found again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchgit.engine import history, output
from orchgit.model.lifecycle import Ask
from orchgit.model.run import Outcome
from orchgit.model.usage import Usage
from orchgit.repository import runs
from orchgit.repository.layout import STATE_REF
from tests.support import agents

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.team import Team

SPENDS = "echo ::usage input=4000 output=800 cache=9 cost-usd=0.04 turns=1; echo ::usage input=200 output=12 turns=2"
SUM = Usage(4200, 812, 9, 0, 3, 0.04)
SAID = {"Tokens": "4200 in, 812 out, 9 cached", "Cost-USD": "0.0400"}


def said(team: Team, task: str, since: str = "in_progress") -> dict[str, str]:
    """Return what the last commit that ended a run of the task says that it used."""
    found = history.last_transition(team.layout, STATE_REF, task, since=since)
    assert found is not None
    return {key: value for key, value in found.message.trailers if key in SAID}


@pytest.mark.parametrize(("then", "status"), [("true", "review"), ("exit 127", "failed"), ("exit 75", "retrying")])
def test_the_sum_is_in_the_result_and_in_the_commit_that_ends_the_run(team: Team, then: str, status: str) -> None:
    team.agent(f"{SPENDS}; {then}")
    task = team.add()
    team.tick()
    place = team.place(task)
    agents.until(place.result.exists)
    team.tick()
    result = runs.read_result(place)
    assert result is not None
    assert (result.usage, runs.read_usage(place)) == (SUM, SUM)
    assert team.task(task).status == status
    assert said(team, task) == SAID


def test_of_a_run_that_says_nothing_nothing_is_said(team: Team) -> None:
    team.agent("echo ::usage of words; true")
    task = team.add()
    team.run()
    assert said(team, task) == {}
    assert [line.text for line in output.lines(team.runs()[0])] == ["::usage of words"]


def test_each_amount_is_in_the_log_and_none_is_the_last_word(team: Team) -> None:
    team.agent(f"echo hi; {SPENDS}")
    team.add()
    team.run()
    place = team.runs()[0]
    assert [(line.kind, line.text, line.usage) for line in output.lines(place)] == [
        ("text", "hi", None),
        ("usage", "used 4000 in, 800 out, 9 cached, $0.0400, 1 turn", Usage(4000, 800, 9, 0, 1, 0.04)),
        ("usage", "used 200 in, 12 out, 2 turns", Usage(200, 12, turns=2)),
    ]
    last, result = output.last(place), runs.read_result(place)
    assert last is not None
    assert last.text == "hi"
    assert result is not None
    assert result.summary == "hi"


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        ({"max_tokens": 5000}, "used 5012 tokens, of 5000 that it may"),
        ({"max_turns": 2}, "took 3 turns, of 2 that it may"),
        ({"max_cost_usd": 0.03}, "cost $0.0400, of $0.0300 that it may"),
    ],
)
def test_a_run_that_uses_too_much_is_stopped_and_its_attempt_counts(
    team: Team, limit: dict[str, Any], why: str
) -> None:
    team.agent(f"echo work > work.txt; {SPENDS}; sleep 300", max_retries=0)
    task = team.add(**limit)
    team.run()
    assert team.statuses() == {"Do it": "failed"}
    assert team.reasons() == [why]
    assert said(team, task) == SAID
    assert team.keeps(task, "work.txt")
    result = runs.read_result(team.runs()[0])
    assert result is not None
    assert result.outcome is Outcome.OVERSPENT


def test_it_is_tried_again_as_after_any_failure(team: Team) -> None:
    team.agent(f"test $ORCHGIT_ATTEMPT = 2 || {{ {SPENDS}; sleep 300; }}", max_turns=2)
    task = team.add()
    team.run()
    assert team.task(task).attempts == 2
    assert team.statuses() == {"Do it": "review"}


def test_one_that_says_at_its_end_what_it_used_has_ended_well(team: Team) -> None:
    team.agent(SPENDS, max_tokens=5)
    team.add()
    team.run()
    assert team.statuses() == {"Do it": "review"}


def test_a_task_may_be_given_more_than_its_agent(team: Team) -> None:
    team.set("defaults.agent.max_tokens", 5)
    team.agent(f"{SPENDS}; sleep 2", max_tokens=6)
    task = team.add(max_tokens=0)
    team.run()
    assert team.task(task).status == "review"
    assert runs.read_spec(team.runs()[0]).max_tokens == 0


def test_what_a_run_used_until_its_runner_died_is_known(team: Team) -> None:
    team.agent(f"{SPENDS}; sleep 300")
    task = team.add()
    team.tick()
    place = team.place(task)
    agents.until(place.usage.exists)
    agents.until(lambda: runs.read_usage(place) == SUM)
    team.kill_runner(place)
    team.tick()
    team.tick()
    assert team.task(task).status == "retrying"
    assert said(team, task) == SAID


@pytest.mark.parametrize("ask", [Ask.CANCEL, Ask.RELEASE])
def test_what_a_run_used_until_a_person_stopped_it_is_known(team: Team, tmp_path: Path, ask: Ask) -> None:
    gate = tmp_path / "gate"
    team.agent(f"{SPENDS}; {agents.waits_for(gate)}")
    task = team.add()
    team.tick()
    place = team.place(task)
    agents.until(lambda: runs.read_usage(place) == SUM)
    if ask is Ask.CANCEL:
        team.cancel(task)
    else:
        team.release(task)
    assert said(team, task) == SAID
