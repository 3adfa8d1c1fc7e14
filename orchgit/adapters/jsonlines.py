"""Reads what a CLI prints as JSON, one object a line, whatever it holds."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Final

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LONGEST_SUMMARY: Final = 200
_TELLING: Final = ("command", "file_path", "filePath", "path", "pattern", "url", "query", "description", "prompt")


def parsed(line: str) -> dict[str, Any] | None:
    """Return the object that a line holds; None where it holds none."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def at(value: object, *path: str | int) -> Any:
    """Return what lies at `path` within a value, by keys of objects and places in arrays; None where nothing does."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def text(value: object, *path: str | int) -> str:
    """Return the text at `path`, or ""."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def number(value: object, *path: str | int) -> float:
    """Return the number at `path`, 0 where there is none; it is never negative."""
    found = at(value, *path)
    is_one = isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found < 10**15
    return found if is_one else 0


def count(value: object, *path: str | int) -> int:
    return int(number(value, *path))


def objects(value: object, *path: str | int) -> list[dict[str, Any]]:
    """Return the objects of the array at `path`."""
    found = at(value, *path)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def moment(word: str) -> float | None:
    """Return the seconds since 1970 of a time that a CLI wrote, or None."""
    try:
        found = datetime.fromisoformat(word)
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo else None


def plain(line: str) -> str:
    """Return a line without the codes that colour it."""
    return _ESCAPES.sub("", line)


def one_line(words: str) -> str:
    """Return words cut to what stands on one line of a log."""
    short = " ".join(words[: 4 * _LONGEST_SUMMARY].split())
    return short if len(short) <= _LONGEST_SUMMARY else f"{short[: _LONGEST_SUMMARY - 1]}…"


def summary(given: object) -> str:
    """Return on one line what a tool was called with: the argument that tells most, else all of them."""
    if isinstance(given, str):
        return one_line(given)
    telling = next((text(given, key) for key in _TELLING if text(given, key)), "")
    return one_line(telling or (json.dumps(given, ensure_ascii=False) if given else ""))
