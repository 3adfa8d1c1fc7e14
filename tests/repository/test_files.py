from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.repository import files

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "file"
    files.replace(place, b"one")
    assert place.stat().st_mode & 0o777 == 0o644
    place.chmod(0o600)
    inode = place.stat().st_ino
    files.replace(place, b"two", durable=True)
    assert (place.read_bytes(), place.stat().st_mode & 0o777) == (b"two", 0o600)
    assert place.stat().st_ino != inode
    assert names(place.parent) == ["file"]


def test_a_replacement_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").write_text("")
    with pytest.raises(IsADirectoryError):
        files.replace(tmp_path / "folder", b"data")
    assert names(tmp_path) == ["folder", "home"]


def test_reading_what_is_no_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    assert files.read(tmp_path / "file") == b"x"
    assert [files.read(tmp_path / each) for each in ("none", "file/below", ".")] == [None] * 3


def test_drafts_are_swept_and_nothing_else(tmp_path: Path) -> None:
    for name in (".orchgit-1-2.tmp", ".orchgit-note", "mine.tmp"):
        (tmp_path / name).write_text("")
    files.sweep(tmp_path)
    assert names(tmp_path) == [".orchgit-note", "home", "mine.tmp"]
