"""Runs in the person's own checkout: what is handed in, what stays as it lies, and what is refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchgit.engine import verify, workspaces
from orchgit.model.errors import RefusedError
from orchgit.model.task import Status
from orchgit.repository import git, locks
from tests.support import repos
from tests.support.agents import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.team import Team


@pytest.fixture(autouse=True)
def shared(team: Team) -> None:
    team.set("defaults.agent.workspace_mode", "shared")


class Untouched:
    """Remembers what is the person's: their index, HEAD, branches, stash and settings."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.before = self.now()

    def now(self) -> tuple[object, ...]:
        own = self.team.root / ".git"
        heads = self.team.git("for-each-ref", "refs/heads", "refs/tags", "refs/stash")
        refs = [line for line in heads.splitlines() if not line.endswith("/orchestry")]
        return (own / "index").read_bytes(), (own / "HEAD").read_bytes(), (own / "config").read_bytes(), refs

    def check(self) -> None:
        assert self.now() == self.before


def done_by(team: Team, command: str) -> str:
    """Return the id of a task that an agent has done by `command`."""
    team.agent(command, max_retries=0)
    task = team.add()
    team.run()
    assert team.task(task).status is Status.REVIEW, team.reasons()
    return task


def committed(team: Team, task: str) -> str:
    found = team.task(task).review_commit
    assert found is not None
    return found


class TestUncommittedWork:
    def test_it_stays_where_it_is_and_is_what_is_reviewed(self, team: Team) -> None:
        untouched, head = Untouched(team), team.git("rev-parse", "HEAD")
        task = done_by(team, "echo x > x.txt; echo more >> README.md; rm src/app.py")
        untouched.check()
        assert team.git("status", "--porcelain").split() == ["M", "README.md", "D", "src/app.py", "??", "x.txt"]
        assert team.task(task).branch is None
        assert team.task(task).review_base == head
        assert team.git("rev-parse", f"{committed(team, task)}^") == head
        assert team.git("diff", "--name-only", head, committed(team, task)).split() == [
            "README.md",
            "src/app.py",
            "x.txt",
        ]
        assert committed(team, task) in team.attempts(task)
        assert team.reasons() == [f"not committed in {team.root}: README.md, src/app.py, x.txt"]
        assert not team.workspaces.exists()

    def test_it_is_approved_once_the_person_has_committed_it(self, team: Team) -> None:
        task = done_by(team, "echo x > x.txt; echo more >> README.md")
        untouched = Untouched(team)
        with pytest.raises(RefusedError, match=r"would be overwritten: README\.md, x\.txt"):
            team.approve(task)
        untouched.check()
        assert (team.root / "x.txt").read_text() == "x\n"
        assert team.task(task).status is Status.REVIEW
        team.git("add", ".")
        team.git("commit", "--quiet", "--message=mine")
        team.run()
        assert team.task(task).status is Status.REVIEW
        done = team.approve(task)
        assert done.task.status is Status.DONE
        assert git.is_ancestor(committed(team, task), "main", cwd=team.root)
        assert team.git("diff", "main~", "main") == ""
        assert team.git("for-each-ref", "refs/orchgit/shared") == ""
        assert team.is_sound()

    def test_a_person_may_commit_it_otherwise_and_approve_that(self, team: Team) -> None:
        task = done_by(team, "echo x > x.txt")
        own = repos.commit(team.root, {"x.txt": "better\n"}, "mine")
        with pytest.raises(RefusedError, match=r"conflicts with main in: x\.txt") as refused:
            team.approve(task)
        assert f"approve {task} --commit REV" in refused.value.next_step
        assert team.approve(task, commit="main").task.review_commit == own
        assert team.task(task).status is Status.DONE
        assert repos.subjects(team.root, "main") == ["mine", "first"]

    def test_a_commit_from_before_the_task_is_not_its_work(self, team: Team) -> None:
        task = done_by(team, "echo x > x.txt")
        with pytest.raises(RefusedError, match="a newer commit needs its own"):
            team.approve(task, commit="main")

    def test_approved_in_a_checkout_that_was_put_in_order_it_is_merged(self, team: Team) -> None:
        task = done_by(team, "echo x > x.txt")
        (team.root / "x.txt").unlink()
        assert team.approve(task).merge == team.git("rev-parse", "main")
        assert (team.root / "x.txt").read_text() == "x\n"

    def test_what_a_person_left_there_is_kept_and_is_not_the_tasks(self, team: Team) -> None:
        repos.write(team.root, {"README.md": "my draft\n", "mine.txt": "mine\n", "both.txt": "mine\n"})
        (team.root / "src" / "app.py").write_text("staged\n")
        team.git("add", "src/app.py")
        untouched = Untouched(team)
        task = done_by(team, "echo x > x.txt; echo agent >> both.txt; rm mine.txt")
        untouched.check()
        assert team.git("diff", "--name-only", "main", committed(team, task)).split() == ["both.txt", "x.txt"]
        assert team.keeps(task, "mine.txt", "mine")
        assert team.keeps(task, "README.md", "my draft")
        assert (team.root / "README.md").read_text() == "my draft\n"

    def test_ignored_files_the_state_and_workspaces_are_not_the_tasks(self, team: Team) -> None:
        team.set("workspaces_dir", "work")
        (team.root / ".git" / "info" / "exclude").write_text("*.log\n")
        other = team.add("Elsewhere", workspace_mode="worktree")
        task = done_by(team, "echo x > x.txt; echo l > x.log")
        assert (team.root / "work" / other).is_dir()
        assert team.git("diff", "--name-only", "main", committed(team, task)) == "x.txt"


class TestCommittedWork:
    def test_it_is_reviewed_though_it_is_in_base_already(self, team: Team) -> None:
        head = team.git("rev-parse", "HEAD")
        task = done_by(team, "echo x > x.txt; git add x.txt; git commit -qm x")
        assert committed(team, task) == team.git("rev-parse", "main")
        assert team.task(task).review_base == head
        team.run()
        assert team.task(task).status is Status.REVIEW
        done = team.approve(task)
        assert (done.merge, done.task.status) == (None, Status.DONE)
        assert repos.subjects(team.root, "main") == ["x", "first"]

    def test_what_was_committed_on_another_branch_is_merged(self, team: Team) -> None:
        team.git("switch", "--quiet", "--create", "feature")
        task = done_by(team, "echo x > x.txt; git add x.txt; git commit -qm x")
        team.approve(task)
        assert team.show("main", "x.txt") == "x"

    def test_commits_that_base_lacks_are_not_merged_by_the_way(self, team: Team) -> None:
        team.git("switch", "--quiet", "--create", "feature")
        repos.commit(team.root, {"wip.txt": "wip\n"}, "not for review")
        task = done_by(team, "echo x > x.txt; git add x.txt; git commit -qm x")
        with pytest.raises(RefusedError, match="which main doesn't have: approving it would merge that as well"):
            team.approve(task)
        team.git("branch", "--force", "main", "feature~")
        assert team.approve(task).task.status is Status.DONE

    def test_a_task_that_changed_nothing_merges_nothing(self, team: Team) -> None:
        team.git("switch", "--quiet", "--create", "feature")
        repos.commit(team.root, {"wip.txt": "wip\n"}, "not for review")
        task = done_by(team, "true")
        assert team.task(task).review_base == committed(team, task)
        assert team.approve(task).merge is None
        assert repos.subjects(team.root, "main") == ["first"]


class TestWhereItIsAskedFor:
    def test_the_work_is_committed_on_the_tasks_branch(self, team: Team) -> None:
        team.set("workspace.shared_commit", "true")
        main, own = team.git("rev-parse", "main"), (team.root / ".git" / "index").read_bytes()
        task = done_by(team, "echo x > x.txt")
        assert team.git("rev-parse", str(team.task(task).branch)) == committed(team, task)
        assert team.git("log", "-1", "--format=%an", committed(team, task)) == "bot"
        assert (team.root / ".git" / "index").read_bytes() == own
        assert team.git("rev-parse", "main") == main
        assert team.git("status", "--porcelain") == "?? x.txt"
        (team.root / "x.txt").unlink()
        team.git("merge", "--quiet", "--no-edit", str(team.task(task).branch))
        team.run()
        assert team.task(task).status is Status.DONE
        assert team.git("for-each-ref", "refs/heads/orchgit") == ""

    def test_what_an_agent_committed_on_base_still_waits_for_a_person(self, team: Team) -> None:
        team.set("workspace.shared_commit", "true")
        task = done_by(team, "echo x > x.txt; git add x.txt; git commit -qm x")
        team.run()
        assert team.task(task).status is Status.REVIEW
        assert team.approve(task).task.status is Status.DONE


class TestFurtherAttempts:
    def test_they_go_on_with_what_lies_there(self, team: Team) -> None:
        team.agent("test -e half.txt || { echo half > half.txt; exit 1; }; echo rest > rest.txt")
        task, head = team.add(), team.git("rev-parse", "HEAD")
        team.run()
        assert team.task(task).review_base == head
        assert team.git("diff", "--name-only", head, committed(team, task)).split() == ["half.txt", "rest.txt"]
        team.reject(task)
        team.run()
        assert team.git("diff", "--name-only", head, committed(team, task)).split() == ["half.txt", "rest.txt"]

    def test_a_runner_that_died_leaves_all_as_it_was(self, team: Team) -> None:
        team.agent("echo half > half.txt; sleep 100", max_retries=0)
        task = team.add()
        team.tick()
        until((team.root / "half.txt").exists)
        untouched = Untouched(team)
        team.kill_runner(team.place(task))
        team.run()
        assert team.task(task).status is Status.FAILED
        untouched.check()
        assert (team.root / "half.txt").read_text() == "half\n"
        assert team.keeps(task, "half.txt", "half")

    def test_cancelled_the_files_stay_and_are_kept(self, team: Team) -> None:
        team.agent("echo half > half.txt; sleep 100")
        task = team.add()
        team.tick()
        until((team.root / "half.txt").exists)
        team.cancel(task)
        assert (team.root / "half.txt").exists()
        assert team.keeps(task, "half.txt", "half")
        assert team.git("for-each-ref", "refs/orchgit/shared") == ""

    def test_a_merge_that_an_agent_leaves_half_done_is_told_and_left(self, team: Team) -> None:
        task = done_by(
            team,
            "git switch -qc side; echo s > README.md; git commit -qam s; git switch -q main; echo m > README.md;"
            "git commit -qam m; git merge side; true",
        )
        assert (team.root / ".git" / "MERGE_HEAD").exists()
        assert any("it left a merge unfinished" in reason for reason in team.reasons())
        assert "<<<<<<<" in team.show(committed(team, task), "README.md")


class TestRefusals:
    @pytest.mark.parametrize(
        ("spoil", "why"),
        [
            pytest.param(("switch", "--quiet", "--detach"), "has no branch checked out", id="detached"),
            pytest.param(("merge", "-q", "--no-commit", "--no-ff", "side"), "in the middle of a merge", id="merge"),
            pytest.param(("switch", "--quiet", "--orphan", "new"), "is empty: a task can't be begun", id="unborn"),
        ],
    )
    def test_a_checkout_in_the_middle_of_something_is_left(self, team: Team, spoil: tuple[str, ...], why: str) -> None:
        team.git("switch", "--quiet", "--create", "side")
        repos.commit(team.root, {"side.txt": "s\n"}, "side")
        team.git("switch", "--quiet", "main")
        team.git(*spoil)
        untouched = Untouched(team)
        team.agent("echo x > x.txt", max_retries=1)
        task = team.add()
        team.run()
        assert (team.task(task).status, team.task(task).attempts) == (Status.FAILED, 2)
        assert all(why in reason for reason in team.reasons())
        assert not (team.root / "x.txt").exists()
        untouched.check()

    def test_without_a_checkout_no_attempt_is_worth_it(self, team: Team) -> None:
        team.git("config", "core.bare", "true")
        team.agent("echo x > x.txt")
        task = team.add()
        team.run()
        assert (team.task(task).status, team.task(task).attempts) == (Status.FAILED, 1)
        assert f"{team.root} is not a checkout" in team.reasons()[0]

    def test_a_run_that_has_the_checkout_keeps_every_other_out(self, team: Team) -> None:
        team.agent("echo x > x.txt", max_retries=0)
        task = team.add()
        with locks.held(team.layout.local / "checkout.lock", wait=0, doing="work in the checkout"):
            team.run()
        assert team.task(task).status is Status.FAILED
        assert "Can't work in the checkout" in team.reasons()[0]


def test_its_history_verifies_whether_its_work_is_committed_or_not(team: Team) -> None:
    task = done_by(team, "date +%N > x.txt")
    assert team.task(task).branch is None
    team.reject(task)
    team.set("workspace.shared_commit", "true")
    team.run()
    assert team.task(task).branch is not None
    assert verify.check(team.layout.common).is_clean


def test_one_after_the_other(team: Team) -> None:
    team.agent("test ! -e busy && touch busy && sleep 0.3 && rm busy", "a", max_retries=0)
    team.agent("test ! -e busy && touch busy && sleep 0.3 && rm busy", "b", max_retries=0)
    team.add("One")
    team.add("Two")
    other = team.add("Elsewhere", workspace_mode="worktree")
    team.run()
    assert team.statuses() == {"One": "review", "Two": "review", "Elsewhere": "review"}
    assert (team.workspaces / other).is_dir()


def test_hooks_around_a_run_and_no_others(team: Team) -> None:
    log = team.root.parent / "hooks.log"
    for name in ("after_create", "before_run", "after_run", "before_remove"):
        team.set(f"workspace.hooks.{name}", f"echo {name} $PWD >> {log}")
    repos.write(team.root, {"brought.txt": "b\n"})
    team.set("workspace.bring", "brought.txt")
    task = done_by(team, "echo x > x.txt")
    team.cancel(task)
    assert log.read_text().splitlines() == [f"before_run {team.root}", f"after_run {team.root}"]
    assert (team.root / "brought.txt").is_file()


def test_an_agent_there_is_known_as_one(team: Team, tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    task = done_by(
        team,
        f"env -u ORCHGIT_AGENT -u ORCHGIT_RUN orchgit task list > {said};"
        f"orchgit task cancel $ORCHGIT_TASK >> {said} 2>&1; orchgit config set project.name x >> {said} 2>&1; true",
    )
    words = said.read_text()
    assert "Do it" in words
    assert "not for an agent to do" in words
    assert "An agent may not change settings" in words
    assert team.task(task).status is Status.REVIEW
    assert workspaces.of(team.layout, team.state, team.task(task)) == team.root
    assert workspaces.listed(team.layout, team.state) == []
    assert os.path.lexists(team.root / ".orchestry")
