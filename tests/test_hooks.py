"""The hooks that ship with orchgit, run by git itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchgit.repository import resources
from tests.support import repos
from tests.support.cli import ok
from tests.support.repos import git


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    repo = repos.make_repo(tmp_path / "project")
    ok(repo, "init")
    shutil.copy(resources.folder("hooks") / "pre-commit", repo / ".git" / "hooks" / "pre-commit")
    return repo


def committing(where: Path) -> subprocess.CompletedProcess[str]:
    git(where, "add", "--all")
    return subprocess.run(["git", "commit", "-qm", "by hand"], cwd=where, capture_output=True, text=True, check=False)


def test_pre_commit_refuses_what_cannot_be_read(project: Path) -> None:
    state = project / ".orchestry"
    repos.write(state, {"tasks/x.md": "---\nid: tsk_x\ntitle: x\npriority: 9\n---\n"})
    done = committing(state)
    assert done.returncode == 1
    assert "tasks/x.md:4: priority: 9 is not a whole number from 1 to 4" in done.stderr
    assert repos.subjects(state) == ["state: created"]
    repos.write(state, {"tasks/x.md": "---\nid: tsk_x\ntitle: x\npriority: 1\n---\n"})
    assert committing(state).returncode == 0


def test_pre_commit_judges_what_is_staged_and_not_what_lies_there(project: Path) -> None:
    state = project / ".orchestry"
    repos.write(state, {"tasks/x.md": "---\nid: tsk_x\ntitle: x\n---\n"})
    git(state, "add", "--all")
    repos.write(state, {"tasks/x.md": "---\nid: [\n"})
    git(state, "commit", "-qm", "what is staged")
    assert ok(project, "task", "list", "--json").data[0]["id"] == "tsk_x"


def test_pre_commit_steps_aside_on_other_branches(project: Path) -> None:
    repos.write(project, {"tasks/x.md": "---\nid: [\n"})
    assert committing(project).returncode == 0
