"""Tells whether this process was started within an agent's run, whatever became of its own environment."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from orchgit.engine.environment import MARKER
from orchgit.repository import runs

if TYPE_CHECKING:
    from orchgit.repository.layout import Layout


def agent(layout: Layout) -> str | None:
    """Return the agent whose run of this project is among our parent processes, or None."""
    for process in psutil.Process().parents():
        with suppress(psutil.Error, OSError):
            place = runs.folder(layout, process.environ().get(MARKER) or "-")
            if place.spec.is_file():
                return runs.read_spec(place).agent
    return None
