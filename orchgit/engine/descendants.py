"""Ends every process of a run, wherever it moved: into a session of its own, or to another parent."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.engine.environment import MARKER

if TYPE_CHECKING:
    import psutil

GRACE = 5.0  # seconds between SIGTERM and SIGKILL; the slowest agent CLI cleans up its tools in 1.5
_PAUSE = 0.1
_PR_SET_CHILD_SUBREAPER = 36


def adopt() -> None:
    """Become the parent of what our descendants leave behind, so that a double fork can't hide; Linux has this."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def bury(*, but: int) -> None:
    """Reap the adopted ones that have ended, or they fill the process table; `but` is for somebody else to wait for."""
    with suppress(ChildProcessError):
        while (dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and dead.si_pid != but:
            os.waitpid(dead.si_pid, 0)


def end(run: str, *, children_of: int | None = None, lock: Path | None = None) -> list[str]:
    """End every process of `run`: SIGTERM, a grace, SIGKILL. Return those that are still there.

    They are known by the mark in their environment, by descent from `children_of`, or by holding `lock` open.
    """
    if lock is None and children_of == os.getpid() and all(_nobody_is_left(run) for _ in range(2)):
        return []
    import psutil

    found = _of_run(run, children_of, lock)
    for each in found:
        with suppress(psutil.Error):
            each.terminate()
    psutil.wait_procs(found, timeout=GRACE)
    deadline = time.monotonic() + GRACE
    while (left := _of_run(run, children_of, lock)) and time.monotonic() < deadline:
        for each in left:  # what was forked meanwhile is among them
            with suppress(psutil.Error):
                each.kill()
        psutil.wait_procs(left, timeout=_PAUSE)
    return [f"process {each.pid}" for each in left]


def _nobody_is_left(run: str) -> bool:
    """Is it plain, without psutil, that we have no child, and that no process has the run's mark?

    Most runs leave nobody behind, and to load psutil and let it look takes 40 ms. A process may fork while this looks.
    """
    if sys.platform != "linux":
        return False
    with suppress(ChildProcessError):
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return False
    mark = f"{MARKER}={run}".encode()
    pids = (each.name for each in os.scandir("/proc") if each.name.isdigit())
    return not any(mark in _environment(pid) for pid in pids if int(pid) != os.getpid())


def _environment(pid: str) -> list[bytes]:
    with suppress(OSError):  # it has ended, or is another user's
        return Path("/proc", pid, "environ").read_bytes().split(b"\0")
    return []


def _of_run(run: str, children_of: int | None, lock: Path | None) -> list[psutil.Process]:
    """Return the live processes that belong to the run; never ourselves."""
    import psutil

    children: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(children_of).children(recursive=True) if children_of else []
    held = str(lock.resolve()) if lock else None
    marked = (each for each in psutil.process_iter() if _belongs(each, run, held))
    return [each for each in {*children, *marked} if each.pid != os.getpid() and _lives(each)]


def _belongs(process: psutil.Process, run: str, held: str | None) -> bool:
    import psutil

    with suppress(psutil.Error, OSError):
        if process.environ().get(MARKER) == run:
            return True
        return held is not None and any(each.path == held for each in process.open_files())
    return False


def _lives(process: psutil.Process) -> bool:
    import psutil

    with suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False
