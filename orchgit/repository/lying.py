"""Which files that lie in the state folder are not what is committed: what somebody typed there."""

from __future__ import annotations

import marshal
import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass
from orchgit.repository import files, loose, objects, states

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State

_FORMAT = 1
_RECENT = 100_000_000  # ns: a file that was written so shortly ago may be written again without a change of its times
_MANY = 16  # files: reading so many again costs more than writing down what they hold

_Looks = tuple[int, int, int]  # of a file: its time of change in ns, its size, its inode
_seen: dict[Path, dict[str, tuple[_Looks, str]]] = {}  # by the common Git directory: path -> how it looked, its blob


@dataclass(frozen=True, slots=True)
class Typed:
    """A file as it lies there. `data` is None where it was deleted; `is_file` is false for a folder or a link."""

    path: str
    data: bytes | None
    is_file: bool = True


def differing(
    layout: Layout, state: State, *, among: Collection[str] | None = None, widely: bool = False
) -> list[Typed]:
    """Return the files that belong to the state and are not as `state` has them, by path; only those `among` some.

    Looks at each file's times, and reads those that look otherwise than the last time. Context and messages are looked
    at where they are `among` some, or `widely`: how many of them there are costs no other command anything.
    """
    candidates = among if among is not None else loose.candidates(layout) if widely else ()
    found = [Typed(*each) for each in loose.differing(layout, state.tip, candidates)] if candidates else []
    return sorted([*_of_the_store(layout, state, among), *found], key=lambda each: each.path)


def _of_the_store(layout: Layout, state: State, among: Collection[str] | None) -> list[Typed]:
    seen = _seen.setdefault(layout.common, {}) or _load(layout)
    now, fresh, found, there = time.time_ns(), 0, [], set()
    for path, status in _lying(layout) if among is None else _named(layout, among):
        there.add(path)
        committed = state.items[path][0] if path in state.items else None
        if not stat.S_ISREG(status.st_mode):
            found.append(Typed(path, None, is_file=False))
            continue
        looks = (status.st_mtime_ns, status.st_size, status.st_ino)
        known, data = seen.get(path), None
        if known is None or known[0] != looks:
            data = files.read(layout.state / path)
            if data is None:
                continue  # it went meanwhile; the next look tells
            known = looks, objects.blob_id(data, like=state.tip)
            if now - status.st_mtime_ns > _RECENT:
                seen[path], fresh = known, fresh + 1
        if known[1] != committed:
            data = files.read(layout.state / path) if data is None else data
            found += [Typed(path, data)] if data is not None else []
    wanted = state.items.keys() if among is None else state.items.keys() & among
    found += [Typed(path, None) for path in wanted - there if states.belongs(path)]
    if among is None:
        _keep(layout, seen, there, fresh)
    return found


def _lying(layout: Layout) -> Iterator[tuple[str, os.stat_result]]:
    for folder in ("", *states.FOLDERS):
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(layout.state / folder) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if not states.belongs(path):
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield path, status


def _named(layout: Layout, paths: Iterable[str]) -> Iterator[tuple[str, os.stat_result]]:
    for path in filter(states.belongs, paths):
        with suppress(FileNotFoundError, NotADirectoryError):
            yield path, os.lstat(layout.state / path)


def _keep(layout: Layout, seen: dict[str, tuple[_Looks, str]], there: set[str], fresh: int) -> None:
    for path in seen.keys() - there:
        del seen[path]
    _seen[layout.common] = seen
    if fresh > _MANY:
        with suppress(OSError):  # what can't be kept is only slower
            files.replace(layout.looks, marshal.dumps((_FORMAT, seen)))


def _load(layout: Layout) -> dict[str, tuple[_Looks, str]]:
    with suppress(ValueError, EOFError, TypeError):
        version, seen = marshal.loads(files.read(layout.looks) or b"")  # noqa: S302 - our own file, in the Git directory
        if version == _FORMAT and isinstance(seen, dict):
            return seen
    return {}
