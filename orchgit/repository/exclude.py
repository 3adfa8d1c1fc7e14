"""The entry in `info/exclude` that keeps `.orchestry/` out of the project's own `git status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.repository import files
from orchgit.repository.layout import STATE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.layout import Layout

_ENTRY = f"/{STATE_FOLDER}/".encode()


def path(layout: Layout) -> Path:
    return layout.common / "info" / "exclude"


def add(layout: Layout) -> bool:
    """Add the entry at the end, once, keeping every byte before it; return whether it was missing."""
    place = path(layout)
    before = files.read(place) or b""
    if _ENTRY in (line.strip() for line in before.splitlines()):
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("ab") as file:  # in place: the file may be a link into somebody's dotfiles
        file.write((b"" if before.endswith(b"\n") or not before else b"\n") + _ENTRY + b"\n")
    return True


def restore(layout: Layout, before: bytes | None) -> None:
    """Set the file back to `before` (None: there was none)."""
    if before is None:
        path(layout).unlink(missing_ok=True)
    elif files.read(path(layout)) != before:
        path(layout).write_bytes(before)
