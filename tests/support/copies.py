"""Copies of projects that were made once: for tests that are about something else."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.cli import ok
from tests.support.repos import SETTINGS, git, make_repo

if TYPE_CHECKING:
    from collections.abc import Callable


def initialised(root: Path) -> Path:
    """Return `root` as a repository of one commit that `orchgit init` has given its team."""
    return of(_initialise, root)


def of(make: Callable[..., object], root: Path, *words: str) -> Path:
    """Return `root` as `make(root, *words)` leaves it: an initialised project, made elsewhere and copied here.

    `make` is called once in each process of the tests, and here where git has other settings than every test finds.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    if Path(os.environ["GIT_CONFIG_GLOBAL"]).read_text() != SETTINGS:
        make(root, *words)
        return root
    made = _made(make, words)
    subprocess.run(["cp", "-a", "--", made, root], check=True)
    state = root / ".orchestry"
    for link in (state / ".git", root / ".git" / "worktrees" / "orchestry" / "gitdir"):
        link.write_text(link.read_text().replace(str(made), str(root)))
    for folder in (root, state):
        git(folder, "update-index", "-q", "--refresh")  # it knows files by their inodes too
    return root


def _initialise(root: Path) -> None:
    ok(make_repo(root), "init")


@cache
def _made(make: Callable[..., object], words: tuple[str, ...]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="orchgit-tests-")).resolve()
    atexit.register(shutil.rmtree, folder)
    make(folder / "project", *words)
    return folder / "project"
