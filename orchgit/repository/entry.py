"""The way in: opens the initialised project that a folder lies in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model.errors import NotFoundError
from orchgit.repository import find

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.find import Located


def open(start: Path) -> Located:  # noqa: A001 - it is called as entry.open
    """Return the initialised project that `start` lies in and its tip, mounting `.orchestry/` again where it is not."""
    located = find.locate(start)
    if located.tip is None:
        from orchgit.repository import lost  # seldom needed

        if lost.is_lost(located.layout):
            raise lost.refusal(located.layout)
        root = located.layout.root
        raise NotFoundError(f"{root} is not an orchgit project yet.", f"Run `orchgit init` in {root}.")
    if not find.mounted(located.layout):
        from orchgit.repository import mount

        mount.mount(located.layout)
    return located
