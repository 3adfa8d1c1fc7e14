"""Brings a write home: into the branch, the files and the index, so that a kill at any step can be mended."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass
from orchgit.model.errors import OrchgitError
from orchgit.repository import carry, files, index, journal, locks, objects, store, stream
from orchgit.repository.layout import STATE_REF

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from orchgit.repository.layout import Layout
    from orchgit.repository.objects import Reader


@dataclass(frozen=True, slots=True)
class Held:
    """Both locks are held: `tip` is the state branch's until we move it, `lock` the descriptor of the ledger's lock.

    `mended` is what a person should be told of a write that had to be finished first.
    """

    layout: Layout
    lock: int
    index: Path
    reader: Reader
    tip: str
    mended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of the file at `path`; None where it has none before, or after.

    `lying` is what all that lies there was made of and has been taken over: `before`, or what somebody typed.
    """

    path: str
    before: bytes | None
    after: bytes | None
    lying: bytes | None


@dataclass(frozen=True, slots=True)
class Landed:
    """The commit that was built on, the new tip, and what a person should be told."""

    parent: str
    tip: str
    notices: list[str]


@contextmanager
def holding(layout: Layout, *, wait: float) -> Iterator[Held]:
    """Hold the ledger's lock and the index; only then read the tip, and finish what a writer that died has left."""
    with (
        locks.held(layout.lock, wait=wait, doing="write the state") as lock,
        index.locked(layout, wait=wait) as index_file,
        objects.reader(layout.common) as reader,
    ):
        held = Held(layout, lock, index_file, reader, store.tip(layout))
        yield replace(held, mended=tuple(_mend(held))) if layout.journal.exists() else held


def land(held: Held, commits: Sequence[stream.Commit], changes: Sequence[Change]) -> Landed:
    """Put the changes into the index, commit, then carry them into the files that lie there.

    The index comes first: a person's `git commit` reads the branch, then the index, and only then waits for us. So it
    finds the branch as it was, and is refused, or both as they are now; never the new branch with the old index, which
    would take our commit back. It lets go of the index before it moves the branch, so that may move under us: then we
    build on what it brought, unless that is about the same files (BusyError). The journal goes last: what dies before
    is finished by whoever comes next, or taken out of the index again where the branch has not moved.
    """
    while True:
        try:
            return _try(held, commits, changes)
        except OrchgitError:
            parent, held = held.tip, replace(held, tip=store.tip(held.layout))
            _mend(held)
            if held.tip == parent or any(held.reader.file(held.tip, each.path) != each.before for each in changes):
                raise


def _try(held: Held, commits: Sequence[stream.Commit], changes: Sequence[Change]) -> Landed:
    layout = held.layout
    after = {each.path: each.after for each in changes}
    blobs = {path: None if data is None else objects.blob_id(data, like=held.tip) for path, data in after.items()}
    journal.write(layout.journal, journal.Entry(held.tip, tuple(blobs)))

    def put_into_index() -> None:
        index.put(layout, held.index, blobs, tip=held.tip, lock=held.lock)

    landed = stream.write(layout.common, STATE_REF, held.tip, commits, meanwhile=put_into_index, pass_fds=(held.lock,))
    notices = [notice for each in changes for notice in _carry(layout, each)]
    journal.drop(layout.journal)
    return Landed(held.tip, landed.tip, notices)


def _mend(held: Held) -> list[str]:
    """Carry what did land into files and index, whoever wrote it; a write that did not land leaves the index again."""
    layout, entry = held.layout, journal.read(held.layout.journal)
    notices: list[str] = []
    if entry:
        found = {path: held.reader.object(f"{held.tip}:{path}") for path in entry.paths}
        blobs = {path: blob[0] if blob else None for path, blob in found.items()}
        index.put(layout, held.index, blobs, tip=held.tip, lock=held.lock)
        for path, blob in found.items() if entry.tip != held.tip else ():
            files.sweep((layout.state / path).parent)
            before = held.reader.file(entry.tip, path)
            notices += _carry(layout, Change(path, before, blob[1] if blob else None, before))
    journal.drop(layout.journal)
    return notices


def _carry(layout: Layout, change: Change) -> list[str]:
    return carry.carry(layout, change.path, base=change.lying, ours=change.after)
