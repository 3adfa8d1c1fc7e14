from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchgit.model.config import Config
from orchgit.model.errors import RefusedError
from orchgit.repository import worktrees
from tests.support.repos import add_worktree, git, is_clean, make_repo, make_script, write
from tests.support.states import make_project, start_python

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.layout import Layout

BRANCH = "orchgit/tsk_1-do"
MAKE = (
    "from orchgit.repository import worktrees\n"
    "worktrees.ensure(layout, Path(os.environ['AT']), branch=os.environ['BRANCH'], base='main')"
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_project(tmp_path / "project")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "project.orchgit" / "tsk_1"


def ensure(layout: Layout, place: Path, branch: str = BRANCH) -> None:
    worktrees.ensure(layout, place, branch=branch, base="main")


def test_where_workspaces_are(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert worktrees.workspaces(layout, Config()) == tmp_path / "project.orchgit"
    assert worktrees.workspaces(layout, Config(workspaces_dir="../elsewhere")) == tmp_path / "elsewhere"
    assert worktrees.workspaces(layout, Config(workspaces_dir="~/w")) == tmp_path / "home" / "w"
    (tmp_path / "disk").mkdir()
    (tmp_path / "project.orchgit").symlink_to(tmp_path / "disk")
    assert worktrees.workspaces(layout, Config()) == tmp_path / "disk"
    (tmp_path / "project.orchgit").unlink()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert worktrees.workspaces(layout, Config()) == tmp_path / "home/.local/state/orchgit/project.orchgit"


def test_a_worktree_is_made_from_the_base_and_found_again(layout: Layout, place: Path) -> None:
    ensure(layout, place)
    assert git(place, "symbolic-ref", "HEAD") == f"refs/heads/{BRANCH}"
    assert git(place, "rev-parse", "HEAD") == git(layout.root, "rev-parse", "main")
    assert (place / "src/app.py").read_text() == "print('hello')\n"
    assert is_clean(place)
    assert is_clean(layout.root)
    assert worktrees.git_dir(layout, place) == layout.common / "worktrees" / "tsk_1"
    write(place, {"left.txt": "as it was\n", "README.md": "changed\n"})
    ensure(layout, place)
    assert (place / "left.txt").read_text() == "as it was\n"
    assert (place / "README.md").read_text() == "changed\n"


def test_a_branch_that_is_there_is_gone_on_with(layout: Layout, place: Path) -> None:
    git(layout.root, "branch", BRANCH, "main")
    git(layout.root, "commit", "--quiet", "--allow-empty", "-m", "later")
    ensure(layout, place)
    assert git(place, "log", "--format=%s") == "first"


def test_every_worktree_is_listed(layout: Layout, place: Path, tmp_path: Path) -> None:
    ensure(layout, place)
    git(layout.root, "checkout", "--quiet", "--detach")
    add_worktree(layout.root, tmp_path / "odd\nname", "odd")
    listed = {each.path: (each.branch, each.missing) for each in worktrees.listed(layout)}
    assert listed == {
        layout.root: (None, False),
        layout.state: ("orchestry", False),
        place: (BRANCH, False),
        tmp_path / "odd\nname": ("odd", False),
    }
    assert worktrees.of_branch(layout, "main") is None


def test_a_branch_that_is_checked_out_elsewhere_is_refused(layout: Layout, place: Path, tmp_path: Path) -> None:
    add_worktree(layout.root, tmp_path / "mine", BRANCH)
    with pytest.raises(RefusedError, match=f"{BRANCH} is checked out in {tmp_path}/mine, not in {place}"):
        ensure(layout, place)
    assert not place.exists()


@pytest.mark.parametrize("left", ["folder", "file", "link"])
def test_what_lies_there_already_is_refused(layout: Layout, place: Path, tmp_path: Path, left: str) -> None:
    place.parent.mkdir()
    if left == "folder":
        write(place, {"mine.txt": "mine\n"})
    elif left == "file":
        place.write_text("mine\n")
    else:
        place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(RefusedError, match="is not a worktree of orchgit/tsk_1-do, and not empty"):
        ensure(layout, place)
    assert os.path.lexists(place)
    assert worktrees.of_branch(layout, BRANCH) is None


def test_an_empty_folder_is_used(layout: Layout, place: Path) -> None:
    place.mkdir(parents=True)
    ensure(layout, place)
    assert is_clean(place)


def test_a_worktree_whose_folder_is_gone_is_made_again(layout: Layout, place: Path) -> None:
    ensure(layout, place)
    place.rename(place.with_name("moved"))
    ensure(layout, place)
    assert is_clean(place)
    assert [each.path.name for each in worktrees.listed(layout)].count("tsk_1") == 1


def test_a_worktree_that_was_elsewhere_and_is_gone_is_made_again(layout: Layout, place: Path, tmp_path: Path) -> None:
    ensure(layout, tmp_path / "before" / "tsk_1")
    (tmp_path / "before").rename(tmp_path / "gone")
    ensure(layout, place)
    assert is_clean(place)


def test_a_checkout_that_was_killed_is_done_again(layout: Layout, place: Path) -> None:
    worktrees._register(layout, place, BRANCH, "main")
    own = worktrees.git_dir(layout, place)
    assert own is not None
    (own / "index.lock").write_bytes(b"half")
    write(place, {"README.md": "ha"})
    ensure(layout, place)
    assert (place / "README.md").read_text() == "A project.\n"
    assert is_clean(place)


def test_removing_leaves_nothing_and_the_others_alone(layout: Layout, place: Path) -> None:
    ensure(layout, place)
    ensure(layout, place.with_name("tsk_2"), "orchgit/tsk_2")
    (place.with_name("tsk_2") / ".git").unlink()  # as an agent may: git itself would forget that worktree now
    worktrees.remove(layout, place)
    assert not place.exists()
    assert sorted(path.name for path in place.parent.iterdir()) == ["tsk_2"]
    assert worktrees.of_branch(layout, BRANCH) is None
    assert worktrees.git_dir(layout, place.with_name("tsk_2")) is not None
    assert git(layout.root, "rev-parse", BRANCH) == git(layout.root, "rev-parse", "main")
    worktrees.remove(layout, place)
    ensure(layout, place)
    assert is_clean(place)


def test_what_a_removal_that_was_killed_left_goes_with_the_next(layout: Layout, place: Path) -> None:
    ensure(layout, place)
    write(place.parent / ".removed-tsk_0-abc", {"big": "x"})
    worktrees.remove(layout, place)
    assert list(place.parent.iterdir()) == []


def test_no_hook_runs_and_the_project_s_settings_stay(layout: Layout, place: Path, tmp_path: Path) -> None:
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        make_script(layout.common / "hooks" / hook, f"echo ran >> {tmp_path}/ran; exit 1")
    git(layout.root, "config", "worktree.useRelativePaths", "true")
    before = (layout.common / "config").read_bytes()
    ensure(layout, place)
    worktrees.remove(layout, place)
    assert not (tmp_path / "ran").exists()
    assert (layout.common / "config").read_bytes() == before


def test_eight_processes_make_theirs_at_once(layout: Layout, place: Path) -> None:
    named = {f"orchgit/tsk_{each}": place.with_name(f"tsk_{each}") for each in range(8)}
    started = [start_python(MAKE, layout.root, AT=str(at), BRANCH=branch) for branch, at in named.items()]
    assert [(each.communicate()[1], each.returncode) for each in started] == [(b"", 0)] * 8
    assert {each.branch: each.path for each in worktrees.listed(layout) if each.branch in named} == named
    assert all(is_clean(at) for at in named.values())


def test_two_processes_make_the_same_one(layout: Layout, place: Path) -> None:
    started = [start_python(MAKE, layout.root, AT=str(place), BRANCH=BRANCH) for _ in range(2)]
    assert [(each.communicate()[1], each.returncode) for each in started] == [(b"", 0)] * 2
    assert is_clean(place)


def test_a_repository_with_its_git_directory_elsewhere(tmp_path: Path, place: Path) -> None:
    make_repo(tmp_path / "project", "--separate-git-dir", tmp_path / "git")
    layout = make_layout(tmp_path / "project")
    ensure(layout, place)
    assert is_clean(place)


def make_layout(root: Path) -> Layout:
    from orchgit.repository import mount

    return mount.init(root, offline=True).layout
