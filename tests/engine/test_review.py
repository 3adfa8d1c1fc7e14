"""Review: an approval of one commit, a rejection with its reason, and what is cleared away when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit import api
from orchgit.engine import clearing, moves, outside, review, tasks
from orchgit.engine.tasks import Wish
from orchgit.model import actor
from orchgit.model.errors import NotFoundError, RefusedError
from orchgit.model.task import Status
from orchgit.repository import ledger, locks, project, worktrees
from tests.engine.team import ADA, remembered
from tests.support import repos
from tests.support.agents import until
from tests.support.cli import ok, on_terminal
from tests.support.repos import git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.team import Team


def in_review(team: Team, command: str = "echo x > x.txt") -> str:
    """Return the id of a task that an agent has done by `command`."""
    team.agent(command)
    task = team.add()
    team.run()
    assert team.task(task).status is Status.REVIEW
    return task


def branch(team: Team, task: str) -> str:
    found = team.task(task).branch
    assert found is not None
    return found


class Unmoved:
    """Remembers where everything stands, to see that a refusal moved nothing."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.before = self.now()

    def now(self) -> tuple[object, ...]:
        return self.team.git("for-each-ref"), self.team.git("status", "--porcelain"), repos.file_bytes(self.team.root)

    def check(self) -> None:
        assert self.now() == self.before


class TestApprove:
    def test_checked_out_it_moves_forward_with_its_files(self, team: Team) -> None:
        task = in_review(team)
        reviewed = team.task(task).review_commit
        done = team.approve(task)
        assert (team.root / "x.txt").read_text() == "x\n"
        assert done.merge == team.git("rev-parse", "main")
        assert team.git("rev-parse", "main^2") == reviewed
        assert team.git("log", "-1", "--format=%an %cn %s", "main") == (
            f"Ada Lovelace Ada Lovelace Merge orchgit/{task}-do-it into main"
        )
        run = team.runs()[0].id
        assert team.trailers("main") == {"Task": task, "Run": run, "Agent": "bot", "Review-Commit": reviewed}
        assert team.trailers("orchestry")["Merge-Commit"] == done.merge
        assert (team.task(task).status, team.task(task).review_commit) == (Status.DONE, reviewed)
        assert team.task(task).closed is not None
        assert team.is_sound()

    def test_nothing_of_it_is_left_but_its_refs(self, team: Team) -> None:
        task = in_review(team)
        reviewed = team.task(task).review_commit
        team.approve(task)
        assert not (team.workspaces / task).exists()
        assert team.git("branch", "--list", "orchgit/*") == ""
        assert team.git("worktree", "list").count("\n") == 1
        assert team.attempts(task) == [reviewed]

    def test_checked_out_nowhere_only_the_ref_moves(self, team: Team) -> None:
        task = in_review(team)
        team.git("switch", "--quiet", "--create", "mine")
        before = repos.file_bytes(team.root)
        team.approve(task)
        assert "x.txt" in team.files("main")
        assert {path: data for path, data in repos.file_bytes(team.root).items() if "orchestry" not in path} == {
            path: data for path, data in before.items() if "orchestry" not in path
        }

    def test_checked_out_elsewhere_it_moves_there(self, team: Team, tmp_path: Path) -> None:
        task = in_review(team)
        team.git("switch", "--quiet", "--create", "mine")
        team.git("worktree", "add", "--quiet", tmp_path / "elsewhere", "main")
        team.approve(task)
        assert (tmp_path / "elsewhere" / "x.txt").exists()
        assert repos.is_clean(tmp_path / "elsewhere")

    def test_the_base_has_moved_on(self, team: Team) -> None:
        task = in_review(team)
        mine = repos.commit(team.root, {"mine.txt": "mine"}, "mine")
        team.approve(task)
        assert team.git("rev-parse", "main^1") == mine
        assert {"x.txt", "mine.txt"} <= set(team.files("main"))

    def test_nothing_changed(self, team: Team) -> None:
        task = in_review(team, "true")
        waiting = team.task(task)
        assert waiting.review_commit == waiting.review_base == team.git("rev-parse", "main")
        assert team.approve(task).merge is None
        assert team.task(task).status is Status.DONE
        assert repos.subjects(team.root) == ["first"]

    def test_a_newer_commit_needs_its_own_approval(self, team: Team) -> None:
        task = in_review(team)
        newer = repos.commit(team.workspaces / task, {"newer.txt": "x"}, "newer")
        unmoved = Unmoved(team)
        with pytest.raises(RefusedError, match=rf"is at {newer[:12]}, .* a newer commit needs its own") as refusal:
            team.approve(task)
        assert f"orchgit task approve {task} --commit {newer[:12]}" in refusal.value.next_step
        unmoved.check()
        team.approve(task, commit=newer[:12])
        assert "newer.txt" in team.files("main")
        assert team.task(task).review_commit == newer
        assert team.trailers("main")["Review-Commit"] == newer
        assert team.git("branch", "--list", "orchgit/*") == ""

    def test_a_newer_commit_is_told_before_anybody_approves(self, team: Team) -> None:
        task = in_review(team)
        assert "moved on" not in ok(team.root, "task", "show", task).out + ok(team.root, "status").out
        newer = repos.commit(team.workspaces / task, {"newer.txt": "x"}, "newer")
        command = f"orchgit task approve {task} --commit {newer[:12]}\n"
        said = ok(team.root, "task", "show", task).out
        assert f"  {branch(team, task)} has moved on since, to {newer[:12]}: look at that too.\n" in said
        assert f"\n  {command}" in said
        assert f"\n    its branch has moved on since: {command}" in ok(team.root, "status").out
        ok(team.root, *command.split()[1:])
        assert "newer.txt" in team.files("main")

    def test_an_older_commit_is_not_approved_behind_its_back(self, team: Team) -> None:
        task = in_review(team)
        with pytest.raises(RefusedError, match="a newer commit needs its own"):
            team.approve(task, commit="main")
        with pytest.raises(NotFoundError, match="There is no commit 'nonsense'"):
            team.approve(task, commit="nonsense")

    def test_what_conflicts_is_named_before_anything_moves(self, team: Team) -> None:
        task = in_review(team, "echo theirs > README.md; echo theirs > src/app.py; echo x > x.txt")
        repos.commit(team.root, {"README.md": "mine\n", "src/app.py": "mine\n"}, "mine")
        unmoved = Unmoved(team)
        with pytest.raises(RefusedError, match=rf"{task} conflicts with main in: README.md, src/app.py\."):
            team.approve(task)
        unmoved.check()
        assert team.task(task).status is Status.REVIEW

    @pytest.mark.parametrize("kind", ["changed", "staged", "untracked", "ignored"])
    def test_what_a_person_has_there_is_never_overwritten(self, team: Team, kind: str) -> None:
        repos.commit(team.root, {".gitignore": "*.log\n"}, "ignore")
        task = in_review(
            team, "echo theirs > README.md; echo theirs > new.txt; echo theirs > new.log; git add -f new.log"
        )
        name = {"changed": "README.md", "staged": "README.md", "untracked": "new.txt", "ignored": "new.log"}[kind]
        (team.root / name).write_text("mine\n")
        if kind == "staged":
            team.git("add", name)
        unmoved = Unmoved(team)
        with pytest.raises(RefusedError, match=rf"would be overwritten: {name}\.") as refusal:
            team.approve(task)
        assert "Nothing was changed" in refusal.value.next_step
        unmoved.check()
        assert (team.root / name).read_text() == "mine\n"
        assert team.task(task).status is Status.REVIEW

    def test_changes_elsewhere_stay_as_they_are(self, team: Team) -> None:
        task = in_review(team)
        repos.write(team.root, {"README.md": "half done\n", "note.txt": "note"})
        team.git("add", "README.md")
        before = team.git("status", "--porcelain")
        team.approve(task)
        assert team.git("status", "--porcelain") == before
        assert (team.root / "README.md").read_text() == "half done\n"

    def test_an_agent_can_not(self, team: Team) -> None:
        task = in_review(team)
        bot = actor.agent("bot")
        with pytest.raises(RefusedError, match=f"approve of {task} is not for an agent to do"):
            review.approve(team.layout, team.state, team.task(task), bot)
        with pytest.raises(RefusedError, match="not for an agent"):
            review.reject(team.layout, team.task(task), bot, reason="no")
        assert repos.subjects(team.root) == ["first"]

    def test_an_agent_can_not_from_within_its_run(self, team: Team) -> None:
        done = in_review(team)
        team.agent(f"orchgit task approve {done} > said.txt 2>&1; echo $? >> said.txt", "sly")
        sly = team.add("Approve it all", assignee="sly")
        team.run()
        said = team.show(branch(team, sly), "said.txt")
        assert f"approve of {done} is not for an agent to do" in said
        assert said.endswith("\n1")
        assert team.task(done).status is Status.REVIEW

    def test_not_another_commit_than_the_one_that_was_seen(self, team: Team) -> None:
        task = in_review(team, "date +%N >> x.txt")
        state, seen = team.state, team.task(task)
        team.reject(task)
        with pytest.raises(RefusedError, match=f"{task} is todo"):
            review.approve(team.layout, state, seen, ADA)
        team.run()
        with pytest.raises(RefusedError, match=f"{task} has another commit in review by now"):
            review.approve(team.layout, state, seen, ADA)
        assert repos.subjects(team.root) == ["first"]

    def test_only_what_is_in_review(self, team: Team) -> None:
        task = team.add()
        with pytest.raises(RefusedError, match=f"{task} is todo: approve needs it to be review"):
            team.approve(task)


class TestMergedByHand:
    def test_the_loop_sees_that_it_is_done(self, team: Team) -> None:
        task = in_review(team)
        team.git("merge", "--quiet", "--no-edit", branch(team, task))
        team.run()
        assert team.task(task).status is Status.DONE
        assert team.story(task)[-1] == "review -> done"
        assert not (team.workspaces / task).exists()
        assert team.git("branch", "--list", "orchgit/*") == ""

    def test_the_next_command_sees_that_it_is_done(self, team: Team) -> None:
        task = in_review(team)
        repos.commit(team.root, {"mine.txt": "mine"}, "mine")
        said = ok(team.root, "status")
        assert "1 review" in said.out
        assert said.err == ""
        team.git("merge", "--quiet", "--no-edit", branch(team, task))
        said = ok(team.root, "status")
        assert "1 done" in said.out
        assert said.err == f"orchgit: {task} is done: the work is in the base branch.\n"
        assert ok(team.root, "task", "list").err == ""
        assert team.story(task)[-1] == "review -> done"
        assert team.is_sound()

    def test_a_command_seeks_once_where_nothing_moved(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        in_review(team)
        asked: list[object] = []
        monkeypatch.setattr(outside, "close_merged", remembered(outside.close_merged, asked))
        for _ in range(2):
            api.open_project(team.root)
        assert len(asked) == 1
        repos.commit(team.root, {"mine.txt": "mine"}, "mine")
        api.open_project(team.root, merged=False)
        api.open_project(team.root)
        assert len(asked) == 2

    def test_what_was_merged_by_hand_can_be_approved_all_the_same(self, team: Team) -> None:
        task = in_review(team)
        team.git("merge", "--quiet", "--no-edit", branch(team, task))
        assert ok(team.root, "task", "approve", task).out.startswith(f"{task} is done: there was nothing to merge")

    def test_not_where_there_was_nothing_to_merge(self, team: Team) -> None:
        task = in_review(team, "true")
        repos.commit(team.root, {"mine.txt": "mine"}, "mine")
        team.run()
        assert team.task(task).status is Status.REVIEW

    def test_what_came_after_its_review_stays_on_its_branch(self, team: Team) -> None:
        task = in_review(team)
        team.git("merge", "--quiet", "--no-edit", branch(team, task))
        newer = repos.commit(team.workspaces / task, {"newer.txt": "x"}, "newer")
        team.run()
        assert team.task(task).status is Status.DONE
        assert team.git("rev-parse", branch(team, task)) == newer

    def test_killed_between_the_merge_and_the_ledger(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        task = in_review(team)

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(ledger, "writing", die)
            with pytest.raises(KeyboardInterrupt):
                team.approve(task)
        assert "x.txt" in team.files("main")
        assert team.task(task).status is Status.REVIEW
        team.run()
        assert team.task(task).status is Status.DONE
        assert not (team.workspaces / task).exists()
        assert team.is_sound()

    def test_killed_before_the_worktree_is_removed(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        task = in_review(team)

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(worktrees, "remove", die)
            with pytest.raises(KeyboardInterrupt):
                team.approve(task)
        assert team.task(task).status is Status.DONE
        assert (team.workspaces / task).exists()
        team.run()
        assert not (team.workspaces / task).exists()

    def test_killed_before_the_branch_is_deleted(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        task = in_review(team)

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(project, "delete_branch", die)
            with pytest.raises(KeyboardInterrupt):
                team.cancel(task)
        assert team.git("branch", "--list", "orchgit/*")
        team.run()
        assert team.git("branch", "--list", "orchgit/*") == ""


class TestReject:
    def test_the_next_attempt_goes_on_from_there_with_the_reasons(self, team: Team) -> None:
        team.agent('cat > prompt-$(ls | wc -l).txt; echo "$ORCHGIT_ATTEMPT" >> attempts.txt')
        task = team.add(description="Do it well.\n\n## Notes\n\nCarefully.")
        team.run()
        first = team.task(task).review_commit
        team.reject(task, "Too short.\n\n# Not a heading of the task\n\n```\n## nor this\n```")
        team.run()
        team.reject(task, "Still too short.")
        back = team.task(task)
        assert (back.status, back.attempts, back.agent, back.review_commit) == (Status.TODO, 0, None, None)
        body = (team.layout.state / back.path).read_text()
        assert body.count("## Feedback") == 1
        assert body.index("Do it well.") < body.index("## Feedback") < body.index("Too short.") < body.index("Still")
        team.run()
        assert repos.subjects(team.root, f"main..{branch(team, task)}") == ["Do it"] * 3
        assert team.git("merge-base", str(first), branch(team, task)) == first
        assert team.show(branch(team, task), "attempts.txt").split() == ["1", "1", "1"]
        last = team.show(branch(team, task), max(p for p in team.files(branch(team, task)) if "prompt" in p))
        assert last.index("## Notes") < last.index("Feedback from review") < last.index("Too short.")
        for words in ("Not a heading of the task", "## nor this", "Still too short.", "Carefully."):
            assert words in last

    def test_attempts_count_since_the_review_and_runs_all_the_same(self, team: Team) -> None:
        task = in_review(team)
        assert "attempts    1 of 3\n" in ok(team.root, "task", "show", task).out
        for number in (2, 3):
            team.reject(task, "Again.")
            team.run()
            assert "This is attempt 1 of 3 since the last review." in team.runs()[-1].prompt.read_text()
            assert f"attempts    1 of 3 ({number} runs in all)\n" in ok(team.root, "task", "show", task).out

    def test_the_reason_is_in_the_history(self, team: Team) -> None:
        task = in_review(team)
        team.reject(task, "Too short.")
        assert team.trailers("orchestry")["Reason"] == "Too short."
        assert team.trailers("orchestry")["Transition"] == "review -> todo"

    def test_on_a_terminal_the_reason_is_asked_for(self, team: Team) -> None:
        task = in_review(team)
        code, said = on_terminal(team.root, "task", "reject", task, keys="Too short.\n")
        assert code == 0
        assert "Do it: what must change? (Enter for no reason)" in said
        assert f"{task} is to do again. `orchgit run {task}` starts it.\n" in said
        assert "\n> Too short.\n" in (team.layout.state / team.task(task).path).read_text()
        code, said = on_terminal(team.root, "task", "reject", task)
        assert (code, "what must change?" in said) == (1, False)
        team.run()
        assert on_terminal(team.root, "task", "reject", task, keys="\n")[0] == 0
        assert (team.layout.state / team.task(task).path).read_text().count("\n> ") == 1

    def test_what_starts_it_again_is_named_where_that_is_a_command(self, team: Team) -> None:
        task = in_review(team)
        moves_on = f"{task} is to do again."
        with locks.held(team.layout.orchestrator_lock, wait=0, doing="test"):
            assert ok(team.root, "task", "reject", task).out == f"{moves_on}\n"
        team.run()
        tasks.edit(team.layout, ADA, team.task(task), Wish(assignee="Grace"))
        assert ok(team.root, "task", "reject", task).out == f"{moves_on}\n"

    def test_without_a_reason_the_file_gets_no_section(self, team: Team) -> None:
        task = in_review(team)
        after = team.reject(task)
        assert "Feedback" not in (team.layout.state / after.path).read_text()


class TestWhatIsClearedAway:
    def test_a_cancelled_review(self, team: Team) -> None:
        task = in_review(team)
        reviewed = team.task(task).review_commit
        team.cancel(task)
        assert team.task(task).status is Status.CANCELLED
        assert not (team.workspaces / task).exists()
        assert team.git("branch", "--list", "orchgit/*") == ""
        assert team.attempts(task) == [reviewed]
        assert repos.subjects(team.root) == ["first"]

    def test_a_failed_task_that_is_cancelled(self, team: Team) -> None:
        team.agent("echo x > x.txt; exit 1", max_retries=0)
        task = team.add()
        team.run()
        assert team.task(task).status is Status.FAILED
        ok(team.root, "task", "cancel", task)
        assert team.story(task)[-1] == "failed -> cancelled"
        assert not (team.workspaces / task).exists()
        assert team.git("branch", "--list", "orchgit/*") == ""
        assert team.keeps(task, "x.txt", "x")
        assert team.is_sound()

    def test_a_cancelled_task_can_be_started_over(self, team: Team) -> None:
        task = in_review(team)
        team.cancel(task)
        moves.retry(team.layout, ADA, team.task(task))
        team.run()
        assert team.task(task).status is Status.REVIEW
        assert "x.txt" in team.files(branch(team, task))

    def test_what_a_person_typed_into_the_worktree_is_kept_first(self, team: Team) -> None:
        task = in_review(team)
        repos.write(team.workspaces / task, {"x.txt": "better\n", "mine.txt": "mine\n"})
        team.approve(task)
        assert team.show("main", "x.txt") == "x"
        assert team.keeps(task, "x.txt", "better")
        assert team.keeps(task, "mine.txt", "mine")
        kept = team.attempts(task)[-1]
        assert team.git("log", "-1", "--format=%an, %s", kept) == "orchgit, Do it (left in its worktree)"
        assert not (team.workspaces / task).exists()

    def test_what_can_not_be_kept_stays(self, team: Team) -> None:
        task = in_review(team)
        blob = team.git("rev-parse", f"{branch(team, task)}^{{tree}}")
        (team.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
        (team.workspaces / task / "mine.txt").write_text("mine")
        clearing.clear_away(team.layout, team.state.config, team.task(task))
        team.cancel(task)
        assert team.task(task).status is Status.CANCELLED
        assert (team.workspaces / task / "mine.txt").read_text() == "mine"

    def test_not_what_was_started_over_meanwhile(self, team: Team) -> None:
        task = in_review(team)
        waiting = team.task(task)
        clearing.clear_away(team.layout, team.state.config, waiting)
        assert (team.workspaces / task).exists()

    def test_what_is_removed_by_hand_is_no_obstacle(self, team: Team) -> None:
        task = in_review(team)
        team.git("worktree", "remove", "--force", team.workspaces / task)
        team.approve(task)
        assert "x.txt" in team.files("main")
        assert team.git("branch", "--list", "orchgit/*") == ""

    def test_other_peoples_folders_stay(self, team: Team) -> None:
        task = in_review(team)
        repos.write(team.workspaces, {"mine/x.txt": "mine"})
        team.approve(task)
        team.run()
        assert (team.workspaces / "mine" / "x.txt").exists()


def test_a_base_in_the_middle_of_a_rebase_is_left_alone(team: Team) -> None:
    task = in_review(team)
    repos.commit(team.root, {"README.md": "mine\n"}, "mine")
    team.git("branch", "other", "HEAD~1")
    team.git("switch", "--quiet", "other")
    repos.commit(team.root, {"README.md": "other\n"}, "other")
    team.git("switch", "--quiet", "main")
    with pytest.raises(AssertionError, match="rebase"):
        git(team.root, "rebase", "other")
    with pytest.raises(RefusedError, match="main is in the middle of a rebase"):
        team.approve(task)
    until(lambda: team.task(task).status is Status.REVIEW)
