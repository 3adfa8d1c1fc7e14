"""What changes while a run goes on: by commands, and by commits that are made with plain git."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from orchgit.engine import agents, clearing, descendants, loop, moves, perform, settings, tasks, telling
from orchgit.engine.loop import Control
from orchgit.engine.tasks import Wish
from orchgit.model import agent as agent_file
from orchgit.model import scheduling
from orchgit.model.errors import RefusedError
from orchgit.model.run import Outcome
from orchgit.model.task import Status
from orchgit.repository import locks, runs, settled
from tests.engine.team import ADA
from tests.engine.test_loop import NOW, watching
from tests.support import repos
from tests.support.agents import hider, lives, until, waits_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.repository.runs import Folder
    from tests.engine.team import Team


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


def begin(team: Team, gate: Path, *, name: str = "bot", more: str = "true", **wishes: object) -> tuple[str, Folder]:
    """Start an agent that has written half of its work and waits for the gate; return its task, and its run."""
    team.agent(f"echo half > half.txt; {more}; {waits_for(gate)}; echo whole > half.txt", name)
    task = team.add("Do it", **wishes)
    team.tick()
    until((team.workspaces / task / "half.txt").exists)
    return task, team.place(task)


def commit(team: Team, task: str, change: dict[str, str | None]) -> None:
    """Change lines of a task's front matter, as a pull brings what another clone did; None takes a line out."""
    path = team.layout.state / team.task(task).path
    lines = [line for line in path.read_text().splitlines(keepends=True) if line.partition(":")[0] not in change]
    new = [f"{key}: {value}\n" for key, value in change.items() if value is not None]
    text = "".join([lines[0], *new, *lines[1:]])
    with elsewhere(team):
        path.write_text(text)


@contextmanager
def elsewhere(team: Team) -> Iterator[None]:
    """Commit what the `with` does to the files with plain git, as a state that has been judged where it was made."""
    with locks.held(team.layout.lock, wait=30, doing="bring what another clone did"):
        yield
        until(lambda: committed(team))
        settled.note(team.layout, team.git("rev-parse", "orchestry"))


def committed(team: Team) -> bool:
    argv = ["git", "commit", "--quiet", "--all", "--no-verify", "--message=elsewhere"]
    return subprocess.run(argv, cwd=team.layout.state, capture_output=True, check=False).returncode == 0


def ended(place: Folder) -> bool:
    return runs.read_result(place) is not None and not locks.is_held(place.runner_lock)


OWNERLESS = {"run": None, "machine": None}
DRIFT: dict[str, dict[str, str | None]] = {
    "cancelled": {"status": "cancelled", **OWNERLESS},
    "cancelled, and its run still named": {"status": "cancelled"},
    "done": {"status": "done", **OWNERLESS},
    "failed": {"status": "failed", **OWNERLESS},
    "of another machine": {"machine": "abcdef"},
    "of another run": {"run": "run_zzzzzz", "machine": "abcdef"},
}


@pytest.mark.parametrize("change", DRIFT.values(), ids=DRIFT)
def test_a_run_whose_task_is_moved_on_without_it_is_ended_and_its_work_kept(
    team: Team, gate: Path, change: dict[str, str | None]
) -> None:
    task, place = begin(team, gate)
    with watching(team):
        commit(team, task, change)
        until(lambda: ended(place))
        until(lambda: team.keeps(task, "half.txt", "half"))
        if change.get("status") in ("cancelled", "done"):
            until(lambda: not (team.workspaces / task).exists())
    clearing.wait()
    result = runs.read_result(place)
    assert result is not None
    assert (result.outcome, result.stopped_by) == (Outcome.STOPPED, "orchgit, since its task was moved on without it")
    after = team.task(task)
    assert {key: change[key] for key in change} == {key: getattr(after, key) for key in change}
    assert team.story(task)[2:] == []  # the ledger had no part in it
    assert team.is_sound()


def test_a_run_whose_task_is_removed_with_git_leaves_nothing_but_its_work(team: Team, gate: Path) -> None:
    task, place = begin(team, gate)
    branch = team.task(task).branch
    with watching(team):
        with elsewhere(team):
            (team.layout.state / team.task(task).path).unlink()
        until(lambda: ended(place) and not (team.workspaces / task).exists())
    clearing.wait()
    assert team.keeps(task, "half.txt", "half")
    assert f"refs/heads/{branch}" not in team.git("for-each-ref", "--format=%(refname)").split()
    assert team.is_sound()


def test_a_run_that_is_given_back_with_git_starts_anew_once_it_has_ended(team: Team, gate: Path) -> None:
    task, place = begin(team, gate)
    with watching(team):
        commit(team, task, {"status": "todo", **OWNERLESS})
        until(lambda: team.task(task).run not in (None, place.id))
        assert ended(place)
        gate.touch()
        until(lambda: team.task(task).status is Status.REVIEW)
    assert team.keeps(task, "half.txt", "half")
    assert team.show(str(team.task(task).branch), "half.txt") == "whole"


def test_a_task_that_names_a_run_which_this_clone_never_had_is_given_back(team: Team, gate: Path) -> None:
    task, place = begin(team, gate)
    with watching(team):
        commit(team, task, {"run": "run_zzzzzz"})
        until(lambda: ended(place))
        gate.touch()
        until(lambda: team.task(task).status is Status.REVIEW)
    assert team.keeps(task, "half.txt", "half")
    assert team.story(task)[2:] == ["in_progress -> todo", "todo -> in_progress", "in_progress -> review"]


def test_a_run_that_went_astray_while_no_team_ran_is_found_by_the_next_one(
    team: Team, gate: Path, tmp_path: Path
) -> None:
    command, pidfile = hider(tmp_path)
    task, place = begin(team, gate, more=command)
    commit(team, task, {"status": "cancelled", **OWNERLESS})
    team.kill_runner(place)
    team.run()
    result = runs.read_result(place)
    assert result is not None
    assert (result.outcome, team.keeps(task, "half.txt", "half")) == (Outcome.VANISHED, True)
    assert not lives(int(pidfile.read_text()))
    team.run()
    clearing.wait()
    assert not (team.workspaces / task).exists()


def test_a_slip_of_the_pen_ends_no_run(team: Team, gate: Path) -> None:
    task, place = begin(team, gate)
    path = team.layout.state / team.task(task).path
    good = path.read_text()
    with watching(team) as control:
        with elsewhere(team):
            path.write_text(good.replace("title:", "title: ["))
        assert team.state.broken
        control._ring()
        with elsewhere(team):
            path.write_text(good)
        gate.touch()
        until(lambda: team.task(task).status is Status.REVIEW)
    assert not runs.stop_asked(place)


def test_what_another_clone_is_at_work_on_is_left_alone(team: Team, gate: Path) -> None:
    task = team.add()
    team.agent("true")
    commit(team, task, {"status": "in_progress", "run": "run_zzzzzz", "machine": "abcdef", "agent": "bot"})
    tip = team.git("rev-parse", "orchestry")
    team.run()
    assert (team.git("rev-parse", "orchestry"), team.runs()) == (tip, [])


def test_the_folder_of_a_run_that_was_never_committed_goes(team: Team) -> None:
    half = runs.folder(team.layout, "run_00aaaa")
    half.path.mkdir(parents=True)
    half.runner_lock.touch()
    team.run()
    assert not half.path.exists()


EDITS = {
    "title": Wish(title="Do more"),
    "body": Wish(description="More of it."),
    "scope": Wish(scope=("src/**",)),
    "assignee": Wish(assignee="somebody"),
    "limits": Wish(timeout_ms=1, stall_timeout_ms=1),
}


@pytest.mark.parametrize("wish", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("by_hand", [False, True])
def test_a_run_goes_on_with_what_it_was_told(team: Team, gate: Path, wish: Wish, *, by_hand: bool) -> None:
    task, _ = begin(team, gate)
    if by_hand:
        commit(team, task, {key: json.dumps(value) for key, value in wish.keys().items()} or {"labels": "[more]"})
    else:
        tasks.edit(team.layout, ADA, team.task(task), wish)
    gate.touch()
    team.run()
    assert team.task(task).status is Status.REVIEW


def test_a_dependency_that_is_added_while_a_run_goes_on_holds_up_the_next_one(team: Team, gate: Path) -> None:
    task, place = begin(team, gate)
    other = team.add("first", assignee="Ada")
    tasks.edit(team.layout, ADA, team.task(task), Wish(depends_on=(other,)))
    team.kill_runner(place)
    team.run()
    assert team.task(task).status is Status.RETRYING


def test_attempts_are_counted_by_the_limit_at_the_end(team: Team, gate: Path) -> None:
    task, place = begin(team, gate)
    tasks.edit(team.layout, ADA, team.task(task), Wish(max_attempts=1))
    team.kill_runner(place)
    team.run()
    assert team.task(task).status is Status.FAILED


def test_a_task_at_work_is_not_deleted_by_a_command(team: Team, gate: Path) -> None:
    task, _ = begin(team, gate)
    with pytest.raises(RefusedError, match="is being worked on by bot"):
        moves.delete(team.layout, team.state, ADA, team.task(task))


class TestAgents:
    def test_one_that_is_changed_goes_on_as_it_was_started(self, team: Team, gate: Path) -> None:
        task, _ = begin(team, gate)
        agents.edit(team.layout, ADA, "bot", {"command": "exit 1", "timeout_ms": 1})
        gate.touch()
        team.run()
        assert team.task(task).status is Status.REVIEW

    def test_one_that_is_disabled_ends_its_run_and_gets_no_other(self, team: Team, gate: Path) -> None:
        task, place = begin(team, gate)
        later = team.add("later")
        agents.edit(team.layout, ADA, "bot", {"enabled": False})
        team.kill_runner(place)
        team.run()
        assert [team.task(each).status for each in (task, later)] == [Status.RETRYING, Status.TODO]

    def test_one_that_is_at_work_is_not_removed_by_a_command(self, team: Team, gate: Path) -> None:
        begin(team, gate)
        with pytest.raises(RefusedError, match="is working on"):
            agents.remove(team.layout, ADA, "bot")

    @pytest.mark.parametrize("dies", [False, True])
    def test_one_that_is_removed_with_git_ends_its_run(self, team: Team, gate: Path, *, dies: bool) -> None:
        task, place = begin(team, gate)
        with elsewhere(team):
            (team.layout.state / agent_file.FOLDER / "bot.md").unlink()
        team.agent("echo other > other.txt", "other")
        if dies:
            team.kill_runner(place)
        gate.touch()
        team.run()
        after = team.task(task)
        assert (after.status, after.agent) == (Status.REVIEW, "other" if dies else "bot")


class TestSettings:
    def test_another_base_is_where_the_work_is_merged(self, team: Team, gate: Path) -> None:
        task, _ = begin(team, gate)
        team.git("branch", "release")
        settings.change(team.layout, ADA, "project.base", "release")
        gate.touch()
        team.run()
        team.approve(task)
        assert ("half.txt" in team.files("release"), "half.txt" in team.files("main")) == (True, False)

    def test_fewer_at_once_ends_no_run(self, team: Team, gate: Path) -> None:
        task, _ = begin(team, gate)
        other, _ = begin(team, gate, name="second", assignee="second")
        team.set("scheduling.max_concurrent_agents", 1)
        gate.touch()
        team.run()
        assert [team.task(each).status for each in (task, other)] == [Status.REVIEW, Status.REVIEW]


class TestBase:
    def test_one_that_moves_on_is_merged_into(self, team: Team, gate: Path) -> None:
        task, _ = begin(team, gate)
        repos.commit(team.root, {"more.txt": "more\n"}, "more")
        gate.touch()
        team.run()
        team.approve(task)
        assert {"half.txt", "more.txt"} <= set(team.files("main"))

    def test_one_that_is_renamed_takes_nothing_until_the_setting_follows(self, team: Team, gate: Path) -> None:
        task, _ = begin(team, gate)
        team.git("branch", "--move", "main", "trunk")
        gate.touch()
        team.run()
        assert team.task(task).status is Status.REVIEW
        with pytest.raises(RefusedError, match="The branch 'main' doesn't exist"):
            team.approve(task)
        team.set("project.base", "trunk")
        team.approve(task)
        assert "half.txt" in team.files("trunk")

    def test_one_that_is_deleted_loses_no_work(self, team: Team, gate: Path) -> None:
        task, _ = begin(team, gate)
        team.git("switch", "--quiet", "--create", "mine")
        team.git("branch", "--quiet", "-D", "main")
        gate.touch()
        team.run()
        assert team.task(task).status is Status.REVIEW
        assert team.keeps(task, "half.txt", "whole")

    def test_one_that_is_rewritten_is_judged_at_the_approval(self, team: Team, gate: Path) -> None:
        task, _ = begin(team, gate)
        repos.git(team.root, "commit", "--quiet", "--amend", "--message=another first")
        gate.touch()
        team.run()
        assert team.task(task).status is Status.REVIEW
        with pytest.raises(RefusedError, match="no history"):
            team.approve(task)
        assert team.keeps(task, "half.txt", "whole")


def test_an_approval_that_is_written_before_the_loop_writes_is_no_refusal(team: Team) -> None:
    team.agent("echo hi > hi.txt")
    task = team.add()
    team.run()
    waiting = team.task(task)
    team.approve(task)
    told: list[telling.Notice] = []
    actions = (scheduling.Complete(waiting),)
    assert not perform.all_of(team.layout, actions, now=NOW, report=team.happened.append, notify=told.append)
    assert (told, team.story(task)[-1]) == ([], "review -> done")


def test_a_pull_that_moves_the_state_is_as_any_commit(team: Team, gate: Path, tmp_path: Path) -> None:
    task, place = begin(team, gate)
    other = tmp_path / "elsewhere"
    team.git("clone", "--quiet", "--branch", "orchestry", team.root, other)
    path = other / team.task(task).path
    path.write_text(path.read_text().replace("status: in_progress", "status: cancelled"))
    repos.git(other, "commit", "--quiet", "--all", "--message=cancelled elsewhere")
    with watching(team):
        repos.git(team.layout.state, "pull", "--quiet", "--ff-only", other, "orchestry")
        until(lambda: ended(place) and not (team.workspaces / task).exists())
    assert team.keeps(task, "half.txt", "half")


def test_a_run_astray_that_cannot_be_ended_is_told_of(team: Team, gate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task, place = begin(team, gate)
    commit(team, task, {"status": "cancelled", **OWNERLESS})
    team.kill_runner(place)
    monkeypatch.setattr(descendants, "end", lambda *_, **__: ["process 1"])
    told: list[str] = []
    control = Control()

    def listen(notice: telling.Notice) -> None:
        if (notice.kind, notice.run) == ("abandoned", place.id):
            told.append(notice.text)
            control.leave()

    until_stopped = loop.Until.STOPPED
    loop.run(team.layout, until=until_stopped, report=team.happened.append, notify=listen, control=control, tick=0.1)
    gate.touch()  # or it goes on when the tests have ended
    assert told == [f"{place.id} is gone, but process 1 of it can't be stopped. Stop it by hand."]
