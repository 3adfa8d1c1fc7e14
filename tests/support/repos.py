"""Builders of real repositories."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SETTINGS = """\
[user]
\tname = Ada Lovelace
\temail = ada@example.org
[init]
\tdefaultBranch = main
[protocol "file"]
\tallow = always
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""  # git's own, as a test finds them
PROJECT: Mapping[str, str | bytes] = {"README.md": "A project.\n", "src/app.py": "print('hello')\n"}


def git(where: Path, *args: str | Path, stdin: bytes = b"") -> str:
    """Run git in `where` and return what it printed, without the last line end; AssertionError if it fails."""
    return os.fsdecode(git_bytes(where, *args, stdin=stdin)).removesuffix("\n")


def git_bytes(where: Path, *args: str | Path, stdin: bytes = b"") -> bytes:
    done = subprocess.run(["git", *args], cwd=where, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, f"git {' '.join(map(str, args))}: {done.stderr.decode(errors='replace')}"
    return done.stdout


def make_repo(
    path: Path,
    *options: str | Path,
    branch: str = "main",
    files: Mapping[str, str | bytes] = PROJECT,
) -> Path:
    """Make a repository with one commit of `files` on `branch` and return its path; no `files`, no commit.

    `options` are further ones of `git init`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    git(path.parent, "init", "--quiet", f"--initial-branch={branch}", *options, "--", path)
    if files:
        commit(path, files, "first")
    return path


def commit(repo: Path, files: Mapping[str, str | bytes], message: str) -> str:
    """Write `files`, commit exactly these and return the commit's id."""
    write(repo, files)
    git(repo, "add", "--force", "--", *files)
    git(repo, "commit", "--quiet", f"--message={message}")
    return git(repo, "rev-parse", "HEAD")


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())


def make_bare(path: Path, source: Path) -> Path:
    """Make a bare clone of `source`, which serves partial clones too, and return its path."""
    git(path.parent, "clone", "--quiet", "--bare", "--", source, path)
    git(path, "config", "uploadpack.allowFilter", "true")
    git(path, "config", "uploadpack.allowAnySHA1InWant", "true")
    return path


def clone(source: Path, path: Path, *options: str) -> Path:
    """Clone `source` over file://, as from another machine, and return the clone's path."""
    git(path.parent, "clone", "--quiet", *options, "--", source.as_uri(), path)
    return path


def add_worktree(repo: Path, path: Path, branch: str) -> Path:
    """Add a linked worktree of the new branch `branch` and return its path."""
    git(repo, "worktree", "add", "--quiet", "-b", branch, "--", path)
    return path


def make_script(path: Path, text: str) -> Path:
    """Write an executable file, of `#!/bin/sh` unless `text` says otherwise, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def subjects(repo: Path, revision: str = "HEAD") -> list[str]:
    """Return the subjects of the commits of `revision`, newest first."""
    return git(repo, "log", "--format=%s", revision, "--").splitlines()


def is_clean(repo: Path) -> bool:
    """Does git see neither changes nor unknown files?"""
    return not git(repo, "status", "--porcelain", "--untracked-files=all")


def is_sound(repo: Path) -> bool:
    """Does `git fsck` find nothing wrong?"""
    done = subprocess.run(["git", "fsck", "--strict", "--no-dangling"], cwd=repo, capture_output=True, check=False)
    return done.returncode == 0 and not done.stderr.strip()


def file_bytes(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below `folder` by relative path, `.git` left out."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}
