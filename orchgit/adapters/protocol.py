"""What every adapter is: pure functions from an agent and a job to a process, and from its output to events."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchgit.model.agent import Agent
    from orchgit.model.events import Event
    from orchgit.model.run import Outcome, Session
    from orchgit.model.skill import Skill


@dataclass(frozen=True, slots=True)
class Job:
    """What one run is to do, and under which limits; 0 is none.

    `prompt_file` holds the prompt as well. `session` is the CLI's own id of the conversation to go on with, or ""; then
    `prompt` holds only what is new.
    `as_root`: the process will be the superuser's, which some CLIs refuse. `folder` is the run's own, where the CLI can
    be left files; `skills` are those that it is to be given as its own.
    """

    prompt: str
    session: str = ""
    workspace: str = ""
    prompt_file: str = ""
    max_turns: int = 0
    max_cost_usd: float = 0
    as_root: bool = False
    folder: str = ""
    skills: tuple[Skill, ...] = ()


class Hears(StrEnum):
    """How a CLI is told something while it works."""

    INPUT = "input"  # on its stdin, which stays open: its listener is a `Conversation`
    HOOKS = "hooks"  # by hooks of its own that fetch it: its listener is an `Offering`


@dataclass(frozen=True, slots=True)
class Launch:
    """A process to start. `stdin` is written and closed; `env` is added to the agent's own, and wins where it holds it.

    A value `$NAME` of `env` is taken from our environment at the start. `memo` is given back to the listener. `files`
    are texts by their paths in the job's folder, there before the process starts. `hears` is how it is told of messages
    while it works; None where it can't be.
    """

    argv: tuple[str, ...]
    stdin: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    memo: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    hears: Hears | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the agent's process ended, and in a sentence why.

    `again_in` are the seconds until its provider may be asked again, where a limit of that ended it and it said so.
    `notes` are for who reviews the work. `session_lost`: there is no session to go on with, so begin a new one.
    """

    outcome: Outcome
    reason: str = ""
    again_in: float | None = None
    notes: tuple[str, ...] = ()
    session_lost: bool = False


class Listener(Protocol):
    """Hears the output of one run out, and judges how it ended; what it has to remember of it is its own."""

    @property
    def session(self) -> Session | None:
        """The session as it stands, with the CLI's own counters; None until its id was heard, or where it has none."""

    @property
    def stuck(self) -> str:
        """Why the CLI will never come to an end by itself, as far as that was heard; else ""."""

    def hear(self, stream: str, line: str) -> tuple[Event, ...]:
        """Return what one line says; `stream` is `stdout` or `stderr`.

        Usage comes on top of what was said before in the run: where a CLI counts up, the difference is due.
        """

    def verdict(self, exit_code: int) -> Verdict:
        """Return how it ended, once all was heard; `exit_code` is negative where a signal ended it."""


class Conversation(Listener, Protocol):
    """The listener of a CLI that takes messages on its stdin; `hear` returns `events.Told` of each that it took.

    It took a message where its model has answered something that held it: no sooner, for a message that never got so
    far is told again. Stdin is closed once it is over.
    """

    @property
    def takes_messages(self) -> bool:
        """Is it at work, so that a message would reach it? Not before its first answer, nor once it is over."""

    @property
    def is_over(self) -> bool:
        """Has it come to its end, but for messages that it was given? Then it must end by itself."""

    def say(self, name: str, text: str) -> str:
        """Return what to write on stdin for a message; `name` is its own in this run, and `events.Told` bears it."""

    def withdraw(self, name: str) -> str:
        """Return what to write there for a message that it need not be told any more, if it wasn't yet."""


class Offering(Listener, Protocol):
    """The listener of a CLI whose hooks fetch messages, one at a time, from the folder that ORCHGIT_OFFERS names.

    They make the file `ready` there when it begins, and take the folder `offer` away. What they took has been told when
    a result comes that is no failure.
    """

    @property
    def most(self) -> int:
        """The bytes that a message may have."""

    @property
    def at_end(self) -> bool:
        """Do they fetch one at its end too, and let it go on? Else it needs a tool."""

    def offer(self, text: str) -> Mapping[str, str]:
        """Return the files of the folder `offer` for a message."""


class Adapter(Protocol):
    """A module of this folder, as the table in `adapters` lists it, or what an entry point names."""

    def complaint(self, agent: Agent) -> str | None:
        """Return what the agent's settings lack for this adapter, or None."""

    def limitations(self, agent: Agent) -> tuple[str, ...]:
        """Return which of the agent's settings its CLI can't do, a sentence each."""

    def resumes(self, agent: Agent) -> bool:
        """Can a run go on with the session of an earlier one?"""

    def takes_role(self, agent: Agent) -> bool:
        """Is the agent's role given to its CLI as the system prompt? Then the prompt leaves it out."""

    def takes_skills(self, agent: Agent) -> bool:
        """Does its CLI load skills by itself, when they are wanted? Then the prompt leaves those out that say when."""

    def launch(self, agent: Agent, job: Job) -> Launch:
        """Return the process that does one task."""

    def listener(self, before: Session | None = None, memo: str = "") -> Listener:
        """Return what hears one run out. `before` is the session that it goes on with, as the run before left it."""
