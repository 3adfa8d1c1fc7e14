"""The name of this clone among all that share a state branch."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from orchgit.repository import files

if TYPE_CHECKING:
    from orchgit.repository.layout import Layout

_ID = re.compile(rb"[0-9a-f]{6}\n?")


def machine_id(layout: Layout) -> str:
    """Return the six hex digits that name this clone, made when first asked for; all who ask get the same."""
    place = layout.local / "machine"
    known = files.read(place)
    if known is None or not _ID.fullmatch(known):
        known = _made(layout, replacing=known is not None)
    return known.decode().strip()


def _made(layout: Layout, *, replacing: bool) -> bytes:
    place, draft = layout.local / "machine", layout.local / f"machine.{os.urandom(6).hex()}"
    files.replace(draft, f"{os.urandom(3).hex()}\n".encode(), durable=True)
    if replacing:
        draft.replace(place)
    else:
        with suppress(FileExistsError):  # somebody was faster, and theirs counts
            os.link(draft, place)
        draft.unlink()
    return place.read_bytes()
