"""Writes files whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from itertools import count
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

_DRAFT = ".orchgit-"
_numbers = count()


def replace(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Put `data` at `path` in one step, keeping the mode of what was there; `durable` waits until it is on the disk."""
    draft = path.with_name(f"{_DRAFT}{os.getpid()}-{next(_numbers)}.tmp")
    try:
        with _new(draft) as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), _mode(path))
            if durable:
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def read(path: Path) -> bytes | None:
    """Return the bytes at `path`, or None where no file is."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def is_open_for_writing(path: Path) -> bool:
    """Does any process have the file open to write to it? Only Linux tells; elsewhere nobody is said to."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # who opens it just now sends that, and nobody minds
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN  # anything else: the file is another user's, or its disk knows no leases
    finally:
        os.close(descriptor)
    return False


def sweep(folder: Path) -> None:
    """Remove the drafts that writers which died have left in `folder`; whoever calls knows that none is at work."""
    for draft in folder.glob(f"{_DRAFT}*.tmp"):
        draft.unlink(missing_ok=True)


def _new(draft: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(draft, flags, 0o600)
    except FileNotFoundError:
        draft.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, flags, 0o600)
    return os.fdopen(descriptor, "wb")


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return 0o644
