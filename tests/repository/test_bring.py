"""Untracked files of the person's checkout in a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.model.actor import Actor, Kind
from orchgit.repository import attempts, bring
from orchgit.repository.attempts import Worktree
from tests.support import repos

if TYPE_CHECKING:
    from pathlib import Path

BOT = Actor(Kind.AGENT, "bot", "bot@orchgit")
IGNORE = ".env\nlocal/\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = repos.make_repo(tmp_path / "project", files={"a.txt": "a\n", ".gitignore": IGNORE})
    repos.write(root, {".env": "KEY=1\n", "local/deep/x.yml": "x\n", "notes.txt": "mine\n"})
    return root


@pytest.fixture
def work(root: Path, tmp_path: Path) -> Path:
    return repos.add_worktree(root, tmp_path / "work", "work")


@pytest.mark.parametrize("link", [True, False])
def test_files_and_folders(root: Path, work: Path, *, link: bool) -> None:
    assert bring.into(work, [".env", "local/deep", "a.txt"], root=root, link=link) == ()
    assert (work / ".env").read_text() == "KEY=1\n"
    assert (work / "local/deep/x.yml").read_text() == "x\n"
    assert (work / ".env").is_symlink() is link
    assert repos.is_clean(work)


def test_only_what_is_missing(root: Path, work: Path) -> None:
    repos.write(work, {".env": "KEY=2\n"})
    (work / "notes.txt").symlink_to("nowhere")
    assert bring.into(work, [".env", "notes.txt"], root=root, link=False) == ()
    assert (work / ".env").read_text() == "KEY=2\n"
    assert (work / "notes.txt").is_symlink()


def test_what_is_missing_there_or_not_ignored_is_told(root: Path, work: Path) -> None:
    missing, loose = bring.into(work, ["gone.txt", "notes.txt"], root=root, link=False)
    assert missing == f"gone.txt was to be brought along, and is not in {root}"
    assert loose.startswith("notes.txt was brought along and is not ignored")


def test_no_link_leads_out(root: Path, work: Path, tmp_path: Path) -> None:
    repos.write(tmp_path, {"outside/secret.txt": "secret\n"})
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "hooks").symlink_to(root / ".git" / "hooks")
    (work / "local").symlink_to(tmp_path / "outside")
    notes = bring.into(work, ["out", "out/secret.txt", "hooks", "local/deep/x.yml"], root=root, link=False)
    assert len([note for note in notes if "was not brought along" in note]) == 4
    assert sorted(path.name for path in (tmp_path / "outside").iterdir()) == ["secret.txt"]
    assert not (work / "out").exists()


def test_what_is_kept_has_none_of_it_but_what_is_tracked(root: Path, work: Path) -> None:
    repos.commit(work, {"tracked.txt": "1\n"}, "tracked")
    paths = ["notes.txt", "tracked.txt", "local"]
    bring.into(work, paths, root=root, link=False)
    repos.write(work, {"tracked.txt": "2\n", "own.txt": "own\n"})
    repos.git(work, "add", "--force", "notes.txt", "local")
    own = root / ".git" / "worktrees" / "work"
    assert bring.untracked(own, paths) == ["notes.txt", "local"]
    kept = attempts.keep(
        Worktree(work, own), "Kept", author=BOT, committer=BOT, branch="work", but=bring.untracked(own, paths)
    )
    listed = repos.git(work, "ls-tree", "-r", "--name-only", kept.commit).splitlines()
    assert listed == [".gitignore", "a.txt", "own.txt", "tracked.txt"]
    assert repos.git(work, "show", f"{kept.commit}:tracked.txt") == "2"
    assert (work / "notes.txt").exists()
