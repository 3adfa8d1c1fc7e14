"""A file of the state folder that is asked for by name, and of which nothing but that is known."""

from __future__ import annotations

from orchgit.model.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Plain:
    """`path` is relative to the state folder."""

    path: str
