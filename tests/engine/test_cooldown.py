"""An agent whose provider's limit was hit cools down: no attempt is used up, others go on, and it comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from orchgit.engine import agents, endings, moves
from orchgit.engine.loop import Control
from orchgit.engine.snapshot import Observer
from orchgit.model.cooldown import CoolDown
from orchgit.repository import runs
from tests.engine.team import ADA
from tests.support.agents import until, waits_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.team import Team

COOLS = "cools down until"


def one_run(team: Team, task: str) -> None:
    """Let the task be started and its run be settled, with nothing after."""
    team.tick()
    until(team.place(task).result.exists)
    team.tick()


def test_the_attempt_does_not_count_and_the_task_waits(team: Team) -> None:
    team.agent("echo ::limited seconds=600 too many requests; exit 1", max_retries=0)
    task = team.add()
    before = datetime.now(UTC)
    one_run(team, task)
    found = team.task(task)
    assert (found.status, found.attempts) == ("retrying", 0)
    assert found.retry_at is not None
    assert timedelta(seconds=600) <= found.retry_at - before < timedelta(seconds=660)
    assert team.story(task) == ["created", "todo -> in_progress", "in_progress -> retrying"]
    assert team.trailers("orchestry")["Reason"] == "the provider's limit was hit: too many requests"
    assert team.trailers("orchestry")["Actor"] == "bot"
    team.tick()
    assert len(team.runs()) == 1


@pytest.mark.parametrize("command", ["exit 75", "echo ::limited; exit 1"])
def test_where_the_provider_says_no_time_it_is_a_minute(team: Team, command: str) -> None:
    team.agent(command)
    one_run(team, team.add())
    (rest,) = endings.rests(endings.latest(team.layout), team.state).values()
    result = runs.read_result(team.runs()[0])
    assert result is not None
    assert result.finished is not None
    assert isinstance(rest, CoolDown)
    assert timedelta(minutes=1) <= rest.until - result.finished < timedelta(seconds=61)


def test_silence_after_the_limit_is_the_providers_doing(team: Team) -> None:
    team.agent("echo ::limited seconds=600 later; sleep 300", stall_timeout_ms=500)
    task = team.add()
    one_run(team, task)
    assert (team.task(task).status, team.task(task).attempts) == ("retrying", 0)
    assert team.reasons() == ["the provider's limit was hit: later"]


def test_others_go_on_and_the_loop_waits_and_says_so_once(team: Team) -> None:
    team.agent("test -e ../asked && exit 0; touch ../asked; echo ::limited seconds=1 later; exit 1", "bot")
    team.agent("true", "zoe")
    mine, also_mine = team.add("mine", assignee="bot"), team.add("also mine", assignee="bot")
    team.add("hers", assignee="zoe")
    team.run()
    assert set(team.statuses().values()) == {"review"}
    assert team.task(mine).attempts == 1
    (told,) = team.rests()
    assert told.startswith(f"bot {COOLS}")
    order = [(each.task.title, each.task.status.value) for each in team.happened]
    assert order.index(("hers", "review")) < order.index(("also mine", "in_progress"))
    assert runs.read_spec(team.runs()[-1]).attempt == 1
    assert team.story(also_mine)[1] == "todo -> in_progress"


def test_a_loop_that_is_started_again_knows_it(team: Team) -> None:
    team.agent("echo ::limited seconds=600; exit 1")
    one_run(team, team.add("first"))
    team.add("second")
    team.tick()
    assert team.statuses() == {"first": "retrying", "second": "todo"}
    assert isinstance(Observer(team.layout).take().rests["bot"], CoolDown)


def test_a_change_of_its_file_ends_it(team: Team) -> None:
    team.agent("echo ::limited seconds=600; exit 1")
    one_run(team, team.add("first"))
    team.add("second")
    agents.edit(team.layout, ADA, "bot", {"command": "true"})
    team.tick()
    assert team.statuses() == {"first": "retrying", "second": "in_progress"}


def test_a_person_who_names_the_task_is_obeyed(team: Team) -> None:
    team.agent("test -e ../asked && exit 0; touch ../asked; echo ::limited seconds=600; exit 1")
    task = team.add()
    one_run(team, task)
    moves.retry(team.layout, ADA, team.task(task))
    team.run(only=task)
    assert team.statuses() == {"Do it": "review"}


def test_drained_the_loop_does_not_wait_for_it(team: Team) -> None:
    team.agent("echo ::limited seconds=600; exit 1")
    one_run(team, team.add("first"))
    team.add("second")
    control = Control()
    control.drain()
    team.run(control=control)
    assert team.statuses() == {"first": "retrying", "second": "todo"}


def test_nothing_is_started_while_review_is_full(team: Team, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    team.set("scheduling.max_in_review", 1)
    team.agent("true")
    team.agent(waits_for(gate), "zoe")
    first = team.add("first", priority=1, assignee="bot")
    team.add("beside it", priority=1, assignee="zoe")
    team.add("second", assignee="bot")
    team.tick()
    until(team.place(first).result.exists)
    team.tick()
    assert team.statuses() == {"first": "review", "beside it": "in_progress", "second": "todo"}
    gate.touch()
    team.run()
    assert team.statuses() == {"first": "review", "beside it": "review", "second": "todo"}
    team.approve(first)
    team.run()
    assert team.statuses()["second"] == "todo"
    team.reject(next(task.id for task in team.state.tasks.values() if task.title == "beside it"))
    team.run()
    assert team.statuses() == {"first": "done", "beside it": "review", "second": "review"}
