"""Refs: where a branch is, and the numbered ones under refs/orchgit, of which nothing is lost to a clean-up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchgit.repository import files, git

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.layout import Layout

_COMMIT = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\n")
_TRIES = 20


def branch(name: str, *, common: Path) -> str | None:
    """Return the commit that the branch is at, or None where there is none; no git is needed, mostly."""
    return lying(f"refs/heads/{name}", common=common) or git.commit_of(f"refs/heads/{name}", cwd=common)


def lying(ref: str, *, common: Path) -> str | None:
    """Return what the ref's own file says; None where it has none, since it is packed, say, or names another one."""
    data = files.read(common / ref)
    return data.decode().strip() if data is not None and _COMMIT.fullmatch(data) else None


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
