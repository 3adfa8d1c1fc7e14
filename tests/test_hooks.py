"""The hooks that ship with orchgit, run by git itself."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from orchgit.repository import resources
from orchgit.repository.githooks import NAMES
from tests.support import hooked, repos
from tests.support.cli import ok, type_
from tests.support.hooked import call, edit, review, status
from tests.support.repos import git

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return hooked.make_project(tmp_path / "a project", monkeypatch)


@pytest.fixture
def state(project: Path) -> Path:
    return project / ".orchestry"


def committing(where: Path) -> subprocess.CompletedProcess[str]:
    git(where, "add", "--all")
    return call(where, "git", "commit", "-qm", "by hand")


def message(repo: Path) -> str:
    return git(repo, "log", "-1", "--format=%B", "orchestry").strip()


def test_pre_commit_refuses_what_cannot_be_read(state: Path) -> None:
    repos.write(state, {"tasks/x.md": "---\nid: tsk_x\ntitle: x\npriority: 9\n---\n"})
    done = committing(state)
    assert done.returncode == 1
    assert "tasks/x.md:4: priority: 9 is not a whole number from 1 to 4" in done.stderr
    assert repos.subjects(state) == ["state: created"]
    repos.write(state, {"tasks/x.md": "---\nid: tsk_x\ntitle: x\npriority: 1\n---\n"})
    assert committing(state).returncode == 0


def test_pre_commit_judges_what_is_staged_and_not_what_lies_there(project: Path, state: Path) -> None:
    repos.write(state, {"tasks/x.md": "---\nid: tsk_x\ntitle: x\n---\n"})
    git(state, "add", "--all")
    repos.write(state, {"tasks/x.md": "---\nid: [\n"})
    git(state, "commit", "-qm", "what is staged")
    assert ok(project, "task", "list", "--json").data[0]["id"] == "tsk_x"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("status: todo", "status: done", ":4: status: todo can't become done."),
        ("status: todo", "status: todo\nattempts: 3", ":5: attempts: is 0 by now, and orchgit's to write"),
        ("id: tsk_x", "id: tsk_y", ":2: id: is tsk_x by now"),
    ],
)
def test_pre_commit_refuses_a_step_that_is_not_legal(state: Path, old: str, new: str, reason: str) -> None:
    text = "---\nid: tsk_x\ntitle: x\nstatus: todo\n---\n"
    repos.write(state, {"tasks/x.md": text})
    assert committing(state).returncode == 0
    repos.write(state, {"tasks/x.md": text.replace(old, new)})
    done = committing(state)
    assert done.returncode == 1
    assert f"tasks/x.md{reason}" in done.stderr
    repos.write(state, {"tasks/x.md": text.replace("status: todo", "status: cancelled")})
    assert committing(state).returncode == 0


def test_pre_commit_refuses_a_new_task_that_was_begun(state: Path) -> None:
    repos.write(state, {"tasks/x.md": "---\nid: tsk_x\ntitle: x\nstatus: done\n---\n"})
    done = committing(state)
    assert done.returncode == 1
    assert "tasks/x.md:4: status: a new task begins as todo, not as done" in done.stderr


@pytest.mark.parametrize("how", ["--all", "tasks/x.md"])
def test_pre_commit_judges_what_the_commit_takes_from_elsewhere(state: Path, how: str) -> None:
    """`git commit -a` and `git commit FILE` have an index of their own."""
    repos.write(state, {"tasks/x.md": "---\nid: tsk_x\ntitle: x\n---\n"})
    assert committing(state).returncode == 0
    repos.write(state, {"tasks/x.md": "---\nid: [\n"})
    done = call(state, "git", "commit", "-qm", "by hand", how)
    assert done.returncode == 1
    assert "tasks/x.md:" in done.stderr


def test_pre_commit_steps_aside_on_other_branches(project: Path) -> None:
    repos.write(project, {"tasks/x.md": "---\nid: [\n"})
    assert committing(project).returncode == 0


def test_a_hook_that_was_copied_by_hand_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = hooked.make_project(tmp_path / "project", monkeypatch, install=False)
    shutil.copy(resources.folder("hooks") / "pre-commit", repo / ".git" / "hooks" / "pre-commit")
    repos.write(repo / ".orchestry", {"tasks/x.md": "---\nid: [\n"})
    assert committing(repo / ".orchestry").returncode == 1


def test_without_orchgit_on_the_path_commits_pass_and_say_so(
    project: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, branch = review(project)
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("git", "sh", "cat", "grep", "basename", "sed"):
        (bare / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(bare))
    edit(project, task, "Do it", "Do more")
    done = call(state, "git", "commit", "-qam", "by hand")
    assert (done.returncode, done.stderr) == (0, "orchgit is not on the PATH: this commit was not checked.\n")
    done = call(project, "git", "merge", "--quiet", "--no-edit", branch)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


MESSAGES = {
    "status": ("^status: todo", "status: cancelled", "task(ID): todo -> cancelled", "Do it"),
    "keys": ("^title: Do it\n", "title: Now this\npriority: 1\n", "task(ID): edit title, priority", "Now this"),
    "body": (r"\Z", "More to do.\n", "task(ID): edit body", "Do it"),
}


@pytest.mark.parametrize(("old", "new", "subject", "title"), MESSAGES.values(), ids=MESSAGES.keys())
def test_prepare_commit_msg_says_what_is_staged(
    project: Path, state: Path, old: str, new: str, subject: str, title: str
) -> None:
    task = ok(project, "task", "add", "Do it").id
    edit(project, task, old, new)
    assert call(state, "git", "commit", "-qa").returncode == 0
    assert message(project) == f"{subject.replace('ID', task)}\n\n{title}\n\nTask: {task}\nVia: edit"
    assert git(project, "log", "-1", "--format=%(trailers:key=Task,valueonly)", "orchestry").strip() == task


def test_prepare_commit_msg_tells_of_new_removed_and_renamed_files(project: Path, state: Path) -> None:
    said = []
    for change in (
        lambda: repos.write(state, {"tasks/x.md": "---\nid: tsk_x\ntitle: An x\n---\n"}),
        lambda: git(state, "mv", "tasks/x.md", "tasks/y.md"),
        lambda: git(state, "rm", "--quiet", "tasks/y.md"),
        lambda: repos.write(state, {"agents/bot.md": "---\nname: bot\nadapter: shell\ncommand: echo\n---\n"}),
        lambda: repos.write(state, {"notes/a b.txt": "x\n", "agents/bot.md": "---\nname: bot\nadapter: shell\n---\n"}),
    ):
        change()
        git(state, "add", "--all")
        assert call(state, "git", "commit", "-q", "--no-verify").returncode == 0
        said.append(message(project))
    assert said == [
        "task(tsk_x): created\n\nAn x\n\nTask: tsk_x\nVia: edit",
        "task(tsk_x): renamed\n\nAn x\n\nTask: tsk_x\nVia: edit",
        "task(tsk_x): deleted\n\nAn x\n\nTask: tsk_x\nVia: edit",
        "agent(bot): created\n\nVia: edit",
        "state: 2 files edited\n\nagent(bot): edit command\nnotes/a b.txt: created\n\nVia: edit",
    ]


def test_prepare_commit_msg_keeps_what_was_typed(project: Path, state: Path) -> None:
    task = ok(project, "task", "add", "Do it").id
    edit(project, task, r"\Z", "More.\n")
    call(state, "git", "commit", "-qa", "-m", "My words", "-m", "Task: tsk_mine")
    assert message(project) == "My words\n\nTask: tsk_mine\nVia: edit"
    edit(project, task, r"\Z", "More.\n")
    call(state, "git", "commit", "-qa", "--amend", "-m", "Other words", "-m", "And: more")
    assert message(project) == f"Other words\n\nAnd: more\nTask: {task}\nVia: edit"
    call(state, "git", "commit", "-qa", "--amend", "--no-edit")
    assert message(project) == f"Other words\n\nAnd: more\nTask: {task}\nVia: edit"


def test_prepare_commit_msg_leaves_merges_and_other_branches_alone(project: Path, state: Path) -> None:
    call(project, "git", "commit", "-q", "--allow-empty", "-m", "Nothing")
    assert git(project, "log", "-1", "--format=%B").strip() == "Nothing"
    git(state, "branch", "other")
    task = ok(project, "task", "add", "Do it").id
    git(project, "worktree", "add", "--quiet", "../other", "other")
    repos.commit(project.parent / "other", {"notes.txt": "x\n"}, "note")
    assert call(state, "git", "merge", "--no-edit", "other").returncode == 0
    assert message(project) == "Merge branch 'other' into orchestry"
    assert task


def test_a_merge_closes_the_task(project: Path) -> None:
    task, branch = review(project)
    done = call(project, "git", "merge", "--quiet", "--no-edit", branch)
    assert done.returncode == 0
    assert done.stdout + done.stderr == f"orchgit: {task} is done: the work is in the base branch.\n"
    assert status(project, task) == "done"


def test_a_merge_that_is_no_fast_forward_and_had_a_conflict_closes_the_task(project: Path) -> None:
    task, branch = review(project, files={"README.md": "Theirs.\n"})
    repos.commit(project, {"README.md": "Ours.\n"}, "meanwhile")
    assert call(project, "git", "merge", "--quiet", "--no-edit", branch).returncode == 1
    assert status(project, task) == "review"
    repos.write(project, {"README.md": "Both.\n"})
    assert call(project, "git", "commit", "-qa", "--no-edit").returncode == 0
    assert status(project, task) == "done"


def test_a_squash_closes_the_task_when_it_is_committed(project: Path) -> None:
    task, branch = review(project, files={"a.txt": "a\n", "b.txt": "b\n"})
    repos.commit(project, {"c.txt": "c\n"}, "meanwhile")
    assert call(project, "git", "merge", "--quiet", "--squash", branch).returncode == 0
    assert status(project, task) == "review"
    done = call(project, "git", "commit", "-qm", "squashed")
    assert done.stdout + done.stderr == f"orchgit: {task} is done: the work is in the base branch.\n"
    assert status(project, task) == "done"
    landed = git(project, "log", "-1", "--format=%(trailers:key=Landed-Commit,valueonly)", "orchestry").strip()
    assert landed == git(project, "rev-parse", "main")


def test_a_rebase_closes_the_task(project: Path) -> None:
    task, branch = review(project, files={"a.txt": "a\n", "b.txt": "b\n"})
    repos.commit(project, {"c.txt": "c\n"}, "meanwhile")
    git(project, "switch", "--quiet", "--create", "rebased", branch)
    assert call(project, "git", "rebase", "--quiet", "main").returncode == 0
    assert status(project, task) == "review"
    git(project, "switch", "--quiet", "main")
    assert call(project, "git", "merge", "--quiet", "--ff-only", "rebased").returncode == 0
    assert status(project, task) == "done"


def test_base_rebased_onto_the_work_closes_the_task(project: Path) -> None:
    task, branch = review(project)
    repos.commit(project, {"c.txt": "c\n"}, "meanwhile")
    done = call(project, "git", "rebase", "--quiet", branch)
    assert done.returncode == 0
    assert status(project, task) == "done"


def test_other_branches_close_nothing(project: Path) -> None:
    task, branch = review(project)
    git(project, "switch", "--quiet", "--create", "aside")
    done = call(project, "git", "merge", "--quiet", "--no-edit", branch)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert status(project, task) == "review"


def test_an_approval_is_the_person_s_even_where_hooks_see_the_merge(project: Path) -> None:
    task, _ = review(project)
    ok(project, "task", "approve", task)
    said = git(project, "log", "-1", "--format=%(trailers:key=Actor,valueonly)", "orchestry").strip()
    assert said == "Ada Lovelace"
    assert repos.subjects(project, "orchestry").count(f"task({task}): review -> done") == 1


def test_a_busy_ledger_never_holds_a_merge_up_for_long_nor_fails_it(project: Path) -> None:
    from orchgit.repository import locks

    task, branch = review(project)
    with locks.held(project / ".git" / "orchgit" / "lock", wait=0, doing="test"):
        done = call(project, "git", "merge", "--quiet", "--no-edit", branch)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
        assert status(project, task) == "review"
    assert ok(project, "hooks", "merged").out == f"orchgit: {task} is done: the work is in the base branch.\n"
    assert ok(project, "hooks", "merged").out == ""


def test_a_closed_task_s_worktree_and_branch_are_cleared_away_behind_the_merge(project: Path) -> None:
    from tests.support import agents

    ok(project, "agent", "add", "bot", "--adapter", "shell", "--command", "echo x > x.txt")
    task = ok(project, "task", "add", "Do it").id
    ok(project, "run", "--all")
    branch = git(project, "for-each-ref", "--format=%(refname:short)", f"refs/heads/orchgit/{task}*")
    assert call(project, "git", "merge", "--quiet", "--no-edit", branch).returncode == 0
    assert status(project, task) == "done"
    agents.until(lambda: not git(project, "for-each-ref", f"refs/heads/{branch}"))


def test_status_tells_what_keeps_hooks_from_running(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = ok(project, "hooks", "status", "--json").data
    assert [(each["hook"], each["how"], each["runs"]) for each in report["hooks"]] == [
        (name, "installed", True) for name in NAMES
    ]
    (project / ".git" / "hooks" / "pre-push").chmod(0o644)
    shutil.rmtree(project / "no", ignore_errors=True)
    said = ok(project, "hooks", "status")
    assert "pre-push            outdated   no    -     it is another version's, or not executable" in said.out
    monkeypatch.setenv("PATH", os.environ["PATH"].partition(os.pathsep)[2])
    said = type_(project, "hooks", "status")
    assert "orchgit is not on the PATH: the hooks let everything pass" in said.err
    git(project, "config", "core.hooksPath", "/dev/null")
    said = ok(project, "hooks", "status")
    assert (
        f"hooks were installed in {project}/.git/hooks, where Git doesn't look: core.hooksPath is /dev/null" in said.err
    )
    assert "core.hooksPath is /dev/null, which is not a folder: Git runs no hooks" in said.err
    said = type_(project, "hooks", "install")
    assert (said.code, said.err.splitlines()[0]) == (
        1, "orchgit: core.hooksPath is /dev/null, which is not a folder: Git runs no hooks here.",
    )  # fmt: skip


def test_status_tells_of_a_relative_folder_that_the_state_folder_lacks(project: Path) -> None:
    git(project, "config", "core.hooksPath", ".githooks")
    said = ok(project, "hooks", "install")
    assert ".githooks is the project's own folder: what was put there shows in git status" in said.err
    hooks = {each["hook"]: each for each in ok(project, "hooks", "status", "--json").data["hooks"]}
    why = "core.hooksPath is .githooks, which .orchestry/ doesn't have: commits there run no hooks"
    assert hooks["pre-commit"]["faults"] == hooks["prepare-commit-msg"]["faults"] == [why]
    assert hooks["pre-push"]["faults"] == []
    assert [name for name, each in hooks.items() if not each["runs"]] == ["pre-commit", "prepare-commit-msg"]
    task, branch = review(project)
    assert call(project, "git", "merge", "--quiet", "--no-edit", branch).returncode == 0
    assert status(project, task) == "done"
    ok(project, "hooks", "uninstall")
    assert not (project / ".githooks").exists()


def test_show_prints_the_hook_of_a_server(project: Path) -> None:
    said = ok(project, "hooks", "show", "pre-receive").out
    assert said == (resources.folder("hooks") / "pre-receive").read_text()
