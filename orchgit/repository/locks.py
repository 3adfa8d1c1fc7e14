"""Locks that die with their holder: flock on a file, with a time limit and the holder's name."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.05
_NAME_LENGTH = 120  # bytes: written over the last holder's, since cutting a file short costs 20 times as much
_ASKING = 0.02  # seconds: whoever only asks `is_held` has let go by then


def take(path: Path) -> int | None:
    """Lock `path` and return the file descriptor that holds the lock, or None where somebody else does.

    The lock lasts as long as any copy of the descriptor is open, in this process or in one that inherited it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    with suppress(OSError):  # on a full disk the holder has no name
        os.pwrite(descriptor, f"{os.getpid()} {_command()}".encode().ljust(_NAME_LENGTH), 0)
    return descriptor


@contextmanager
def held(path: Path, *, wait: float, doing: str) -> Iterator[int]:
    """Hold the lock for the length of a `with`; BusyError names the holder when `wait` seconds did not free it.

    What is yielded is the descriptor that holds it.
    """
    descriptor = _take_within(path, wait, doing)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Does anybody hold the lock? Asking never makes another asker believe so, and a taker waits it out."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def wait_until_free(path: Path) -> None:
    """Return when nobody holds the lock any more."""
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)


def holder(path: Path) -> str:
    """Return who last took the lock, for a message: `process 4711 (orchgit run --watch)`."""
    with suppress(OSError):
        pid, _, command = path.read_text(errors="replace").strip().partition(" ")
        if pid:
            return f"process {pid} ({command})"
    return "another process"


def _take_within(path: Path, wait: float, doing: str) -> int:
    deadline, pause = time.monotonic() + max(wait, _ASKING), _FIRST_PAUSE
    while (descriptor := take(path)) is None:
        if time.monotonic() >= deadline:
            raise BusyError(
                f"Can't {doing}: {holder(path)} holds {path}.",
                f"Waited {wait:g} s; try again when it is through.",
            )
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return descriptor


def _command() -> str:
    words = [Path(sys.argv[0]).name, *sys.argv[1:4]] if sys.argv else ["python"]
    return " ".join(" ".join(words).split()).encode("ascii", "replace").decode()[:100]
