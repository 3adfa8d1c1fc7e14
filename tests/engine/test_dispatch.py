"""What a runner is told, and who runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchgit.engine import moves
from orchgit.model import waiting
from orchgit.repository import locks, runs
from tests.engine.team import ADA

if TYPE_CHECKING:
    from tests.engine.team import Team


@pytest.mark.parametrize(
    ("of_task", "of_agent", "told"),
    [
        ({}, {}, (3600.0, 600.0)),
        ({}, {"timeout_ms": 20_000, "stall_timeout_ms": 10_000}, (20.0, 10.0)),
        ({"timeout_ms": 1500}, {"timeout_ms": 20_000, "stall_timeout_ms": 10_000}, (1.5, 10.0)),
        ({"timeout_ms": 60_000, "stall_timeout_ms": 500}, {}, (60.0, 0.5)),
    ],
)
def test_limits_are_the_tasks_then_the_agents_then_the_projects(
    team: Team, of_task: dict[str, Any], of_agent: dict[str, Any], told: tuple[float, float]
) -> None:
    team.agent("true", **of_agent)
    task = team.add(**of_task)
    team.tick()
    spec = runs.read_spec(team.place(task))
    assert (spec.timeout, spec.stall_timeout) == told


def test_so_are_those_of_what_a_run_may_use(team: Team) -> None:
    team.set("defaults.agent.max_turns", 9)
    team.set("defaults.agent.max_cost_usd", "2.5")
    team.agent("true", max_turns=8, max_tokens=5000)
    task = team.add(max_tokens=6000)
    team.tick()
    spec = runs.read_spec(team.place(task))
    assert (spec.max_turns, spec.max_tokens, spec.max_cost_usd) == (8, 6000, 2.5)


def test_a_task_that_takes_longer_than_it_may_is_stopped(team: Team) -> None:
    team.agent("sleep 300", max_retries=0)
    team.add(timeout_ms=200)
    team.run()
    assert team.statuses() == {"Do it": "failed"}
    assert "took longer than 0.2 s" in team.reasons()


def test_an_agent_has_as_many_tasks_at_once_as_its_file_says(team: Team) -> None:
    team.agent("sleep 300", max_concurrent=2)
    for title in ("one", "two", "three"):
        team.add(title)
    team.tick()
    assert sorted(team.statuses().values()) == ["in_progress", "in_progress", "todo"]
    assert {task.agent for task in team.state.tasks.values()} == {"bot", None}
    assert not team.happened[2:]


def test_two_that_write_to_the_same_files_run_one_after_the_other(team: Team) -> None:
    team.agent("until test -e ../../go; do sleep 0.05; done", "a")
    team.agent("true", "b")
    first = team.add("first", scope=("src/**",), assignee="a")
    team.add("second", scope=("src/app.py",))
    team.add("third", scope=("docs",), priority=4)
    team.tick()
    assert team.statuses() == {"first": "in_progress", "second": "todo", "third": "in_progress"}
    place = team.place(first)
    (team.root.parent / "go").touch()
    locks.wait_until_free(place.runner_lock)
    team.run()
    assert set(team.statuses().values()) == {"review"}


def test_what_a_person_has_in_hand_is_not_written_to(team: Team) -> None:
    team.agent("true")
    mine = team.add("mine", scope=("src/**",))
    moves.take(team.layout, ADA, team.task(mine))
    team.add("other", scope=("src/app.py",))
    after = team.run()
    assert team.statuses() == {"mine": "in_progress", "other": "todo"}
    (other,) = [task for task in after.tasks.values() if task.title == "other"]
    assert waiting.obstacle(other, after) == f"waits: its scope overlaps {mine}, which {ADA.name} has"
