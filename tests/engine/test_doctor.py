"""The doctor: each thing broken for real, what is found, and what --fix makes of it."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from orchgit import adapters
from orchgit.adapters import shell
from orchgit.adapters.protocol import Launch
from orchgit.engine import doctor, githooks, watch
from orchgit.engine.doctor.finding import Level
from orchgit.model.actor import ENGINE
from orchgit.model.errors import RefusedError
from orchgit.model.lifecycle import Ask
from orchgit.repository import entry, files, index, journal, ledger, locks, mount, runs
from orchgit.repository.layout import STATE_REF
from tests.engine.team import ADA
from tests.support import agents as scripted
from tests.support import repos

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.engine.doctor.finding import Finding
    from tests.engine.team import Team


def found(place: Path, check: str, *, mend: bool = False) -> list[Finding]:
    """Return what a check finds beside what is well."""
    said = doctor.examine(place, mend=mend)
    return [each for each in said if each.check == check and each.level is not Level.OK]


def one(place: Path, check: str, *, mend: bool = False) -> Finding:
    (finding,) = found(place, check, mend=mend)
    return finding


def worst(place: Path) -> set[str]:
    return {each.check for each in doctor.examine(place) if each.level in (Level.WARNING, Level.ERROR)}


def mended(place: Path, check: str) -> str:
    """Mend what `check` finds, and return what was done; it finds nothing afterwards."""
    assert one(place, check).mend is not None
    done = one(place, check, mend=True).fixed
    assert done
    assert found(place, check) == []
    return done


def hand_commit(team: Team, path: str, text: str | None) -> None:
    """Commit a file in the state folder as a person does, past the ledger."""
    if text is None:
        (team.layout.state / path).unlink()
    else:
        repos.write(team.layout.state, {path: text})
    repos.git(team.layout.state, "add", "--all")
    repos.git(team.layout.state, "commit", "--quiet", "--message=by hand")


def test_a_sound_project_is_well(team: Team) -> None:
    team.agent("echo x > x.txt")
    task = team.add()
    team.run()
    team.approve(task)
    githooks.install(team.layout)
    said = list(doctor.examine(team.root))
    assert {each.level for each in said} == {Level.OK}
    assert {each.check for each in said} == {check.name for check in doctor.CHECKS}
    assert team.is_sound()


def test_no_two_checks_have_one_name() -> None:
    names = [check.name for check in doctor.CHECKS]
    assert len(names) == len(set(names))


# Where there is no project


def test_outside_of_a_repository(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    finding = one(tmp_path / "plain", "project")
    assert (finding.level, "is not in a Git repository" in finding.what) == (Level.ERROR, True)
    assert one(tmp_path / "nowhere", "project").what == f"{tmp_path / 'nowhere'} is not a directory."


def test_a_repository_without_a_team(tmp_path: Path) -> None:
    repo = repos.make_repo(tmp_path / "repo")
    finding = one(repo, "project")
    assert (finding.level, finding.fix) == (Level.WARNING, "`orchgit init` makes it one.")
    assert worst(repo) == {"project"}


def test_what_stands_in_the_way_of_a_team(tmp_path: Path) -> None:
    empty = repos.make_repo(tmp_path / "empty", files={})
    assert "has no commits yet" in one(empty, "project").what
    tracked = repos.make_repo(tmp_path / "tracked", files={".orchestry/state.json": "{}"})
    assert one(tracked, "project").level is Level.ERROR
    bare = repos.make_bare(tmp_path / "bare.git", repos.make_repo(tmp_path / "source"))
    assert "is a bare repository" in one(bare, "project").what


def test_git_is_missing_or_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = repos.make_script(tmp_path / "bin" / "git", "echo git version 2.30.1")
    monkeypatch.setenv("PATH", str(old.parent))
    assert one(tmp_path, "git").what == "Git 2.30.1 is too old."
    old.unlink()
    assert [(each.check, each.level) for each in doctor.examine(tmp_path) if each.level is Level.ERROR] == [
        ("git", Level.ERROR)
    ]


def test_git_does_not_know_who_asks(team: Team, world: Path) -> None:
    (world / "gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    assert one(team.root, "identity").level is Level.WARNING


def test_a_missing_library_is_named(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchgit.engine.doctor.machine._LIBRARIES", {"no_such_module": "no-such-package"})
    assert "lacks no-such-package" in one(team.root, "python").what


# The state branch and its worktree


def test_a_state_branch_that_is_gone_can_be_brought_back(team: Team) -> None:
    tip = team.state.tip
    team.git("update-ref", "-d", STATE_REF)
    for ask in (entry.open, mount.init):
        with pytest.raises(RefusedError, match=r"The branch orchestry of .* is gone(.|\n)*`orchgit doctor`"):
            ask(team.root)
    finding = one(team.root, "project")
    assert finding.level is Level.ERROR
    command = finding.fix.split("`")[1]
    subprocess.run(command.split(), cwd=team.root, check=True)
    assert team.git("rev-parse", STATE_REF) == tip
    assert found(team.root, "project") == []


def test_a_folder_that_is_gone_is_mounted_again(team: Team) -> None:
    shutil.rmtree(team.layout.state)
    assert mended(team.root, "mount") == f"mounted {team.layout.state} again"
    assert (team.layout.state / "config.yaml").is_file()


def test_looking_mends_nothing(team: Team) -> None:
    shutil.rmtree(team.layout.state)
    list(doctor.examine(team.root))
    assert not team.layout.state.exists()


def test_a_file_in_place_of_the_folder(team: Team) -> None:
    shutil.rmtree(team.layout.state)
    team.layout.state.write_text("in the way")
    finding = one(team.root, "mount", mend=True)
    assert (finding.level, finding.fixed, "is a file" in finding.what) == (Level.ERROR, "", True)
    assert team.layout.state.read_text() == "in the way"


def test_another_branch_in_the_state_folder(team: Team) -> None:
    repos.git(team.layout.state, "switch", "--quiet", "--detach")
    assert "is not on the branch orchestry" in one(team.root, "mount").what


def test_a_broken_index_is_put_aside(team: Team) -> None:
    repos.write(team.layout.state, {"tasks/typed.md": "typed\n"})
    own = index.git_dir(team.layout)
    (own / "index").write_bytes(b"nonsense")
    assert "made a new one" in mended(team.root, "mount")
    assert [path.read_bytes() for path in own.glob("index.broken-*")] == [b"nonsense"]
    assert repos.git(team.layout.state, "ls-files", "--others") == "tasks/typed.md"


def test_a_merge_under_way_is_named(team: Team) -> None:
    files.replace(index.git_dir(team.layout) / "MERGE_HEAD", f"{team.state.tip}\n".encode())
    assert one(team.root, "mount").what == "In .orchestry/ a merge is under way."


def test_a_missing_exclude_is_added(team: Team) -> None:
    (team.layout.common / "info" / "exclude").write_text("*.mine\n")
    assert mended(team.root, "mount") == "added the line"
    assert (team.layout.common / "info" / "exclude").read_text() == "*.mine\n/.orchestry/\n"


def test_a_write_that_died_is_finished(team: Team) -> None:
    team.layout.state.joinpath("config.yaml").touch()
    journal.write(team.layout.journal, journal.Entry(team.state.tip, ("config.yaml",)))
    assert mended(team.root, "journal") == "finished that write"
    assert not team.layout.journal.exists()


def test_files_that_cannot_be_read(team: Team) -> None:
    hand_commit(team, "tasks/broken.md", "---\nid: [\n---\n")
    assert one(team.root, "files").level is Level.WARNING
    hand_commit(team, "tasks/broken.md", None)
    text = (team.layout.state / "config.yaml").read_text()
    hand_commit(team, "config.yaml", "project: [\n")
    finding = one(team.root, "files")
    assert (finding.level, finding.what.startswith("config.yaml:")) == (Level.ERROR, True)
    hand_commit(team, "config.yaml", text)
    assert worst(team.root) == set()


def test_a_misspelt_key_is_named(team: Team) -> None:
    hand_commit(team, "tasks/typo.md", "---\nid: tsk_x\ntitle: x\npriorty: 1\nx_own: 1\n---\n")
    finding = one(team.root, "keys")
    assert finding.level is Level.WARNING
    assert finding.what == "tasks/typo.md:4: unknown key 'priorty': did you mean priority?"


def test_a_prompt_template_that_fails_is_named(team: Team) -> None:
    hand_commit(team, "prompt.md", "\n{{ task.tilte }}\n")
    finding = one(team.root, "files")
    assert (finding.level, finding.what) == (
        Level.ERROR,
        "prompt.md:2: the prompt template fails: there is no task.tilte",
    )


@pytest.mark.parametrize("path", ["prompt.md", "agents/bot.prompt.md"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ task.nope }}", "fails: there is no task.nope"),
        ("{{ 1 | upcase }}", "can't be read: No filter named 'upcase'."),
    ],
)
def test_a_template_that_only_lies_there_is_looked_at_for_the_next_run_has_it(
    team: Team, path: str, text: str, reason: str
) -> None:
    hand_commit(team, path, "{{ messages }}\n")
    assert worst(team.root) == set()
    repos.write(team.layout.state, {path: text})
    finding = one(team.root, "files")
    assert (finding.level, finding.what) == (Level.ERROR, f"{path}:1: the prompt template {reason}")
    edits = one(team.root, "edits")
    assert (edits.what, edits.meaning) == (
        f"In .orchestry/ not all is committed: {path}.",
        "The next command that has to do with it, or the next run, commits it; from then on it is in force.",
    )
    (team.layout.state / path).unlink()
    assert found(team.root, "files") == []


def test_many_broken_files_are_counted(team: Team) -> None:
    repos.write(team.layout.state, {f"tasks/{n}.md": "x\n" for n in range(12)})
    hand_commit(team, "tasks/more.md", "x\n")
    *_, last = found(team.root, "files")
    assert last.what == "3 more files can't be read."


def test_edits_are_named(team: Team) -> None:
    repos.write(team.layout.state, {"tasks/new.md": "x\n"})
    assert one(team.root, "edits").what == "In .orchestry/ not all is committed: tasks/new.md."
    repos.write(team.layout.state, {"notes.txt": "x\n"})
    _, others = found(team.root, "edits")
    assert others.what == "In .orchestry/ lies what is none of orchgit's own: notes.txt."


def test_a_remote_that_differs(team: Team, tmp_path: Path) -> None:
    bare = repos.make_bare(tmp_path / "hub.git", team.root)
    team.git("remote", "add", "origin", bare)
    team.git("fetch", "--quiet", "origin")
    assert found(team.root, "remote") == []
    team.add("Ours")
    finding = one(team.root, "remote")
    assert finding.what == "1 commits of the state are not in origin/orchestry, 0 of its are not here."
    assert finding.fix == "`git push origin orchestry` sends yours."


def test_a_history_from_the_future(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"{int(time.time()) + 7200} +0000")
    hand_commit(team, "tasks/note.txt", "x")
    finding = one(team.root, "clock")
    assert (finding.level, finding.what.endswith(" minutes in the future.")) == (Level.WARNING, True)


# The repository


def test_locks_are_named_and_left(team: Team) -> None:
    lock = team.layout.common / "refs" / "heads" / "main.lock"
    own = index.git_dir(team.layout) / "index.lock"
    for each in (lock, own):
        each.write_bytes(b"")
    assert found(team.root, "locks") == []  # a git may be at work
    for each in (lock, own):
        os.utime(each, (0, 0))
    assert {each.what.partition(" ")[0] for each in found(team.root, "locks", mend=True)} == {str(lock), str(own)}
    assert lock.exists()


def test_a_lock_of_the_state_branch_is_named_at_once(team: Team) -> None:
    lock = team.layout.common / f"{STATE_REF}.lock"
    lock.touch()
    finding = one(team.root, "locks")
    assert (finding.level, finding.what.partition(" ")[0]) == (Level.WARNING, str(lock))


@pytest.mark.parametrize("running", [True, False])
def test_a_damaged_name_of_this_clone(team: Team, *, running: bool) -> None:
    team.agent("echo x > x.txt")
    task = team.add()
    place = team.layout.local / "machine"
    place.write_bytes(b"5c1e09\n")
    if running:
        with ledger.writing(team.layout, ENGINE) as book:
            sets = {"agent": "bot", "run": "run_1", "machine": "5c1e09"}
            book.transition(task, Ask.DISPATCH, sets=sets)
        spec = runs.folder(team.layout, "run_1").spec
        spec.parent.mkdir(parents=True)
        spec.write_text("{}")
    place.write_bytes(b"\xff\xfe\x00")
    assert one(team.root, "name").what.startswith(f"{place} is damaged")
    assert mended(team.root, "name").endswith("5c1e09, as before" if running else " now")
    assert (place.read_bytes() == b"5c1e09\n") is running


def test_who_holds_a_lock_is_named(team: Team) -> None:
    with (
        locks.held(team.layout.orchestrator_lock, wait=0, doing="test"),
        locks.held(team.layout.lock, wait=0, doing="test"),
    ):
        running, held = found(team.root, "locks")
    assert f"process {os.getpid()}" in running.what
    assert (held.level, str(team.layout.lock) in held.what) == (Level.INFO, True)


def test_a_copied_project_has_the_original_s_name(team: Team, tmp_path: Path) -> None:
    team.agent("echo x > x.txt")
    team.add()
    team.run()
    copy = tmp_path / "copy"
    shutil.copytree(team.root, copy, symlinks=True)
    finding = one(copy, "copy")
    assert f"is a copy of {team.root}" in finding.what
    assert found(team.root, "copy") == []
    (copy / ".git" / "orchgit" / "machine").rename(tmp_path / "machine")
    assert found(copy, "copy") == []


def test_what_cannot_be_written_to(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, really = team.layout.common / "objects", os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: path != folder and really(path, mode)
    )  # root may write anywhere
    finding = one(team.root, "permissions")
    assert (finding.level, finding.what) == (Level.ERROR, f"{folder} can't be written to.")
    assert f"the user {folder.owner()}" in finding.fix


def test_a_disk_that_is_full(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchgit.engine.doctor.places._LITTLE", 1 << 62)
    assert one(team.root, "disk").level is Level.WARNING
    monkeypatch.setattr("orchgit.engine.doctor.places._TOO_LITTLE", 1 << 62)
    assert one(team.root, "disk").level is Level.ERROR


def test_a_system_without_watches(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> None:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    monkeypatch.setattr(watch, "_watch", none_left)
    finding = one(team.root, "watch")
    assert (finding.level, "inotify instance limit reached" in finding.what) == (Level.WARNING, True)


# Names


def test_a_base_branch_that_is_gone(team: Team) -> None:
    team.lose_base()
    assert one(team.root, "base").level is Level.ERROR


@pytest.mark.parametrize(
    ("command", "level", "said"),
    [
        ("no-such-program --now", Level.ERROR, "which is not on the PATH"),
        ("A=b no-such-program", Level.ERROR, "no-such-program, which is not on the PATH"),
        ("/no/such/program", Level.ERROR, "/no/such/program, which is not on the PATH"),
        ("./tools/agent.sh", Level.WARNING, "which the base branch doesn't have"),
        ("src/app.py", Level.OK, "src/app.py, in the project"),
        ("sh -c true", Level.OK, "/sh"),
        ("cd src && true", Level.OK, "cd"),
        ("if true; then true; fi", Level.OK, "if"),
        ("$AGENT --now", Level.OK, "a command of the shell"),
        ("(true)", Level.OK, "a command of the shell"),
        ("echo 'open", Level.OK, "a command of the shell"),
    ],
)
def test_what_a_shell_agent_runs(team: Team, command: str, level: Level, said: str) -> None:
    team.agent(command)
    (finding,) = [each for each in doctor.examine(team.root) if each.check == "agents"]
    assert (finding.level, said in finding.what) == (level, True), finding.what


def test_an_agent_that_cannot_be_started(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.agent("true", env={"KEY": "$SECRET_THAT_IS_NOT_SET"})
    assert "$SECRET_THAT_IS_NOT_SET is not set" in one(team.root, "agents").what
    hand_commit(team, "agents/bot.md", "---\nadapter: hal\n---\n")
    assert "which this orchgit doesn't know" in one(team.root, "agents").what
    hand_commit(team, "agents/bot.md", "---\nadapter: hal\nenabled: false\n---\n")
    assert found(team.root, "agents") == []


def test_a_cli_is_named_with_its_version(team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = repos.make_script(tmp_path / "bin" / "hal", "echo hal 9.0")
    monkeypatch.setattr(adapters, "ADAPTERS", {"shell": shell, "hal": _Hal})
    hand_commit(team, "agents/bot.md", "---\nadapter: hal\n---\n")
    assert "bot runs hal, which is not on the PATH" in one(team.root, "agents").what
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    (finding,) = [each for each in doctor.examine(team.root) if each.check == "agents"]
    assert (finding.level, finding.what) == (Level.OK, f"bot: {program}, hal 9.0")


class _Hal:
    """An adapter of a program that isn't the shell."""

    @staticmethod
    def complaint(_agent: object) -> None:
        return None

    @staticmethod
    def limitations(_agent: object) -> tuple[str, ...]:
        return ()

    @staticmethod
    def launch(_agent: object, _job: object) -> Launch:
        return Launch(argv=("hal", "--print"))


def test_tasks_that_name_what_does_not_exist(team: Team) -> None:
    team.agent("true")
    team.agent("true", name="off", enabled=False)
    first, second = team.add("A"), team.add("B", assignee="nobody", goal="fame")
    third = team.add("C", depends_on=(first, second), assignee="off")
    team.cancel(first)
    hand_commit(team, team.task(second).path, None)
    said = {each.what: each.level for each in found(team.root, "tasks")}
    assert said == {
        f"{third} depends on {first}, which was cancelled.": Level.WARNING,
        f"{third} depends on {second}, which doesn't exist.": Level.WARNING,
        f"{third} is for off, an agent that is disabled.": Level.WARNING,
    }
    lost = team.add("D", assignee="nobody", goal="fame")
    assert {each.what for each in found(team.root, "tasks") if lost in each.what} == {
        f"{lost} is for nobody, who is not an agent here.",
        f"{lost} serves the goal fame, of which there is no file.",
    }


def test_a_circle_is_named_once(team: Team) -> None:
    team.agent("true")
    first = team.add("A")
    second = team.add("B", depends_on=(first,))
    path = team.task(first).path
    text = (team.layout.state / path).read_text()
    hand_commit(team, path, text.replace("status: todo", f"status: todo\ndepends_on: [{second}]"))
    assert one(team.root, "tasks").what.startswith("These wait for each other: ")


# Work


def test_a_run_without_its_runner(team: Team) -> None:
    team.agent("sleep 60")
    task = team.add()
    team.tick()
    place = team.place(task)
    finding = one(team.root, "runs")
    assert (finding.level, finding.what) == (Level.INFO, f"{place.id} works on {task}, and no team is running.")
    with locks.held(team.layout.orchestrator_lock, wait=0, doing="test"):
        assert found(team.root, "runs") == []
    team.kill_runner(place)
    assert f"{place.id} of {task} has no runner any more." == one(team.root, "runs").what
    team.end()
    shutil.rmtree(place.path)
    assert "is gone." in one(team.root, "runs").what
    (team.layout.local / "machine").write_text("aaaaaa\n")
    assert "in another clone" in one(team.root, "runs").what


def test_a_run_that_ended_unseen(team: Team) -> None:
    team.agent("true")
    task = team.add()
    team.tick()
    place = team.place(task)
    locks.wait_until_free(place.runner_lock)
    assert one(team.root, "runs").what == f"{place.id} of {task} has ended, and no team has taken note of it."
    team.run()
    assert found(team.root, "runs") == []


def test_a_run_that_its_task_forgot_is_asked_to_end(team: Team) -> None:
    team.agent("echo half > half.txt; sleep 60")
    task = team.add()
    team.tick()
    place = team.place(task)
    scripted.until((team.workspaces / task / "half.txt").exists)
    path = team.task(task).path
    hand_commit(team, path, f"---\nid: {task}\ntitle: Do it\n---\n")
    finding = one(team.root, "runs", mend=True)
    assert finding.fixed == f"asked {place.id} to end; what it did is kept"
    locks.wait_until_free(place.runner_lock)
    assert found(team.root, "runs") == []
    assert team.keeps(task, "half.txt")


def test_a_run_of_a_task_that_cannot_be_read_is_let_be(team: Team) -> None:
    team.agent("sleep 60")
    task = team.add()
    team.tick()
    hand_commit(team, team.task(task).path, "---\nid: [\n---\n")
    assert [each.check for each in doctor.examine(team.root, mend=True) if each.fixed] == []
    assert {"runs", "survivors", "worktrees", "branches", "refs"} & worst(team.root) == set()


def test_what_survived_a_run_is_ended(team: Team) -> None:
    team.agent("true")
    team.add()
    team.run()
    (place,) = team.runs()
    with subprocess.Popen(["sleep", "300"], env={**os.environ, "ORCHGIT_RUN": place.id}) as marked:
        try:
            assert f"process {marked.pid} (sleep)" in one(team.root, "survivors").what
            assert mended(team.root, "survivors") == f"ended what lived of {place.id}"
            assert not scripted.lives(marked.pid)
        finally:
            marked.kill()
    descriptor = locks.take(place.agent_lock)
    assert descriptor is not None
    with subprocess.Popen(["sleep", "300"], pass_fds=(descriptor,)) as hidden:
        os.close(descriptor)
        try:
            assert "a process without its mark" in one(team.root, "survivors").what
            assert mended(team.root, "survivors")
            assert not scripted.lives(hidden.pid)
        finally:
            hidden.kill()


def test_a_worktree_whose_folder_is_gone_is_forgotten(team: Team) -> None:
    team.agent("true")
    task = team.add()
    team.run()
    space = team.workspaces / task
    lost = repos.git(space, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "only here")
    repos.git(space, "checkout", "--quiet", "--detach", lost)
    shutil.rmtree(space)
    assert mended(team.root, "worktrees") == "took it off the record"
    assert lost in team.attempts(task)
    team.git("worktree", "add", "--quiet", "--lock", space, str(team.task(task).branch))
    shutil.rmtree(space)
    finding = one(team.root, "worktrees", mend=True)
    assert (finding.mend, finding.fixed) == (None, "")
    assert str(space) in team.git("worktree", "list")


def test_a_worktree_without_its_git_file_is_let_be(team: Team) -> None:
    team.agent("true")
    task = team.add()
    team.run()
    space = team.workspaces / task
    (space / ".git").unlink()
    repos.write(space, {"precious.txt": "x"})
    list(doctor.examine(team.root, mend=True))
    assert (space / "precious.txt").exists()


def forget(team: Team, task: str) -> None:
    with ledger.writing(team.layout, ADA) as book:
        book.remove(book.state.task(task).path, f"task({task}): deleted", details={"Task": task})


def test_what_a_closed_or_deleted_task_left_is_cleared_away(team: Team) -> None:
    team.agent("echo x > x.txt")
    deleted, cancelled = team.add("A"), team.add("B")
    team.run()
    forget(team, deleted)
    sets = {"closed": datetime.now(UTC)}
    with ledger.writing(team.layout, ADA) as book:
        book.transition(cancelled, Ask.CANCEL, sets=sets)
    assert {f"{deleted} (deleted)", f"{cancelled} (cancelled)"} <= set(
        one(team.root, "worktrees").what.removesuffix(".").partition(": ")[2].split(", ")
    )
    assert len(found(team.root, "branches")) == 2
    done = one(team.root, "worktrees", mend=True).fixed
    assert (deleted in done, cancelled in done) == (True, True)
    assert found(team.root, "worktrees") == []
    assert found(team.root, "branches") == []
    assert team.keeps(deleted, "x.txt")
    assert team.keeps(cancelled, "x.txt")
    finding = one(team.root, "refs")
    assert (finding.level, deleted in finding.what, cancelled in finding.what) == (Level.INFO, True, False)


def test_a_branch_that_a_closed_or_deleted_task_left_is_removed(team: Team) -> None:
    team.agent("echo x > x.txt")
    done, deleted = team.add("A"), team.add("B")
    team.run()
    known = [team.task(task) for task in (done, deleted)]
    for task in (done, deleted):
        team.approve(task)
    forget(team, deleted)
    for each in known:
        team.git("branch", str(each.branch), str(each.review_commit))
    assert {each.what for each in found(team.root, "branches")} == {
        f"{known[0].branch} is left of {done}, which is done.",
        f"{known[1].branch} is left of {deleted}, which was deleted.",
    }
    fixed = [each.fixed for each in found(team.root, "branches", mend=True)]
    assert [each.startswith("removed orchgit/") for each in fixed] == [True, True]
    assert found(team.root, "branches") == []


def test_a_branch_that_nobody_knows_is_let_be(team: Team) -> None:
    team.git("branch", "orchgit/tsk_elsewhere-do-it")
    finding = one(team.root, "branches", mend=True)
    assert (finding.level, finding.fixed) == (Level.INFO, "")
    assert "orchgit/tsk_elsewhere-do-it" in team.git("branch", "--list")


def test_a_branch_with_more_than_was_approved_is_let_be(team: Team) -> None:
    team.agent("echo x > x.txt")
    task = team.add()
    team.run()
    branch, approved = str(team.task(task).branch), team.task(task).review_commit
    team.approve(task)
    more = team.git("commit-tree", "HEAD^{tree}", "-p", str(approved), "-m", "more")
    team.git("branch", branch, more)
    finding = one(team.root, "branches", mend=True)
    assert (finding.level, finding.fixed) == (Level.INFO, "")
    assert team.git("rev-parse", branch) == more


# Asking and mending


def test_an_agent_may_look_and_not_mend(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHGIT_AGENT", "sly")
    monkeypatch.setenv("ORCHGIT_RUN", "run_x")
    assert list(doctor.examine(team.root))
    with pytest.raises(RefusedError, match="An agent may not mend the project"):
        list(doctor.examine(team.root, mend=True))


def test_what_cannot_be_mended_says_why(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mount, "_WAIT", 0.0)
    shutil.rmtree(team.layout.state)
    with locks.held(team.layout.local / "mount.lock", wait=0, doing="test"):
        finding = one(team.root, "mount", mend=True)
    assert (finding.fixed, finding.meaning.startswith("It could not be mended: ")) == ("", True)


def test_a_check_that_cannot_look_is_a_finding(team: Team) -> None:
    place = runs.folder(team.layout, "run_x")
    place.path.mkdir(parents=True)
    place.spec.write_text("{}")
    held = locks.take(place.agent_lock)
    assert held is not None
    finding = one(team.root, "survivors")
    os.close(held)
    assert (finding.level, finding.meaning) == (Level.ERROR, "This could not be looked at.")


def test_what_nobody_is_told_of_context_and_messages_is_named(team: Team) -> None:
    team.agent("true")
    task = team.add(context=("missing",))
    hand_commit(team, "prompt.md", "Do {{ task.title }}.\n")
    hand_commit(team, "context/a.md", "---\nexpires: soon\n---\nx")
    hand_commit(team, "messages/bot/new/x.md", "from nobody\n")
    said = [each.what for each in found(team.root, "files")]
    assert said == [
        "context/a.md:2: expires: 'soon' is not a time such as 2026-11-22T10:00:00Z",
        "messages/bot/new/x.md:1: from: is missing",
        "prompt.md doesn't carry messages.",
    ]
    assert one(team.root, "tasks").what == f"{task} names what the context doesn't have: missing."


def test_a_task_in_review_without_its_branch(team: Team) -> None:
    team.agent("echo x > x.txt")
    task = team.add()
    team.run()
    branch, commit = str(team.task(task).branch), team.task(task).review_commit
    assert found(team.root, "review") == []
    team.git("worktree", "remove", "--force", str(team.workspaces / task))
    team.git("branch", "--quiet", "-D", branch)
    assert one(team.root, "review").what == f"{branch} of {task}, which is in review, is gone."
    assert branch in mended(team.root, "review")
    assert team.git("rev-parse", branch) == commit
