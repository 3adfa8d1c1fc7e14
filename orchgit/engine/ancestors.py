"""Tells whether this process was started within an agent's run, whatever became of its own environment."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from orchgit.engine.environment import MARKER
from orchgit.model import actor
from orchgit.repository import runs

if TYPE_CHECKING:
    from orchgit.model.actor import Actor
    from orchgit.repository.layout import Layout
    from orchgit.repository.runs import Folder


def agent(layout: Layout) -> Actor | None:
    """Return the agent in whose run of this project we were started, or None.

    The run is the one of the nearest runner among our parents. Where none is there any more, it is what the furthest of
    them was told: what an agent tells its own children may be another thing.
    """
    told: Folder | None = None
    for process in psutil.Process().parents():
        with suppress(psutil.Error, OSError):
            if runner := _of_runner(layout, process):
                told = runner
                break
            told = _known(layout, process.environ().get(MARKER)) or told
    return actor.agent(runs.read_spec(told).agent, run=told.id) if told else None


def _of_runner(layout: Layout, process: psutil.Process) -> Folder | None:
    """Return the folder of the run whose runner `process` is: its last word names it."""
    folder, _, name = (process.cmdline() or [""])[-1].rpartition("/")
    return _known(layout, name) if folder == str(layout.runs) else None


def _known(layout: Layout, name: str | None) -> Folder | None:
    place = runs.folder(layout, name or "-")
    return place if place.spec.is_file() else None
