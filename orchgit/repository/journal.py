"""What a write was about to do, on disk before it does it, so that the next command can finish it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass
from orchgit.repository import files

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """The tip that the write started from, and every path that it touches."""

    tip: str
    paths: tuple[str, ...]


def write(path: Path, entry: Entry) -> None:
    """Have the entry on the disk when this returns. A file that was not written whole can't be read, and is none."""
    with path.open("wb") as file:
        file.write(json.dumps({"tip": entry.tip, "paths": entry.paths}).encode())
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Entry | None:
    """Return the unfinished write, or None; a file that can't be read is none: the branch moves only after it."""
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
