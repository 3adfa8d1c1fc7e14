"""The index of the state worktree: held while the ledger writes, then told what was committed."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from orchgit.model.errors import BusyError, OrchgitError
from orchgit.repository import files, find, git, locks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from orchgit.repository.layout import Layout

_SIGNATURE = b"orchgit "
_UNDER_WAY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
_PAUSE = 0.005


def git_dir(layout: Layout) -> Path:
    """Return the state worktree's own Git directory."""
    own = find.git_directory(layout.state)
    if own is None:
        raise OrchgitError(f"{layout.state} is not mounted.", "Any orchgit command in the project mounts it again.")
    return own


@contextmanager
def locked(layout: Layout, *, wait: float) -> Iterator[Path]:
    """Hold `index.lock`, so that a person's own add or commit waits or fails; yield the path of the index.

    The lock file says that it is ours. Only whoever holds the ledger's lock makes such a file, so one that is found by
    the next holder was left by a process that died. While the journal holds an unfinished write it stays: a commit made
    from the old index would take that write back.
    """
    index = git_dir(layout) / "index"
    lock = index.with_name("index.lock")
    _create(lock, time.monotonic() + wait, wait)
    try:
        yield index
    finally:
        if not layout.journal.exists():
            lock.unlink(missing_ok=True)


def is_left(layout: Layout) -> bool:
    """Has a writer died here: is its journal or its `index.lock` left, and nobody at work?"""
    begun = layout.journal.exists() or _is_ours(git_dir(layout) / "index.lock")
    return begun and not locks.is_held(layout.lock)


def is_locked(layout: Layout) -> bool:
    """Does a person's git write the index of the state folder just now?"""
    lock = git_dir(layout) / "index.lock"
    return lock.exists() and not _is_ours(lock)


def is_merging(layout: Layout) -> bool:
    """Does a person have a merge, a rebase or the like under way in the state folder?"""
    own = git_dir(layout)
    return any((own / name).exists() for name in _UNDER_WAY)


def unmerged(layout: Layout) -> frozenset[str]:
    """Return the files that a merge or rebase which a person has under way in the state folder left in conflict."""
    if not is_merging(layout):
        return frozenset()
    entries = git.run("ls-files", "--unmerged", "-z", cwd=layout.state).fields
    return frozenset(entry.partition("\t")[2] for entry in entries)


def put(layout: Layout, index: Path, blobs: Mapping[str, str | None], *, tip: str, lock: int) -> None:
    """Put `blobs` (None: removed) into the index, all or none; every other entry, staged ones too, stays as it is.

    They need not be there yet. `tip` is any commit here; git inherits the descriptor `lock`.
    """
    copy = index.with_name("index.orchgit")
    _copy(layout, index, copy)
    none = "0" * len(tip)
    lines = (f"0 {none}\t{path}" if oid is None else f"100644 {oid}\t{path}" for path, oid in blobs.items())
    args = (*git.NO_HOOKS, "update-index", "--replace", "-z", "--index-info")
    stdin = b"".join(os.fsencode(line) + b"\0" for line in lines)
    update = partial(
        git.call, *args, cwd=layout.state, env={"GIT_INDEX_FILE": str(copy)}, stdin=stdin, pass_fds=(lock,)
    )
    if update().code != 0:
        _read_head(layout, copy)
        again = update()
        if again.code != 0:
            raise git.failure(args, again)
    copy.replace(index)


def _copy(layout: Layout, index: Path, copy: Path) -> None:
    copy.with_name(f"{copy.name}.lock").unlink(missing_ok=True)
    if index.exists():
        written = index.stat()
        copy.write_bytes(index.read_bytes())
        # Its time too: by that git knows which files were changed right after it was written.
        os.utime(copy, ns=(written.st_atime_ns, written.st_mtime_ns))
    else:
        _read_head(layout, copy)


def _read_head(layout: Layout, copy: Path) -> None:
    """Begin with what is committed, where the index is missing or broken."""
    copy.unlink(missing_ok=True)
    git.run(*git.NO_HOOKS, "read-tree", "HEAD", cwd=layout.state, env={"GIT_INDEX_FILE": str(copy)})


def _create(lock: Path, deadline: float, wait: float) -> None:
    """Make the lock file as a link to one that says it is ours: an empty one would be taken for git's own."""
    ours = lock.with_name("index.orchgit.held")
    if not _is_ours(ours):
        files.replace(ours, _SIGNATURE + b"writes here; its own lock is orchgit/lock\n")
    while True:
        try:
            lock.hardlink_to(ours)
        except FileExistsError:
            _wait_for(lock, deadline, wait)
        else:
            return


def _is_ours(lock: Path) -> bool:
    return (files.read(lock) or b"").startswith(_SIGNATURE)


def _wait_for(lock: Path, deadline: float, wait: float) -> None:
    if _is_ours(lock):
        lock.unlink(missing_ok=True)
    elif time.monotonic() >= deadline:
        raise BusyError(
            f"Can't write the state: a git command holds {lock}, and did for {wait:g} s.",
            "If no git runs in .orchestry any more, that file was left by one that died and can go.",
        )
    else:
        time.sleep(_PAUSE)
