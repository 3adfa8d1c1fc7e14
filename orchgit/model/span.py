"""How long something may take or last, as a person types it."""

from __future__ import annotations

import re
from datetime import timedelta

from orchgit.model import fields

_SPAN = re.compile(r"(?P<count>[0-9]{1,15})(?P<unit>ms|s|m|h|d|w)?")
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_READ = fields.milliseconds(least=1)


def read(word: str) -> timedelta:
    """Return the span that `word` names: 90s, 15m, 2h, 1d, 1w, a bare number in milliseconds. ValueError otherwise."""
    found = _SPAN.fullmatch(word.strip())
    if found is None:
        raise ValueError(f"{fields.shown(word)} is not a span of time such as 15m, 2h or 1d")
    return timedelta(milliseconds=_READ(int(found["count"]) * _UNITS[found["unit"] or "ms"]))
