"""The message of a commit on the state branch: made here, and read back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRAILER = re.compile(r"(?P<key>[A-Za-z0-9][A-Za-z0-9-]*): (?P<value>.*)")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f]+")
_DIVIDER = re.compile(r"^---(?=\s)", re.MULTILINE)  # to git the message ends there, and a patch begins


@dataclass(frozen=True, slots=True)
class Message:
    """`subject` is one line, `body` free text, `trailers` git's own, in order."""

    subject: str
    body: str = ""
    trailers: tuple[tuple[str, str], ...] = ()

    def get(self, key: str) -> str | None:
        return next((value for name, value in self.trailers if name.lower() == key.lower()), None)


def render(message: Message) -> str:
    """Return the commit message's text, ending in a newline. Subject and values are kept to one line each."""
    trailers = "\n".join(f"{key}: {_one_line(value)}" for key, value in message.trailers)
    parts = (_one_line(message.subject), message.body.strip("\n"), trailers)
    return _DIVIDER.sub(" ---", "\n\n".join(part for part in parts if part) + "\n")


def parse(text: str) -> Message:
    """Read a commit message: its last paragraph, where it isn't the first, is trailers if every line of it is one."""
    above, _, last = text.strip("\n").rpartition("\n\n")
    found = [_TRAILER.fullmatch(line) for line in last.split("\n")]
    pairs = tuple((match["key"], match["value"]) for match in found if match)
    if not above or len(pairs) < len(found):
        above, pairs = text.strip("\n"), ()
    subject, _, body = above.partition("\n")
    return Message(subject, body.strip("\n"), pairs)


def given(values: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    """Return the trailers that have a value, in order."""
    return tuple((key, value) for key, value in values.items() if value and _one_line(value))


def _one_line(words: str) -> str:
    return _BLANK.sub(" ", words).strip()
