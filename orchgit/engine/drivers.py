"""Finds the adapter of a name: in the table, or, where it isn't there, among what installed packages bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit import adapters
from orchgit.model.errors import RefusedError

if TYPE_CHECKING:
    from orchgit.adapters.protocol import Adapter

GROUP = "orchgit.adapters"


def find(name: str) -> Adapter:
    """Return the adapter called `name`; RefusedError where there is none, or it can't be loaded."""
    return adapters.ADAPTERS[name] if name in adapters.ADAPTERS else _installed(name)


def _installed(name: str) -> Adapter:
    from importlib.metadata import entry_points

    found = {each.name: each for each in entry_points(group=GROUP)}
    if name not in found:
        known = ", ".join(dict.fromkeys([*adapters.ADAPTERS, *sorted(found)]))
        raise RefusedError(f"it has the adapter {name!r}, which this orchgit doesn't know.", f"Known: {known}.")
    try:
        loaded: Adapter = found[name].load()
    except Exception as error:  # whatever somebody else's module raises
        raise RefusedError(
            f"its adapter {name!r}, {found[name].value}, can't be loaded: {error}.", "Mend or remove that package."
        ) from error
    return loaded
