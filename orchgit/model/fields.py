"""What a key of a settings file may hold: readers that turn a parsed YAML value into a typed one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Readers = Mapping[str, Callable[[object], Any]]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def typed(path: str, values: Mapping[str, object], readers: Readers, *, line: Callable[[str], int]) -> dict[str, Any]:
    """Return the values of the keys that `readers` knows, typed; keys that stand empty or are unknown are left out.

    `line` tells where in the file a key stands; InvalidFileError names it.
    """
    found = {}
    for key, reader in readers.items():
        if values.get(key) is None:
            continue
        try:
            found[key] = reader(values[key])
        except ValueError as error:
            raise InvalidFileError(path, str(error), line=line(key), key=key) from None
    return found


def text(value: object) -> str:
    """One line or more; a bare number is what was typed."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{shown(value)} is not text; put it in quotes")


def line(value: object) -> str:
    """One line that says something."""
    words = text(value)
    if not words.strip():
        raise ValueError("is empty")
    if not words.isprintable():
        raise ValueError("must be one line without control characters")
    return words.strip()


def name(value: object) -> str:
    """What a file or an agent may be called: a letter or digit, then letters, digits, `.`, `_` and `-`."""
    word = text(value)
    if not _NAME.fullmatch(word):
        raise ValueError(f"{word!r} is not a name: use letters, digits, '.', '_' and '-', 64 at most")
    return word


def commit(value: object) -> str:
    word = text(value)
    if not _COMMIT.fullmatch(word):
        raise ValueError(f"{word!r} is not a full commit id")
    return word


def words(value: object) -> tuple[str, ...]:
    """A list of words; a single one, or several with commas between, may stand without brackets."""
    if isinstance(value, str):
        return tuple(filter(None, (word.strip() for word in value.split(","))))
    if isinstance(value, list):
        return tuple(line(word) for word in value)
    raise ValueError(f"{shown(value)} is not a list")


def flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"{shown(value)} is not true or false")


def number(*, least: int, most: int | None = None) -> Callable[[object], int]:
    """Return a reader of whole numbers from `least` to `most`."""

    def read(value: object) -> int:
        fits = isinstance(value, int) and not isinstance(value, bool) and value >= least
        if not fits or (most is not None and isinstance(value, int) and value > most):
            wanted = (
                f"a whole number from {least} to {most}" if most is not None else f"a whole number, {least} or more"
            )
            raise ValueError(f"{shown(value)} is not {wanted}")
        assert isinstance(value, int)
        return value

    return read


def moment(value: object) -> datetime:
    """A time with its zone, as RFC 3339 writes it; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text(value))
    except ValueError:
        raise ValueError(f"{shown(value)} is not a time such as 2026-11-22T10:00:00Z") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def environment(value: object) -> tuple[tuple[str, str], ...]:
    """Variables for a process: a mapping of names to text."""
    if not isinstance(value, dict):
        raise ValueError(f"{shown(value)} is not a mapping of names to values")
    for key in value:
        if not isinstance(key, str) or not _ENVIRONMENT_NAME.fullmatch(key):
            raise ValueError(f"{shown(key)} is not the name of an environment variable")
    return tuple((key, text(each)) for key, each in value.items())


def one_of(*allowed: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in allowed:
            raise ValueError(f"{shown(value)} is not one of {', '.join(allowed)}")
        return str(value)

    return read


def shown(value: object) -> str:
    """Return a value as an error quotes it: short, on one line."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case _:
            quoted = repr(value)
            return quoted if len(quoted) <= 40 else f"{quoted[:37]}..."
