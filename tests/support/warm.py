"""Commands in processes of their own that need not load Python and orchgit first: each is forked from one that has.

`python -m tests.support.warm NUMBER` is that one. It has read the environment of its own start alone, and run nothing.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHECKOUT: Final = Path(__file__).parents[2]
_AT_START: Final = ("PYTHON", "LC_", "LANG", "COVERAGE_")  # what Python reads when it starts: its own, coverage's
_MOST = 1 << 17  # bytes of a message
_LATE: Final = ("git", "jinja2", "psutil", "rich.console", "rich.live", "rich.table", "yaml", "frontmatter")


def can_call(env: Mapping[str, str]) -> bool:
    """Would a Python that starts with `env` be as the one that is kept?"""
    return sys.platform == "linux" and _read_at_start(env) == _read_at_start(_ENV) and not _COVERED


def call(
    words: tuple[str, ...], *, cwd: Path, env: Mapping[str, str], stdin: bytes = b"", program: str = ""
) -> tuple[int, bytes, bytes]:
    """Run `orchgit` with `words`; return its exit code, negative where a signal ended it, and what it printed.

    `program` is Python that its process runs before.
    """
    asked = json.dumps([words, os.fspath(cwd), dict(env), program]).encode()
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        with _ONE_AT_A_TIME:
            keeper = _keeper()
            socket.send_fds(keeper, [asked], [given.fileno(), out.fileno(), err.fileno()])
            code = int(keeper.recv(_MOST))
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read()


def _keeper() -> socket.socket:
    """Return what the one that is kept listens to; a test that ends all children of its process ends that one too."""
    if not _KEPT or _KEPT[-1][0].poll() is not None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.warm", str(its.fileno())],
                cwd=_CHECKOUT, env=_ENV, stdin=subprocess.DEVNULL, pass_fds=(its.fileno(),),
            )  # fmt: skip
        atexit.register(process.wait)
        atexit.register(ours.close)  # which goes first, and ends it
        _KEPT.append((process, ours))
    return _KEPT[-1][1]


def _read_at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_AT_START)}


_ENV: Final = {**os.environ, "LC_ALL": "C.UTF-8"}  # before any test has changed it, but for what each of them has
_COVERED: Final = any(name.startswith("COVERAGE_") for name in os.environ)
_ONE_AT_A_TIME: Final = threading.Lock()
_KEPT: Final[list[tuple[subprocess.Popen[bytes], socket.socket]]] = []


def _load() -> None:
    import orchgit

    found = (each.name for each in walk_packages(orchgit.__path__, "orchgit."))
    for name in (*_LATE, *(name for name in found if not name.endswith("__main__") and ".mcp" not in name)):
        import_module(name)
    gc.collect()
    gc.freeze()


def _become_a_command(asks: socket.socket) -> str:
    """Return in each process that is to be a command, and in no other: what it runs before."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        asked, descriptors, *_ = socket.recv_fds(asks, _MOST, 3)
        if not asked:
            sys.exit()  # the tests have ended
        command = os.fork()
        if not command:
            break
        for each in descriptors:
            os.close(each)
        asks.send(str(os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])).encode())
    asks.close()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, each in enumerate(descriptors):
        os.dup2(each, number)
        os.close(each)
    words, cwd, env, program = json.loads(asked)
    sys.argv[1:] = words
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)
    return str(program)


def _run(program: str) -> int:
    """Run the command to its end, but for taking all modules apart again, which writes to memory that is shared."""
    from orchgit.cli.main import main

    exec(program, {})
    try:
        main()
    except SystemExit as leaving:
        return int(leaving.code or 0)
    finally:
        for each in threading.enumerate():
            if not each.daemon and each is not threading.current_thread():
                each.join()
        sys.stdout.flush()
        sys.stderr.flush()
    raise AssertionError("orchgit returned")


if __name__ == "__main__":
    _load()
    before = _become_a_command(socket.socket(fileno=int(sys.argv[1])))
    sys.argv[0] = f"{_CHECKOUT}/orchgit/__main__.py"
    os._exit(_run(before))
