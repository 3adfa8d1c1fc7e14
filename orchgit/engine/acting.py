"""Tells for which run a process acts that was started by other programs, which hand on no environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchgit.engine import ancestors, workspaces
from orchgit.engine.environment import MARKER
from orchgit.model import standing
from orchgit.model.errors import NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.layout import Layout
    from orchgit.repository.store import State

AGENT = "ORCHGIT_AGENT"


def agent(layout: Layout, state: State, place: Path) -> str | None:
    """Return the agent that this process acts for: its environment's, its parents', or whose run works at `place`."""
    if os.environ.get(MARKER) and os.environ.get(AGENT):
        return os.environ[AGENT]
    return ancestors.agent(layout) or _at_work_in(layout, state, place.resolve())


def become(name: str) -> None:
    """Let all that this process asks for be asked by the agent."""
    os.environ[AGENT] = name
    os.environ.setdefault(MARKER, "run_mcp")


def _at_work_in(layout: Layout, state: State, place: Path) -> str | None:
    for task in standing.at_work(state.tasks):
        if not (task.run and task.agent):
            continue
        try:
            folder = workspaces.of(layout, state, task).resolve()
        except NotFoundError:
            continue
        if folder != layout.root.resolve() and place.is_relative_to(folder):
            return task.agent
    return None
