"""What a scripted model does: a turn for each time that it is asked, and what each costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.model_server.wire import Question


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one answer uses. `stored` are tokens that no cache held and one does from now on; `cached` were held."""

    fresh: int = 0
    stored: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.fresh + other.fresh, self.stored + other.stored, self.cached + other.cached,
            self.output + other.output, self.reasoning + other.reasoning,
        )  # fmt: skip


ANSWER: Final = Tokens(fresh=500, stored=200, cached=300, output=40, reasoning=10)


@dataclass(frozen=True, slots=True)
class Say:
    """Words, sent one by one with `pause` seconds before each; after `cut` events the connection breaks."""

    text: str = "All is done."
    pause: float = 0
    cut: int | None = None
    tokens: Tokens = ANSWER


@dataclass(frozen=True, slots=True)
class Shell:
    """A call of the agent's shell tool."""

    command: str
    tokens: Tokens = ANSWER


@dataclass(frozen=True, slots=True)
class Write:
    """A call of the agent's own tool for writing files; `path` is relative to where it works."""

    path: str
    text: str = "written\n"
    tokens: Tokens = ANSWER


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool of the MCP server `orchgit`, with `given` as its arguments."""

    tool: str
    given: Mapping[str, Any] = field(default_factory=dict)
    tokens: Tokens = ANSWER


@dataclass(frozen=True, slots=True)
class Find:
    """A look for a tool of `orchgit`, before it is called: Codex tells a model of those only that it has looked for."""

    tool: str
    tokens: Tokens = ANSWER


class Why(StrEnum):
    """Why a provider refuses to answer."""

    KEY = "key"
    LIMIT = "limit"
    BROKEN = "broken"
    OVERLOADED = "overloaded"
    TOO_LONG = "too long"
    CREDIT = "credit"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Refuse:
    """An error of the provider; `again_in` are the seconds of its Retry-After."""

    why: Why
    again_in: int | None = None


@dataclass(frozen=True, slots=True)
class Hang:
    """The question is taken, and no answer comes."""


Answer: TypeAlias = Say | Shell | Write | Call | Find
Turn: TypeAlias = Answer | Refuse | Hang
Thought: TypeAlias = "Callable[[Question], Answer]"  # an answer that depends on what was asked, and on what tools said
Script: TypeAlias = "tuple[Turn | Thought, ...]"  # the last turn is played for ever
