"""What `orchgit run` shows on a terminal while a team is at work."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest

from orchgit.cli import show
from orchgit.model.usage import Usage
from tests.support.agents import PATIENCE, waits_for
from tests.support.cli import ok

if TYPE_CHECKING:
    from pathlib import Path

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def hear(terminal: int, pattern: str) -> None:
    """Read what comes to a terminal, without its escapes, until the pattern is among it."""
    said, deadline = b"", time.monotonic() + PATIENCE
    while not re.search(pattern, shown := _ESCAPE.sub("", said.decode(errors="replace"))):
        assert time.monotonic() < deadline, shown
        said += os.read(terminal, 1 << 16)


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
