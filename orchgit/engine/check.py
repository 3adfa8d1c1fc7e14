"""Checks the files of the state folder: as they lie there, or as they are staged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model.errors import InvalidFileError
from orchgit.repository import find, git, objects, store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.repository.cache import Item
    from orchgit.repository.layout import Layout


def faults(layout: Layout, *, staged: bool = False) -> tuple[InvalidFileError, ...]:
    """Return what is wrong with tasks, agents and settings, a fault a file; `staged` reads the index instead."""
    read = _staged(layout) if staged else _lying(layout)
    found = sorted(read, key=lambda each: each[0])
    return store.assemble("", (_read(path, data) for path, data in found)).broken


def _read(path: str, data: bytes | None) -> Item:
    return InvalidFileError(path, "is not a file") if data is None else store.parse(path, data)


def uncommitted(layout: Layout) -> tuple[str, ...]:
    """Return the files of the state folder that differ from the state branch: they are in force once committed."""
    said = git.run("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", cwd=layout.state)
    return tuple(entry[3:] for entry in said.fields)


def _staged(layout: Layout) -> Iterator[tuple[str, bytes | None]]:
    own = find.git_directory(layout.state)
    env = git.index_of_commit(own) if own else {}
    said = git.run("ls-files", "--stage", "-z", cwd=layout.state, env=env)
    entries = [(path, *meta.split()[:2]) for meta, _, path in (entry.partition("\t") for entry in said.fields)]
    wanted = [(path, blob, mode) for path, mode, blob in entries if store.belongs(path)]
    contents = objects.blobs((blob for _, blob, _ in wanted), cwd=layout.common)
    for (path, _, mode), content in zip(wanted, contents, strict=True):
        yield path, content if mode.startswith("100") else None


def _is_file(place: Path) -> bool:
    return place.is_file() and not place.is_symlink()


def _lying(layout: Layout) -> Iterator[tuple[str, bytes | None]]:
    for place in (*layout.state.glob("*/*"), *layout.state.glob("*.yaml")):
        path = place.relative_to(layout.state).as_posix()
        if store.belongs(path):
            yield path, place.read_bytes() if _is_file(place) else None
