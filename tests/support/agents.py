"""Scripted agents: small programs that do what real ones do, at their worst too."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE = 30.0  # seconds until a test that waits gives up; no test asserts on time

# Leaves its session, its parent and its environment, and takes no hint: `python hider.py PIDFILE`.
HIDER = """\
import os, signal, sys, time

def vanish():
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if len(sys.argv) < 3:
        os.execve(sys.executable, [sys.executable, __file__, sys.argv[1], "hidden"], {})

if len(sys.argv) < 3:
    child = os.fork()
    if not child:
        vanish()
    os.waitpid(child, 0)
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.01)
else:
    for descriptor in range(3):
        os.close(descriptor)
    with open(sys.argv[1] + ".part", "w") as file:
        file.write(str(os.getpid()))
    os.rename(sys.argv[1] + ".part", sys.argv[1])
    time.sleep(300)
"""


def script(path: Path, text: str) -> str:
    """Write a Python program and return the shell command that runs it."""
    path.write_text(text)
    return f"'{sys.executable}' '{path}'"


def hider(folder: Path) -> tuple[str, Path]:
    """Return a command that starts a process which hides, and the file that it writes its pid to."""
    pidfile = folder / "hidden.pid"
    return f"{script(folder / 'hider.py', HIDER)} '{pidfile}'", pidfile


def waits_for(gate: Path) -> str:
    """Return a command that ends once the file `gate` is there."""
    return f"while [ ! -e '{gate}' ]; do sleep 0.02; done"


def until(condition: Callable[[], object]) -> None:
    """Return when `condition` holds; AssertionError where it never does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{condition} never held"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
