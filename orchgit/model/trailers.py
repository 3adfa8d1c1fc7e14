"""The message of a commit on the state branch: made here, and read back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRAILER = re.compile(r"(?P<key>[A-Za-z0-9][A-Za-z0-9-]*): (?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Message:
    """`subject` is one line, `body` free text, `trailers` git's own, in order."""

    subject: str
    body: str = ""
    trailers: tuple[tuple[str, str], ...] = ()

    def get(self, key: str) -> str | None:
        return next((value for name, value in self.trailers if name.lower() == key.lower()), None)


def render(message: Message) -> str:
    """Return the commit message's text, ending in a newline. Values are kept to one line each."""
    trailers = "\n".join(f"{key}: {_one_line(value)}" for key, value in message.trailers)
    parts = (_one_line(message.subject), message.body.strip("\n"), trailers)
    return "\n\n".join(part for part in parts if part) + "\n"


def parse(text: str) -> Message:
    """Read a commit message: its last paragraph is trailers where every line of it is one."""
    subject, _, rest = text.strip("\n").partition("\n")
    paragraphs = rest.strip("\n").split("\n\n")
    found = [_TRAILER.fullmatch(line) for line in paragraphs[-1].splitlines()]
    if not found or not all(found):
        return Message(subject, "\n\n".join(paragraphs).strip("\n"))
    pairs = tuple((match["key"], match["value"]) for match in found if match)
    return Message(subject, "\n\n".join(paragraphs[:-1]).strip("\n"), pairs)


def given(values: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    """Return the trailers that have a value, in order."""
    return tuple((key, value) for key, value in values.items() if value)


def _one_line(words: str) -> str:
    return " ".join(words.split())
