"""Writes files whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from contextlib import suppress
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_DRAFT = ".orchgit-"
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE, as Linux numbers them
_FULL = (errno.ENOSPC, errno.EDQUOT)
_UNABLE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
_numbers = count()


def replace(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Put `data` at `path` in one step, keeping the mode of what was there; `durable` waits until it is on the disk.

    On a full disk it goes where room was kept for it.
    """
    draft = _draft(path)
    try:
        _write(draft, data, mode=_mode(path), durable=durable)
        draft.replace(path)
    except BaseException as error:
        draft.unlink(missing_ok=True)
        if not (isinstance(error, OSError) and error.errno in _FULL and _replace_in_room(path, data)):
            raise


def keep_room(path: Path, size: int) -> None:
    """Have room on the disk for `replace` to put up to `size` bytes at `path` once, however full the disk is then."""
    if not _room(path).exists():
        replace(_room(path), b" " * size)


def give_up_room(path: Path) -> None:
    _room(path).unlink(missing_ok=True)


def swap(path: Path, data: bytes | None, *, seen: bytes | None) -> bool:
    """Put `data` in the place of the bytes `seen` (None: no file), and of nothing else; was it so?

    What somebody saves at that very moment is looked at after it was taken out, and put back. Where the system can't
    exchange two files in one step, it is looked at just before.
    """
    if is_open_for_writing(path):
        return False
    draft = _draft(path)
    try:
        if data is not None:
            _write(draft, data, mode=_mode(path))
        if seen is None:
            return data is None or _link(draft, path)
        return _take_away(path, draft, seen) if data is None else _exchange(path, draft, seen=seen, data=data)
    finally:
        draft.unlink(missing_ok=True)


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


def _room(path: Path) -> Path:
    return path.with_name(f"{path.name}.room")


def _replace_in_room(path: Path, data: bytes) -> bool:
    """Write over what keeps the room, which takes none, and rename that; was there enough of it?"""
    room = _room(path)
    with suppress(OSError), room.open("r+b", buffering=0) as file:
        if os.fstat(file.fileno()).st_size < len(data):
            return False
        file.write(data)
        file.truncate()
        os.fsync(file.fileno())
        room.replace(path)
        return True
    return False


def _draft(path: Path) -> Path:
    return path.with_name(f"{_DRAFT}{os.getpid()}-{next(_numbers)}.tmp")


def _write(draft: Path, data: bytes, *, mode: int, durable: bool = False) -> None:
    with _new(draft) as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), mode)
        if durable:
            os.fsync(file.fileno())


def _link(draft: Path, path: Path) -> bool:
    """Give the draft its name, where nothing goes by that."""
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    return True


def _take_away(path: Path, draft: Path, seen: bytes) -> bool:
    try:
        path.rename(draft)
    except FileNotFoundError:
        return True
    if _holds(draft, seen):
        return True
    _link(draft, path)  # where there is a file again, that is the newer one
    return False


def _exchange(path: Path, draft: Path, *, seen: bytes, data: bytes) -> bool:
    """Exchange the two, and back again where what comes out is not `seen`: the newest of all stays at `path`."""
    exchange = _exchanger()
    try:
        exchange(draft, path)
        if _holds(draft, seen):
            return True
        exchange(draft, path)
        if not _holds(draft, data):  # saved upon ours, which was there for a moment
            exchange(draft, path)
    except FileNotFoundError:  # somebody took it away meanwhile
        if read(draft) not in (seen, data):
            _link(draft, path)
    except OSError as error:
        if error.errno not in _UNABLE:
            raise
        if read(path) == seen:
            draft.replace(path)
            return True
    return False


def _holds(draft: Path, data: bytes) -> bool:
    """Does it hold these bytes, and will it go on to? Whoever has it open writes on in it, wherever it lies."""
    return not is_open_for_writing(draft) and read(draft) == data


@cache
def _exchanger() -> Callable[[Path, Path], None]:
    """Return what exchanges two files in one step; it says by `_UNABLE` that the system can't."""
    import ctypes  # where something is written

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)

    def exchange(one: Path, other: Path) -> None:
        if call is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        if call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), os.fspath(one))

    return exchange


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
