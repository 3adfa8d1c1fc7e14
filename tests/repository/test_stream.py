from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.model.errors import BusyError, GitError
from orchgit.repository import stream
from orchgit.repository.stream import Commit, Put, Remove, Signature
from tests.support import signing
from tests.support.repos import git, git_bytes, is_sound, make_repo, subjects
from tests.support.states import add_tasks, disorder, make_project, take

if TYPE_CHECKING:
    from pathlib import Path

REF = "refs/heads/state"
ADA = Signature("Ada Lovelace", "ada@example.org", 1_800_000_000)


@pytest.fixture
def common(tmp_path: Path) -> Path:
    return make_repo(tmp_path / "project") / ".git"


def put(path: str, data: bytes = b"x\n", message: str = "m\n") -> Commit:
    return Commit(message, ADA, ADA, (Put(path, data),))


def files(common: Path) -> dict[str, bytes]:
    names = git_bytes(common, "ls-tree", "-r", "-z", "--name-only", REF).decode().split("\0")[:-1]
    return {name: git_bytes(common, "cat-file", "blob", f"{REF}:{name}") for name in names}


def test_a_root_commit_and_what_follows(common: Path) -> None:
    root = stream.write(common, REF, None, [put("a", b"1"), put("b/c", b"\0\r\n")])
    assert (len(root.commits), root.tip) == (2, root.commits[-1])
    change = Commit("two\n", ADA, Signature("Bob", "bob@x", 1_800_000_001), (Put("a", b"2"), Remove("b/c")))
    landed = stream.write(common, REF, root.tip, [change])
    assert landed.tip == git(common, "rev-parse", REF)
    assert files(common) == {"a": b"2"}
    assert git(common, "log", "-1", "--format=%an <%ae> %at|%cn <%ce> %ct|%B", REF) == (
        "Ada Lovelace <ada@example.org> 1800000000|Bob <bob@x> 1800000001|two\n"
    )
    assert is_sound(common)


def test_a_thousand_commits_in_one_stream(common: Path) -> None:
    landed = stream.write(common, REF, None, [put(f"t/{each}", b"%d" % each, f"{each}\n") for each in range(1000)])
    assert len(set(landed.commits)) == 1000
    assert subjects(common, REF) == [str(each) for each in reversed(range(1000))]
    assert is_sound(common)


@pytest.mark.parametrize(
    "path", ['q"uote', "back\\slash", "new\nline", "-x", " lead", "tail ", "ü/\U0001f600", "t\tb", "a\x01b"]
)
def test_any_path(common: Path, path: str) -> None:
    stream.write(common, REF, None, [put(path)])
    assert files(common) == {path: b"x\n"}


@pytest.mark.parametrize(
    ("name", "email", "written"),
    [
        ("", "a@b", "unknown <a@b>"),
        ("A <b>\nc", "x>\n<y", "A bc <xy>"),
        ("  Ünï  ", " a@b ", "Ünï <a@b>"),
        (b"Latin \xe9".decode(errors="surrogateescape"), "a@b", b"Latin \xe9 <a@b>".decode(errors="surrogateescape")),
    ],
)
def test_any_name(common: Path, name: str, email: str, written: str) -> None:
    who = Signature(name, email, 1_800_000_000)
    stream.write(common, REF, None, [Commit("m\n", who, who, (Put("a", b""),))])
    assert git(common, "cat-file", "commit", REF).splitlines()[1] == f"author {written} 1800000000 +0000"


def test_a_message_is_kept_but_for_what_git_can_not_hold(common: Path) -> None:
    stream.write(common, REF, None, [put("a", message="one\0two\n\ndata 5\ndone\n")])
    assert git(common, "log", "-1", "--format=%B", REF) == "onetwo\n\ndata 5\ndone\n"
    assert is_sound(common)


def test_a_tip_that_came_in_between_is_not_lost(common: Path) -> None:
    root = stream.write(common, REF, None, [put("a")]).tip
    theirs = stream.write(common, REF, root, [put("b")]).tip
    with pytest.raises(BusyError, match="moved on while it was written to; nothing was changed"):
        stream.write(common, REF, root, [put("c")])
    assert git(common, "rev-parse", REF) == theirs


def test_what_git_refuses_is_told_and_leaves_no_report(common: Path) -> None:
    with pytest.raises(GitError, match="git fast-import failed") as caught:
        stream.write(common, REF, "1" * 40, [put("a")])
    assert "crash report" not in str(caught.value)
    assert not list(common.glob("fast_import_crash_*"))


def test_a_path_and_a_folder_of_that_name(common: Path) -> None:
    root = stream.write(common, REF, None, [put("a")]).tip
    stream.write(common, REF, root, [put("a/b")])
    assert files(common) == {"a/b": b"x\n"}


def test_commits_are_signed_where_git_is_set_to(tmp_path: Path, world: Path) -> None:
    signing.use_ssh(world)
    layout = make_project(tmp_path / "project")
    add_tasks(layout, "tsk_aa", "tsk_bb")
    said = git(layout.common, "log", "--format=%G? %an <%ae>, %cn: %s", "orchestry").splitlines()
    who = "Ada Lovelace <ada@example.org>, Ada Lovelace"
    assert said == [f"G {who}: task(tsk_bb): created", f"G {who}: task(tsk_aa): created", f"G {who}: state: created"]
    assert git(layout.common, "for-each-ref", "--format=%(refname)").split() == [
        "refs/heads/main", "refs/heads/orchestry",
    ]  # fmt: skip
    assert disorder(layout) == ""


def test_a_signature_that_fails_changes_nothing(tmp_path: Path, world: Path) -> None:
    layout = make_project(tmp_path / "project", "tsk_aa")
    tip = git(layout.common, "rev-parse", "orchestry")
    signing.use_ssh(world)
    signing.lose_key(world)
    with pytest.raises(GitError, match=r"could not be signed: .*nowhere.* Nothing was changed"):
        take(layout, "tsk_aa")
    assert git(layout.common, "rev-parse", "orchestry") == tip
    assert disorder(layout) == ""
    signing.use_ssh(world, name="again")
    take(layout, "tsk_aa")
    assert git(layout.common, "log", "-1", "--format=%G?", "orchestry") == "G"


def test_a_signed_commit_is_refused_where_the_branch_moved_on(tmp_path: Path, world: Path) -> None:
    layout = make_project(tmp_path / "project", "tsk_aa")
    signing.use_ssh(world)
    who = stream.Signature("Ada", "ada@example.org", 1_800_000_000)
    commit = stream.Commit("late\n", who, who, (stream.Put("a", b"a"),))
    with pytest.raises(BusyError, match="moved on"):
        stream.write(layout.common, "refs/heads/orchestry", git(layout.common, "rev-parse", "orchestry~1"), [commit])


def test_a_lock_that_a_git_left_is_named(common: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_MOMENT", 0.1)
    lock = common / "refs/heads/state.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    with pytest.raises(BusyError) as refused:
        stream.write(common, "refs/heads/state", None, [put("a")])
    assert refused.value.what == f"{lock} keeps every git from moving the branch; nothing was changed."
    assert "one that died left that file" in refused.value.next_step
    lock.unlink()
    stream.write(common, "refs/heads/state", None, [put("a")])


def test_a_lock_that_goes_is_waited_for(common: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = common / "refs/heads/state.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    monkeypatch.setattr("time.sleep", lambda _: lock.unlink())
    assert len(stream.write(common, "refs/heads/state", None, [put("a")]).commits) == 1
