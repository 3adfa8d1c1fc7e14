"""An agent's process: started, listened to, held to its limits, and stopped."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from enum import StrEnum
from typing import IO, TYPE_CHECKING

from orchgit.engine import descendants
from orchgit.engine.environment import MARKER
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_TICK = 0.1
_SOON = 0.005  # how long to wait while it has yet to take what it is told
_LAST_WORD = 1.0  # how long what has used too much may take to end well by itself: many say at their end what they used
_DRAIN = 0.5  # how long to listen to what outlives the agent and still holds its output
_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 20


class Cause(StrEnum):
    """Why a process was ended, where it did not end by itself."""

    TIMEOUT = "timeout"
    STALL = "stall"
    OVERSPENT = "overspent"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process is held to: times in seconds, and whether it has used more than it may."""

    timeout: float
    stall: float
    is_overspent: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Ended:
    """`code` is negative where a signal ended it. `cause` is None where it ended by itself."""

    code: int
    cause: Cause | None


@dataclass(slots=True)
class _Clock:
    """When a process was started, was heard last, and was found to have used too much."""

    started: float
    heard: float
    overspent: float | None = None

    def cause(self, limits: Limits, should_stop: Callable[[], bool]) -> Cause | None:
        """Return why the process is to be ended now, if it is."""
        now = time.monotonic()
        if should_stop():
            return Cause.STOP
        if now - self.started > limits.timeout:
            return Cause.TIMEOUT
        if self.overspent is None and limits.is_overspent():
            self.overspent = now
        if self.overspent is not None and now - self.overspent > _LAST_WORD:
            return Cause.OVERSPENT
        return Cause.STALL if now - self.heard > limits.stall else None


class _Lines:
    """Cuts a stream of bytes into lines; an over-long one comes in pieces, so that memory is bounded."""

    def __init__(self, name: str, report: Callable[[str, str], None]) -> None:
        self._name = name
        self._report = report
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        for line in whole:
            self._say(line)
        if len(self._rest) >= _LONGEST_LINE:
            self.close()

    def close(self) -> None:
        if self._rest:
            self._say(self._rest)
        self._rest = b""

    def _say(self, line: bytes) -> None:
        self._report(self._name, line.decode(errors="replace").rstrip("\r"))


class _Input:
    """The open stdin of a process: `more` is asked for what to write there next; None closes it."""

    def __init__(self, stream: IO[bytes], first: bytes, more: Callable[[], bytes | None]) -> None:
        self._stream = stream
        self._rest = first
        self._more = more
        self._is_last = False
        os.set_blocking(stream.fileno(), False)

    def go_on(self) -> bool:
        """Write what there is, as far as the process takes it; is something left of it?"""
        if self._stream.closed:
            return False
        if not self._is_last:
            more = self._more()
            self._is_last, self._rest = more is None, self._rest + (more or b"")
        try:
            self._rest = self._rest[os.write(self._stream.fileno(), self._rest) :] if self._rest else b""
        except BlockingIOError:
            return True
        except OSError:  # it hears nobody any more
            self._rest, self._is_last = b"", True
        if self._is_last and not self._rest:
            self._stream.close()
        return bool(self._rest)


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: Path,
    limits: Limits,
    lock: int,
    on_line: Callable[[str, str], None],
    should_stop: Callable[[], bool],
    on_start: Callable[[], None] = lambda: None,
    on_pause: Callable[[], None] = lambda: None,
    on_tick: Callable[[], bytes | None] = lambda: None,
    stays_open: bool = False,
) -> Ended:
    """Run a process to its end and return how it ended; RefusedError where it can't be started.

    `on_line` is given the stream's name (`stdout` or `stderr`) and each line, `on_pause` is called when all that was
    there to read has been given, `on_tick` a few times a second. `lock` is a descriptor that the process and all that
    it starts inherit. Where its stdin `stays_open` after what the file `stdin` holds, what `on_tick` returns is written
    there, until that is None. When this returns, or raises, no descendant is left.
    """
    descendants.adopt()
    process = _start(argv, cwd=cwd, env=env, stdin=None if stays_open else stdin, lock=lock)
    try:
        on_start()
        tick = _Input(_open(process.stdin), stdin.read_bytes(), on_tick).go_on if stays_open else on_tick
        cause = _listen(process, limits, on_line, on_pause, should_stop, tick=tick)
    finally:
        descendants.end(env[MARKER], children_of=os.getpid())
        code = process.wait()
    return Ended(code, cause)


def _start(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: Path | None, lock: int
) -> subprocess.Popen[bytes]:
    """Start it with the file `stdin` as its input, or with a pipe where that is None."""
    try:
        with stdin.open("rb") if stdin else nullcontext(subprocess.PIPE) as prompt:
            return subprocess.Popen(
                argv, cwd=cwd, env=env, stdin=prompt, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                pass_fds=(lock,), start_new_session=True, bufsize=0,
            )  # fmt: skip
    except (OSError, ValueError) as error:  # ValueError: a zero byte, or half a character, in a word of it
        if isinstance(error, FileNotFoundError) and error.filename == argv[0] and "/" not in argv[0]:
            raise RefusedError(f"{argv[0]} is not on the PATH") from error
        why = error.strerror if isinstance(error, OSError) else error
        raise RefusedError(f"{argv[0]} can't be started: {why}") from error


def _listen(
    process: subprocess.Popen[bytes],
    limits: Limits,
    on_line: Callable[[str, str], None],
    on_pause: Callable[[], None],
    should_stop: Callable[[], bool],
    *,
    tick: Callable[[], object],
) -> Cause | None:
    """Hear it out; `tick` returns whether it has yet to take something."""
    now = time.monotonic()
    clock = _Clock(started=now, heard=now)
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for pipe, name in ((process.stdout, "stdout"), (process.stderr, "stderr")):
            stream = stack.enter_context(_open(pipe))
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, _Lines(name, on_line))
        if process.stdin:
            stack.enter_context(process.stdin)
        with _woken_by_the_end_of(process, selector):
            cause = None
            while process.poll() is None and cause is None:
                if _read(selector, _SOON if tick() else _TICK):
                    clock.heard = time.monotonic()
                    on_pause()
                cause = clock.cause(limits, should_stop)
                descendants.bury(but=process.pid)
            if cause is not None:
                _stop(process, selector)
        _drain(selector)
    return cause


@contextmanager
def _woken_by_the_end_of(process: subprocess.Popen[bytes], selector: selectors.BaseSelector) -> Iterator[None]:
    """Let the selector notice at once, not only at the next tick, that the process has ended; Linux can tell it."""
    with ExitStack() as stack:
        if sys.platform == "linux":
            with suppress(OSError):  # an old kernel, or a sandbox, can't
                descriptor = os.pidfd_open(process.pid)
                stack.callback(os.close, descriptor)
                selector.register(descriptor, selectors.EVENT_READ)
                stack.callback(selector.unregister, descriptor)
        yield


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None, "it is a pipe"
    return stream


def _stop(process: subprocess.Popen[bytes], selector: selectors.BaseSelector) -> None:
    """Ask the agent to end, hear it out for the grace, then end it; its descendants are the caller's."""
    _signal_group(process, signal.SIGTERM)
    deadline = time.monotonic() + descendants.GRACE
    while process.poll() is None and time.monotonic() < deadline:
        _read(selector, _TICK)
    if process.poll() is None:
        _signal_group(process, signal.SIGKILL)
    process.wait()


def _drain(selector: selectors.BaseSelector) -> None:
    """Hear what was said last, also by what the agent left behind, which may go on for ever."""
    deadline = time.monotonic() + _DRAIN
    while selector.get_map() and time.monotonic() < deadline and _read(selector, _TICK):
        pass
    for key in selector.get_map().values():
        key.data.close()


def _read(selector: selectors.BaseSelector, timeout: float) -> bool:
    """Read what there is, waiting up to `timeout` seconds; did anything come?"""
    heard = False
    for key, _ in selector.select(timeout):
        if key.data is None:  # the process has ended
            continue
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
