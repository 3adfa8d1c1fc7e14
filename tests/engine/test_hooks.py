"""Commands that set a workspace up and take it down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.engine import output
from orchgit.model.task import Status

if TYPE_CHECKING:
    from tests.engine.team import Team


def said(team: Team, number: int = -1) -> list[str]:
    return [line.text for line in output.lines(team.runs()[number])]


def set_hooks(team: Team, **commands: str) -> None:
    for name, command in commands.items():
        team.set(f"workspace.hooks.{name}", command)


def test_each_is_run_when_its_time_comes(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "s3cr3t-value")
    names = ("after_create", "before_run", "after_run", "before_remove")
    set_hooks(team, **{name: f'echo {name} "$PWD" $ORCHGIT_TASK $ORCHGIT_ATTEMPT $TOKEN' for name in names})
    team.agent("echo agent; echo x > x.txt", env={"TOKEN": "$SOME_TOKEN"})
    task = team.add()
    team.run()
    where = f"{team.workspaces / task} {task} 1 ***"
    assert said(team) == [f"after_create {where}", f"before_run {where}", "agent", f"after_run {where}"]
    team.reject(task)
    team.run()
    assert said(team) == [f"before_run {where}", "agent", f"after_run {where}"]
    team.approve(task)
    assert said(team)[-1] == f"before_remove {where}"
    assert not (team.workspaces / task).exists()


def test_what_it_makes_is_kept_as_the_agents_own_work_is(team: Team) -> None:
    set_hooks(team, after_create="echo made > made.txt", after_run="cp made.txt after.txt")
    team.agent("test -f made.txt")
    task = team.add()
    team.run()
    assert {"made.txt", "after.txt"} <= set(team.files(str(team.task(task).review_commit)))


@pytest.mark.parametrize("name", ["after_create", "before_run"])
def test_an_agent_does_not_start_where_one_failed_and_the_next_attempt_does(team: Team, name: str) -> None:
    set_hooks(team, **{name: "test -e again && exit 0; touch again; echo no such thing >&2; exit 7"})
    team.agent("echo started")
    task = team.add()
    team.run()
    assert team.task(task).status is Status.REVIEW
    assert f"the hook {name} failed with exit code 7: no such thing" in team.reasons()
    assert [said(team, 0), said(team, 1)] == [["no such thing"], ["started"]]
    assert team.keeps(task, "again")


def test_one_that_hangs_is_stopped(team: Team) -> None:
    set_hooks(team, before_run="echo waiting; sleep 300")
    team.set("workspace.hook_timeout_ms", 300)
    team.agent("true", max_retries=0)
    task = team.add()
    team.run()
    assert team.task(task).status is Status.FAILED
    assert "the hook before_run took longer than its time limit: waiting" in team.reasons()


@pytest.mark.parametrize("command", ["exit 1", "echo x > x.txt"])
def test_one_that_comes_after_is_only_noted(team: Team, command: str) -> None:
    set_hooks(team, after_run="exit 3", before_remove="exit 4")
    team.agent(command, max_retries=0)
    task = team.add()
    team.run()
    assert team.task(task).status is (Status.FAILED if command == "exit 1" else Status.REVIEW)
    assert team.trailers("orchestry")["Note"] == "the hook after_run failed with exit code 3"
    team.cancel(task) if command != "exit 1" else None
    if command != "exit 1":
        assert said(team)[-1] == "the hook before_remove failed with exit code 4"
        assert not (team.workspaces / task).exists()


def test_an_agents_own_stand_in_place_of_the_projects(team: Team) -> None:
    set_hooks(team, before_run="echo project", after_run="echo after")
    team.agent("echo agent", hooks={"before_run": "echo mine", "after_run": ""})
    team.add()
    team.run()
    assert said(team) == ["mine", "agent"]


def test_a_run_is_stopped_in_the_middle_of_one(team: Team) -> None:
    set_hooks(team, before_run="echo hook; sleep 300")
    team.agent("echo started")
    task = team.add()
    team.tick()
    team.cancel(task)
    assert team.task(task).status is Status.CANCELLED
    assert "started" not in said(team)
