"""Up to which commit the state branch is known to be the ledger's own, or was judged."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from orchgit.repository import files, git

if TYPE_CHECKING:
    from orchgit.repository.layout import Layout

_COMMIT = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\n?")


def read(layout: Layout) -> str | None:
    """Return that commit; None where this clone has not judged any yet, or its note of that is damaged."""
    data = files.read(layout.settled)
    return data.decode().strip() if data and _COMMIT.fullmatch(data) else None


def is_behind(layout: Layout, tip: str) -> bool:
    """Are there commits up to `tip` that nobody has judged? A clone that begins takes what it finds as it is."""
    known = read(layout)
    if known is None:
        with suppress(OSError):
            note(layout, tip)
    return known not in (None, tip)


def touched(layout: Layout, tip: str) -> frozenset[str]:
    """Return the files that are about in the commits up to `tip` that nobody has judged."""
    known = read(layout)
    if known in (None, tip):
        return frozenset()
    said = git.call("log", "--format=", "--name-only", "--no-renames", "-m", "-z", f"{known}..{tip}", cwd=layout.common)
    return frozenset(said.fields)


def note(layout: Layout, tip: str) -> None:
    files.replace(layout.settled, f"{tip}\n".encode())


def follow(layout: Layout, *, parent: str, tip: str) -> None:
    """Note that the ledger put `tip` on top of `parent`; where `parent` is not judged yet, neither is what follows."""
    if read(layout) == parent:
        note(layout, tip)
