"""What arguments and options hold: text, which may come from standard input, and words with commas between."""

from __future__ import annotations

import sys
from typing import overload


@overload
def text(words: str) -> str: ...
@overload
def text(words: str | None) -> str | None: ...
def text(words: str | None) -> str | None:
    """Return `words`, or what comes from standard input where they are `-`."""
    return sys.stdin.read() if words == "-" else words


@overload
def listed(words: str) -> tuple[str, ...]: ...
@overload
def listed(words: str | None) -> tuple[str, ...] | None: ...
def listed(words: str | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(filter(None, (word.strip() for word in words.split(","))))
