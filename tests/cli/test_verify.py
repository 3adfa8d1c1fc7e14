"""`orchgit verify` after what people do to the base branch with git alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import hooked, repos
from tests.support.cli import ok
from tests.support.hooked import status
from tests.support.repos import git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return hooked.make_project(tmp_path / "a project", monkeypatch, install=False)


def merge(project: Path, branch: str) -> None:
    git(project, "merge", "--quiet", "--no-edit", branch)


def squash(project: Path, branch: str) -> None:
    git(project, "merge", "--quiet", "--squash", branch)
    git(project, "commit", "--quiet", "--message=squashed")


def rebase(project: Path, branch: str) -> None:
    git(project, "switch", "--quiet", "--create", "rebased", branch)
    git(project, "rebase", "--quiet", "main")
    git(project, "switch", "--quiet", "main")
    git(project, "merge", "--quiet", "--ff-only", "rebased")


def cherry_pick(project: Path, branch: str) -> None:
    git(project, "cherry-pick", f"main..{branch}")


WAYS = (merge, squash, rebase, cherry_pick)


@pytest.mark.parametrize("bring", WAYS)
def test_a_task_that_git_alone_brought_into_base_verifies(project: Path, bring: Callable[[Path, str], None]) -> None:
    task, branch = hooked.review(project, files={"a.txt": "a\n", "b.txt": "b\n"})
    repos.commit(project, {"c.txt": "c\n"}, "meanwhile")
    bring(project, branch)
    assert status(project, task) == "done"
    for where in (project, project / ".orchestry"):
        said = ok(where, "verify")
        assert (said.out.endswith(" commits verified.\n"), said.err) == (True, "")


def test_an_approval_closes_no_other_task_that_did_the_same(project: Path) -> None:
    ok(project, "agent", "add", "fmt", "--adapter", "shell", "--command", "echo same > f.txt")
    one, two = (ok(project, "task", "add", title).id for title in ("One", "Two"))
    ok(project, "run", "--all")
    assert (status(project, one), status(project, two)) == ("review", "review")
    ok(project, "task", "approve", one)
    assert (status(project, one), status(project, two)) == ("done", "review")
    ok(project, "task", "approve", two)
    assert ok(project, "verify").err == ""


def test_what_a_clone_lacks_is_said_as_it_is(project: Path, tmp_path: Path) -> None:
    task, branch = hooked.review(project)
    squash(project, branch)
    assert status(project, task) == "done"
    clone = repos.clone(project, tmp_path / "clone", "--single-branch", "--branch=main")
    ok(clone, "init")
    lacks = "this clone lacks the reviewed commits to check that the base branch holds the work"
    assert ok(clone, "verify").err == f"orchgit: {lacks} of {task}.\n"
    assert ok(clone, "verify", "--json").data["unchecked"] == [task]


def test_a_task_in_review_without_its_branch_shows_what_to_look_at(project: Path) -> None:
    task, branch = hooked.review(project)
    assert f"\n  git diff main...{branch}\n" in ok(project, "task", "show", task).out
    commit = git(project, "rev-parse", branch)
    git(project, "branch", "--quiet", "-D", branch)
    assert f"\n  git diff main...{commit[:12]}\n" in ok(project, "task", "show", task).out
