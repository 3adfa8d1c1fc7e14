from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from orchgit.model.errors import GitError, NotFoundError, OrchgitError, RefusedError
from orchgit.repository import entry, find, mount
from orchgit.repository import git as production_git
from orchgit.repository.layout import Layout
from tests.support.repos import add_worktree, git, is_clean, make_bare, make_repo, make_script

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def opened(start: Path) -> Layout:
    return entry.open(start).layout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    repo = make_repo(tmp_path / "project")
    mount.init(repo)
    return repo


@pytest.mark.parametrize(
    "inside",
    [
        ".",
        "src",
        ".git",
        ".git/refs/heads",
        ".git/orchgit",
        ".orchestry",
        ".orchestry/tasks",
        ".git/worktrees/orchestry",
    ],
)
def test_every_folder_of_the_project_finds_it(project: Path, inside: str) -> None:
    assert opened(project / inside) == Layout(project, project / ".git")


@pytest.mark.parametrize("place", ["project/nested", "elsewhere/tree", "project.orchgit/tsk_1"])
def test_every_linked_worktree_finds_it(project: Path, tmp_path: Path, place: str) -> None:
    tree = add_worktree(project, tmp_path / place, "feature")
    assert opened(tree / "src") == Layout(project, project / ".git")


def test_the_tip_comes_along(project: Path) -> None:
    assert entry.open(project).tip == git(project, "rev-parse", "refs/heads/orchestry")


def test_a_project_in_order_costs_one_git_call(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, ...]] = []
    call = production_git.call

    def counted(*args: str | Path, cwd: str | Path) -> production_git.Result:
        calls.append(args)
        return call(*args, cwd=cwd)

    monkeypatch.setattr(production_git, "call", counted)
    entry.open(project / "src")
    assert [args[0] for args in calls] == ["rev-parse"]


def test_a_repository_of_another_user_says_how_to_trust_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(GitError) as refused:
        find.locate(project)
    assert refused.value.what == f"{project} belongs to another user, and Git doesn't trust it."
    assert f"safe.directory {project}`" in refused.value.next_step


def test_a_relative_start_counts_from_here(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    monkeypatch.chdir(project / "src")
    assert opened(Path()).root == project


@pytest.mark.parametrize(
    "name", ["with space", "émoji 🎼", "line\nend", "-leading-dash", "trailing ", "quo'te\"", "true\n"]
)
def test_odd_project_names(tmp_path: Path, name: str) -> None:
    repo = make_repo(tmp_path / name)
    outcome = mount.init(repo / "src")
    assert (outcome.did, outcome.layout.root) == (mount.Did.CREATED, repo)
    assert opened(repo / ".orchestry" / "agents").root == repo


def test_a_tag_and_a_remote_branch_of_the_same_name_do_not_confuse(project: Path) -> None:
    tip = git(project, "rev-parse", "refs/heads/orchestry")
    git(project, "tag", "orchestry", "main")
    git(project, "update-ref", "refs/remotes/origin/orchestry", "main")
    shutil.rmtree(project / ".orchestry")
    assert entry.open(project).tip == tip
    assert (project / ".orchestry" / "config.yaml").exists()


def test_locate_says_of_an_uninitialised_project_that_it_has_no_tip(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "project")
    assert find.locate(repo / "src") == find.Located(Layout(repo, repo / ".git"), None)


def test_a_file_called_like_the_branch_is_no_branch(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "project", files={"refs/heads/orchestry": "a file"})
    assert find.locate(repo).tip is None


def test_a_folder_called_orchestry_above_the_project(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / ".orchestry" / "project")
    assert find.locate(repo / "src").layout.root == repo


def test_a_project_that_is_called_orchestry_itself(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / ".orchestry")
    assert find.locate(repo / "src").layout.root == repo


def test_a_submodule_is_a_project_of_its_own(tmp_path: Path) -> None:
    make_repo(tmp_path / "library")
    outer = make_repo(tmp_path / "outer")
    git(outer, "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    git(outer, "commit", "--quiet", "--message=add lib")
    mount.init(outer / "lib" / "src")
    assert is_clean(outer)
    common = outer / ".git" / "modules" / "lib"
    for place in ("lib", "lib/src", "lib/.orchestry/tasks", ".git/modules/lib"):
        assert opened(outer / place) == Layout(outer / "lib", common)
    assert find.locate(outer).tip is None


def test_a_moved_submodule_is_found_where_it_is(tmp_path: Path) -> None:
    make_repo(tmp_path / "library")
    outer = make_repo(tmp_path / "outer")
    git(outer, "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    mount.init(outer / "lib")
    git(outer, "mv", "lib", "vendored")
    assert opened(outer / "vendored" / "src").root == outer / "vendored"
    assert git(outer / "vendored" / ".orchestry", "status", "--porcelain") == ""


def test_a_separate_git_directory(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "project", "--separate-git-dir", tmp_path / "store.git")
    mount.init(repo / "src")
    tree = add_worktree(repo, tmp_path / "tree", "feature")
    for place in (repo, repo / ".orchestry", tree, tmp_path / "store.git"):
        assert opened(place) == Layout(repo, tmp_path / "store.git")


def test_a_separate_git_directory_whose_checkout_moved(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "project", "--separate-git-dir", tmp_path / "store.git")
    mount.init(repo)
    repo.rename(tmp_path / "moved")
    assert opened(tmp_path / "moved" / "src").root == tmp_path / "moved"
    assert opened(tmp_path / "store.git").root == tmp_path / "moved"


def test_a_git_directory_called_dot_git_far_from_its_checkout(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    repo = make_repo(tmp_path / "project", "--separate-git-dir", tmp_path / "far" / ".git")
    mount.init(repo)
    assert opened(repo / "src") == Layout(repo, tmp_path / "far" / ".git")


@pytest.mark.parametrize("store", ["project/.bare", "project/.git"])
def test_a_bare_repository_with_worktrees(tmp_path: Path, store: str) -> None:
    (tmp_path / "project").mkdir()
    bare = make_bare(tmp_path / store, make_repo(tmp_path / "source"))
    git(bare, "worktree", "add", "--quiet", tmp_path / "project" / "main", "main")
    git(bare, "worktree", "add", "--quiet", "-b", "feature", tmp_path / "project" / "feature", "main")
    expected = Layout(tmp_path / "project" / "main", bare)
    assert mount.init(tmp_path / "project" / "main" / "src").layout == expected
    for place in ("project/main", "project/feature/src", "project/main/.orchestry", store):
        assert opened(tmp_path / place) == expected


def test_a_bare_repository_whose_worktree_with_the_state_is_gone(tmp_path: Path) -> None:
    bare = make_bare(tmp_path / "store.git", make_repo(tmp_path / "source"))
    main, feature = tmp_path / "main", tmp_path / "feature"
    git(bare, "worktree", "add", "--quiet", main, "main")
    git(bare, "worktree", "add", "--quiet", "-b", "feature", feature, "main")
    mount.init(main)
    git(bare, "worktree", "remove", "--force", main)
    with pytest.raises(RefusedError, match=f"the one that held .orchestry is gone: {main}.\nRun `orchgit init`"):
        opened(feature)
    assert not (feature / ".orchestry").exists()
    assert mount.init(feature).did is mount.Did.MOUNTED
    assert opened(feature / "src").root == feature


@pytest.mark.parametrize("store", ["project/.git", "store.git"])
def test_a_bare_clone_that_has_the_state_branch_is_asked_where_to_put_it(
    project: Path, tmp_path: Path, store: str
) -> None:
    folder = tmp_path / "other" / store
    folder.parent.mkdir(parents=True)
    bare = make_bare(folder, project)
    git(bare, "worktree", "add", "--quiet", tmp_path / "main", "main")
    with pytest.raises(RefusedError) as caught:
        opened(tmp_path / "main")
    assert str(caught.value) == (
        f"{bare} is bare, and of its worktrees none holds .orchestry yet.\n"
        "Run `orchgit init` in the worktree that shall hold it."
    )
    assert mount.init(tmp_path / "main").did is mount.Did.MOUNTED
    assert opened(bare).root == tmp_path / "main"


def _outside(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    return tmp_path / "outside"


def _uninitialised(tmp_path: Path) -> Path:
    return make_repo(tmp_path / "project")


def _bare(tmp_path: Path) -> Path:
    return make_bare(tmp_path / "store.git", make_repo(tmp_path / "source"))


@pytest.mark.parametrize(
    ("place", "kind", "message"),
    [
        (
            _outside,
            NotFoundError,
            "{0} is not in a Git repository.\nGo to your project, or run `git init` there first.",
        ),
        (_uninitialised, NotFoundError, "{0} is not an orchgit project yet.\nRun `orchgit init` in {0}."),
        (
            _bare,
            RefusedError,
            (
                "{0} is a bare repository: it has no working folder to put .orchestry in.\n"
                "Run orchgit in a worktree of it; `git worktree add` makes one."
            ),
        ),
        (lambda tmp_path: tmp_path / "nowhere", GitError, "{0} is not a directory."),
    ],
)
def test_errors_say_what_where_and_the_next_step(
    tmp_path: Path, place: Callable[[Path], Path], kind: type[OrchgitError], message: str
) -> None:
    start = place(tmp_path)
    with pytest.raises(OrchgitError) as caught:
        opened(start)
    assert (type(caught.value), str(caught.value)) == (kind, message.format(start))
    assert caught.value.exit_code == 1


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match=r"git is not on the PATH.\nInstall Git 2.38 or later."):
        opened(tmp_path)


def test_the_words_of_a_git_that_refuses_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_script(tmp_path / "bin" / "git", "echo 'fatal: detected dubious ownership in repository' >&2; exit 128")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(GitError, match="git rev-parse failed: fatal: detected dubious ownership in repository"):
        opened(tmp_path)


def test_another_repositorys_environment_is_ignored(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_repo(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert opened(project / "src").root == project
