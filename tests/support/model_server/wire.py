"""What the dialects have in common: a question as it was understood, and the frames of an answer."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.model_server.script import Answer, Refuse

_WORKSPACE = re.compile(r"\.orchgit/(tsk_[0-9a-z]{6})")


@dataclass(frozen=True, slots=True)
class Question:
    """A request for an answer. `said` are the person's words in it, oldest first, `tools` the tools' names.

    `system` are the words that stand above the conversation, `results` what tools gave back, oldest first, `task` the
    one whose worktree is named, or "".
    """

    name: str
    said: tuple[str, ...]
    tools: tuple[str, ...]
    results: tuple[str, ...]
    system: str
    task: str
    body: Mapping[str, Any]

    @property
    def is_aside(self) -> bool:
        """Is it for a title or the like, outside of the conversation?"""
        return not self.tools

    @property
    def folder(self) -> str:
        """Where the agent says that it works."""
        found = re.search(r"[Ww]orking directory: ([^\\\s\"]+)", json.dumps(self.body))
        return found[1] if found else "."


class Dialect(Protocol):
    """A module that speaks a provider's language."""

    def read(self, name: str, body: Mapping[str, Any]) -> Question:
        """Return what a request asks."""

    def stream(self, question: Question, answer: Answer) -> Iterator[str]:
        """Yield the events of an answer, as server-sent ones."""

    def refusal(self, turn: Refuse) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of an error."""


def question(
    name: str,
    body: Mapping[str, Any],
    *,
    said: Iterator[str],
    tools: Iterator[str],
    results: Iterator[str],
    system: str = "",
) -> Question:
    found = _WORKSPACE.search(json.dumps(body))
    return Question(name, tuple(said), tuple(tools), tuple(results), system, found[1] if found else "", body)


def texts(content: object) -> Iterator[str]:
    """Yield the texts of a message's content, which is one or a list of parts."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        yield from (part["text"] for part in content if isinstance(part.get("text"), str))


def frame(data: Mapping[str, Any] | str, event: str = "") -> str:
    text = data if isinstance(data, str) else json.dumps(data)
    return f"{f'event: {event}' + chr(10) if event else ''}data: {text}\n\n"


def words(text: str) -> list[str]:
    """Return the pieces in which a text is sent."""
    first, *rest = text.split(" ")
    return [first, *(f" {word}" for word in rest)]


def make_id(prefix: str) -> str:
    return f"{prefix}_{uuid.uuid4().hex[:20]}"
