"""`orchgit serve` as a process beside the test, and programs that are typed to on a terminal of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchgit.repository import locks
from tests.support.agents import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.repository.layout import Layout

# Gives a program a terminal that it is in charge of: what we write to its stdin is typed there.
_TERMINAL = (
    "import pty, sys; sys.exit(pty.spawn(['sh', '-c', 'stty rows 40 cols 100; exec \"$@\"', 'sh', *sys.argv[1:]]))"
)


@contextmanager
def serving(layout: Layout, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `orchgit serve` for the length of a `with`; its log says each of its looks."""
    argv = [sys.executable, "-m", "orchgit", "serve", "--verbose"]
    with log.open("ab") as out, subprocess.Popen(argv, cwd=layout.root, stdout=out, stderr=out) as process:
        try:
            until(lambda: process.poll() is not None or locks.is_held(layout.orchestrator_lock))
            yield process
            process.terminate()
            until(lambda: process.poll() is not None)
        finally:
            process.kill()


@contextmanager
def on_terminal(screen: Path, *argv: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program on a terminal; what it shows goes to the file `screen`. It has ended when the `with` ends well."""
    command = [sys.executable, "-c", _TERMINAL, *(os.fspath(arg) for arg in argv)]
    env = {**os.environ, "TERM": "xterm"}
    with (
        screen.open("wb") as out,
        subprocess.Popen(command, cwd=screen.parent, env=env, stdin=subprocess.PIPE, stdout=out, stderr=out) as process,
    ):
        try:
            yield process
            until(lambda: process.poll() is not None)
        finally:
            process.kill()


def press(process: subprocess.Popen[bytes], keys: str) -> None:
    assert process.stdin is not None
    process.stdin.write(keys.encode())
    process.stdin.flush()
