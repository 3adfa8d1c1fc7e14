"""Checks the files of the state folder: as they lie there, or as they are staged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.repository import git, objects, store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.model.errors import InvalidFileError
    from orchgit.repository.layout import Layout


def faults(layout: Layout, *, staged: bool = False) -> tuple[InvalidFileError, ...]:
    """Return what is wrong with tasks, agents and settings, a fault a file; `staged` reads the index instead."""
    read = _staged(layout) if staged else _lying(layout)
    return store.assemble("", (store.parse(path, data) for path, data in sorted(read))).broken


def uncommitted(layout: Layout) -> tuple[str, ...]:
    """Return the files of the state folder that differ from the state branch: they are in force once committed."""
    said = git.run("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", cwd=layout.state)
    return tuple(entry[3:] for entry in said.fields)


def _staged(layout: Layout) -> Iterator[tuple[str, bytes]]:
    said = git.run("ls-files", "--stage", "-z", cwd=layout.state)
    entries = [(path, meta.split()[1]) for meta, _, path in (entry.partition("\t") for entry in said.fields)]
    wanted = [(path, blob) for path, blob in entries if store.belongs(path)]
    contents = objects.blobs((blob for _, blob in wanted), cwd=layout.common)
    yield from zip((path for path, _ in wanted), contents, strict=True)


def _lying(layout: Layout) -> Iterator[tuple[str, bytes]]:
    for place in (*layout.state.glob("*/*"), *layout.state.glob("*.yaml")):
        path = place.relative_to(layout.state).as_posix()
        if store.belongs(path) and place.is_file():
            yield path, place.read_bytes()
