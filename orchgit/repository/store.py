"""Reads the committed state, all that a tip says, through a cache that can be deleted at any time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchgit.model import config, ids, task
from orchgit.model.errors import AmbiguousError, InvalidFileError, NotFoundError
from orchgit.model.task import Task
from orchgit.repository import archive, cache, objects, refs, states
from orchgit.repository.layout import STATE_BRANCH

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from orchgit.repository.cache import Item, Items
    from orchgit.repository.layout import Layout
    from orchgit.repository.objects import Entry, Reader
    from orchgit.repository.states import State

_MANY = 16  # files: reading so many again costs more than writing the cache
_unsaved: dict[Path, int] = {}  # files that this process has read since it last wrote the cache, by the same
_last: dict[Path, State] = {}  # what this process knows, by the common Git directory


def read(layout: Layout, tip: str, reader: Reader | None = None) -> State:
    """Return the state at `tip`, reading only what changed since the last time.

    A writer brings its `reader`, and leaves it to those who only read to write the cache, unless much has changed. So
    does who has read before: a loop that wrote it at each change would let every agent wait for that.
    """
    last = _last.get(layout.common)
    if last is not None and last.tip == tip:
        return last
    known, items = (last.tip, last.items) if last else cache.load(layout)
    if known != tip:
        fresh, items = _refreshed(layout, items, tip, reader)
        _unsaved[layout.common] = _unsaved.get(layout.common, 0) + fresh
        if (last is None and reader is None) or _unsaved[layout.common] > _MANY:
            cache.save(layout, tip, items)
            _unsaved[layout.common] = 0
    _last[layout.common] = state = states.made_of(items, tip, before=last)
    return state


def tip(layout: Layout) -> str:
    """Return the commit that the state branch is at; RefusedError where it is gone."""
    found = refs.branch(STATE_BRANCH, common=layout.common)
    if found is None:
        from orchgit.repository import lost  # seldom needed

        raise lost.refusal(layout)
    return found


def newest(layout: Layout) -> State:
    """Return the state as it is now."""
    return read(layout, tip(layout))


def at(layout: Layout, commit: str) -> State:
    """Return the state as it was at `commit`; what is known of the present stays as it is."""
    last = _last.get(layout.common)
    _, items = _refreshed(layout, last.items if last else cache.load(layout)[1], commit, None)
    return states.made_of(items, commit, before=None)


def remember(layout: Layout, state: State, tip: str) -> None:
    """Note that `state`, with all that `change` did to it, is what was committed as `tip`."""
    _unsaved[layout.common] = _unsaved.get(layout.common, 0) + 1
    if states.needed(state.tasks.values(), state.archived.keys() | state.tasks.keys()) - state.absent:
        tip = ""  # what was archived meanwhile is still to be looked up: the next one who reads does
    _last[layout.common] = states.made_of(state.items, tip, before=state) if state.broken else replace(state, tip=tip)


def text(layout: Layout, tip: str, path: str) -> str:
    """Return the text of `path` at `tip`; NotFoundError where it has no such file."""
    from orchgit.model import document

    with objects.reader(layout.common) as reader:
        data = reader.file(tip, path)
    if data is None:
        raise NotFoundError(f"The state branch has no {path}.")
    return document.decode(path, data)


def _refreshed(layout: Layout, items: Items, tip: str, reader: Reader | None) -> tuple[int, Items]:
    """Return how many files had to be read, and all of them."""
    if reader is None:
        with objects.reader(layout.common) as opened:
            return _refreshed(layout, items, tip, opened)
    fresh: Items = {}
    found: Items = {}
    for path, entry in sorted(_entries(reader, tip)):
        if path in items and items[path][0] == entry.id:
            found[path] = items[path]
        else:
            found[path] = fresh[path] = entry.id, _item(reader, path, entry)
    tasks = [item for _, item in found.values() if isinstance(item, Task)]
    wanted = states.needed(tasks, {each.id for each in tasks})
    found.update(_archived(layout, items, tip, reader, wanted) if wanted else {})
    return len(fresh), found


def in_archive(layout: Layout, tip: str, word: str) -> Task | None:
    """Return the task in the archive that `word`, an id or a prefix of one, names; None where there is none.

    AmbiguousError where it could be several, InvalidFileError where its file can't be read.
    """
    with objects.reader(layout.common) as reader:
        listed = _listed(layout, tip, reader)
        if listed is None:
            return None
        named = listed.of(word)
        if not named:
            try:
                named = listed.of(ids.resolve(word, listed.heads()))
            except AmbiguousError:
                raise
            except NotFoundError:
                return None
        for path, mode, oid in named:
            match _item(reader, path, objects.Entry(mode, oid)):
                case Task() as found:
                    return found
                case InvalidFileError() as error:
                    raise error
        return None


def all_archived(layout: Layout, tip: str) -> tuple[list[Task], list[InvalidFileError]]:
    """Return every task of the archive, and what is wrong with the files that can't be read: this reads them all."""
    with objects.reader(layout.common) as reader:
        listed = _listed(layout, tip, reader)
        files = listed.paths() if listed else []
        items = [_item(reader, path, objects.Entry(mode, oid)) for path, mode, oid in files]
    tasks = [item for item in items if isinstance(item, Task)]
    return tasks, [item for item in items if isinstance(item, InvalidFileError)]


def archived(layout: Layout, tip: str, wanted: Collection[str]) -> dict[str, Task]:
    """Return those tasks of the archive that have an id of `wanted`, by id; what can't be read is left out."""
    with objects.reader(layout.common) as reader:
        found = _archived(layout, {}, tip, reader, frozenset(wanted))
    return {item.id: item for _, item in found.values() if isinstance(item, Task)}


def _listed(layout: Layout, tip: str, reader: Reader) -> archive.Files | None:
    top = reader.tree(f"{tip}^{{tree}}").get(task.ARCHIVE)
    return archive.read(layout, top.id, reader) if top else None


def _archived(layout: Layout, items: Items, tip: str, reader: Reader, wanted: frozenset[str]) -> Items:
    """Return those files of the archive that hold the tasks `wanted`."""
    listed = _listed(layout, tip, reader)
    named = [each for one in sorted(wanted) for each in (listed.of(one) if listed else ())]
    return {
        path: items[path] if path in items and items[path][0] == oid else (oid, _item(reader, path, entry))
        for path, entry, oid in ((path, objects.Entry(mode, oid), oid) for path, mode, oid in named)
    }


def _entries(reader: Reader, tip: str) -> Iterator[tuple[str, Entry]]:
    top = reader.tree(f"{tip}^{{tree}}")
    yield from ((path, top[path]) for path in (config.PATH, states.PROMPT) if path in top)
    for folder in states.FOLDERS:
        inside = reader.tree(top[folder].id) if folder in top else {}
        yield from ((f"{folder}/{name}", entry) for name, entry in inside.items() if states.belongs(f"{folder}/{name}"))


def _item(reader: Reader, path: str, entry: Entry) -> Item:
    found = reader.object(entry.id) if entry.mode.startswith("100") else None
    return (
        states.parse(path, found[1])
        if found
        else InvalidFileError(path, "is not a file of its own in the state branch")
    )
