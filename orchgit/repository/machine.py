"""The name of this clone among all that share a state branch."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from orchgit.repository import files

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.layout import Layout

_ID = re.compile(rb"[0-9a-f]{6}\n?")


def machine_id(layout: Layout) -> str:
    """Return the six hex digits that name this clone, made when first asked for; all who ask get the same."""
    known = files.read(place(layout))
    if known is None or not _ID.fullmatch(known):
        known = _made(layout, replacing=known is not None)
    return known.decode().strip()


def known_id(layout: Layout) -> str | None:
    """Return the name that this clone has; None where it has none yet, or what is there is no name."""
    data = files.read(place(layout))
    return data.decode().strip() if data is not None and _ID.fullmatch(data) else None


def is_damaged(layout: Layout) -> bool:
    return place(layout).exists() and known_id(layout) is None


def put_back(layout: Layout, name: str) -> None:
    """Give this clone the name that it had."""
    files.replace(place(layout), f"{name}\n".encode(), durable=True)


def place(layout: Layout) -> Path:
    return layout.local / "machine"


def _made(layout: Layout, *, replacing: bool) -> bytes:
    named, draft = place(layout), layout.local / f"machine.{os.urandom(6).hex()}"
    files.replace(draft, f"{os.urandom(3).hex()}\n".encode(), durable=True)
    if replacing:
        draft.replace(named)
    else:
        with suppress(FileExistsError):  # somebody was faster, and theirs counts
            os.link(draft, named)
        draft.unlink()
    return named.read_bytes()
