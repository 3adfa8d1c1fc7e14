"""Copies of projects that were made once: for tests that are about something else."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.repos import git

if TYPE_CHECKING:
    from collections.abc import Callable


def of(make: Callable[[Path], object], root: Path) -> Path:
    """Return `root` as `make(root)` leaves it: an initialised project, made elsewhere and copied here.

    `make` is called once in each process of the tests, in the world of the test that asks first.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    made = _made(make)
    subprocess.run(["cp", "-a", "--", made, root], check=True)
    state = root / ".orchestry"
    for link in (state / ".git", root / ".git" / "worktrees" / "orchestry" / "gitdir"):
        link.write_text(link.read_text().replace(str(made), str(root)))
    for folder in (root, state):
        git(folder, "update-index", "-q", "--refresh")  # it knows files by their inodes too
    return root


@cache
def _made(make: Callable[[Path], object]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="orchgit-tests-")).resolve()
    atexit.register(shutil.rmtree, folder)
    make(folder / "project")
    return folder / "project"
