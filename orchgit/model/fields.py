"""What a key of a settings file may hold: readers that turn a parsed YAML value into a typed one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from orchgit.model import ids
from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Readers = Mapping[str, Callable[[object], Any]]

_Word = TypeVar("_Word", bound=StrEnum)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NAME = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*(?<!\.lock)")
# What `git check-ref-format --branch` refuses; and `@`, which it reads as HEAD wherever it can.
_NO_BRANCH = re.compile(r"\A(?:-|@\Z|HEAD\Z)|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|(?:\A|/)(?:\.|/|\Z)|\.\Z|\.lock(?:/|\Z)")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = re.compile(r"\$(?:(\w+)|\{(\w+)\})", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,10}\.[0-9]{1,9}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
MOST: Final = 10**12
_MOST_DOLLARS = 1_000_000_000
_YEAR = 366 * 24 * 60 * 60 * 1000


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
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"{shown(value)} is not text; put it in quotes")
    words = str(value)
    if "\0" in words:
        raise ValueError("holds a NUL character, which no process can be given")
    return words


def line(value: object) -> str:
    """One line that says something."""
    words = text(value).strip()
    if not words:
        raise ValueError("is empty")
    if _CONTROL.search(words):
        raise ValueError("must be one line without control characters")
    return words


def name(value: object) -> str:
    """What a file or an agent may be called; it is safe as a part of a path, of a ref and of an address."""
    word = text(value)
    if not _NAME.fullmatch(word):
        raise ValueError(f"{shown(word)} is not a name: use letters, digits, '_', '-' and single dots, 64 at most")
    return word


def identifier(kind: str, *, example: str) -> Callable[[object], str]:
    """Return a reader of the ids of a `kind` of thing, which begin as `example` does."""
    prefix = example.partition("_")[0]

    def read(value: object) -> str:
        word = text(value)
        if not ids.is_id(word, prefix):
            raise ValueError(f"{shown(word)} is not a {kind} id such as {example}")
        return word

    return read


def one_of(kind: type[_Word]) -> Callable[[object], _Word]:
    """Return a reader of the words that `kind` lists."""

    def read(value: object) -> _Word:
        try:
            return kind(text(value))
        except ValueError:
            raise ValueError(f"{shown(value)} is not one of {', '.join(kind)}") from None

    return read


def age_key(created: datetime | None, identifier: str) -> tuple[datetime, str]:
    """Return what things are sorted by, older first; those that don't say when they were made come last."""
    return (created or datetime.max.replace(tzinfo=UTC), identifier)


def orch_id(value: object) -> str | None:
    """What a thing was called where it was brought over from; None where its file doesn't say so."""
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def branch(value: object) -> str:
    word = text(value)
    if not word or _NO_BRANCH.search(word) or _CONTROL.search(word):
        raise ValueError(f"{shown(word)} is not the name of a branch")
    return word


def commit(value: object) -> str:
    word = text(value)
    if not _COMMIT.fullmatch(word):
        raise ValueError(f"{shown(word)} is not a full commit id")
    return word


def words(value: object) -> tuple[str, ...]:
    """A list of words; a single one, or several with commas between, may stand without brackets."""
    if isinstance(value, bool) or not isinstance(value, str | int | list):
        raise ValueError(f"{shown(value)} is not a list")
    found = value if isinstance(value, list) else [word for word in text(value).split(",") if word.strip()]
    return tuple(dict.fromkeys(line(word) for word in found))


def texts(value: object) -> tuple[str, ...]:
    """A list of words as they are given to a process, repeated ones and empty ones too."""
    if not isinstance(value, list):
        raise ValueError(f"{shown(value)} is not a list")
    return tuple(text(word) for word in value)


def flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"{shown(value)} is not true or false")


def number(*, least: int, most: int | None = None) -> Callable[[object], int]:
    """Return a reader of whole numbers from `least` to `most`."""
    wanted = f"a whole number, {least} or more" if most is None else f"a whole number from {least} to {most}"
    highest = float("inf") if most is None else most

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= highest:
            raise ValueError(f"{shown(value)} is not {wanted}")
        return value

    return read


def count(value: object) -> int:
    """The most of something that is counted; 0 is no limit."""
    return number(least=0, most=MOST)(value)


def dollars(value: object) -> float:
    """An amount of money, 0 or more, whole or with a point; a command line gives it as text."""
    amount = float(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else value
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount <= _MOST_DOLLARS:
        raise ValueError(f"{shown(value)} is not an amount of US dollars such as 2.50, 0 or more")
    return amount


def milliseconds(*, least: int = 0) -> Callable[[object], int]:
    """Return a reader of spans of time: a year at most, so that no sum of them leaves the calendar."""
    return number(least=least, most=_YEAR)


def moment(value: object) -> datetime:
    """A time with its zone, as RFC 3339 writes it; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text(value))
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        found = None
    # In the calendar's first and last year a time has no form in every zone.
    if found is None or not 1 < found.year < 9999:
        raise ValueError(f"{shown(value)} is not a time such as 2026-11-22T10:00:00Z")
    return found


def environment(value: object) -> tuple[tuple[str, str], ...]:
    """Variables for a process: a mapping of names to text."""
    if not isinstance(value, dict):
        raise ValueError(f"{shown(value)} is not a mapping of names to values")
    return tuple((_variable(key), _setting(key, each)) for key, each in value.items())


def reference(value: str) -> str | None:
    """Return the variable of our environment that a value stands for: `$NAME` or `${NAME}`; None where it is itself."""
    found = _REFERENCE.fullmatch(value)
    return (found[1] or found[2]) if found else None


def _variable(name: object) -> str:
    if not isinstance(name, str) or not _ENVIRONMENT_NAME.fullmatch(name):
        raise ValueError(f"{shown(name)} is not the name of an environment variable")
    return name


def _setting(name: object, value: object) -> str:
    try:
        return text(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


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
