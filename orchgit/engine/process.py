"""An agent's process: started, listened to, held to its limits, and stopped with all that it started."""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, TYPE_CHECKING

import psutil

from orchgit.engine.environment import MARKER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_GRACE = 5.0  # seconds between SIGTERM and SIGKILL; the slowest agent CLI cleans up its tools in 1.5
_TICK = 0.1
_DRAIN = 0.5  # how long to listen to what outlives the agent and still holds its output
_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 16


class Cause(StrEnum):
    """Why a process was ended, where it did not end by itself."""

    TIMEOUT = "timeout"
    STALL = "stall"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds."""

    timeout: float
    stall: float


@dataclass(frozen=True, slots=True)
class Ended:
    """`code` is negative where a signal ended it. `cause` is None where it ended by itself."""

    code: int
    cause: Cause | None


class _Lines:
    """Cuts a stream of bytes into lines; an over-long one is cut too, so that memory is bounded."""

    def __init__(self, name: str, report: Callable[[str, str], None]) -> None:
        self._name = name
        self._report = report
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for line in whole:
            self._say(line)
        if len(self._rest) > _LONGEST_LINE:
            self.close()

    def close(self) -> None:
        if self._rest:
            self._say(self._rest)
        self._rest = b""

    def _say(self, line: bytes) -> None:
        self._report(self._name, line[:_LONGEST_LINE].decode(errors="replace").rstrip("\r"))


def run(
    argv: Iterable[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: Path,
    limits: Limits,
    lock: int,
    on_line: Callable[[str, str], None],
    should_stop: Callable[[], bool],
) -> Ended:
    """Run a process to its end and return how it ended; FileNotFoundError and PermissionError where it can't start.

    `on_line` is given the stream's name (`stdout` or `stderr`) and each line. `lock` is a descriptor that the process
    and all that it starts inherit. When this returns, no descendant is left.
    """
    _adopt_orphans()
    with stdin.open("rb") as prompt:
        process = subprocess.Popen(
            list(argv), cwd=cwd, env=dict(env), stdin=prompt, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            pass_fds=(lock,), start_new_session=True, bufsize=0,
        )  # fmt: skip
    try:
        cause = _listen(process, limits, on_line, should_stop)
    finally:
        end_all(env[MARKER], children_of=os.getpid())
    return Ended(process.wait(), cause)


def end_all(run: str, *, children_of: int | None = None, lock: Path | None = None) -> list[str]:
    """End every process of `run`, wherever it moved: SIGTERM, a grace, SIGKILL. Return those that are still there.

    They are known by the mark in their environment, by descent from `children_of`, or by holding `lock` open.
    """
    found = _of_run(run, children_of, lock)
    for each in found:
        with suppress(psutil.Error):
            each.terminate()
    psutil.wait_procs(found, timeout=_GRACE)
    deadline = time.monotonic() + _GRACE
    while (left := _of_run(run, children_of, lock)) and time.monotonic() < deadline:
        for each in left:  # what was forked meanwhile is among them
            with suppress(psutil.Error):
                each.kill()
        psutil.wait_procs(left, timeout=_TICK)
    return [f"process {each.pid}" for each in left]


def _listen(
    process: subprocess.Popen[bytes],
    limits: Limits,
    on_line: Callable[[str, str], None],
    should_stop: Callable[[], bool],
) -> Cause | None:
    started = heard = time.monotonic()
    with selectors.DefaultSelector() as selector, process:
        for stream, name in ((process.stdout, "stdout"), (process.stderr, "stderr")):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, _Lines(name, on_line))
        try:
            while process.poll() is None:
                if _read(selector, _TICK):
                    heard = time.monotonic()
                cause = _limit(limits, started, heard, should_stop)
                if cause is not None:
                    _stop(process, selector)
                    return cause
            _drain(selector)
        finally:
            for key in list(selector.get_map().values()):
                key.data.close()
    return None


def _limit(limits: Limits, started: float, heard: float, should_stop: Callable[[], bool]) -> Cause | None:
    now = time.monotonic()
    if should_stop():
        return Cause.STOP
    if now - started > limits.timeout:
        return Cause.TIMEOUT
    return Cause.STALL if now - heard > limits.stall else None


def _stop(process: subprocess.Popen[bytes], selector: selectors.BaseSelector) -> None:
    """Ask the agent to end, hear it out for the grace, then end it; its descendants are the caller's."""
    _signal_group(process, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    while process.poll() is None and time.monotonic() < deadline:
        _read(selector, _TICK)
    if process.poll() is None:
        _signal_group(process, signal.SIGKILL)
    process.wait()
    _drain(selector)


def _drain(selector: selectors.BaseSelector) -> None:
    deadline = time.monotonic() + _DRAIN
    while selector.get_map() and time.monotonic() < deadline and _read(selector, _TICK):
        pass


def _read(selector: selectors.BaseSelector, timeout: float) -> bool:
    """Read what there is, waiting up to `timeout` seconds; did anything come?"""
    heard = False
    if not selector.get_map():
        time.sleep(timeout / 10)
    for key, _ in selector.select(timeout):
        stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
        chunk = stream.read(_CHUNK)
        if chunk:
            key.data.feed(chunk)
            heard = True
        elif chunk is not None:
            key.data.close()
            selector.unregister(stream)
    return heard


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _of_run(run: str, children_of: int | None, lock: Path | None) -> list[psutil.Process]:
    """Return the live processes that belong to the run; never ourselves."""
    children: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(children_of).children(recursive=True) if children_of else []
    marked = (each for each in psutil.process_iter() if _belongs(each, run, lock))
    return [each for each in {*children, *marked} if each.pid != os.getpid() and _lives(each)]


def _belongs(process: psutil.Process, run: str, lock: Path | None) -> bool:
    with suppress(psutil.Error, OSError):
        if process.environ().get(MARKER) == run:
            return True
        return lock is not None and any(each.path == str(lock) for each in process.open_files())
    return False


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _adopt_orphans() -> None:
    """Become the parent of what our descendants leave behind, so that a double fork can't hide; Linux has this."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
