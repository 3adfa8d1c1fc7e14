"""Shared memory: texts by key, each a file of exactly these bytes."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Final

from orchgit.model import fields
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from datetime import datetime

FOLDER: Final = "context"
MOST: Final = 1 << 20  # bytes of a value
_SUFFIX = ".md"
_DEEPEST, _LONGEST = 8, 200
# A file that begins so has a value that ends: all that follows is the value.
_HEAD = re.compile(r"---\r?\nexpires:[ \t]*(?P<when>[^\r\n]*?)[ \t]*\r?\n---\r?\n")
_NEVER = "never"


@dataclass(frozen=True, slots=True)
class Value:
    """What a key holds; `expires` is when it stops to, None: never."""

    key: str
    text: str
    expires: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now


def key(word: object) -> str:
    """A key: names with `/` between, each a folder but for the last. ValueError otherwise."""
    found = fields.text(word)
    parts = found.split("/")
    for part in parts:
        fields.name(part)
        if part.endswith(_SUFFIX):
            raise ValueError(f"{fields.shown(found)} ends in {_SUFFIX}, as its file does; leave that off")
    if len(parts) > _DEEPEST or len(found) > _LONGEST:
        raise ValueError(f"{fields.shown(found)} is too long: {_LONGEST} characters and {_DEEPEST} names at most")
    return found


def keys(value: object) -> tuple[str, ...]:
    """A list of keys."""
    return tuple(key(word) for word in fields.words(value))


def path_of(key: str) -> str:
    """Return where the value of `key` is, relative to the state folder."""
    return f"{FOLDER}/{key}{_SUFFIX}"


def belongs(path: str) -> bool:
    """Is it the path of a value? What has no key's name is none of ours."""
    return key_at(path) is not None


def key_at(path: str) -> str | None:
    """Return the key whose value is at `path`, None where that is no value's place."""
    inside = path.removeprefix(f"{FOLDER}/")
    if inside == path or not path.endswith(_SUFFIX):
        return None
    try:
        return key(inside.removesuffix(_SUFFIX))
    except ValueError:
        return None


def owner(key: str) -> str:
    """Return the first name of a key that has several: an agent's own keys begin with its name."""
    head, slash, _ = key.partition("/")
    return head if slash else ""


def compose(text: str, expires: datetime | None) -> str:
    """Return what the file holds: the value itself, below a head where it expires, or looks as if it did."""
    if expires is not None:
        return f"---\nexpires: {expires.astimezone(UTC).isoformat().replace('+00:00', 'Z')}\n---\n{text}"
    return f"---\nexpires: {_NEVER}\n---\n{text}" if _HEAD.match(text) else text


def parse(path: str, data: bytes) -> Value:
    """Return the value that the file at `path` holds; InvalidFileError where it holds none."""
    name = key_at(path)
    if name is None:
        raise InvalidFileError(path, "has no key's name", next_step="A key is names with `/` between.")
    if len(data) > MOST:
        reason = f"holds {len(data):,} bytes, and a value {MOST:,} at most"
        raise InvalidFileError(path, reason, next_step="Commit it to the project, and name it here.")
    from orchgit.model import document

    text = document.decode(path, data)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InvalidFileError(path, "holds a NUL character, and so is no text", line=line)
    head = _HEAD.match(text)
    if head is None:
        return Value(name, text)
    try:
        expires = None if head["when"] == _NEVER else fields.moment(head["when"])
    except ValueError as error:
        raise InvalidFileError(path, str(error), line=2, key="expires", next_step="Or write `never`.") from None
    return Value(name, text[head.end() :], expires)
