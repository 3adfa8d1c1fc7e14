"""How a value is written in YAML, on one line, so that YAML 1.1 and 1.2 read the same."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

_SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = frozenset(("yes", "no", "on", "off", "true", "false", "null"))
# A time as we write it stays plain: what was read as text goes back as it stood.
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z")
_NUMBER = re.compile(
    r"[0-9][0-9_.:]*(?:e[-+]?[0-9]*)?"  # decimal, octal, float, and sexagesimal as in 12:30
    r"|0[box][0-9a-f_]+"
    r"|[0-9]{4}-[0-9].*",  # a date
    re.IGNORECASE | re.DOTALL,
)
_PLAIN_IN_FLOW = re.compile(r"[\w/(](?:[^\s:#,\[\]{}]| (?=\S))*")
_PLAIN = re.compile(r"[\w/(](?:[^\s:#]| (?=[^\s#])|:(?=[^\s])|(?<=\S)#)*")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def written(value: object, *, style: str | None = None, flow: bool = False) -> str:
    """Return `value`, in the form that `as_read` gives it, as YAML on one line.

    `style` is the quote to keep for a string; `flow`: it stands in brackets.
    """
    match value:
        case str():
            return _string(value, style, flow=flow)
        case None | bool() | int():
            return json.dumps(value)
        case float():
            return _float(value)
        case Mapping():
            pairs = (f"{key(name)}: {written(each, flow=True)}" for name, each in value.items())
            return f"{{{', '.join(pairs)}}}"
        case Sequence():
            return f"[{', '.join(written(each, flow=True) for each in value)}]"
    raise TypeError(f"{value!r} has no form in YAML")


def key(name: str) -> str:
    """Return `name` as the key of a line."""
    return _string(name, None, flow=True)


def moment(time: datetime) -> str:
    """Return `time` as files carry it: 2026-11-22T10:00:00Z, with milliseconds where it has any."""
    assert time.tzinfo is not None, "a time without a zone depends on the machine"
    return (
        time.astimezone(UTC)
        .isoformat(timespec="milliseconds" if time.microsecond >= 1000 else "seconds")
        .replace("+00:00", "Z")
    )


def as_read(value: object) -> object:
    """Return `value` as it reads once it is written."""
    match value:
        case str():
            return str.__str__(value)
        case datetime():
            return moment(value)
        case None | bool() | float():
            return value
        case int():
            return int(value)
        case Mapping():
            return {as_read(name): as_read(each) for name, each in value.items()}
        case Sequence() if not isinstance(value, bytes):
            return [as_read(each) for each in value]
        case _:
            raise TypeError(f"{value!r} has no form in YAML")


def same(one: object, other: object) -> bool:
    """Tell whether two values are equal, and of the same types: 1 is neither 1.0 nor true."""
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def _string(words: str, style: str | None, *, flow: bool) -> str:
    if style == '"' or _UNPRINTABLE.search(words):
        return _double(words)
    if style != "'" and _is_plain(words, flow=flow):
        return words
    return "'" + words.replace("'", "''") + "'"


def _is_plain(words: str, *, flow: bool) -> bool:
    if _SIMPLE.fullmatch(words):
        return words.lower() not in _WORDS
    if not (_PLAIN_IN_FLOW if flow else _PLAIN).fullmatch(words):
        return False
    return not _NUMBER.fullmatch(words) or _TIME.fullmatch(words) is not None


def _double(words: str) -> str:
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(words, ensure_ascii=False))


def _float(number: float) -> str:
    """Write a float with a point: 1e+16 without one is text to YAML 1.1."""
    mantissa, exponent, power = repr(number).partition("e")
    if not exponent:
        return mantissa
    sign = "" if power.startswith("-") else "+"
    return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}e{sign}{power.lstrip('+')}"
