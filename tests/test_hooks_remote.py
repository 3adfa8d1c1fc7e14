"""A push of the state branch is judged: on its way out by pre-push, on a bare server by pre-receive. Real pushes."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from orchgit.repository import resources
from tests.support import hooked, repos
from tests.support.cli import ok
from tests.support.hooked import call, edit, review
from tests.support.repos import git

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return hooked.make_project(tmp_path / "a project", monkeypatch)


@pytest.fixture
def server(project: Path, tmp_path: Path) -> Path:
    """Return a bare remote whose pre-receive hook is a copy of the one file, and that has the project's branches."""
    bare = tmp_path / "a server.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", bare)
    shutil.copy(resources.folder("hooks") / "pre-receive", bare / "hooks" / "pre-receive")
    git(project, "remote", "add", "origin", bare.as_uri())
    git(project, "push", "--quiet", "origin", "main", "orchestry")
    return bare


def push(project: Path, *refs: str, unchecked: bool = False) -> subprocess.CompletedProcess[str]:
    return call(project, "git", "push", "--porcelain", *(["--no-verify"] if unchecked else []), "origin", *refs)


def forge(project: Path, message: str = "by hand") -> str:
    """Commit what lies in the state folder past every hook."""
    state = project / ".orchestry"
    git(state, "add", "--all")
    git(state, "-c", "core.hooksPath=/dev/null", "commit", "--quiet", f"--message={message}")
    return git(state, "rev-parse", "HEAD")


def jump(project: Path) -> str:
    task = ok(project, "task", "add", "Do it").id
    edit(project, task, "^status: todo", "status: review")
    forge(project)
    return "illegal-jump"


def two_tasks(project: Path) -> str:
    first, second = (ok(project, "task", "add", title).id for title in ("One", "Two"))
    for task in (first, second):
        edit(project, task, "^status: todo", "status: cancelled")
    forge(project, f"task({first}): todo -> cancelled\n\nTask: {first}\nTransition: todo -> cancelled")
    return "two-tasks"


def wrong_trailer(project: Path) -> str:
    task = ok(project, "task", "add", "Do it").id
    edit(project, task, "^status: todo", "status: cancelled")
    forge(project, f"task({task}): todo -> failed\n\nTask: {task}\nTransition: todo -> failed")
    return "wrong-trailer"


def rewritten_body(project: Path) -> str:
    task = ok(project, "task", "add", "Do it", "-d", "As it was.").id
    ok(project, "task", "cancel", task)
    git(project / ".orchestry", "reset", "--quiet", "--soft", "HEAD~1")
    edit(project, task, "As it was", "As it never was")
    forge(project, f"task({task}): todo -> cancelled\n\nTask: {task}\nTransition: todo -> cancelled")
    return "rewritten-body"


def not_merged(project: Path) -> str:
    task, branch = review(project)
    ok(project, "task", "approve", task)
    git(project, "update-ref", "refs/heads/main", "main^1" if _is_merge(project) else "main~1")
    git(project, "reset", "--quiet", "--hard")
    assert branch
    return "done-without-merge"


def unsigned(project: Path) -> str:
    ok(project, "config", "set", "verify.require_signatures", "true")
    return "bad-signature"


def invalid(project: Path) -> str:
    repos.write(project / ".orchestry", {"tasks/x.md": "---\nid: [\n"})
    forge(project)
    return "invalid-file"


def without_settings(project: Path) -> str:
    (project / ".orchestry" / "config.yaml").unlink()
    forge(project)
    return "invalid-file"


def second_of_an_id(project: Path) -> str:
    task = ok(project, "task", "add", "Do it").id
    repos.write(project / ".orchestry", {"tasks/a.md": f"---\nid: {task}\ntitle: Another\n---\n"})
    forge(project)
    return "invalid-file"


def _is_merge(project: Path) -> bool:
    return len(git(project, "rev-list", "--parents", "-1", "main").split()) > 2


FORGERIES = (
    jump,
    two_tasks,
    wrong_trailer,
    rewritten_body,
    not_merged,
    unsigned,
    invalid,
    without_settings,
    second_of_an_id,
)


@pytest.mark.parametrize("forged", FORGERIES, ids=lambda forged: forged.__name__)
def test_a_forged_history_is_refused_by_name(project: Path, server: Path, forged: Callable[[Path], str]) -> None:
    offence = forged(project)
    before = git(server, "rev-parse", "orchestry")
    out = push(project, "orchestry")
    assert out.returncode == 1
    assert "orchestry does not verify:" in out.stderr
    assert f"  {offence}  " in out.stderr
    assert "remote:" not in out.stderr
    there = push(project, "orchestry", unchecked=True)
    assert there.returncode == 1
    assert f"remote:   {offence}  " in there.stderr
    assert ("gpg.ssh.allowedSignersFile" in there.stderr) is (offence == "bad-signature")
    assert "pre-receive hook declined" in there.stdout
    assert git(server, "rev-parse", "orchestry") == before
    assert "Traceback" not in out.stderr + there.stderr


def test_an_honest_history_passes_with_the_work_that_it_tells_of(project: Path, server: Path) -> None:
    for name in ("one", "two"):
        task, branch = review(project, title=name)
        if name == "one":
            ok(project, "task", "approve", task)
        else:
            git(project, "merge", "--quiet", "--squash", branch)
            git(project, "commit", "--quiet", "--message=squashed")
        assert hooked.status(project, task) == "done"
    cancelled = ok(project, "task", "add", "Not this").id
    edit(project, cancelled, r"\Z", "A word.\n")
    assert call(project / ".orchestry", "git", "commit", "-qa").returncode == 0
    alone = push(project, "orchestry", unchecked=True)
    assert "done-without-merge" in alone.stderr  # the server doesn't have the work yet
    done = push(project, "main", "orchestry")
    assert done.returncode == 0, done.stderr
    assert git(server, "rev-parse", "orchestry") == git(project, "rev-parse", "orchestry")
    assert repos.is_sound(server)


def test_only_new_commits_are_judged(project: Path, server: Path) -> None:
    """What is there already is not held against who pushes next: `orchgit verify` looks at all of it."""
    offence = jump(project)
    (server / "hooks" / "pre-receive").rename(server / "hooks" / "aside")
    assert push(project, "orchestry", unchecked=True).returncode == 0
    (server / "hooks" / "aside").rename(server / "hooks" / "pre-receive")
    ok(project, "task", "add", "Another")
    done = push(project, "orchestry")
    assert done.returncode == 0, done.stderr
    assert offence not in done.stderr


@pytest.mark.parametrize("unchecked", [False, True], ids=["pre-push", "pre-receive"])
def test_history_is_neither_rewritten_nor_deleted(project: Path, server: Path, *, unchecked: bool) -> None:
    ok(project, "task", "add", "Do it")
    assert push(project, "orchestry").returncode == 0
    before = git(server, "rev-parse", "orchestry")
    git(project / ".orchestry", "commit", "--quiet", "--no-verify", "--amend", "--message=another")
    done = push(project, "--force", "orchestry", unchecked=unchecked)
    assert done.returncode == 1
    assert f"The push rewrites orchestry: {before[:12]}, which the remote has, would be in it no more." in done.stderr
    done = push(project, "--delete", "orchestry", unchecked=unchecked)
    assert done.returncode == 1
    assert "The push deletes orchestry" in done.stderr
    assert git(server, "rev-parse", "orchestry") == before


@pytest.mark.parametrize("unchecked", [False, True], ids=["pre-push", "pre-receive"])
def test_other_branches_pass_without_a_look(
    project: Path, server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, unchecked: bool
) -> None:
    monkeypatch.setenv("PATH", without_orchgit(tmp_path))
    git(project, "branch", "orchestry-of-mine")
    done = push(
        project, "main:other", "orchestry-of-mine", "main:refs/heads/x/refs/heads/orchestry-x", unchecked=unchecked
    )
    assert (done.returncode, done.stderr.count("orchgit")) == (0, 0)
    assert git(server, "rev-parse", "other") == git(project, "rev-parse", "main")


def test_a_server_without_orchgit_accepts_no_state(
    project: Path, server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ok(project, "task", "add", "Do it")
    monkeypatch.setenv("PATH", without_orchgit(tmp_path))
    done = push(project, "orchestry")
    assert done.returncode == 1
    assert "orchgit is not on the PATH: what is pushed was not checked." in done.stderr
    assert "remote: orchgit is not on the PATH of this server" in done.stderr
    assert git(server, "rev-parse", "orchestry") != git(project, "rev-parse", "orchestry")


def test_a_first_push_is_judged_from_the_beginning(project: Path, tmp_path: Path) -> None:
    jump(project)
    bare = tmp_path / "other.git"
    git(tmp_path, "init", "--quiet", "--bare", bare)
    done = call(project, "git", "push", str(bare), "orchestry")
    assert done.returncode == 1
    assert "  illegal-jump  " in done.stderr
    done = call(project, "git", "push", str(bare), "orchestry:refs/heads/team")
    assert "  illegal-jump  " in done.stderr


def without_orchgit(tmp_path: Path) -> str:
    """Return a PATH on which everything that git and the hooks need is, and orchgit isn't."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cat", "grep", "git", "git-receive-pack", "git-upload-pack"):
        (folder / name).symlink_to(str(shutil.which(name)))
    assert shutil.which("orchgit", path=str(folder)) is None
    return os.fspath(folder)
