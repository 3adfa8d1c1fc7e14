"""What a person types into files, and the ways in which editors save it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def in_place(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def by_renaming(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(data)
    draft.replace(path)


def twice(path: Path, data: bytes) -> None:
    """Save half of it, then all of it, as an editor does that a linter has run in."""
    path.write_bytes(data[: len(data) // 2])
    path.write_bytes(data)


def moving_away(path: Path, data: bytes) -> None:
    """Let the old file be the backup, and write a new one, as vim does."""
    probe, backup = path.with_name("4913"), path.with_name(f"{path.name}~")
    probe.touch()
    probe.unlink()
    if path.exists():
        path.rename(backup)
    path.write_bytes(data)
    backup.unlink(missing_ok=True)


def slowly(path: Path, data: bytes) -> None:
    """Write through a descriptor that stays open, piece by piece."""
    with path.open("wb", buffering=0) as file:
        for at in range(0, len(data), 64):
            file.write(data[at : at + 64])
        os.fsync(file.fileno())


SAVES: Final[Mapping[str, Callable[[Path, bytes], None]]] = {
    "in place": in_place,
    "by renaming": by_renaming,
    "twice": twice,
    "moving away": moving_away,
    "slowly": slowly,
}


def with_line(text: bytes, key: str, value: str) -> bytes:
    """Return a file with `key: value` in its front matter, where it has one; else at its beginning."""
    lines = text.split(b"\n")
    new = f"{key}: {value}".encode()
    at = next((at for at, line in enumerate(lines) if line.startswith(f"{key}:".encode())), None)
    if at is not None:
        lines[at] = new
    else:
        lines.insert(1 if text.startswith(b"---\n") else 0, new)
    return b"\n".join(lines)


def with_text(text: bytes, line: str) -> bytes:
    return text + (b"" if text.endswith(b"\n") else b"\n") + line.encode() + b"\n"


def _first_line(text: bytes, line: str) -> bytes:
    top, dashes, body = text.rpartition(b"\n---\n")
    return top + dashes + line.encode() + b"\n" + body


# Each takes a file and a mark that nothing else holds, and returns the file with the mark in it.
LEGAL: Final[Mapping[str, Callable[[bytes, str], bytes]]] = {
    "title": lambda text, mark: with_line(text, "title", f"Do {mark}"),
    "priority": lambda text, mark: with_line(text, "priority", f"{1 + int(mark[1:-1]) % 4}  # {mark}"),
    "labels": lambda text, mark: with_line(text, "labels", f"[{mark}]"),
    "own key": lambda text, mark: with_line(text, f"x_{mark}", "1"),
    "comment": lambda text, mark: with_line(text, "created", f"2026-11-22T10:00:00Z  # {mark}"),
    "to the bad one": lambda text, mark: with_line(text, "assignee", f"bad  # {mark}"),
    "last line": lambda text, mark: with_text(text, f"And {mark}."),
    "first line": _first_line,
    "another body": lambda text, mark: text.rpartition(b"\n---\n")[0] + f"\n---\nOnly {mark}.\n".encode(),
    "feedback": lambda text, mark: with_text(text, f"\n## Feedback\n\n{mark}"),
    "Windows' line ends": lambda text, mark: with_text(text, mark).replace(b"\n", b"\r\n"),
    "no last line end": lambda text, mark: with_text(text, mark).rstrip(b"\n"),
    "title, labels and text": lambda text, mark: with_text(
        with_line(with_line(text, "title", f"Now {mark}"), "labels", "[x]"), mark
    ),
}
ILLEGAL: Final[Mapping[str, Callable[[bytes, str], bytes]]] = {
    "a broken key": lambda text, mark: with_line(text, "title", f"[{mark}"),
    "a key twice": lambda text, mark: with_line(text, "x", f"1\nx: {mark}"),
    "never closed": lambda text, mark: f"---\ntitle: {mark}\n".encode(),
    "emptied": lambda text, mark: b"",
    "only spaces": lambda text, mark: b" \n",
    "a NUL in the text": lambda text, mark: with_text(text, f"{mark} \0 {mark}"),
    "a NUL in a key": lambda text, mark: with_line(text, "title", f"a \0 {mark}"),
    "no UTF-8": lambda text, mark: with_text(text, mark) + b"caf\xe9 \xff\n",
    "no UTF-8 in a key": lambda text, mark: with_line(text, "title", mark).replace(b"title: ", b"title: \xe9"),
    "a mark of bytes": lambda text, mark: b"\xef\xbb\xbf" + with_text(text, mark),
    "a priority": lambda text, mark: with_line(text, "priority", f"high  # {mark}"),
    "attempts": lambda text, mark: with_line(text, "attempts", f"7  # {mark}"),
    "a run": lambda text, mark: with_line(text, "run", f"run_abcdef  # {mark}"),
    "a review": lambda text, mark: with_line(text, "review_commit", f"{'a' * 40}  # {mark}"),
    "another id": lambda text, mark: with_line(text, "id", f"tsk_zzzzzz  # {mark}"),
    "a circle": lambda text, mark: with_line(text, "depends_on", f"[nobody]  # {mark}"),
    "no keys": lambda text, mark: f"# {mark}\n\nJust text.\n".encode(),
}
_NO_W = str.maketrans("", "", "w")
NEW: Final[Mapping[str, Callable[[str], bytes]]] = {
    "a heading": lambda mark: f"# Do {mark}\n\nText.\n".encode(),
    "text": lambda mark: f"Do {mark}.\n".encode(),
    "keys": lambda mark: f"---\ntitle: {mark}  # so\npriority: 1\n---\nText.\n".encode(),
    "an id": lambda mark: f"---\nid: tsk_{mark.translate(_NO_W)}\ntitle: {mark}\n---\n".encode(),
    "Windows": lambda mark: f"---\r\ntitle: {mark}\r\n---\r\nText.\r\n".encode(),
    "begun": lambda mark: f"---\ntitle: {mark}\nstatus: done\n---\n".encode(),
    "broken": lambda mark: f"---\ntitle: [{mark}\n---\n".encode(),
    "NUL": lambda mark: f"# {mark}\0\n\0\n".encode(),
    "no UTF-8": lambda mark: f"# {mark}".encode() + b"\xff\n",
    "empty": lambda mark: b"",
}
