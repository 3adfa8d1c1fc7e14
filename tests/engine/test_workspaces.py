"""All workspaces: what is said of them, and which are removed."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from orchgit.engine import workspaces
from orchgit.model.actor import Actor, Kind
from orchgit.model.errors import NotFoundError, RefusedError
from orchgit.model.task import Status
from orchgit.repository import ledger
from tests.engine.team import ADA
from tests.support import repos

if TYPE_CHECKING:
    from tests.engine.team import Team


def worked(team: Team) -> str:
    team.agent("echo x > x.txt")
    task = team.add()
    team.run()
    return task


def clean(team: Team, *, dry_run: bool = False) -> dict[str, str]:
    found = workspaces.clean(team.layout, team.state, ADA, dry_run=dry_run)
    return {each.task: each.why for each in found}


def forget(team: Team, task: str) -> None:
    """Delete the task's file alone, as if what comes after it had crashed."""
    with ledger.writing(team.layout, ADA) as book:
        book.remove(book.state.task(task).path, f"task({task}): deleted")


def test_they_are_listed_with_what_is_kept(team: Team) -> None:
    task = worked(team)
    (found,) = workspaces.listed(team.layout, team.state)
    assert (found.task, found.path, found.status) == (task, team.workspaces / task, Status.REVIEW)
    assert found.branch == team.task(task).branch
    assert found.kept
    repos.write(found.path, {"mine.txt": "mine\n"})
    assert not workspaces.listed(team.layout, team.state)[0].kept


def test_where_one_is(team: Team) -> None:
    task = worked(team)
    assert workspaces.of(team.layout, team.state, team.task(task)) == team.workspaces / task
    other = team.add("Another")
    with pytest.raises(NotFoundError, match=f"{other} has no workspace"):
        workspaces.of(team.layout, team.state, team.task(other))


def test_that_of_an_open_task_is_left(team: Team) -> None:
    task = worked(team)
    assert clean(team) == {task: "its task is review"}
    assert (team.workspaces / task / "x.txt").exists()


def test_that_of_a_deleted_task_is_removed_and_its_work_kept(team: Team) -> None:
    task = worked(team)
    repos.write(team.workspaces / task, {"mine.txt": "mine\n"})
    forget(team, task)
    assert workspaces.listed(team.layout, team.state)[0].status is None
    assert clean(team, dry_run=True) == {task: ""}
    assert (team.workspaces / task).exists()
    assert clean(team) == {task: ""}
    assert not (team.workspaces / task).exists()
    assert team.keeps(task, "mine.txt", "mine")
    assert team.keeps(task, "x.txt", "x")
    assert clean(team) == {}
    assert team.is_sound()


def test_one_that_somebody_has_open_is_left_and_named(team: Team) -> None:
    task = worked(team)
    forget(team, task)
    with subprocess.Popen(["sleep", "300"], cwd=team.workspaces / task) as user:
        try:
            assert clean(team) == {task: f"process {user.pid} (sleep) is at work in it"}
        finally:
            user.kill()
    assert (team.workspaces / task / "x.txt").exists()


def test_one_whose_task_can_not_be_read_is_left(team: Team) -> None:
    task = worked(team)
    path = team.layout.state / team.task(task).path
    path.write_text("no front matter\n")
    repos.git(team.layout.state, "commit", "--quiet", "--all", "--message=break it")
    assert clean(team) == {task: "its task's file can't be read"}


def test_what_can_not_be_kept_is_left(team: Team) -> None:
    task = worked(team)
    forget(team, task)
    team.git("config", "filter.broken.clean", "false")
    team.git("config", "filter.broken.required", "true")
    repos.write(team.workspaces / task, {".gitattributes": "*.bin filter=broken\n", "w.bin": "w\n"})
    assert clean(team) == {task: "not all that lies in it could be kept"}
    assert (team.workspaces / task / "w.bin").read_text() == "w\n"


def test_an_agent_may_not(team: Team) -> None:
    with pytest.raises(RefusedError, match="An agent may not remove workspaces"):
        workspaces.clean(team.layout, team.state, Actor(Kind.AGENT, "bot", "bot@orchgit"))


def test_other_tasks_go_on_while_one_is_cleared_away(team: Team) -> None:
    gate = team.root.parent / "gate"
    team.set("workspace.hooks.before_remove", f"while [ ! -e '{gate}' ]; do sleep 0.02; done")
    team.set("workspace.hook_timeout_ms", 100_000)
    team.agent(f"test $ORCHGIT_TASK = $(cat '{gate}.first') && echo x > x.txt || touch '{gate}'")
    first = team.add("First")
    (team.root.parent / "gate.first").write_text(first)
    team.run(only=first)
    team.git("merge", "--quiet", "--no-ff", "--no-edit", str(team.task(first).branch))
    second = team.add("Second")
    team.run()
    assert team.task(first).status is Status.DONE
    assert team.task(second).status is Status.REVIEW
    assert not (team.workspaces / first).exists()
    assert os.path.lexists(gate)


def test_one_in_which_an_editor_has_a_file_open_is_left_and_named(team: Team) -> None:
    task = worked(team)
    forget(team, task)
    swap = team.workspaces / task / ".x.txt.swp"
    swap.write_bytes(b"b0VIM")
    assert clean(team) == {task: "an editor has a file open in it (.x.txt.swp)"}
    swap.unlink()
    assert clean(team) == {task: ""}


def test_one_that_somebody_has_open_outlives_its_task(team: Team) -> None:
    task = worked(team)
    with subprocess.Popen(["sleep", "300"], cwd=team.workspaces / task) as user:
        try:
            team.approve(task)
            team.run()
            assert team.task(task).status is Status.DONE
            assert (team.workspaces / task / "x.txt").exists()
        finally:
            user.kill()
    team.run()
    assert not (team.workspaces / task).exists()
    assert team.is_sound()
