"""A shell command as an agent: the prompt on stdin and in a file, exit code 0 is success."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.adapters.protocol import Launch, Verdict
from orchgit.model import events
from orchgit.model.run import Outcome

if TYPE_CHECKING:
    from orchgit.model.agent import Agent
    from orchgit.model.events import Event

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127


def complaint(agent: Agent) -> str | None:
    return None if agent.command and agent.command.strip() else "a shell agent needs a `command`"


def launch(agent: Agent, prompt: str) -> Launch:
    assert agent.command is not None
    return Launch(argv=("/bin/sh", "-c", agent.command), stdin=prompt)


def parse(line: str) -> tuple[Event, ...]:
    return (events.Text(line),)


def verdict(exit_code: int) -> Verdict:
    if exit_code == 0:
        return Verdict(Outcome.SUCCEEDED)
    if exit_code in (_NOT_EXECUTABLE, _NOT_FOUND):
        return Verdict(Outcome.FATAL, f"a command was not found or can't be run (exit code {exit_code})")
    if exit_code < 0:
        return Verdict(Outcome.FAILED, f"ended by signal {-exit_code}")
    return Verdict(Outcome.FAILED, f"exit code {exit_code}")
