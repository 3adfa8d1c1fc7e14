"""A file of the state folder that is kept there and asked for by name: nothing in it is checked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plain:
    """`path` is relative to the state folder."""

    path: str
