"""What is kept of a worktree: everything in it that differs, whatever its index was told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchgit.model.actor import Actor, Kind
from orchgit.repository import attempts, git
from orchgit.repository.attempts import Kept, Worktree
from tests.support import repos

if TYPE_CHECKING:
    from pathlib import Path

BOT = Actor(Kind.AGENT, "bot", "bot@orchgit")
FILES = {"a.txt": "a\n", "sub/b c.txt": "b\n", "left/out.txt": "out\n"}


@pytest.fixture
def worktree(tmp_path: Path) -> Worktree:
    root = repos.make_repo(tmp_path / "project", files=FILES)
    path = repos.add_worktree(root, tmp_path / "work", "work")
    return Worktree(path, root / ".git" / "worktrees" / "work")


def keep(worktree: Worktree) -> Kept:
    return attempts.keep(worktree, "Kept", author=BOT, committer=BOT)


def shown(worktree: Worktree, kept: Kept, path: str) -> str:
    return repos.git(worktree.path, "show", f"{kept.commit}:{path}")


@pytest.mark.parametrize(
    "flags", [["--assume-unchanged"], ["--skip-worktree"], ["--assume-unchanged", "--skip-worktree"]]
)
@pytest.mark.parametrize("path", ["a.txt", "sub/b c.txt"])
def test_a_change_that_git_was_told_not_to_see(worktree: Worktree, flags: list[str], path: str) -> None:
    for flag in flags:
        repos.git(worktree.path, "update-index", flag, "--", path)
    repos.write(worktree.path, {path: "changed\n"})
    assert repos.is_clean(worktree.path)
    kept = keep(worktree)
    assert kept.complete
    assert shown(worktree, kept, path) == "changed"


def test_a_change_of_the_same_size_at_the_same_time(worktree: Worktree) -> None:
    place = worktree.path / "a.txt"
    before = place.stat()
    repos.git(worktree.path, "config", "core.trustCtime", "false")
    repos.git(worktree.path, "config", "core.checkStat", "minimal")
    place.write_text("b\n")
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert shown(worktree, keep(worktree), "a.txt") == "b"


def test_a_file_that_was_deleted_unseen(worktree: Worktree) -> None:
    repos.git(worktree.path, "update-index", "--assume-unchanged", "a.txt")
    (worktree.path / "a.txt").unlink()
    assert "a.txt" not in repos.git(worktree.path, "ls-tree", "-r", "--name-only", keep(worktree).commit)


def test_what_a_sparse_checkout_left_out_is_not_deleted(worktree: Worktree) -> None:
    repos.git(worktree.path, "sparse-checkout", "set", "sub")
    assert not (worktree.path / "left").exists()
    repos.write(worktree.path, {"new.txt": "new\n", "left/other.txt": "other\n"})
    kept = keep(worktree)
    assert shown(worktree, kept, "left/out.txt") == "out"
    assert shown(worktree, kept, "left/other.txt") == "other"
    assert git.commit_of(kept.commit, cwd=worktree.path) == kept.commit


def test_the_worktrees_own_index_keeps_its_marks(worktree: Worktree) -> None:
    repos.git(worktree.path, "update-index", "--skip-worktree", "a.txt")
    before = (worktree.git_dir / "index").read_bytes()
    keep(worktree)
    assert (worktree.git_dir / "index").read_bytes() == before
