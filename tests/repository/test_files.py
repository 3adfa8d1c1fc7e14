from __future__ import annotations

import errno
import os
import sys
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


@pytest.fixture(params=[0, errno.EINVAL], ids=["exchanging", "unable to exchange"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file that says "old", on a system that can exchange two files, and on one that can't."""

    def unable(one: Path, other: Path) -> None:
        raise OSError(request.param, os.strerror(request.param))

    if request.param:
        monkeypatch.setattr(files, "_exchanger", lambda: unable)
    path = tmp_path / "folder" / "file"
    files.replace(path, b"old")
    return path


class TestASwap:
    def test_puts_bytes_in_the_place_of_others(self, place: Path) -> None:
        place.chmod(0o600)
        assert files.swap(place, b"new", seen=b"old")
        assert (place.read_bytes(), place.stat().st_mode & 0o777) == (b"new", 0o600)
        assert files.swap(place, None, seen=b"new")
        assert files.swap(place, b"again", seen=None)
        assert place.read_bytes() == b"again"
        assert names(place.parent) == ["file"]

    @pytest.mark.parametrize("seen", [b"older", None])
    def test_leaves_what_somebody_typed_meanwhile(self, place: Path, seen: bytes | None) -> None:
        assert not files.swap(place, b"new", seen=seen)
        assert place.read_bytes() == b"old"
        assert names(place.parent) == ["file"]

    def test_takes_nothing_away_that_is_not_what_was_seen(self, place: Path) -> None:
        assert not files.swap(place, None, seen=b"older")
        assert place.read_bytes() == b"old"
        assert names(place.parent) == ["file"]

    def test_brings_nothing_back_that_somebody_took_away(self, place: Path) -> None:
        place.unlink()
        assert not files.swap(place, b"new", seen=b"old")
        assert files.swap(place, None, seen=b"old")
        assert names(place.parent) == []

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells who has a file open")
    def test_waits_for_whoever_still_writes(self, place: Path) -> None:
        with place.open("ab") as writer:
            assert not files.swap(place, b"new", seen=b"old")
            writer.write(b", and more")
        assert place.read_bytes() == b"old, and more"

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux exchanges two files")
    def test_puts_back_what_was_saved_that_moment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        place, exchange = tmp_path / "file", files._exchanger()
        place.write_bytes(b"old")

        def saved_just_before(one: Path, other: Path) -> None:
            if place.read_bytes() == b"old":
                place.write_bytes(b"typed")
            exchange(one, other)

        monkeypatch.setattr(files, "_exchanger", lambda: saved_just_before)
        assert not files.swap(place, b"new", seen=b"old")
        assert place.read_bytes() == b"typed"
        assert names(tmp_path) == ["file", "home"]


def test_drafts_are_swept_and_nothing_else(tmp_path: Path) -> None:
    for name in (".orchgit-1-2.tmp", ".orchgit-note", "mine.tmp"):
        (tmp_path / name).write_text("")
    files.sweep(tmp_path)
    assert names(tmp_path) == [".orchgit-note", "home", "mine.tmp"]
