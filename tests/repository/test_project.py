from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from orchgit.model.errors import GitError, RefusedError
from orchgit.repository import mount, project
from tests.support.repos import commit, file_bytes, git, is_clean, make_repo, make_script, write

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.layout import Layout

FILES = {"a.txt": "1\n2\n3\n", "b.txt": "b\n", "log.txt": "start\n", ".gitignore": "ignored\n*.o\n"}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    repo = make_repo(tmp_path / "project", files=FILES)
    return mount.init(repo, offline=True).layout


def branch_with(layout: Layout, files: dict[str, str], *, gone: tuple[str, ...] = ()) -> str:
    """Return a commit on top of main that changes files, checked out nowhere."""
    place = layout.root.with_name("scratch")
    git(layout.root, "worktree", "add", "--quiet", "--detach", place, "main")
    for name in gone:
        git(place, "rm", "-q", name)
    if files:
        write(place, files)
        git(place, "add", "--force", "--", *files)
    git(place, "commit", "--quiet", "-m", "work")
    made = git(place, "rev-parse", "HEAD")
    git(layout.root, "worktree", "remove", "--force", place)
    return made


def conflicts(layout: Layout, commit_id: str) -> tuple[str, ...]:
    return project.try_merge(layout, "main", commit_id).conflicts


# Merging


def test_a_merge_without_conflicts_is_a_tree(layout: Layout) -> None:
    work = branch_with(layout, {"a.txt": "1\n2\n3\n4\n", "new/ünï code.txt": "x\n"})
    commit(layout.root, {"b.txt": "B\n"}, "main moved")
    found = project.try_merge(layout, "main", work)
    assert found.conflicts == ()
    assert git(layout.common, "show", f"{found.tree}:a.txt") == "1\n2\n3\n4"
    assert git(layout.common, "show", f"{found.tree}:b.txt") == "B"
    assert is_clean(layout.root)


@pytest.mark.parametrize(
    ("theirs", "gone", "ours", "ours_gone", "named"),
    [
        ({"a.txt": "1\nX\n3\n"}, (), {"a.txt": "1\nY\n3\n"}, (), ("a.txt",)),
        ({"new.txt": "one\n"}, (), {"new.txt": "two\n"}, (), ("new.txt",)),
        ({}, ("a.txt",), {"a.txt": "1\n2\n3\n4\n"}, (), ("a.txt",)),
        ({"a.txt": "1\n2\n3\n4\n"}, (), {}, ("a.txt",), ("a.txt",)),
        ({"x.txt": FILES["a.txt"]}, ("a.txt",), {"y.txt": FILES["a.txt"]}, ("a.txt",), ("a.txt", "x.txt", "y.txt")),
        ({"ü n\nl.txt": "one\n"}, (), {"ü n\nl.txt": "two\n"}, (), ("ü n\nl.txt",)),
        ({"dir/file": "x\n"}, (), {"dir": "y\n"}, (), ("dir~main",)),
    ],
    ids=["same line", "add/add", "delete/modify", "modify/delete", "rename/rename", "odd name", "file/folder"],
)
def test_conflicts_are_found_by_file(
    layout: Layout,
    theirs: dict[str, str],
    gone: tuple[str, ...],
    ours: dict[str, str],
    ours_gone: tuple[str, ...],
    named: tuple[str, ...],
) -> None:
    work = branch_with(layout, theirs, gone=gone)
    for name in ours_gone:
        git(layout.root, "rm", "-q", name)
    if ours:
        write(layout.root, ours)
        git(layout.root, "add", "--", *ours)
    git(layout.root, "commit", "-qm", "main moved")
    assert conflicts(layout, work) == named
    assert is_clean(layout.root)


@pytest.mark.parametrize(("attribute", "expected"), [("union", ()), ("binary", ("log.txt",)), ("text", ("log.txt",))])
def test_the_attributes_of_the_base_rule_whatever_is_checked_out(
    layout: Layout, attribute: str, expected: tuple[str, ...]
) -> None:
    commit(layout.root, {"sub/.gitattributes": "", ".gitattributes": f"log.txt merge={attribute}\n"}, "attributes")
    work = branch_with(layout, {"log.txt": "start\ntheirs\n", ".gitattributes": "log.txt -merge\n"})
    commit(layout.root, {"log.txt": "start\nours\n"}, "main moved")
    git(layout.root, "checkout", "--quiet", "--orphan", "elsewhere")
    write(layout.root, {".gitattributes": "log.txt merge=ours\n"})
    assert conflicts(layout, work) == expected


def test_a_merge_commit_has_both_parents_and_moves_nothing(layout: Layout) -> None:
    work = branch_with(layout, {"a.txt": "4\n"})
    main = git(layout.root, "rev-parse", "main")
    tree = project.try_merge(layout, main, work).tree
    made = project.commit_merge(layout, tree, (main, work), "Merge\n\nTask: tsk_1\n")
    assert git(layout.common, "show", "--no-patch", "--format=%P|%an|%B", made) == (
        f"{main} {work}|Ada Lovelace|Merge\n\nTask: tsk_1\n"
    )
    assert git(layout.root, "rev-parse", "main") == main


def test_a_merge_that_can_not_be_signed_is_not_made(layout: Layout) -> None:
    main = git(layout.root, "rev-parse", "main")
    git(layout.root, "config", "commit.gpgsign", "true")
    git(layout.root, "config", "gpg.program", "false")
    with pytest.raises(GitError, match=r"The merge commit could not be made: .*gpg failed to sign"):
        project.commit_merge(layout, f"{main}^{{tree}}", (main, main), "Merge\n")


def test_what_two_commits_share(layout: Layout) -> None:
    work = branch_with(layout, {"a.txt": "4\n"})
    assert project.merge_base(layout, "main", work) == project.tip(layout, "main")
    alone = git(layout.common, "commit-tree", "main^{tree}", "-m", "alone")
    with pytest.raises(RefusedError, match="share no history"):
        project.merge_base(layout, "main", alone)
    with pytest.raises(RefusedError, match="The branch 'nowhere' doesn't exist"):
        project.tip(layout, "nowhere")


def test_changed_files_are_counted_by_git(layout: Layout) -> None:
    work = branch_with(layout, {"a.txt": "1\n2\n4\n5\n", "b in": "\0\1", "ü\t.txt": "x\n"}, gone=("b.txt",))
    changes = {each.path: (each.added, each.removed) for each in project.changed_files(layout, "main", work)}
    assert changes == {"a.txt": (2, 1), "b in": (None, None), "ü\t.txt": (1, 0), "b.txt": (0, 1)}


# Moving the base


def merge_of(layout: Layout, files: dict[str, str], *, gone: tuple[str, ...] = ()) -> tuple[str, str]:
    """Return the tip of main, and a merge commit on top of it."""
    work = branch_with(layout, files, gone=gone)
    main = git(layout.root, "rev-parse", "main")
    tree = project.try_merge(layout, main, work).tree
    return main, project.commit_merge(layout, tree, (main, work), "Merge\n")


def move(layout: Layout, old: str, new: str) -> None:
    project.move_forward(layout, "main", old=old, new=new)


def test_the_checkout_follows_and_what_is_elsewhere_in_it_stays(layout: Layout) -> None:
    old, new = merge_of(layout, {"a.txt": "4\n", "new.txt": "x\n"})
    write(layout.root, {"b.txt": "mine\n", "mine.txt": "mine\n", "ignored": "mine\n", "c.txt": "staged\n"})
    git(layout.root, "add", "c.txt")
    move(layout, old, new)
    assert git(layout.root, "rev-parse", "main") == new
    assert (layout.root / "a.txt").read_text() == "4\n"
    assert git(layout.root, "status", "--porcelain").splitlines() == [" M b.txt", "A  c.txt", "?? mine.txt"]


def _changed(root: Path) -> None:
    write(root, {"a.txt": "mine\n"})


def _staged(root: Path) -> None:
    write(root, {"a.txt": "mine\n"})
    git(root, "add", "a.txt")


def _staged_new(root: Path) -> None:
    write(root, {"new.txt": "mine\n"})
    git(root, "add", "new.txt")


def _untracked(root: Path) -> None:
    write(root, {"new.txt": "mine\n"})


def _ignored(root: Path) -> None:
    write(root, {"ignored": "mine\n"})


def _ignored_odd(root: Path) -> None:
    write(root, {"ü it's.o": "mine\n"})


def _folder_in_the_way(root: Path) -> None:
    write(root, {"new.txt/mine.txt": "mine\n"})


def _ignored_folder_in_the_way(root: Path) -> None:
    write(root, {"new.txt/mine.o": "mine\n"})


def _file_for_a_folder(root: Path) -> None:
    write(root, {"deep": "mine\n"})


def _deleted_and_untracked(root: Path) -> None:
    git(root, "rm", "-q", "--cached", "a.txt")


def _several(root: Path) -> None:
    write(root, {"a.txt": "mine\n", "b.txt": "mine\n"})


WORK = {"a.txt": "4\n", "b.txt": "B\n", "new.txt": "x\n", "ignored": "x\n", "ü it's.o": "x\n", "deep/er": "x\n"}


@pytest.mark.parametrize(
    ("prepare", "named"),
    [
        (_changed, "a.txt"),
        (_staged, "a.txt"),
        (_staged_new, "new.txt"),
        (_untracked, "new.txt"),
        (_ignored, "ignored"),
        (_ignored_odd, "ü it's.o"),
        (_folder_in_the_way, "new.txt"),
        (_ignored_folder_in_the_way, "new.txt"),
        (_file_for_a_folder, "deep"),
        (_deleted_and_untracked, "a.txt"),
        (_several, "a.txt, b.txt"),
    ],
)
def test_what_is_not_committed_is_not_overwritten_and_named(layout: Layout, prepare: object, named: str) -> None:
    assert callable(prepare)
    old, new = merge_of(layout, WORK)
    prepare(layout.root)
    before = file_bytes(layout.root), git(layout.root, "status", "--porcelain")
    with pytest.raises(RefusedError) as caught:
        move(layout, old, new)
    assert caught.value.what == (
        f"main is checked out in {layout.root}, and these files there would be overwritten: {named}."
    )
    assert "Nothing was changed" in caught.value.next_step
    assert (file_bytes(layout.root), git(layout.root, "status", "--porcelain")) == before
    assert git(layout.root, "rev-parse", "main") == old


def fails(root: Path, *args: str) -> None:
    assert subprocess.run(["git", *args], cwd=root, capture_output=True, check=False).returncode != 0


def test_a_merge_that_is_not_concluded_is_in_the_way(layout: Layout) -> None:
    other = branch_with(layout, {"a.txt": "theirs\n"})
    commit(layout.root, {"a.txt": "ours\n"}, "ours")
    old, new = merge_of(layout, {"b.txt": "B\n"})
    fails(layout.root, "merge", other)
    with pytest.raises(RefusedError, match=r"where a merge is under way: "):
        move(layout, old, new)
    write(layout.root, {"a.txt": "both\n"})
    git(layout.root, "add", "a.txt")
    with pytest.raises(RefusedError, match=r"merge --continue` or `git -C .* merge --abort`"):
        move(layout, old, new)
    assert git(layout.root, "rev-parse", "main") == old


def in_use(layout: Layout) -> str:
    with pytest.raises(RefusedError) as caught:
        project.refuse_if_in_use(layout, "main", workspaces=layout.root.with_name("project.orchgit"))
    return caught.value.what


@pytest.mark.parametrize("where", ["the main checkout", "another worktree"])
@pytest.mark.parametrize("backend", ["--merge", "--apply"])
def test_a_base_in_the_middle_of_a_rebase_is_in_use(layout: Layout, tmp_path: Path, where: str, backend: str) -> None:
    other = branch_with(layout, {"a.txt": "theirs\n"})
    commit(layout.root, {"a.txt": "ours\n"}, "ours")
    place = layout.root
    if where == "another worktree":
        git(layout.root, "checkout", "--quiet", "--detach")
        place = tmp_path / "there"
        git(layout.root, "worktree", "add", "--quiet", place, "main")
    fails(place, "rebase", backend, other)
    assert in_use(layout).startswith("main is in the middle of a rebase")


def test_a_base_that_a_rebase_takes_along_is_in_use(layout: Layout) -> None:
    commit(layout.root, {"c.txt": "c\n"}, "ours")
    git(layout.root, "checkout", "--quiet", "-b", "topic")
    commit(layout.root, {"a.txt": "mine\n"}, "mine")
    other = branch_with(layout, {"a.txt": "theirs\n", "c.txt": "theirs\n"})
    git(layout.root, "branch", "other", f"{other}~1")
    fails(layout.root, "-c", "sequence.editor=true", "rebase", "--update-refs", "--exec", "false", "main~1")
    assert in_use(layout).startswith("main is in the middle of a rebase")


def test_a_base_in_the_middle_of_a_bisect_is_in_use(layout: Layout) -> None:
    git(layout.root, "bisect", "start")
    assert in_use(layout).startswith("main is in the middle of a bisect")
    git(layout.root, "bisect", "reset")
    project.refuse_if_in_use(layout, "main", workspaces=layout.root.with_name("project.orchgit"))


def test_a_base_that_a_task_has_checked_out_is_in_use(layout: Layout) -> None:
    git(layout.root, "checkout", "--quiet", "-b", "other")
    place = layout.root.with_name("project.orchgit") / "tsk_1"
    git(layout.root, "worktree", "add", "--quiet", place, "main")
    assert in_use(layout) == f"main is checked out in the task's worktree {place}."


@pytest.mark.parametrize("away", [("--detach",), ("-b", "other"), ("--orphan", "new")])
def test_a_base_that_is_checked_out_nowhere_moves_alone(layout: Layout, away: tuple[str, ...]) -> None:
    old, new = merge_of(layout, {"a.txt": "4\n"})
    git(layout.root, "checkout", "--quiet", *away)
    before = file_bytes(layout.root), git(layout.root, "status", "--porcelain")
    move(layout, old, new)
    assert git(layout.root, "rev-parse", "main") == new
    assert (file_bytes(layout.root), git(layout.root, "status", "--porcelain")) == before


def test_a_base_that_is_checked_out_in_another_worktree_moves_there(layout: Layout, tmp_path: Path) -> None:
    old, new = merge_of(layout, {"a.txt": "4\n"})
    git(layout.root, "checkout", "--quiet", "-b", "other")
    git(layout.root, "worktree", "add", "--quiet", tmp_path / "there", "main")
    move(layout, old, new)
    assert (tmp_path / "there/a.txt").read_text() == "4\n"
    assert (layout.root / "a.txt").read_text() == FILES["a.txt"]
    assert is_clean(tmp_path / "there")
    assert is_clean(layout.root)


def test_a_base_that_moved_meanwhile_is_refused(layout: Layout) -> None:
    old, new = merge_of(layout, {"a.txt": "4\n"})
    theirs = commit(layout.root, {"b.txt": "B\n"}, "theirs")
    with pytest.raises(RefusedError, match=r"can't move forward there"):
        move(layout, old, new)
    git(layout.root, "checkout", "--quiet", "--detach")
    with pytest.raises(RefusedError, match="main moved meanwhile"):
        move(layout, old, new)
    assert git(layout.root, "rev-parse", "main") == theirs


def test_another_repository_s_environment_is_none_of_ours(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a hook of another repository, where orchgit is called by its Python API."""
    old, new = merge_of(layout, {"a.txt": "4\n"})
    stranger = make_repo(tmp_path / "stranger")
    monkeypatch.setenv("GIT_DIR", str(stranger / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(stranger / ".git/index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(stranger))
    assert project.tip(layout, "main") == old
    assert project.try_merge(layout, old, new).conflicts == ()
    move(layout, old, new)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    assert git(layout.root, "rev-parse", "main") == new
    assert is_clean(layout.root)
    assert is_clean(stranger)


def test_a_task_s_branch_is_deleted_where_it_stands_and_nobody_has_it(layout: Layout, tmp_path: Path) -> None:
    main = project.tip(layout, "main")
    for name in ("orchgit/tsk_1", "orchgit/tsk_2", "orchgit/tsk_3", "mine"):
        git(layout.root, "branch", name, "main")
    later = branch_with(layout, {"a.txt": "4\n"})
    git(layout.root, "branch", "--force", "orchgit/tsk_2", later)
    git(layout.root, "worktree", "add", "--quiet", tmp_path / "there", "orchgit/tsk_3")
    make_script(layout.common / "hooks" / "reference-transaction", "exit 1")
    for name in ("orchgit/tsk_1", "orchgit/tsk_2", "orchgit/tsk_3", "mine"):
        project.delete_branch(layout, name, at=main)
    kept = git(layout.root, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()
    assert kept == ["main", "mine", "orchestry", "orchgit/tsk_2", "orchgit/tsk_3"]
