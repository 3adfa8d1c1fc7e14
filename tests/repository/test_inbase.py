"""Is work in the base branch? Merged, squashed and rebased for real, and all that only looks like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.model.errors import GitError
from orchgit.repository import inbase
from orchgit.repository.inbase import Found, How, Work
from tests.support import repos
from tests.support.repos import git

if TYPE_CHECKING:
    from pathlib import Path

OURS, THEIRS = "tsk_7k3m9q", "tsk_2hd8xw"
LINES = "".join(f"line {number}\n" for number in range(30))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Return a repository whose branch `work` has two commits, the second upon the lines of the first."""
    root = repos.make_repo(tmp_path / "a project", files={"a.txt": LINES, "src/b.txt": "b\n", "other.txt": "o\n"})
    git(root, "switch", "--quiet", "--create", "work")
    repos.commit(root, {"a.txt": LINES.replace("line 3\n", "three\n")}, "one")
    repos.commit(root, {"a.txt": LINES.replace("line 3\n", "three\nand more\n"), "new.txt": "n\n"}, "two")
    git(root, "switch", "--quiet", "main")
    return root


def work_of(repo: Path, *, since: str | None = None) -> Work:
    return Work(OURS, git(repo, "merge-base", "main", "work"), git(repo, "rev-parse", "work"), since)


def head(repo: Path) -> str:
    return git(repo, "rev-parse", "main")


def asked(repo: Path, work: Work, *, before: str | None = None) -> Found | None:
    return inbase.find(repo / ".git", work, head(repo), asked=before)


def go_on(repo: Path, number: int = 1) -> str:
    """Let base go on with something else, in the work's own file too."""
    text = (repo / "a.txt").read_text()
    return repos.commit(repo, {"other.txt": f"{number}\n", "a.txt": text.replace("line 25\n", f"25 {number}\n")}, "on")


def squash(repo: Path) -> str:
    """Squash the work into what is checked out, and return the commit."""
    git(repo, "merge", "--quiet", "--squash", "work")
    git(repo, "commit", "--quiet", "--message=squashed")
    return git(repo, "rev-parse", "HEAD")


def rebase(repo: Path) -> str:
    git(repo, "rebase", "--quiet", "main", "work")
    git(repo, "switch", "--quiet", "main")
    git(repo, "merge", "--quiet", "--ff-only", "work")
    return head(repo)


def test_not_there(repo: Path) -> None:
    work = work_of(repo)
    assert asked(repo, work) is None
    go_on(repo)
    assert asked(repo, work) is None


def test_merged(repo: Path) -> None:
    work = work_of(repo)
    go_on(repo)
    git(repo, "merge", "--quiet", "--no-edit", "work")
    assert asked(repo, work) == Found(How.MERGED, work.commit)


def test_squashed_amid_other_commits(repo: Path) -> None:
    work = work_of(repo)
    go_on(repo, 1)
    made = squash(repo)
    go_on(repo, 2)
    assert asked(repo, work) == Found(How.SQUASHED, made)


def test_rebased(repo: Path) -> None:
    work = work_of(repo)
    go_on(repo)
    made = rebase(repo)
    go_on(repo, 2)
    assert made != work.commit
    assert asked(repo, work) == Found(How.REBASED, made)


def test_squashed_on_a_branch_that_was_merged(repo: Path) -> None:
    work = work_of(repo)
    git(repo, "switch", "--quiet", "--create", "aside")
    made = squash(repo)
    git(repo, "switch", "--quiet", "main")
    go_on(repo)
    git(repo, "merge", "--quiet", "--no-edit", "aside")
    assert asked(repo, work) == Found(How.SQUASHED, made)


def test_squashed_into_a_file_that_base_has_renamed(repo: Path) -> None:
    work = work_of(repo)
    git(repo, "mv", "a.txt", "letters.txt")
    git(repo, "commit", "--quiet", "--message=renamed")
    made = squash(repo)
    assert (repo / "letters.txt").read_text().count("and more") == 1
    assert asked(repo, work) == Found(How.SQUASHED, made)


def test_a_squash_with_a_change_of_its_own_is_other_work(repo: Path) -> None:
    """Nobody has reviewed that change: white space alone is one."""
    work = work_of(repo)
    git(repo, "merge", "--quiet", "--squash", "work")
    repos.commit(repo, {"a.txt": (repo / "a.txt").read_text().replace("three\n", " three\n"), "new.txt": "n\n"}, "mine")
    assert asked(repo, work) is None


def test_half_of_a_rebase_is_not_the_work(repo: Path) -> None:
    work = work_of(repo)
    go_on(repo)
    git(repo, "cherry-pick", "work~1")
    assert asked(repo, work) is None
    git(repo, "cherry-pick", "work")
    assert asked(repo, work) == Found(How.REBASED, head(repo))


def test_an_empty_commit_after_the_work_brings_nothing_in(repo: Path) -> None:
    work = work_of(repo)
    squash(repo)
    since = head(repo)
    git(repo, "commit", "--quiet", "--allow-empty", "--message=nothing")
    assert asked(repo, Work(OURS, work.base, work.commit, since)) is None


def test_what_was_there_before_the_review_does_not_count(repo: Path) -> None:
    work = work_of(repo)
    squash(repo)
    assert asked(repo, Work(OURS, work.base, work.commit, since=head(repo))) is None
    assert asked(repo, work) is not None


def test_a_base_that_this_clone_does_not_have_is_no_bound(repo: Path) -> None:
    made = squash(repo)
    assert asked(repo, work_of(repo, since="0" * 39 + "1")) == Found(How.SQUASHED, made)


def test_work_that_reverts_to_the_base_is_nowhere(repo: Path) -> None:
    git(repo, "switch", "--quiet", "work")
    git(repo, "revert", "--no-edit", "HEAD", "HEAD~1")
    git(repo, "switch", "--quiet", "main")
    work = work_of(repo)
    go_on(repo)
    assert asked(repo, work) is None


def test_unknown_work_is_nowhere(repo: Path) -> None:
    assert asked(repo, Work(OURS, "0" * 39 + "1", "0" * 39 + "2")) is None


def test_asked_again_only_what_came_since_is_looked_at(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = work_of(repo)
    for number in range(5):
        repos.commit(repo, {"a.txt": (repo / "a.txt").read_text().replace(f"line 1{number}\n", "x\n")}, "near")
    before = head(repo)
    assert asked(repo, work) is None
    monkeypatch.setattr(inbase, "MERGES", 1)
    assert asked(repo, work, before=before) is None
    made = squash(repo)
    assert asked(repo, work, before=before) == Found(How.SQUASHED, made)


def test_a_row_that_began_before_it_was_last_asked_is_seen(repo: Path) -> None:
    work = work_of(repo)
    git(repo, "cherry-pick", "work~1")
    before = head(repo)
    assert asked(repo, work) is None
    git(repo, "commit", "--quiet", "--amend", "--message=another id")
    git(repo, "cherry-pick", "work")
    assert asked(repo, work, before=before) == Found(How.REBASED, head(repo))


def test_merges_follow_the_attributes_of_base_and_leave_nothing_behind(repo: Path, tmp_path: Path) -> None:
    repos.commit(repo, {".gitattributes": "a.txt merge=union\n"}, "attributes")
    repos.commit(repo, {"a.txt": LINES.replace("line 3\n", "drei\n")}, "in the way")
    work = work_of(repo)
    made = squash(repo)  # no conflict: both stay
    (repo / ".gitattributes").unlink()
    objects = git(repo, "count-objects")
    assert asked(repo, work) == Found(How.SQUASHED, made)
    assert git(repo, "count-objects") == objects


def test_any_place_of_the_repository_will_do(repo: Path, tmp_path: Path) -> None:
    linked = repos.add_worktree(repo, tmp_path / "linked", "aside")
    work, made = work_of(repo), squash(repo)
    for place in (repo, linked, repo / "src"):
        assert inbase.find(place, work, head(repo)) == Found(How.SQUASHED, made)


def test_a_merge_that_git_can_not_try_is_a_fault_and_no_conflict(repo: Path) -> None:
    work = work_of(repo)
    blob = git(repo, "rev-parse", "work:a.txt")
    for number in (25, 26):
        repos.commit(repo, {"a.txt": LINES.replace(f"line {number}\n", "on\n")}, "near")
    (repo / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitError, match="git merge-tree failed: "):
        asked(repo, work)


@pytest.mark.parametrize(
    ("trailers", "counts"),
    [
        ("", True),
        ("Task: OPS-12", True),
        (f"Task: {OURS}", True),
        (f"Task: {THEIRS}\nTask: {OURS}", True),
        (f"Task: {THEIRS}", False),
    ],
)
def test_what_came_for_another_task_does_not_count(repo: Path, trailers: str, *, counts: bool) -> None:
    work = work_of(repo)
    git(repo, "merge", "--quiet", "--squash", "work")
    git(repo, "commit", "--quiet", f"--message=alike\n\n{trailers}")
    assert (asked(repo, work) is not None) is counts


def test_what_a_merge_for_another_task_brought_does_not_count(repo: Path) -> None:
    work = work_of(repo)
    git(repo, "switch", "--quiet", "--create", "theirs")
    squash(repo)
    git(repo, "switch", "--quiet", "main")
    go_on(repo)
    git(repo, "merge", "--quiet", "--no-ff", f"--message=Merge\n\nTask: {THEIRS}", "theirs")
    assert asked(repo, work) is None
    git(repo, "revert", "--no-edit", "--mainline=1", "HEAD")
    made = squash(repo)
    assert asked(repo, work) == Found(How.SQUASHED, made)
