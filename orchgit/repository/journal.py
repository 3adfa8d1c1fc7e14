"""What a write was about to do, on disk before it does it, so that the next command can finish it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchgit.repository import files

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """The tip that the write started from, and every path that it touches."""

    tip: str
    paths: tuple[str, ...]


def write(path: Path, entry: Entry) -> None:
    files.replace(path, json.dumps({"tip": entry.tip, "paths": entry.paths}).encode(), durable=True)


def read(path: Path) -> Entry | None:
    """Return the unfinished write, or None; a file that can't be read is none: it is on disk before the ref moves."""
    data = files.read(path)
    if data is None:
        return None
    try:
        found = json.loads(data)
        return Entry(str(found["tip"]), tuple(str(each) for each in found["paths"]))
    except (ValueError, KeyError, TypeError):
        return None


def drop(path: Path) -> None:
    path.unlink(missing_ok=True)
