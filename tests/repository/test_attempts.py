from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchgit.model import actor
from orchgit.repository import attempts, worktrees
from tests.support.repos import commit, git, git_bytes, is_clean, is_sound, make_repo, make_script, write
from tests.support.states import ADA, make_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchgit.repository.attempts import Kept
    from orchgit.repository.layout import Layout

BRANCH = "orchgit/tsk_1-do"
BOT = actor.agent("bot")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = make_project(tmp_path / "project")
    commit(layout.root, {".gitignore": "ignored\n*.log\n", "run.sh": "#!/bin/sh\n", "docs/a.md": "a\n"}, "more")
    return layout


@pytest.fixture
def place(layout: Layout, tmp_path: Path) -> Path:
    place = tmp_path / "project.orchgit" / "tsk_1"
    worktrees.ensure(layout, place, branch=BRANCH, base="main")
    return place


def own(layout: Layout, place: Path) -> Path:
    found = worktrees.git_dir(layout, place)
    assert found is not None
    return found


def keep(layout: Layout, place: Path, *, branch: str | None = BRANCH) -> Kept:
    worktree = attempts.Worktree(place, own(layout, place))
    return attempts.keep(worktree, "Do it\n\nTask: tsk_1\n", author=BOT, committer=ADA, branch=branch)


def files(layout: Layout, revision: str) -> dict[str, str]:
    """Return mode and content of every file of a commit."""
    entries = git_bytes(layout.common, "ls-tree", "-r", "-z", revision).decode().split("\0")[:-1]
    listed = [(path, *meta.split()) for meta, _, path in (entry.partition("\t") for entry in entries)]
    return {
        path: f"{mode} {git_bytes(layout.common, 'cat-file', 'blob', oid).decode()}"
        if kind == "blob"
        else f"{mode} {oid}"
        for path, mode, kind, oid in listed
    }


def changes(layout: Layout, revision: str) -> list[str]:
    return git(layout.common, "diff", "--name-status", "--no-renames", "main", revision).splitlines()


def test_everything_but_ignored_files_becomes_the_agent_s_commit(layout: Layout, place: Path) -> None:
    write(
        place,
        {"new/deep.txt": "x\n", "README.md": "changed\n", "ignored": "secret\n", "x.log": "log\n", "a b'\n": "odd\n"},
    )
    (place / "docs/a.md").unlink()
    (place / "empty").mkdir()
    (place / "run.sh").chmod(0o755)
    (place / "link").symlink_to("README.md")
    kept = keep(layout, place)
    found = files(layout, kept.commit)
    assert (kept.notes, kept.complete) == ((), True)
    assert found["README.md"] == "100644 changed\n"
    assert found["new/deep.txt"] == "100644 x\n"
    assert found["a b'\n"] == "100644 odd\n"
    assert found["run.sh"] == "100755 #!/bin/sh\n"
    assert found["link"] == "120000 README.md"
    assert not {"ignored", "x.log", "docs/a.md"} & found.keys()
    main = git(layout.root, "rev-parse", "main")
    assert git(layout.common, "show", "--no-patch", "--format=%an <%ae>|%cn <%ce>|%P|%B", kept.commit) == (
        f"bot <bot@orchgit>|Ada Lovelace <ada@example.org>|{main}|Do it\n\nTask: tsk_1\n"
    )
    assert git(layout.root, "rev-parse", BRANCH) == kept.commit
    assert is_clean(place)
    assert is_clean(layout.root)
    assert (place / "ignored").read_text() == "secret\n"
    assert is_sound(layout.common)


def test_nothing_left_is_no_commit(layout: Layout, place: Path) -> None:
    assert keep(layout, place).commit == git(layout.root, "rev-parse", "main")
    mine = commit(place, {"x": "x"}, "the agent's own")
    assert keep(layout, place).commit == mine
    assert git(layout.root, "log", "-1", "--format=%s", BRANCH) == "the agent's own"


def test_without_a_branch_nothing_in_the_worktree_moves(layout: Layout, place: Path) -> None:
    write(place, {"x": "x", "staged": "s"})
    git(place, "add", "staged")
    before = git(place, "status", "--porcelain"), (own(layout, place) / "index").read_bytes()
    kept = keep(layout, place, branch=None)
    assert changes(layout, kept.commit) == ["A\tstaged", "A\tx"]
    assert git(layout.root, "rev-parse", BRANCH) == git(layout.root, "rev-parse", "main")
    assert (git(place, "status", "--porcelain"), (own(layout, place) / "index").read_bytes()) == before


def test_attempts_are_numbered(layout: Layout, place: Path) -> None:
    write(place, {"x": "x"})
    kept = keep(layout, place)
    assert attempts.record(layout, "tsk_1", kept.commit) == "refs/orchgit/attempts/tsk_1/1"
    assert attempts.record(layout, "tsk_1", kept.commit) == "refs/orchgit/attempts/tsk_1/1"


# What stands in the way of an ordinary commit


def _failing_hooks(layout: Layout, place: Path) -> None:
    for hook in ("pre-commit", "commit-msg", "reference-transaction", "post-commit", "post-index-change"):
        make_script(layout.common / "hooks" / hook, "echo no >&2; exit 1")


def _no_identity(layout: Layout, place: Path) -> None:
    Path(os.environ["GIT_CONFIG_GLOBAL"]).write_text("[user]\n\tuseConfigOnly = true\n")


def _signing_without_key(layout: Layout, place: Path) -> None:
    for setting in ("commit.gpgsign", "tag.gpgsign"):
        git(layout.root, "config", setting, "true")
    git(layout.root, "config", "gpg.program", "false")


def _stale_lock(layout: Layout, place: Path) -> None:
    (own(layout, place) / "index.lock").write_bytes(b"")


def _broken_index(layout: Layout, place: Path) -> None:
    (own(layout, place) / "index").write_bytes(b"DIRC nonsense")


def _no_index(layout: Layout, place: Path) -> None:
    (own(layout, place) / "index").unlink()


def _detached(layout: Layout, place: Path) -> None:
    git(place, "checkout", "--quiet", "--detach")


def _no_pointer(layout: Layout, place: Path) -> None:
    (place / ".git").unlink()


def _own_repository(layout: Layout, place: Path) -> None:
    (place / ".git").unlink()
    git(place, "init", "--quiet")
    git(place, "add", ".")
    git(place, "commit", "--quiet", "-m", "mine")


def _intent_to_add(layout: Layout, place: Path) -> None:
    write(place, {"x": "x"})
    git(place, "add", "--intent-to-add", "x")


def _assumed_unchanged(layout: Layout, place: Path) -> None:
    git(place, "update-index", "--assume-unchanged", "README.md")


def _skipped(layout: Layout, place: Path) -> None:
    git(place, "update-index", "--skip-worktree", "README.md")


def _split_index(layout: Layout, place: Path) -> None:
    git(place, "update-index", "--split-index")


def _sparse(layout: Layout, place: Path) -> None:
    git(place, "sparse-checkout", "set", "--sparse-index", "src")
    assert not (place / "docs").exists()


def _crlf(layout: Layout, place: Path) -> None:
    for setting in ("core.autocrlf=input", "core.safecrlf=true", "core.fsmonitor=true"):
        git(layout.root, "config", *setting.split("="))


@pytest.mark.parametrize(
    "hinder",
    [
        _failing_hooks, _no_identity, _signing_without_key, _stale_lock, _broken_index, _no_index, _detached,
        _no_pointer, _own_repository, _intent_to_add, _assumed_unchanged, _skipped, _split_index, _sparse, _crlf,
    ],
)  # fmt: skip
def test_work_is_kept_all_the_same(layout: Layout, place: Path, hinder: Callable[[Layout, Path], None]) -> None:
    hinder(layout, place)
    write(place, {"x": "x", "README.md": "changed\n", "src/app.py": "print(2)\n"})
    kept = keep(layout, place)
    assert (kept.notes, kept.complete) == ((), True)
    assert changes(layout, kept.commit) == ["M\tREADME.md", "M\tsrc/app.py", "A\tx"]
    assert git(layout.root, "rev-parse", BRANCH) == kept.commit
    if hinder not in (_own_repository, _no_pointer):
        assert is_clean(place)
        assert git(place, "symbolic-ref", "HEAD") == f"refs/heads/{BRANCH}"


def test_another_repository_s_environment_is_none_of_ours(
    layout: Layout, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(place, {"x": "x"})
    for name in ("GIT_INDEX_FILE", "GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("GIT_GLOB_PATHSPECS", "1")
    commit_id = keep(layout, place).commit
    monkeypatch.undo()
    assert changes(layout, commit_id) == ["A\tx"]


def test_unmerged_paths_are_kept_with_their_marks(layout: Layout, place: Path) -> None:
    commit(place, {"README.md": "theirs\n"}, "theirs")
    commit(layout.root, {"README.md": "ours\n"}, "ours")
    done = subprocess.run(["git", "merge", "main"], cwd=place, capture_output=True, check=False)
    assert done.returncode == 1
    kept = keep(layout, place)
    assert kept.complete
    assert "<<<<<<< HEAD" in files(layout, kept.commit)["README.md"]
    assert is_clean(place)


def test_a_change_right_after_add_that_keeps_the_size_is_seen(layout: Layout, place: Path) -> None:
    """Git knows such a change only by the time of its index."""
    for turn in range(20):
        write(place, {"x": f"{turn:03}"})
        git(place, "add", "x")
        index = (own(layout, place) / "index").stat()
        write(place, {"x": f"{turn + 500:03}"})
        os.utime(place / "x", ns=(index.st_mtime_ns, index.st_mtime_ns))
        assert files(layout, keep(layout, place, branch=None).commit)["x"] == f"100644 {turn + 500:03}"


def test_modes_and_kinds_change(layout: Layout, place: Path) -> None:
    (place / "README.md").unlink()
    (place / "README.md").symlink_to("run.sh")
    (place / "docs/a.md").unlink()
    (place / "docs").rmdir()
    write(place, {"docs": "a file\n"})
    (place / "run.sh").unlink()
    write(place, {"run.sh/inner": "a folder\n"})
    found = files(layout, keep(layout, place).commit)
    assert found["README.md"] == "120000 run.sh"
    assert found["docs"] == "100644 a file\n"
    assert found["run.sh/inner"] == "100644 a folder\n"
    assert is_clean(place)


def test_a_long_path_is_kept(layout: Layout, place: Path) -> None:
    deep = "/".join(["d" * 200] * 15) + "/x"
    write(place, {deep: "x"})
    assert files(layout, keep(layout, place).commit)[deep] == "100644 x"


def test_what_git_can_not_read_is_named_and_the_rest_is_kept(layout: Layout, place: Path) -> None:
    git(layout.root, "config", "filter.gone.clean", "false")
    git(layout.root, "config", "filter.gone.required", "true")
    write(place, {f"{each}.txt": "x" for each in range(9)})
    write(place, {".gitattributes": "*.bin filter=gone\n", "a.bin": "x", "z*.bin": "x", "-x": "x"})
    (place / "README.md").unlink()
    make_nested(place / "nested")
    kept = keep(layout, place, branch=None)
    assert not kept.complete
    assert kept.notes[0].startswith("a.bin, z*.bin could not be kept: ")
    assert kept.notes[1] == f"nested {NESTED}"
    expected = {".gitattributes", "-x", "nested/inner.txt", *(f"{each}.txt" for each in range(9))}
    assert expected <= files(layout, kept.commit).keys()
    assert "README.md" not in files(layout, kept.commit)


# Repositories within


def make_nested(place: Path, *, commits: bool = True, text: str = "inner\n") -> Path:
    make_repo(place, files={"inner.txt": text} if commits else {})
    if not commits:
        write(place, {"inner.txt": text})
    write(place, {"more.txt": "more\n"})
    return place


NESTED = "is a repository of its own: its files were kept, its history was not"


@pytest.mark.parametrize("commits", [True, False])
@pytest.mark.parametrize("name", ["nested", "deep/er/nested", "odd [n]ame*", "-x"])
def test_a_nested_repository_is_kept_as_files(layout: Layout, place: Path, name: str, commits: bool) -> None:  # noqa: FBT001
    make_nested(place / name, commits=commits)
    write(place, {"x": "x"})
    kept = keep(layout, place)
    assert (kept.notes, kept.complete) == ((f"{name} {NESTED}",), True)
    found = files(layout, kept.commit)
    assert found[f"{name}/inner.txt"] == "100644 inner\n"
    assert found[f"{name}/more.txt"] == "100644 more\n"
    assert found["x"] == "100644 x"
    assert git(place / name, "status", "--porcelain").count("more.txt") == 1


def test_a_repository_nested_in_a_nested_one(layout: Layout, place: Path) -> None:
    make_nested(place / "one")
    make_nested(place / "one/two", commits=False)
    make_nested(place / "one/two/three")
    kept = keep(layout, place)
    found = files(layout, kept.commit)
    assert {f"{each}/inner.txt" for each in ("one", "one/two", "one/two/three")} <= found.keys()
    assert set(kept.notes) == {f"{each} {NESTED}" for each in ("one", "two", "three")}


def test_a_nested_repository_that_was_added_as_a_link(layout: Layout, place: Path) -> None:
    make_nested(place / "nested")
    subprocess.run(["git", "add", "nested"], cwd=place, check=True, capture_output=True)
    git(place, "commit", "--quiet", "-m", "a link")
    kept = keep(layout, place)
    assert kept.notes == (f"nested {NESTED}",)
    assert files(layout, kept.commit)["nested/inner.txt"] == "100644 inner\n"


def test_a_nested_repository_keeps_its_own_ignored_files_out(layout: Layout, place: Path) -> None:
    make_nested(place / "nested")
    write(place / "nested", {".gitignore": "mine\n", "mine": "x", "ignored": "x"})
    found = files(layout, keep(layout, place).commit)
    assert "nested/.gitignore" in found
    assert "nested/mine" not in found


def test_an_ignored_repository_stays_out(layout: Layout, place: Path) -> None:
    make_nested(place / "ignored")
    kept = keep(layout, place)
    assert (kept.notes, changes(layout, kept.commit)) == ((), [])


def test_a_nested_worktree_is_kept_as_files(layout: Layout, place: Path) -> None:
    git(place, "worktree", "add", "--quiet", "-b", "side", "side")
    write(place / "side", {"x": "x"})
    kept = keep(layout, place)
    assert kept.notes == (f"side {NESTED}",)
    assert files(layout, kept.commit)["side/x"] == "100644 x"


def test_what_is_changed_in_a_submodule_is_named(layout: Layout, tmp_path: Path, place: Path) -> None:
    library = make_repo(tmp_path / "library")
    git(place, "submodule", "--quiet", "add", library, "lib")
    git(place, "commit", "--quiet", "-m", "a submodule")
    assert keep(layout, place).complete
    write(place / "lib", {"README.md": "mine\n"})
    kept = keep(layout, place)
    assert (kept.notes, kept.complete) == (("what was changed in the submodule lib could not be kept",), False)
    git(place / "lib", "commit", "--quiet", "-am", "mine")
    kept = keep(layout, place)
    assert not kept.complete


def test_what_is_left_out_by_name_may_be_ignored_as_well(layout: Layout, place: Path) -> None:
    write(place, {"ignored": "x", "mine.txt": "x", "new.txt": "new\n"})
    worktree = attempts.Worktree(place, own(layout, place))
    kept = attempts.keep(worktree, "Do it", author=BOT, committer=ADA, but=("ignored", "mine.txt", "missing"))
    assert (kept.notes, kept.complete, changes(layout, kept.commit)) == ((), True, ["A\tnew.txt"])
