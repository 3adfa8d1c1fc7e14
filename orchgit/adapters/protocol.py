"""What every adapter is: pure functions from an agent and a job to a process, and from its output to events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchgit.model.agent import Agent
    from orchgit.model.events import Event
    from orchgit.model.run import Outcome


@dataclass(frozen=True, slots=True)
class Launch:
    """A process to start. `stdin` is written and closed; `env` is added to the agent's own."""

    argv: tuple[str, ...]
    stdin: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the agent's process ended, and in a sentence why.

    `again_in` are the seconds until its provider may be asked again, where a limit of that ended it and it said so.
    """

    outcome: Outcome
    reason: str = ""
    again_in: float | None = None


class Listener(Protocol):
    """Hears the output of one run out, and judges how it ended; what it has to remember of it is its own."""

    def hear(self, stream: str, line: str) -> tuple[Event, ...]:
        """Return what one line says; `stream` is `stdout` or `stderr`.

        Usage comes on top of what was said before in the run: where a CLI counts up, the difference is due.
        """

    def verdict(self, exit_code: int) -> Verdict:
        """Return how it ended, once all was heard; `exit_code` is negative where a signal ended it."""


class Adapter(Protocol):
    """A module of this folder, as the table in `adapters` lists it."""

    def complaint(self, agent: Agent) -> str | None:
        """Return what the agent's settings lack for this adapter, or None."""

    def launch(self, agent: Agent, prompt: str) -> Launch:
        """Return the process that does one task."""

    def listener(self) -> Listener:
        """Return what hears one run out."""
