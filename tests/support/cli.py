"""Types commands as a user does: a process of its own, its output, its exit code."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Any

from tests.support import warm

if TYPE_CHECKING:
    from pathlib import Path

_MAIN = "from orchgit.cli.main import main; main()"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def id(self) -> str:
        """The task id that the command printed first."""
        return self.out.split()[0]


def type_(where: Path, *args: str, stdin: str = "", program: str = "", **env: str) -> Said:
    """Run `orchgit` with `args` in `where` and return what it said; its process runs `program`, Python, before."""
    given = {**os.environ, **env}
    if warm.can_call(given):
        code, *printed = warm.call(args, cwd=where, env=given, stdin=stdin.encode(), program=program)
        out, err = (StringIO(each.decode(), newline=None).read() for each in printed)
    else:
        start = ["-c", f"{program}\n{_MAIN}"] if program else ["-m", "orchgit"]
        done = subprocess.run(
            [sys.executable, *start, *args],
            cwd=where, env=given, input=stdin, capture_output=True, text=True, check=False,
        )  # fmt: skip
        code, out, err = done.returncode, done.stdout, done.stderr
    assert "Traceback" not in err
    return Said(code, out, err)


def on_terminal(where: Path, *args: str, keys: str = "") -> tuple[int, str]:
    """Run a command on a terminal of its own, where `keys` are typed; return its exit code and what stood there."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "orchgit", *args], cwd=where, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, keys.encode())
    said = b""
    with suppress(OSError):  # how Linux says that nobody is on the other side any more
        while data := os.read(ours, 4096):
            said += data
    os.close(ours)
    return child.wait(), said.decode().replace("\r\n", "\n")


def ok(where: Path, *args: str, stdin: str = "", **env: str) -> Said:
    """Run a command that must exit 0."""
    said = type_(where, *args, stdin=stdin, **env)
    assert said.code == 0, f"orchgit {' '.join(args)}: {said.code}\n{said.out}{said.err}"
    return said
