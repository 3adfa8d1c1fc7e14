"""Tells for which run a process acts that was started by other programs, which hand on no environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchgit.engine import ancestors, workspaces
from orchgit.engine.environment import MARKER
from orchgit.model import actor, standing
from orchgit.model.actor import Kind
from orchgit.model.errors import NotFoundError
from orchgit.repository import identity

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.model.actor import Actor
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State

AGENT = "ORCHGIT_AGENT"


def agent(layout: Layout, state: State, place: Path) -> Actor | None:
    """Return the agent that this process acts for: its parents', its environment's, or whose run works at `place`."""
    named = identity.caller(layout.common)
    told = named if named.kind is Kind.AGENT else None
    return ancestors.agent(layout) or told or _at_work_in(layout, state, place.resolve())


def become(agent: Actor) -> None:
    """Let all that this process asks for be asked by the agent, in its run."""
    os.environ[AGENT], os.environ[MARKER] = agent.name, agent.run


def _at_work_in(layout: Layout, state: State, place: Path) -> Actor | None:
    for task in standing.at_work(state.tasks):
        if not (task.run and task.agent):
            continue
        try:
            folder = workspaces.of(layout, state, task).resolve()
        except NotFoundError:
            continue
        if folder != layout.root.resolve() and place.is_relative_to(folder):
            return actor.agent(task.agent, run=task.run)
    return None
