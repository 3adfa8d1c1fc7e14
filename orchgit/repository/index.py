"""The index of the state worktree: held while the ledger writes, then told what was committed."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model.errors import BusyError, OrchgitError
from orchgit.repository import files, git

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchgit.repository.layout import Layout

_SIGNATURE = b"orchgit "
_PAUSE = 0.005


def git_dir(layout: Layout) -> Path:
    """Return the state worktree's own Git directory."""
    pointer = files.read(layout.state / ".git")
    if pointer is None or not pointer.startswith(b"gitdir: "):
        raise OrchgitError(f"{layout.state} is not mounted.", "Any orchgit command in the project mounts it again.")
    return Path(os.fsdecode(pointer.removeprefix(b"gitdir: ").strip()))


@contextmanager
def locked(layout: Layout, *, wait: float) -> Iterator[Path]:
    """Hold `index.lock`, so that a person's own add or commit waits or fails; yield the path of the index.

    The lock file says that it is ours. Only whoever holds the ledger's lock makes such a file, so one that is found by
    the next holder was left by a process that died.
    """
    index = git_dir(layout) / "index"
    lock = index.with_name("index.lock")
    _create(lock, time.monotonic() + wait, wait)
    try:
        yield index
    finally:
        lock.unlink(missing_ok=True)


def record(layout: Layout, index: Path, blobs: Mapping[str, str | None]) -> None:
    """Put `blobs` (None: removed) into the index, leaving every other entry, staged ones too, as it is."""
    copy = index.with_name("index.orchgit")
    if index.exists():
        shutil.copyfile(index, copy)
    else:
        git.run("read-tree", "HEAD", cwd=layout.state, env={"GIT_INDEX_FILE": str(copy)})
    gone = "0" * 40
    lines = (f"0 {gone}\t{path}" if oid is None else f"100644 {oid}\t{path}" for path, oid in blobs.items())
    feed = b"".join(os.fsencode(line) + b"\0" for line in lines)
    git.run("update-index", "-z", "--index-info", cwd=layout.state, stdin=feed, env={"GIT_INDEX_FILE": str(copy)})
    copy.replace(index)


def _create(lock: Path, deadline: float, wait: float) -> None:
    while True:
        try:
            descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            _wait_for(lock, deadline, wait)
            continue
        os.write(descriptor, _SIGNATURE + str(os.getpid()).encode())
        os.close(descriptor)
        return


def _wait_for(lock: Path, deadline: float, wait: float) -> None:
    if (files.read(lock) or b"").startswith(_SIGNATURE):
        lock.unlink(missing_ok=True)
    elif time.monotonic() >= deadline:
        raise BusyError(
            f"Can't write the state: a git command holds {lock}, and did for {wait:g} s.",
            "If no git runs in .orchestry any more, that file was left by one that died and can go.",
        )
    else:
        time.sleep(_PAUSE)
