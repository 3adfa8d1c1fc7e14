"""Clones of their own for tasks: no Git directory is shared, and what is committed there is fetched home."""

from __future__ import annotations

import os
import secrets
import shutil
from typing import TYPE_CHECKING

from orchgit.model.errors import GitError, RefusedError
from orchgit.repository import attempts, files, find, git, worktrees

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.layout import Layout


def git_dir(path: Path) -> Path | None:
    """Return the Git directory of the clone at `path`; None where there is none that we made."""
    own = path / ".git"
    return own if (own / find.ISOLATED).is_file() and own.is_dir() and not own.is_symlink() else None


def ensure(layout: Layout, path: Path, *, task: str, branch: str, base: str) -> None:
    """Have a clone at `path` with `branch` checked out, as it was left, else made anew, the branch from `base`.

    It begins with the history of that branch alone: fetched, since a link to our objects, or a hard link, would let
    what happens there harm them.
    """
    if git_dir(path) is not None:
        return
    if path.exists() and any(path.iterdir()):
        raise RefusedError(f"{path} is not a clone that orchgit made, and not empty.", "Move what is there elsewhere.")
    start = git.commit_of(f"refs/heads/{branch}", cwd=layout.common) or base
    making = path.with_name(f".removed-{path.name}-{secrets.token_hex(3)}")  # swept up with those, if we die
    making.mkdir(parents=True)
    try:
        _make(layout, making, task, branch, start)
        if path.exists():
            path.rmdir()
        making.rename(path)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def is_behind(layout: Layout, path: Path, branch: str) -> bool:
    """Has the task's branch at home commits that the clone lacks?"""
    tip = git.commit_of(f"refs/heads/{branch}", cwd=layout.common)
    return tip is not None and not git.is_ancestor(tip, "HEAD", cwd=path)


def fetch_home(layout: Layout, path: Path, *, task: str) -> None:
    """Fetch all that the clone keeps of the task, and name it by our refs."""
    kept, here = f"refs/orchgit/attempts/{task}", f"refs/orchgit/fetched/{task}"
    _fetch(path / ".git", f"+{kept}/*:{here}/*", into=layout.common)
    listing = git.text(
        "for-each-ref", "--format=%(objectname) %(refname)", "--sort=version:refname", f"{here}/", cwd=layout.common
    )
    for commit, ref in (line.split() for line in listing.splitlines()):
        attempts.record(layout, task, commit)
        git.run(*git.NO_HOOKS, "update-ref", "-d", ref, cwd=layout.common)


def land(layout: Layout, branch: str, commit: str) -> None:
    """Move the task's branch to `commit`; GitError where somebody has it checked out."""
    elsewhere = worktrees.of_branch(layout, branch)
    if elsewhere is not None:
        raise GitError(f"{branch} is checked out in {elsewhere.path}")
    git.run(*git.NO_HOOKS, "update-ref", f"refs/heads/{branch}", commit, cwd=layout.common)


def _make(layout: Layout, path: Path, task: str, branch: str, start: str) -> None:
    kind = git.text("rev-parse", "--show-object-format", cwd=layout.common)
    git.run(
        "init", "--quiet", "--template=", f"--object-format={kind}", f"--initial-branch={branch}", "--", ".", cwd=path
    )
    lent = f"refs/orchgit/lent/{task}"
    git.run(*git.NO_HOOKS, "update-ref", lent, start, cwd=layout.common)
    try:
        _fetch(layout.common, f"{lent}:refs/heads/{branch}", into=path, force=True)
    finally:
        git.call(*git.NO_HOOKS, "update-ref", "-d", lent, cwd=layout.common)
    git.run(*git.NO_HOOKS, "reset", "--quiet", "--hard", cwd=path)
    exclude = files.read(layout.common / "info" / "exclude")
    if exclude is not None:
        files.replace(path / ".git" / "info" / "exclude", exclude)
    files.replace(path / ".git" / find.ISOLATED, os.fsencode(layout.root))


def _fetch(source: Path, what: str, *, into: Path, force: bool = False) -> None:
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--update-shallow")
    further = ("--update-head-ok",) if force else ()
    git.run(*git.NO_HOOKS, "fetch", *options, *further, "--no-recurse-submodules", str(source), what, cwd=into)
