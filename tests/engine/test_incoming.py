from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from orchgit import api
from orchgit.engine import incoming, loop, tasks, verify
from orchgit.engine.desk import Desk
from orchgit.engine.edits import Taken
from orchgit.engine.snapshot import Observer
from orchgit.engine.tasks import Wish
from orchgit.model.errors import StaleError
from orchgit.model.task import Status
from orchgit.repository import judged, settled
from tests.engine.team import ADA
from tests.engine.test_loop import watching
from tests.support import repos
from tests.support.agents import until, waits_for

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.engine.telling import Notify
    from tests.engine.team import Team


def commit(team: Team, task: str, *changes: tuple[str, str], message: str = "by hand") -> str:
    """Change a task's file and commit it with git, past every hook."""
    path = team.task(task).path
    text = (team.layout.state / path).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return repos.commit(team.layout.state, {path: text}, message)


def open_(team: Team) -> None:
    """Do what the next command of a person does."""
    api.open_project(team.root)


def restored(team: Team) -> list[str]:
    said = team.git("log", "--format=%(trailers:key=Restores,valueonly)", "orchestry")
    return [line for line in said.splitlines() if line]


@pytest.fixture(autouse=True)
def _known(team: Team) -> None:
    open_(team)


def is_verified(team: Team) -> bool:
    return verify.check(team.layout.common).is_clean


def test_an_edit_stays_as_it_is(team: Team) -> None:
    task = team.add()
    commit(team, task, ("title: Do it", "title: Better"))
    open_(team)
    assert team.task(task).title == "Better"
    assert restored(team) == []
    assert settled.read(team.layout) == team.git("rev-parse", "orchestry")
    assert is_verified(team)


def test_a_step_that_may_be_asked_for_is_taken(team: Team) -> None:
    task = team.add()
    before = team.git("rev-parse", "orchestry")
    commit(team, task, ("status: todo", "status: cancelled"))
    open_(team)
    assert team.task(task).status is Status.CANCELLED
    assert team.task(task).closed is not None
    assert restored(team) == [before]
    assert is_verified(team)
    assert team.is_sound()


def test_done_approves(team: Team) -> None:
    team.agent("echo x > x.txt")
    task = team.add()
    team.run()
    commit(team, task, ("status: review", "status: done"), ("title: Do it", "title: Done"))
    open_(team)
    assert (team.task(task).status, team.task(task).title) == (Status.DONE, "Done")
    assert team.show("main", "x.txt") == "x"
    assert is_verified(team)


@pytest.mark.parametrize(
    "changes",
    [
        [("status: todo", "status: done")],
        [("status: todo", "status: review\nreview_commit: " + "a" * 40)],
        [("status: todo", "status: todo\nattempts: 9")],
        [("status: todo", "status: in_progress\nrun: run_abcdef\nmachine: 123456\nagent: bot")],
        [("title: Do it", "title: [")],
    ],
)
def test_what_is_illegal_is_set_back_and_never_acted_on(team: Team, changes: list[tuple[str, str]]) -> None:
    team.agent("echo x > x.txt")
    task = team.add()
    text, before = (team.layout.state / team.task(task).path).read_text(), team.git("rev-parse", "orchestry")
    bad = commit(team, task, *changes)
    open_(team)
    assert (team.layout.state / team.task(task).path).read_text() == text
    assert restored(team) == [before]
    found = verify.check(team.layout.common)
    assert (found.is_clean, found.corrected) == (True, {bad}), found.first
    assert team.is_sound()
    assert team.runs() == []


def test_what_is_set_back_takes_its_id_back_from_a_copy(team: Team) -> None:
    task = team.add()
    path = team.task(task).path
    text = (team.layout.state / path).read_text()
    repos.commit(team.layout.state, {"tasks/copy.md": text}, "by hand")
    open_(team)
    repos.commit(team.layout.state, {path: "Just text.\n"}, "by hand")
    open_(team)
    assert team.task(task).path == path
    assert [error.path for error in team.state.broken] == ["tasks/copy.md"]
    assert is_verified(team)


def test_what_was_put_right_before_anybody_looked_is_named_as_corrected(team: Team) -> None:
    task = team.add()
    bad = commit(team, task, ("status: todo", "status: done"))
    worse = commit(team, task, ("status: done", "status: todo"))
    empty = repos.commit(team.layout.state, {"tasks/a.md": ""}, "by hand")
    repos.git(team.layout.state, "rm", "--quiet", "tasks/a.md")
    repos.git(team.layout.state, "commit", "--quiet", "--message=by hand")
    open_(team)
    assert verify.check(team.layout.common).corrected == {bad, worse, empty}
    assert is_verified(team)
    assert team.is_sound()


def test_nothing_is_written_on_top_of_what_nobody_has_judged(team: Team) -> None:
    task, other = team.add("One"), team.add("Two")
    commit(team, task, ("status: todo", "status: done"))
    with pytest.raises(StaleError, match="is not judged yet"):
        tasks.edit(team.layout, ADA, team.task(task), Wish(priority=1))
    tasks.edit(team.layout, ADA, team.task(other), Wish(priority=1))
    open_(team)
    assert tasks.edit(team.layout, ADA, team.task(task), Wish(priority=1)).status is Status.TODO
    assert is_verified(team)


class TestAPull:
    """What comes from a remote, while the team runs."""

    @pytest.fixture
    def other(self, team: Team, tmp_path: Path) -> Path:
        bare = repos.make_bare(tmp_path / "hub.git", team.root)
        team.git("remote", "add", "origin", bare.as_uri())
        return repos.clone(bare, tmp_path / "other", "--branch=orchestry", "--single-branch")

    def bring(self, team: Team, other: Path, task: str, old: str, new: str) -> None:
        """Let somebody change a task's file elsewhere and push that; then pull it here, as often as it takes."""
        repos.git(team.layout.state, "push", "--quiet", "origin", "orchestry")
        repos.git(other, "pull", "--quiet", "--ff-only")
        path = other / team.task(task).path
        assert old in path.read_text()
        repos.commit(other, {team.task(task).path: path.read_text().replace(old, new, 1)}, "elsewhere")
        repos.git(other, "push", "--quiet", "origin", "orchestry")

        def pulled() -> bool:
            done = subprocess.run(
                ["git", "pull", "--quiet", "--no-rebase", "--no-edit", "origin", "orchestry"],
                cwd=team.layout.state, capture_output=True, check=False,
            )  # fmt: skip
            return done.returncode == 0

        until(pulled)

    def test_of_what_is_illegal_is_set_back_before_anything_starts(
        self, team: Team, other: Path, tmp_path: Path
    ) -> None:
        team.agent(waits_for(tmp_path / "gate"))
        task = team.add()
        team.tick()
        with watching(team):
            self.bring(team, other, task, "status: in_progress", "status: done")
            until(lambda: restored(team))
            (tmp_path / "gate").touch()
            until(lambda: team.task(task).status is Status.REVIEW)
        assert team.story(task)[-1] == "in_progress -> review"

    def test_of_a_cancel_stops_the_run(self, team: Team, other: Path, tmp_path: Path) -> None:
        team.agent(f"touch {tmp_path / 'on'}; echo half > half.txt; sleep 300")
        task = team.add()
        with watching(team):
            until((tmp_path / "on").exists)
            self.bring(team, other, task, "status: in_progress", "status: cancelled")
            until(lambda: team.story(task)[-1] == "in_progress -> cancelled")
        assert team.keeps(task, "half.txt")
        assert is_verified(team)


def test_a_new_task_that_was_begun_elsewhere_is_taken_away_again(team: Team) -> None:
    text = "---\nid: tsk_forged\ntitle: Forged\nstatus: done\nclosed: 2026-01-01T00:00:00Z\n---\n"
    bad = repos.commit(team.layout.state, {"tasks/tsk_forged.md": text}, "forged")
    open_(team)
    assert team.state.tasks == {}
    assert team.show(bad, "tasks/tsk_forged.md") in text
    assert team.is_sound()


def test_a_new_file_that_can_not_be_read_stays_as_typed_uncommitted(team: Team) -> None:
    files = {"tasks/a.md": b"# caf\xe9\n", "agents/x.md": b"---\nadapter: [\n"}
    bad = repos.commit(team.layout.state, files, "by hand")
    open_(team)
    assert [(team.layout.state / path).read_bytes() for path in files] == [*files.values()]
    assert repos.git(team.layout.state, "status", "--porcelain", "--untracked-files=all").splitlines() == [
        "?? agents/x.md", "?? tasks/a.md",
    ]  # fmt: skip
    assert sorted(judged.read(team.layout)) == sorted(files)
    assert verify.check(team.layout.common).corrected == {bad}
    assert is_verified(team)


def test_a_new_file_that_is_no_task_yet_becomes_one(team: Team) -> None:
    repos.commit(team.layout.state, {"tasks/login.md": "# Mend the login\n"}, "by hand")
    open_(team)
    [task] = team.state.tasks.values()
    assert (task.title, task.path) == ("Mend the login", "tasks/login.md")
    assert team.git("log", "-1", "--format=%an", "orchestry") == "Ada Lovelace"
    assert "Via: commit" in team.git("log", "-1", "--format=%B", "orchestry")
    assert repos.subjects(team.layout.state)[:2] == [f"task({task.id}): created", "by hand"]
    found = verify.check(team.layout.common)
    assert (found.is_clean, found.corrected) == (True, set())
    assert team.is_sound()


def test_a_new_goal_without_an_id_becomes_one(team: Team) -> None:
    repos.commit(team.layout.state, {"goals/ship.md": "Ship it.\n"}, "by hand")
    open_(team)
    [goal] = team.state.goals.values()
    assert repos.subjects(team.layout.state)[:2] == [f"goal({goal.id}): created", "by hand"]
    assert is_verified(team)


def test_a_file_that_was_a_task_once_and_comes_back_as_none_yet_is_another(team: Team) -> None:
    task = team.add()
    path = team.task(task).path
    repos.git(team.layout.state, "rm", "--quiet", path)
    repos.git(team.layout.state, "commit", "--quiet", "--message=by hand")
    open_(team)
    repos.commit(team.layout.state, {path: "# Again\n"}, "by hand")
    open_(team)
    [again] = team.state.tasks.values()
    assert (again.title, again.id != task) == ("Again", True)
    assert verify.check(team.layout.common).corrected == set()
    assert is_verified(team)


@pytest.mark.parametrize("keys", ["status: done", "title: x\nrun: run_abcdef", "priority: 9"])
def test_a_new_file_without_an_id_that_says_what_it_may_not_is_set_back(team: Team, keys: str) -> None:
    bad = repos.commit(team.layout.state, {"tasks/a.md": f"---\n{keys}\n---\n"}, "by hand")
    open_(team)
    assert team.state.tasks == {}
    assert verify.check(team.layout.common).corrected == {bad}
    assert is_verified(team)


@pytest.mark.parametrize(
    ("text", "trailer"),
    [
        ("id: tsk_forged\ntitle: x\nstatus: done\n", "Task: tsk_forged"),
        ("id: tsk_forged\ntitle: x\nstatus: todo\nattempts: 3\n", "Task: tsk_forged"),
        ("id: tsk_forged\ntitle: x\nstatus: todo\n", "Task: tsk_another"),
        ("id: tsk_forged\ntitle: x\nstatus: todo\n", ""),
    ],
)
def test_what_looks_like_an_adoption_and_is_none_stays_an_offence(team: Team, text: str, trailer: str) -> None:
    repos.commit(team.layout.state, {"tasks/a.md": "# A\n"}, "by hand")
    repos.commit(team.layout.state, {"tasks/a.md": f"---\n{text}---\n"}, f"task(tsk_forged): created\n\n{trailer}")
    assert not is_verified(team)


def test_what_another_clone_s_ledger_wrote_is_taken_as_it_is(team: Team, tmp_path: Path) -> None:
    bare = repos.make_bare(tmp_path / "hub.git", team.root)
    team.git("remote", "add", "origin", bare.as_uri())
    other = repos.clone(bare, tmp_path / "other")
    api.init(other)
    made = api.open_project(other)
    task = made.add_task(Wish(title="Elsewhere"))
    made.refresh()
    made.cancel(task.id)
    repos.git(other / ".orchestry", "push", "--quiet", "origin", "orchestry")
    repos.git(team.layout.state, "pull", "--quiet", "--ff-only", "origin", "orchestry")
    open_(team)
    assert team.task(task.id).status is Status.CANCELLED
    assert restored(team) == []


def test_a_history_that_was_rewritten_is_told_and_not_judged(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    team.add("One")
    repos.git(team.layout.state, "reset", "--quiet", "--hard", "HEAD~1")
    repos.commit(team.layout.state, {"notes.txt": "x\n"}, "another way")
    open_(team)
    assert "the history of the state branch was rewritten" in caplog.text
    assert settled.read(team.layout) == team.git("rev-parse", "orchestry")


def test_a_look_at_what_was_the_newest_commit_a_moment_ago_tells_no_rewritten_history(team: Team) -> None:
    before, taken = team.git("rev-parse", "orchestry"), Taken()
    team.add("One")
    incoming.settle(team.layout, before, taken, patient=True)
    assert taken == Taken()
    assert settled.read(team.layout) == team.git("rev-parse", "orchestry")


def test_nothing_is_seen_of_a_state_that_nobody_has_judged(team: Team) -> None:
    team.add("One")
    repos.commit(team.layout.state, {"notes.txt": "x\n"}, "by hand")
    with pytest.raises(StaleError, match="not judged yet"):
        Observer(team.layout).take()


def test_who_commits_without_a_pause_keeps_nobody_waiting(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def judge_and_find_more(desk: Desk, notify: Notify) -> tuple[str, ...]:
        told = take_in(desk, notify)
        repos.git(team.layout.state, "commit", "--quiet", "--allow-empty", "--no-verify", "--message=once more")
        return told

    take_in = Desk.take_in
    monkeypatch.setattr(Desk, "take_in", judge_and_find_more)
    monkeypatch.setattr(loop, "_SOON", 0)
    team.agent("echo x > x.txt")
    task = team.add()
    team.run()
    assert team.statuses() == {"Do it": "review"}
    assert team.keeps(task, "x.txt", "x")
    assert verify.check(team.layout.common).is_clean


def test_settings_that_were_deleted_come_back(team: Team) -> None:
    place = team.layout.state / "config.yaml"
    before = place.read_bytes()
    repos.git(team.layout.state, "rm", "--quiet", "config.yaml")
    repos.git(team.layout.state, "commit", "--quiet", "--message=away with it")
    assert not is_verified(team)
    open_(team)
    assert place.read_bytes() == before
    assert is_verified(team)


def test_a_damaged_note_of_what_was_judged_is_as_none(team: Team, capfd: pytest.CaptureFixture[str]) -> None:
    team.layout.settled.write_bytes(b"\xff\x00damaged")
    open_(team)
    assert settled.read(team.layout) == team.git("rev-parse", "orchestry")
    said = capfd.readouterr()
    assert "rewritten" not in said.out + said.err
