from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from orchgit.model.lifecycle import Ask
from orchgit.repository import ledger
from tests.support.repos import commit, git, git_bytes, write
from tests.support.states import (
    ADA,
    committed,
    disorder,
    make_project,
    path_of,
    place_of,
    take,
    task_text,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orchgit.repository.layout import Layout

ONE, TWO = "tsk_000001", "tsk_000002"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_project(tmp_path / "project", ONE, TWO)


def test_what_a_person_typed_elsewhere_in_the_file_stays(layout: Layout) -> None:
    typed = task_text(ONE).replace("title: Do", "labels: [mine]  # typed\ntitle: Really do") + "And more.\n"
    place_of(layout, ONE).write_text(typed)
    assert take(layout, ONE) == []
    now = place_of(layout, ONE).read_text()
    assert now == typed.replace("todo  #", "in_progress  #").replace(
        "---\nDo", "attempts: 1\nagent: Ada Lovelace\n---\nDo"
    )
    assert "mine" not in committed(layout, path_of(ONE))
    assert git(layout.state, "status", "--porcelain") == f" M {path_of(ONE)}"


def test_where_both_change_a_key_the_ledger_wins_and_the_typed_file_is_kept(layout: Layout) -> None:
    typed = task_text(ONE).replace("status: todo", "status: done")
    place_of(layout, ONE).write_text(typed)
    (notice,) = take(layout, ONE)
    ref = f"refs/orchgit/edits/{ONE}/1"
    assert notice == (
        f"{path_of(ONE)}: status as typed gave way to what orchgit had to write; the typed file is {ref}."
    )
    assert git_bytes(layout.common, "cat-file", "blob", ref).decode() == typed
    assert disorder(layout) == ""


def test_config_is_merged_key_by_key(layout: Layout, caplog: pytest.LogCaptureFixture) -> None:
    place = layout.state / "config.yaml"
    before = place.read_text()
    place.write_text(before.replace("  base: main", "  base: trunk") + "mine: 1  # typed\n")
    with ledger.writing(layout, ADA) as book:
        text = book.text("config.yaml").replace("  base: main", "  base: next").replace("name: project", "name: shop")
        book.put("config.yaml", text, "config: set project.base")
    assert "mine: 1  # typed\n" in place.read_text()
    assert "  base: next" in place.read_text()
    assert "name: shop" in place.read_text()
    (notice,) = caplog.messages
    assert notice.startswith("orchgit: config.yaml: project.base as typed gave way to what orchgit had to write; ")
    assert notice.endswith("the typed file is refs/orchgit/edits/config-yaml/1.")


@pytest.mark.parametrize(
    "typed", [b"---\nid: [broken\n---\n", b"---\nnever closed\n", b"\xff\xfe", b"---\na: 1\na: 2\n---\n"]
)
def test_what_is_typed_and_can_not_be_read_stays_as_typed(layout: Layout, typed: bytes) -> None:
    place_of(layout, ONE).write_bytes(typed)
    (notice,) = take(layout, ONE)
    assert notice.startswith(f"{path_of(ONE)} stays as typed, though orchgit had to change it: {path_of(ONE)}:")
    assert place_of(layout, ONE).read_bytes() == typed
    assert "status: in_progress" in committed(layout, path_of(ONE))


def test_an_empty_file_is_an_edit_too(layout: Layout) -> None:
    place_of(layout, ONE).write_bytes(b"")
    take(layout, ONE)
    assert place_of(layout, ONE).read_text() == ("---\nstatus: in_progress\nattempts: 1\nagent: Ada Lovelace\n---\n")


def test_what_is_staged_stays_staged(layout: Layout) -> None:
    write(layout.state, {"notes/mine.md": "mine\n", path_of(TWO): task_text(TWO) + "More.\n"})
    git(layout.state, "add", "--", "notes/mine.md", path_of(TWO))
    (layout.state / ".gitattributes").unlink()
    git(layout.state, "rm", "--quiet", "--cached", "--", ".gitattributes")
    take(layout, ONE)
    assert git(layout.state, "status", "--porcelain").splitlines() == [
        "D  .gitattributes",
        "A  notes/mine.md",
        f"M  {path_of(TWO)}",
    ]


def test_a_file_deleted_by_hand_is_back(layout: Layout) -> None:
    place_of(layout, ONE).unlink()
    assert take(layout, ONE) == [f"{path_of(ONE)} had been deleted by hand; it is back."]
    assert disorder(layout) == ""


def test_a_folder_deleted_by_hand_is_back(layout: Layout) -> None:
    for place in sorted((layout.state / "tasks").iterdir()):
        place.unlink()
    (layout.state / "tasks").rmdir()
    take(layout, ONE)
    assert git(layout.state, "status", "--porcelain") == f" D {path_of(TWO)}"


def test_a_file_typed_meanwhile_where_one_is_removed_stays(layout: Layout, caplog: pytest.LogCaptureFixture) -> None:
    place_of(layout, ONE).write_text("mine\n")
    with ledger.writing(layout, ADA) as book:
        book.remove(path_of(ONE), "task: deleted")
    assert caplog.messages == [f"orchgit: {path_of(ONE)} was changed by hand meanwhile; it stays as typed."]
    assert place_of(layout, ONE).read_text() == "mine\n"
    assert git(layout.state, "status", "--porcelain") == f"?? {path_of(ONE)}"


def _directory(place: Path, tmp_path: Path) -> None:
    place.unlink()
    place.mkdir()
    (place / "mine").write_text("mine\n")


def _link(place: Path, tmp_path: Path) -> None:
    place.unlink()
    (tmp_path / "target").write_text("theirs\n")
    place.symlink_to(tmp_path / "target")


def _linked_folder(place: Path, tmp_path: Path) -> None:
    place.parent.rename(tmp_path / "elsewhere")
    place.parent.symlink_to(tmp_path / "elsewhere")


def _file_for_folder(place: Path, tmp_path: Path) -> None:
    place.parent.rename(tmp_path / "elsewhere")
    place.parent.write_text("mine\n")


@pytest.mark.parametrize("obstruct", [_directory, _link, _linked_folder, _file_for_folder])
def test_what_is_no_file_of_ours_is_left_alone_and_named(
    layout: Layout, tmp_path: Path, obstruct: Callable[[Path, Path], None]
) -> None:
    obstruct(place_of(layout, ONE), tmp_path)
    (notice,) = take(layout, ONE)
    assert notice.startswith(f"{path_of(ONE)} was committed, but {layout.state}/tasks")
    assert not (layout.journal).exists()
    for kept in ("elsewhere/tsk_000001.md", "target"):
        if (tmp_path / kept).exists():
            assert "in_progress" not in (tmp_path / kept).read_text()
    take(layout, TWO)
    assert "status: in_progress" in committed(layout, path_of(ONE))


def test_a_merge_that_a_person_has_begun_is_not_lost(layout: Layout) -> None:
    """Unmerged entries of other files stay unmerged."""
    git(layout.state, "checkout", "--quiet", "--detach")
    mine = commit(layout.state, {path_of(TWO): task_text(TWO) + "Mine.\n"}, "mine")
    git(layout.state, "checkout", "--quiet", "orchestry")
    commit(layout.state, {path_of(TWO): task_text(TWO) + "Theirs.\n"}, "theirs")
    subprocess.run(["git", "merge", "--quiet", mine], cwd=layout.state, check=False, capture_output=True)
    take(layout, ONE)
    assert git(layout.state, "status", "--porcelain") == f"UU {path_of(TWO)}"


def test_a_person_who_commits_in_between_is_built_upon(layout: Layout) -> None:
    take(layout, ONE)
    commit(layout.state, {path_of(TWO): task_text(TWO) + "More.\n"}, "by hand")
    with ledger.writing(layout, ADA) as book:
        assert book.text(path_of(TWO)).endswith("More.\n")
        book.transition(TWO, Ask.TAKE, sets={"agent": "Ada"})
    assert committed(layout, path_of(TWO)).endswith("More.\n")
    assert disorder(layout) == ""
