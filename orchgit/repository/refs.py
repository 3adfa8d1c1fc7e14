"""Numbered refs under refs/orchgit: what is kept there is never lost to a clean-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.repository import git

if TYPE_CHECKING:
    from orchgit.repository.layout import Layout


_TRIES = 20


def name_next(layout: Layout, folder: str, oid: str) -> str:
    """Name the object by the next free number of `folder` and return the ref; an object that has one there keeps it."""
    for _ in range(_TRIES):
        listing = git.text("for-each-ref", "--format=%(objectname) %(refname)", f"{folder}/", cwd=layout.common)
        known = dict(line.split() for line in listing.splitlines())
        if oid in known:
            return known[oid]
        numbers = [int(last) for ref in known.values() if (last := ref.rpartition("/")[2]).isdecimal()]
        ref = f"{folder}/{max(numbers, default=0) + 1}"
        made = git.call(*git.NO_HOOKS, "update-ref", ref, oid, "", cwd=layout.common)
        if made.code == 0:
            return ref
    raise git.failure(("update-ref",), made)  # somebody else took the number, each time
