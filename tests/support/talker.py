"""An adapter whose CLI keeps sessions, as an installed package: a shell command that is told which one to go on with.

The command finds the session in TALKER_SESSION. It begins one by a line `session ID`, says `final WORDS` at its end,
and `lost` where it doesn't know the session.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_MODULE = """\
from orchgit.adapters.protocol import Launch, Verdict
from orchgit.model import events
from orchgit.model.run import Outcome, Session


def complaint(agent):
    return None


def limitations(agent):
    return ()


def takes_skills(agent):
    return "TALKER_SKILLS" in dict(agent.env)


def takes_role(agent):
    return False


def resumes(agent):
    return True


def launch(agent, job):
    return Launch(("/bin/sh", "-c", agent.command), stdin=job.prompt, env={"TALKER_SESSION": job.session})


def listener(before=None, memo=""):
    return Listener(before)


class Listener:
    stuck = ""

    def __init__(self, before):
        self.session = before
        self.lost = False

    def hear(self, stream, line):
        word, _, rest = line.partition(" ")
        if word == "session":
            self.session = Session(rest, {"turns": 1 + (self.session.counters.get("turns", 0) if self.session else 0)})
            return (events.Session(rest),)
        if word == "final":
            return (events.Result(rest),)
        self.lost = self.lost or line == "lost"
        return (events.Text(line),)

    def verdict(self, exit_code):
        if self.lost:
            return Verdict(Outcome.FAILED, "no such session", session_lost=True)
        return Verdict(Outcome.FAILED, f"exit code {exit_code}") if exit_code else Verdict(Outcome.SUCCEEDED)
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, *, name: str = "talker", module: str = _MODULE) -> None:
    """Let it, or another adapter, be found, in this process and in those that it starts."""
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / f"{name}.py").write_text(module)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[orchgit.adapters]\n{name} = {name}\n")
    monkeypatch.syspath_prepend(str(folder))
    known = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), known])))
