"""The hooks beside the real installers of pre-commit, husky and lefthook."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support import hooked, repos
from tests.support.cli import ok
from tests.support.hooked import EXECUTABLES, call
from tests.support.repos import git

if TYPE_CHECKING:
    from pathlib import Path

PRE_COMMIT = EXECUTABLES / "pre-commit"
_LOCAL = """\
repos:
- repo: local
  hooks:
  - id: tell
    name: tell
    language: system
    entry: sh -c 'echo pre-commit >> told'
    pass_filenames: false
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project without hooks of ours, whose every tool is told to write its name to the file `told`."""
    repo = hooked.make_project(tmp_path / "a project", monkeypatch, install=False)
    repos.commit(repo, {".gitignore": "told\nnode_modules\n"}, "ignore")
    return repo


def node(repo: Path, package: str) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    repos.write(repo, {"package.json": json.dumps({"name": "p", "private": True})})
    install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--save-dev", package]
    done = subprocess.run(install, cwd=repo, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"npm can't install {package}: {done.stderr.strip().splitlines()[-1:]}")


def husky(repo: Path) -> None:
    node(repo, "husky@9")
    assert call(repo, "npx", "husky").returncode == 0
    repos.write(repo, {".husky/pre-commit": "echo husky >> told\n"})


def lefthook(repo: Path) -> None:
    node(repo, "lefthook")
    repos.write(repo, {"lefthook.yml": "pre-commit:\n  commands:\n    tell:\n      run: echo lefthook >> told\n"})
    again_lefthook(repo)


def again_lefthook(repo: Path) -> None:
    done = call(repo, "npx", "lefthook", "install", "--force")
    assert done.returncode == 0, done.stdout + done.stderr


def pre_commit(repo: Path) -> None:
    if not PRE_COMMIT.exists():
        pytest.skip("pre-commit is not installed")
    repos.write(repo, {".pre-commit-config.yaml": _LOCAL})
    again_pre_commit(repo)


def again_pre_commit(repo: Path) -> None:
    done = call(repo, PRE_COMMIT, "install")
    assert done.returncode == 0, done.stdout + done.stderr


def again_husky(repo: Path) -> None:
    assert call(repo, "npx", "husky").returncode == 0


TOOLS = {
    "pre-commit": (pre_commit, again_pre_commit),
    "husky": (husky, again_husky),
    "lefthook": (lefthook, again_lefthook),
}


def hooks_of(repo: Path) -> Path:
    return repo / git(repo, "rev-parse", "--git-path", "hooks")


def told(repo: Path) -> list[str]:
    """Commit in the project, and return which tools were told of it."""
    (repo / "told").unlink(missing_ok=True)
    repos.write(repo, {"count.txt": git(repo, "rev-list", "--count", "HEAD")})  # lefthook asks for a staged file
    git(repo, "add", "--all")
    done = call(repo, "git", "commit", "-qm", "x")
    assert done.returncode == 0, done.stdout + done.stderr
    return (repo / "told").read_text().split() if (repo / "told").exists() else []


def pre_commit_of(repo: Path) -> dict[str, object]:
    (hook,) = (each for each in ok(repo, "hooks", "status", "--json").data["hooks"] if each["hook"] == "pre-commit")
    return dict(hook)


def refuses(repo: Path) -> bool:
    """Is a commit of nonsense on the state branch refused, by orchgit?"""
    repos.write(repo / ".orchestry", {"tasks/x.md": "---\nid: [\n"})
    git(repo / ".orchestry", "add", "--all")
    done = call(repo / ".orchestry", "git", "commit", "-qm", "x")
    git(repo / ".orchestry", "rm", "--quiet", "--force", "tasks/x.md")
    return done.returncode == 1 and "tasks/x.md:" in done.stdout + done.stderr


@pytest.mark.parametrize("tool", TOOLS)
def test_installed_after_the_tool(project: Path, tool: str) -> None:
    TOOLS[tool][0](project)
    before = {path.name: (path.read_bytes(), path.stat().st_mode) for path in hooks_of(project).iterdir()}
    assert told(project) == [tool]
    settings = (project / ".git" / "config").read_bytes()
    ok(project, "hooks", "install")
    assert pre_commit_of(project)["chained"] == tool
    assert told(project) == [tool]
    assert refuses(project) == (
        tool != "husky"
    )  # its folder is relative: .orchestry/ doesn't have it, and status says so
    assert (tool == "husky") == bool(pre_commit_of(project)["faults"])
    ok(project, "hooks", "uninstall")
    assert {path.name: (path.read_bytes(), path.stat().st_mode) for path in hooks_of(project).iterdir()} == before
    assert (project / ".git" / "config").read_bytes() == settings
    assert told(project) == [tool]


@pytest.mark.parametrize("tool", TOOLS)
def test_the_tool_installed_again_over_ours_is_mended(project: Path, tool: str) -> None:
    TOOLS[tool][0](project)
    before = {path.name: (path.read_bytes(), path.stat().st_mode) for path in hooks_of(project).iterdir()}
    ok(project, "hooks", "install")
    TOOLS[tool][1](project)
    assert pre_commit_of(project)["how"] == ("aside" if tool != "husky" else "replaced")
    assert told(project) == [tool]
    ok(project, "hooks", "install")
    assert pre_commit_of(project)["how"] == "installed"
    assert told(project) == [tool]
    TOOLS[tool][1](project)
    ok(project, "hooks", "uninstall")
    assert {path.name: (path.read_bytes(), path.stat().st_mode) for path in hooks_of(project).iterdir()} == before
    assert told(project) == [tool]


@pytest.mark.parametrize("tool", ["pre-commit", "lefthook"])
def test_the_tool_installed_after_ours_with_a_hook_of_one_s_own_below(project: Path, tool: str) -> None:
    mine = repos.make_script(project / ".git" / "hooks" / "pre-commit", "echo mine >> told")
    words = mine.read_bytes()
    ok(project, "hooks", "install")
    TOOLS[tool][0](project)
    runs = tool == "pre-commit"  # it runs what it found; lefthook puts it by
    assert pre_commit_of(project)["runs"] == runs
    assert told(project) == (["mine", tool] if runs else [tool])
    assert refuses(project) == runs
    ok(project, "hooks", "install")
    assert told(project) == (["mine", tool] if runs else [tool])
    assert refuses(project)
    ok(project, "hooks", "uninstall")
    aside = mine.with_name("pre-commit.legacy" if runs else "pre-commit.old")
    assert aside.read_bytes() == words
    assert told(project) == (["mine", tool] if runs else [tool])


def test_pre_commit_takes_itself_away_and_gives_ours_back(project: Path) -> None:
    ok(project, "hooks", "install")
    pre_commit(project)
    assert told(project) == ["pre-commit"]
    assert call(project, PRE_COMMIT, "uninstall").returncode == 0
    assert pre_commit_of(project)["how"] == "installed"
    assert refuses(project)
