"""What `orchgit run` shows on a terminal while a team is at work."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from orchgit.cli import show
from orchgit.model.usage import Usage
from tests.support.agents import PATIENCE, waits_for
from tests.support.cli import ok

if TYPE_CHECKING:
    from pathlib import Path

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def hear(terminal: int, pattern: str) -> bytes:
    """Return what comes to a terminal, once the pattern is among it when its escapes are left out."""
    said, deadline = b"", time.monotonic() + PATIENCE
    while not re.search(pattern, shown := _ESCAPE.sub("", said.decode(errors="replace"))):
        assert time.monotonic() < deadline, shown
        said += os.read(terminal, 1 << 16)
    return said


def test_a_run_is_shown_with_what_it_used_and_said_last(project: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    usage = "echo ::usage input=4200 output=812 cost-usd=0.0421"
    ok(project, "agent", "add", "bot", "--command", f"echo reading; {usage}; {waits_for(gate)}")
    ok(project, "task", "add", "Write 😀")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    argv = [sys.executable, "-m", "orchgit", "run", "--all"]
    env = {**os.environ, "TERM": "xterm-256color"}
    with subprocess.Popen(argv, cwd=project, env=env, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        hear(ours, r"bot  Write 😀  \d+s  5\.0k tokens  \$0\.0421  reading")
        gate.touch()
        hear(ours, "waits for your review")
        assert process.wait() == 0
    os.close(ours)


def test_what_a_signal_is_answered_stays_above_the_rows(project: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    for name in ("one", "two"):
        ok(project, "agent", "add", name, "--command", f"echo reading; {waits_for(gate)}")
        ok(project, "task", "add", f"Work of {name}", "--assignee", name)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    argv = [sys.executable, "-m", "orchgit", "run", "--all"]
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    with (
        subprocess.Popen(argv, cwd=project, env=env, stdout=theirs, stderr=theirs) as process, ExitStack() as stack
    ):  # fmt: skip
        stack.callback(process.kill)  # or nobody reads what it goes on to show
        os.close(theirs)
        said = hear(ours, r"one  .*reading") + hear(ours, r"two  .*reading")
        os.kill(process.pid, signal.SIGINT)
        said += hear(ours, "again leaves it to go on by itself") + hear(ours, r"two  .*reading")
        os.kill(process.pid, signal.SIGINT)
        said += hear(ours, "takes it up.")
        with suppress(OSError):
            while more := os.read(ours, 1 << 16):
                said += more
        assert process.wait() == 130
    os.close(ours)
    gate.touch()
    begun, also_begun, *rest = left_on_screen(said.decode())
    assert "in_progress" in begun
    assert "in_progress" in also_begun
    assert rest == [
        "Starting nothing more; waiting for what runs. Ctrl-C again leaves it to go on by itself.",
        "Leaving. What runs goes on by itself; the next `orchgit run` takes it up.",
    ]


def left_on_screen(said: str) -> list[str]:
    """Return the lines that a terminal shows that was sent this."""
    lines, at = [""], 0
    for part in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|[\r\n])", said):
        if part == "\n":
            at += 1
            lines += [""] * (at == len(lines))
        elif part == "\x1b[1A":
            at -= 1
        elif part == "\x1b[2K":
            lines[at] = ""
        elif not _ESCAPE.match(part) and part != "\r":
            lines[at] += part
    return [line.rstrip() for line in lines if line.strip()]


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (None, ""),
        (Usage(turns=2), ""),
        (Usage(900, 99), "999 tokens"),
        (Usage(1000), "1.0k tokens"),
        (Usage(50_000, 2_100, cache=10**9, reasoning=0, cost_usd=1.5), "52.1k tokens  $1.5000"),
        (Usage(1_000_000, 250_000), "1.2M tokens"),
        (Usage(cost_usd=0.0421), "$0.0421"),
    ],
)
def test_what_was_used_in_a_few_characters(used: Usage | None, words: str) -> None:
    assert show.short(used) == words
