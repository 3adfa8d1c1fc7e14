"""A run: what its agent is given, what is kept of its work, and that the next attempt can go on."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchgit.model.run import Outcome, Stop
from orchgit.repository import locks, runs
from tests.engine.attempt import BRANCH, TASK, Bench
from tests.support import agents, repos
from tests.support.agents import until
from tests.support.repos import git

if TYPE_CHECKING:
    from tests.engine.team import Team


@pytest.fixture
def bench(team: Team) -> Bench:
    return Bench(team.layout, team.workspaces / TASK)


def kept(team: Team) -> list[str]:
    return team.attempts(TASK)


class TestWhatAnAgentIsGiven:
    def test_its_prompt_on_stdin_and_in_a_file(self, team: Team, bench: Bench) -> None:
        prompt = "Grüße\n$(touch x) `touch y` \"quoted\" 'too' \\ %s\n-n --\n"
        result = bench.attempt('cat > in.txt; cat "$ORCHGIT_PROMPT_FILE" > file.txt', prompt=prompt)
        assert result.commit is not None
        assert sorted(team.files(result.commit)) == ["README.md", "file.txt", "in.txt", "src/app.py"]
        for name in ("in.txt", "file.txt"):
            assert repos.git_bytes(team.root, "show", f"{result.commit}:{name}") == prompt.encode()

    def test_an_environment_that_is_explicit(self, team: Team, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOME_TOKEN", "not-asked-for")
        monkeypatch.setenv("API_KEY", "asked-for-secret")
        monkeypatch.setenv("GIT_DIR", "/nowhere")
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        command = f"'{sys.executable}' -c 'import json, os; print(json.dumps(dict(os.environ)))'"
        env = (("KEY", "$API_KEY"), ("BRACED", "${API_KEY}"), ("PRICE", "$5 a day"), ("LONE", "$"), ("PLAIN", "as is"))
        place = bench.begin(command + " > env.json", env=env)
        locks.wait_until_free(place.runner_lock)
        found = json.loads((bench.workspace / "env.json").read_text())
        assert "SOME_TOKEN" not in found
        assert "GIT_DIR" not in found
        assert "PYTHONPATH" not in found
        told = {name: value for name, value in found.items() if name.startswith("ORCHGIT_")}
        assert told == {
            "ORCHGIT_RUN": place.id,
            "ORCHGIT_TASK": TASK,
            "ORCHGIT_AGENT": "bot",
            "ORCHGIT_ATTEMPT": "1",
            "ORCHGIT_PROMPT_FILE": str(place.prompt),
        }
        asked = {name: found[name] for name, _ in env}
        assert asked == {
            "KEY": "asked-for-secret",
            "BRACED": "asked-for-secret",
            "PRICE": "$5 a day",
            "LONE": "$",
            "PLAIN": "as is",
        }
        assert str(Path(sys.executable).parent) in found["PATH"].split(os.pathsep)
        assert not Path(found["TMPDIR"]).exists()
        assert not Path(found["TMPDIR"]).is_relative_to(team.root)

    def test_a_secret_reaches_neither_state_nor_logs(
        self, team: Team, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("API_KEY", "s3cr3t-value\nand-its-second-line")
        result = bench.attempt('echo "key: $KEY, $HOME"; echo "$KEY" >&2; exit 1', env=(("KEY", "$API_KEY"),))
        assert f"key: ***\n***, {os.environ['HOME']}" in result.summary
        written = [path for path in team.layout.local.rglob("*") if path.is_file()]
        assert {"run.json", "events.jsonl", "result.json", "prompt.md", "stdin", "runner.log"} <= {
            path.name for path in written
        }
        for secret in (b"s3cr3t-value", b"and-its-second-line"):
            assert not [path for path in written if secret in path.read_bytes()]

    def test_signals_that_are_not_ignored(self, bench: Bench) -> None:
        """What a process ignores stays ignored in all that it starts: an agent's tests could not be interrupted."""
        result = bench.attempt("grep SigIgn /proc/self/status || echo SigIgn: 0")
        assert int(result.summary.split()[1], 16) & 0b11 == 0

    def test_a_variable_that_is_not_set_is_named_and_no_retry_can_mend_it(self, team: Team, bench: Bench) -> None:
        result = bench.attempt("touch started", env=(("KEY", "$NO_SUCH_KEY"),))
        assert result.outcome is Outcome.FATAL
        assert "KEY = $NO_SUCH_KEY, and $NO_SUCH_KEY is not set" in result.reason
        assert not (bench.workspace / "started").exists()


class TestHowItEnds:
    @pytest.mark.parametrize(
        ("command", "outcome", "reason"),
        [
            ("true", Outcome.SUCCEEDED, ""),
            ("exit 2", Outcome.FAILED, "exit code 2"),
            ("kill -9 $$", Outcome.FAILED, "ended by signal 9"),
            ("no-such-command", Outcome.FATAL, "a command was not found or can't be run (exit code 127)"),
        ],
    )
    def test_by_itself(self, bench: Bench, command: str, outcome: Outcome, reason: str) -> None:
        result = bench.attempt(command)
        assert (result.outcome, result.reason) == (outcome, reason)
        assert result.started is not None
        assert result.finished is not None

    def test_what_it_said_is_in_its_events_and_its_last_words_are_the_summary(self, bench: Bench) -> None:
        place = bench.begin("i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo line $i; done; echo oops >&2; printf end")
        locks.wait_until_free(place.runner_lock)
        events = [json.loads(line) for line in place.events.read_text().splitlines()]
        assert [(each["type"], each["text"]) for each in events if each["text"] in ("line 1", "oops", "end")] == [
            ("text", "line 1"), ("warning", "oops"), ("text", "end"),
        ]  # fmt: skip
        result = runs.read_result(place)
        assert result is not None
        assert len(result.summary.splitlines()) == 20

    def test_stopped_by_somebody(self, team: Team, bench: Bench) -> None:
        place = bench.begin("echo half > work.txt; touch ready; sleep 300")
        agents.until((bench.workspace / "ready").exists)
        runs.ask_to_stop(place, Stop.RELEASE, by="Ada")
        locks.wait_until_free(place.runner_lock)
        result = runs.read_result(place)
        assert result is not None
        assert (result.outcome, result.stop, result.stopped_by) == (Outcome.STOPPED, Stop.RELEASE, "Ada")
        assert team.keeps(TASK, "work.txt", "half")


class TestWhatIsKept:
    def test_uncommitted_work_becomes_the_agents_commit(self, team: Team, bench: Bench) -> None:
        repos.commit(team.root, {".gitignore": "*.log\n"}, "ignore logs")
        result = bench.attempt("echo new > new.txt; echo more >> README.md; rm src/app.py; echo noise > run.log")
        assert result.outcome is Outcome.SUCCEEDED
        assert team.git("rev-parse", BRANCH) == result.commit
        assert kept(team) == [result.commit]
        assert team.git("diff", "--name-status", f"main..{BRANCH}").split() == [
            "M", "README.md", "A", "new.txt", "D", "src/app.py",
        ]  # fmt: skip
        assert team.git("log", "-1", "--format=%an <%ae>, %cn <%ce>, %s", BRANCH) == (
            "bot <bot@orchgit>, Ada Lovelace <ada@example.org>, Do it"
        )
        assert team.trailers(BRANCH) == {"Task": TASK, "Run": result.run}
        assert result.base == team.git("rev-parse", "main")
        assert (bench.workspace / "run.log").exists()
        assert repos.is_clean(bench.workspace)
        assert repos.is_clean(team.root)

    def test_its_own_commits_are_its_own(self, team: Team, bench: Bench) -> None:
        result = bench.attempt("echo one > one.txt; git add one.txt; git commit -qm 'One'; echo two > two.txt")
        assert repos.subjects(team.root, f"main..{BRANCH}") == ["Do it", "One"]
        assert team.git("log", "--format=%an <%ae> %cn", f"main..{BRANCH}").splitlines() == (
            ["bot <bot@orchgit> Ada Lovelace"] * 2
        )
        assert kept(team) == [result.commit]

    def test_a_machine_without_an_identity_is_no_obstacle(self, team: Team, bench: Bench, world: Path) -> None:
        (world / "gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
        result = bench.attempt("echo one > one.txt; git add . && git commit -qm One || exit 9; echo two > two.txt")
        assert (result.outcome, result.reason) == (Outcome.SUCCEEDED, "")
        assert repos.subjects(team.root, f"main..{BRANCH}") == ["Do it", "One"]
        assert "@localhost" in team.git("log", "-1", "--format=%ce", BRANCH)

    def test_neither_hooks_nor_signing_lose_it(self, team: Team, bench: Bench, world: Path) -> None:
        for hook in ("pre-commit", "commit-msg", "post-checkout", "reference-transaction", "post-index-change"):
            repos.make_script(team.root / ".git" / "hooks" / hook, "exit 1")
        with (world / "gitconfig").open("a") as config:
            config.write("[commit]\n\tgpgSign = true\n[gpg]\n\tprogram = false\n")
        result = bench.attempt("echo new > new.txt; git add new.txt; git commit -qm mine && exit 9; true")
        assert result.outcome is Outcome.SUCCEEDED
        assert result.commit is not None
        assert team.files(result.commit) == ["README.md", "new.txt", "src/app.py"]

    def test_a_repository_within_is_kept_as_files(self, team: Team, bench: Bench) -> None:
        result = bench.attempt("git init -q inner; cd inner; echo deep > deep.txt; git add .; git commit -qm inner")
        assert team.show(BRANCH, "inner/deep.txt") == "deep"
        assert any("inner" in note for note in result.notes)

    def test_nothing_changed_is_a_commit_too(self, team: Team, bench: Bench) -> None:
        result = bench.attempt("true")
        assert result.commit == result.base == team.git("rev-parse", "main")

    def test_a_run_that_failed_leaves_the_branch_but_its_work_is_kept(self, team: Team, bench: Bench) -> None:
        result = bench.attempt("echo half > half.txt; exit 1")
        assert team.git("rev-parse", BRANCH) == team.git("rev-parse", "main")
        assert kept(team) == [result.commit]
        assert team.keeps(TASK, "half.txt")
        again = bench.attempt("cat half.txt > whole.txt")
        assert again.commit is not None
        assert {"half.txt", "whole.txt"} <= set(team.files(again.commit))


# What a run may leave, and a file that must be found in what is kept of it.
MESSES = {
    "another branch": "git switch -qc mine; echo w > work.txt; git add .; git commit -qm w",
    "detached": "git switch -q --detach; echo w > work.txt; git add .; git commit -qm w",
    "detached behind": "echo w > work.txt; git add .; git commit -qm w; git switch -q --detach HEAD~1",
    "unborn": "git checkout -q --orphan void; git rm -rqf .; echo w > work.txt",
    "branch deleted": "git switch -q --detach; echo w > work.txt; git update-ref -d BRANCH_REF",
    "branch deleted under it": "echo w > work.txt; git update-ref -d BRANCH_REF",
    "merge": "CONFLICT; git merge -q other; echo w > work.txt",
    "rebase": "CONFLICT; git rebase -q other; echo w > work.txt",
    "rebase with autostash": "CONFLICT; echo w >> work.txt; git add .; git rebase -q --autostash other",
    "cherry-pick": "CONFLICT; git cherry-pick other; echo w > work.txt",
    "revert": "CONFLICT; echo w > work.txt; echo x > README.md; git commit -qam x; git revert HEAD~1",
    "stash": "CONFLICT; echo w > work.txt; echo s > README.md; git stash -q; git reset -q --hard other; git stash pop",
    "bisect": "echo w > work.txt; git bisect start; git bisect bad",
    "no .git": "echo w > work.txt; rm .git",
    "another .git": "echo w > work.txt; rm .git; git init -q; git add .; git commit -qm other",
    "broken .git": "echo w > work.txt; echo junk > .git",
    "broken index": "echo w > work.txt; echo junk > $(git rev-parse --git-dir)/index",
    "no index": "echo w > work.txt; rm $(git rev-parse --git-dir)/index",
    "junk in the index": "echo w > work.txt; git add .; git update-index --force-remove README.md",
    "locks": "echo w > work.txt; cd $(git rev-parse --git-dir); touch index.lock HEAD.lock ../../BRANCH_REF.lock",
    "modes": "echo w > work.txt; chmod -R a-w .; chmod a-rwx src",
}
CONFLICT = (
    "git switch -qc other; echo theirs > README.md; git commit -qam theirs; git switch -q -; "
    "echo ours > README.md; git commit -qam ours"
)


def make(mess: str) -> str:
    return MESSES[mess].replace("CONFLICT", CONFLICT).replace("BRANCH_REF", f"refs/heads/{BRANCH}")


class TestAMessIsKeptAndSetRight:
    @pytest.mark.parametrize("mess", MESSES)
    def test_after_it_failed(self, team: Team, bench: Bench, mess: str) -> None:
        first = bench.attempt(f"{make(mess)}; exit 1")
        assert (first.outcome, first.reason) == (Outcome.FAILED, "exit code 1")
        assert team.keeps(TASK, "work.txt")

        second = bench.attempt(
            f'test "$(git symbolic-ref HEAD)" = refs/heads/{BRANCH} && test -f README.md && echo 2 > second.txt && '
            "git add -A && git commit -qm second && git status"
        )
        assert (second.outcome, second.reason, second.notes) == (Outcome.SUCCEEDED, "", ())
        assert "nothing to commit, working tree clean" in second.summary
        assert team.git("rev-parse", BRANCH) == second.commit
        assert repos.subjects(team.root, BRANCH)[0] == "second"
        assert repos.is_sound(team.root)

    @pytest.mark.parametrize(
        "mess", ["detached behind", "unborn", "merge", "rebase", "another .git", "no index", "locks"]
    )
    def test_after_it_succeeded(self, team: Team, bench: Bench, mess: str) -> None:
        first = bench.attempt(f"{make(mess)}; exit 0")
        assert first.outcome is Outcome.SUCCEEDED
        assert first.commit is not None
        assert team.git("rev-parse", BRANCH) == first.commit
        assert team.keeps(TASK, "work.txt")
        assert team.git("merge-base", "main", BRANCH) == team.git("rev-parse", "main")

        second = bench.attempt("echo 2 > second.txt && git add -A && git commit -qm second && git status")
        assert (second.outcome, second.notes) == (Outcome.SUCCEEDED, ())
        assert "nothing to commit, working tree clean" in second.summary
        assert team.git("rev-parse", f"{BRANCH}~1") == first.commit


@pytest.mark.parametrize(
    ("mess", "note"),
    [
        ("detached behind", "it left its worktree on no branch"),
        ("detached behind", "which its result leaves out"),
        ("another branch", "it left its worktree on mine"),
        ("merge", "it left a merge unfinished"),
        ("rebase", "it left a rebase unfinished"),
    ],
)
def test_a_mess_is_told(bench: Bench, mess: str, note: str) -> None:
    result = bench.attempt(f"{make(mess)}; exit 0")
    assert [each for each in result.notes if note in each]


def test_who_deletes_the_worktree_has_not_succeeded(team: Team, bench: Bench) -> None:
    gone = 'echo w > work.txt; git add .; git commit -qm w; rm -rf "$PWD"'
    first = bench.attempt(gone)
    assert first.outcome is Outcome.FAILED
    assert f"{bench.workspace} was deleted" in first.reason
    assert team.keeps(TASK, "work.txt")
    assert bench.attempt("test -f work.txt").outcome is Outcome.SUCCEEDED


def test_who_deletes_what_git_knows_of_the_worktree_has_not_succeeded(team: Team, bench: Bench) -> None:
    first = bench.attempt('echo w > work.txt; rm -rf "$(git rev-parse --git-dir)"')
    assert first.outcome is Outcome.FAILED
    assert f"{bench.workspace} is no worktree any more" in first.reason
    second = bench.attempt("true")
    assert second.outcome is Outcome.FAILED
    assert f"{bench.workspace} is not a worktree" in second.reason
    assert (bench.workspace / "work.txt").exists()


def test_what_can_not_be_kept_is_not_set_right(team: Team, bench: Bench) -> None:
    team.git("config", "filter.broken.clean", "false")
    team.git("config", "filter.broken.required", "true")
    first = bench.attempt("git switch -q --detach; echo '*.bin filter=broken' > .gitattributes; echo w > w.bin; exit 1")
    assert any("w.bin" in note for note in first.notes)
    second = bench.attempt("touch started")
    assert second.outcome is Outcome.FAILED
    assert f"{bench.workspace} can't be worked in, nor can all that lies there be kept" in second.reason
    assert (bench.workspace / "w.bin").read_text() == "w\n"
    assert not (bench.workspace / "started").exists()


def test_a_worktree_that_the_disk_refuses_is_a_failed_attempt(team: Team) -> None:
    blocked = team.root.parent / "blocked"
    blocked.write_text("a file, not a folder\n")
    result = Bench(team.layout, blocked / "spaces" / TASK).attempt("true")
    assert result.outcome is Outcome.FAILED
    assert str(blocked) in result.reason


def test_a_history_of_its_own_can_not_be_reviewed(team: Team, bench: Bench) -> None:
    result = bench.attempt("git checkout -q --orphan void; git commit -qm void; echo w > work.txt")
    assert result.outcome is Outcome.FAILED
    assert "shares no history" in result.reason
    assert team.keeps(TASK, "work.txt")


def test_a_worktree_that_was_never_checked_out_is_not_taken_for_an_empty_one(team: Team, bench: Bench) -> None:
    team.git("worktree", "add", "--quiet", "--no-checkout", "-b", BRANCH, bench.workspace, "main")
    result = bench.attempt("echo new > new.txt")
    assert result.commit is not None
    assert team.files(result.commit) == ["README.md", "new.txt", "src/app.py"]


def test_an_old_branch_of_the_task_is_continued(team: Team, bench: Bench) -> None:
    bench.attempt("echo 1 > one.txt")
    team.git("worktree", "remove", "--force", bench.workspace)
    result = bench.attempt("echo 2 > two.txt")
    assert result.commit is not None
    assert {"one.txt", "two.txt"} <= set(team.files(result.commit))


def test_what_is_no_worktree_is_not_touched(team: Team, bench: Bench) -> None:
    bench.workspace.mkdir(parents=True)
    (bench.workspace / "precious.txt").write_text("mine")
    result = bench.attempt("true")
    assert result.outcome is Outcome.FAILED
    assert str(bench.workspace) in result.reason
    assert (bench.workspace / "precious.txt").read_text() == "mine"


def test_a_person_has_the_branch_checked_out(team: Team, bench: Bench, tmp_path: Path) -> None:
    repos.add_worktree(team.root, tmp_path / "elsewhere", BRANCH)
    result = bench.attempt("true")
    assert result.outcome is Outcome.FAILED
    assert f"{BRANCH} is checked out in {tmp_path / 'elsewhere'}" in result.reason
    assert git(tmp_path / "elsewhere", "symbolic-ref", "--short", "HEAD") == BRANCH


@pytest.mark.parametrize("command", ["sleep 60", "trap 'exit 0' TERM; sleep 60 & wait"])
def test_a_runner_that_a_shutdown_ends_gives_its_task_back(team: Team, tmp_path: Path, command: str) -> None:
    begun = tmp_path / "begun"
    team.agent(f"echo half > half.txt; touch '{begun}'; {command}")
    task = team.add()
    team.tick()
    until(begun.exists)
    place = team.place(task)
    team.runner(place).terminate()
    locks.wait_until_free(place.runner_lock)
    team.tick()
    after = team.task(task)
    assert (after.status.value, after.attempts) == ("todo", 0)
    assert team.reasons() == ["stopped by a signal to its runner"]
    assert team.keeps(task, "half.txt", "half")
