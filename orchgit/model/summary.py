"""An agent's last words: made fit for a commit and for a page, and read out of a commit again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from orchgit.model.trailers import Message

LONGEST: Final = 4000  # characters
_MARK = ">"
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[^\S\n\t ]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def tidy(text: str) -> str:
    """Return words that can be shown anywhere: no escape sequences, no blanks at the ends, 4000 characters at most.

    Where it is more the end stays: an agent says last what it has come to.
    """
    kept = _plain(text)
    if len(kept) <= LONGEST:
        return kept
    _, _, whole = kept[-LONGEST:].partition("\n")
    return f"[...]\n{whole or kept[-LONGEST:]}"


def first_line(text: str) -> str:
    """Return the first line that says something."""
    return next((line.strip() for line in text.split("\n") if line.strip()), "")


def gist(text: str, *, is_answer: bool) -> str:
    """Return the line that stands for all: an answer begins with what it comes to, a program's output ends with it."""
    return first_line(text if is_answer else "\n".join(reversed(text.split("\n"))))


def body(title: str, words: str) -> str:
    """Return the body of a commit: a task's title, and below it the words as a quotation.

    Quoted, no line of them can be taken for a trailer, by git or by whoever greps for one.
    """
    quoted = "\n".join(f"{_MARK} {line}".rstrip() for line in tidy(words).split("\n")) if tidy(words) else ""
    return "\n\n".join(filter(None, (title, quoted)))


def from_message(message: Message) -> str:
    """Return the words that `body` put into a commit; "" where it has none."""
    lines = message.body.split("\n")[1:]
    return _plain("\n".join(line.removeprefix(_MARK).removeprefix(" ") for line in lines if line.startswith(_MARK)))


def _plain(text: str) -> str:
    plain = _CONTROL.sub("", _ESCAPE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return "\n".join(line.rstrip() for line in plain.split("\n")).strip("\n")
