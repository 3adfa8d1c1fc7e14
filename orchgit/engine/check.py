"""Checks the files of the state folder: as they lie there, or as they are staged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import document, edits
from orchgit.model.errors import InvalidFileError
from orchgit.model.plain import Plain
from orchgit.model.task import Task
from orchgit.repository import find, git, identity, index, objects, store
from orchgit.repository.layout import STATE_REF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orchgit.repository.cache import Item, Items
    from orchgit.repository.layout import Layout


def faults(layout: Layout, *, staged: bool = False) -> tuple[InvalidFileError, ...]:
    """Return what is wrong with tasks, agents, skills, settings and prompt templates, a fault a file.

    `staged` reads the index instead.
    """
    read = _staged(layout) if staged else ((path, _read(path, data)) for path, data in _lying(layout))
    found = sorted(read, key=lambda each: each[0])
    return store.assemble("", (item for _, item in found)).broken


def _read(path: str, data: bytes | None) -> Item:
    if data is None:
        return InvalidFileError(path, "is not a file")
    return _template(path, data) if store.is_template(path) else store.parse(path, data)


def _template(path: str, data: bytes) -> Item:
    from orchgit.model import prompt  # the template engine, for the one file that needs it

    try:
        prompt.check(document.decode(path, data), path=path)
    except InvalidFileError as error:
        return error
    return Plain(path)


def uncommitted(layout: Layout) -> tuple[str, ...]:
    """Return the files of the state folder that differ from the state branch: they are in force once committed."""
    said = git.run("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", cwd=layout.state)
    return tuple(entry[3:] for entry in said.fields)


def _staged(layout: Layout) -> Iterator[tuple[str, Item]]:
    """Read what is staged; what is as the state branch has it was read before: a commit of one file reads one."""
    own = find.git_directory(layout.state)
    said = git.run("ls-files", "--stage", "-z", cwd=layout.state, env=git.index_of_commit(own) if own else {})
    entries = [(path, *meta.split()[:2]) for meta, _, path in (entry.partition("\t") for entry in said.fields)]
    tip = git.commit_of(STATE_REF, cwd=layout.common)
    known = store.read(layout, tip).items if tip else {}
    wanted = []
    for path, mode, blob in entries:
        if mode.startswith("100") and path in known and known[path][0] == blob:
            yield path, known[path][1]
        elif store.belongs(path):
            wanted.append((path, mode, blob))
    contents = list(objects.blobs((blob for _, _, blob in wanted), cwd=layout.common))
    judge = _judge_of(layout, known, {path for path, _, _ in entries})
    for (path, mode, _), content in zip(wanted, contents, strict=True):
        yield path, judge(path, content if mode.startswith("100") else None)
    yield from ((path, judge(path, None)) for path in known.keys() - {path for path, _, _ in entries})


def _judge_of(layout: Layout, known: Items, staged: set[str]) -> Callable[[str, bytes | None], Item]:
    """Return what judges a staged file as a typed one is judged; what a merge brings was judged where it was made."""
    by, merging = identity.caller(layout.common), index.is_merging(layout)
    ids = {item.id for path, (_, item) in known.items() if isinstance(item, Task) and path in staged}

    def judge(path: str, data: bytes | None) -> Item:
        before = known[path][1] if path in known else None
        if path not in staged:
            return _removed(path, before)
        after = _read(path, data)
        if data is None or merging or not isinstance(after, Task):
            return after
        found = document.parse(document.decode(path, data))
        try:
            if isinstance(before, Task):
                edits.asked(before, after, by, line=found.line)
            elif before is None and after.id not in ids:
                edits.refuse_begun(path, found.values, line=found.line)
        except InvalidFileError as error:
            return error
        return after

    return judge


def _removed(path: str, before: Item | None) -> Item:
    """Return the error that the removal of a file is, where it may not go; else a file that nobody asks for."""
    if isinstance(before, Task) and before.run is not None:
        next_step = f"`orchgit task cancel {before.id}` stops that first."
        return InvalidFileError(path, f"was deleted, and {before.agent} is working on it", next_step=next_step)
    return Plain(path)


def _is_file(place: Path) -> bool:
    return place.is_file() and not place.is_symlink()


def _lying(layout: Layout) -> Iterator[tuple[str, bytes | None]]:
    for place in (*layout.state.glob("*/*"), *layout.state.glob("*.*")):
        path = place.relative_to(layout.state).as_posix()
        if store.belongs(path):
            yield path, place.read_bytes() if _is_file(place) else None
