"""Builders of projects that have their hooks, and of what people do there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import copies, repos
from tests.support.cli import ok
from tests.support.repos import git

if TYPE_CHECKING:
    import pytest

EXECUTABLES = Path(sys.executable).parent


def make_project(path: Path, monkeypatch: pytest.MonkeyPatch, *, install: bool = True) -> Path:
    """Make a project with orchgit on the PATH, as its users have it."""
    monkeypatch.setenv("PATH", f"{EXECUTABLES}{os.pathsep}{os.environ['PATH']}")
    repo = copies.initialised(path)
    if install:
        ok(repo, "hooks", "install")
    return repo


def call(where: Path, *words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a program as a person does, and return what it said."""
    given = {**os.environ, "GIT_EDITOR": "true", **env}
    return subprocess.run(list(map(str, words)), cwd=where, env=given, capture_output=True, text=True, check=False)


def edit(repo: Path, task: str, old: str, new: str) -> Path:
    """Change lines of a task's file as an editor does: `old` is a pattern."""
    (place,) = (repo / ".orchestry" / "tasks").glob(f"{task}*.md")
    text = place.read_text()
    changed = re.sub(old, new, text, count=1, flags=re.MULTILINE)
    assert changed != text
    place.write_text(changed)
    return place


def review(repo: Path, *, title: str = "Do it", files: dict[str, str] | None = None) -> tuple[str, str]:
    """Bring a task to review by hand and return it with its branch; what it changes is committed there."""
    task = ok(repo, "task", "add", title).id
    ok(repo, "task", "take", task, "--branch")
    branch = git(repo, "for-each-ref", "--format=%(refname:short)", f"refs/heads/orchgit/{task}*")
    git(repo, "switch", "--quiet", branch)
    for name, text in (files or {f"{task}.txt": "one\n"}).items():
        repos.commit(repo, {name: text}, f"write {name}")
    git(repo, "switch", "--quiet", "main")
    ok(repo, "task", "submit", task)
    return task, branch


def status(repo: Path, task: str) -> str:
    return str(ok(repo, "task", "show", task, "--json").data["status"])
