"""Reads out of the state branch what the runs of the past used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchgit.engine import history
from orchgit.model import usage
from orchgit.model.spending import Spent
from orchgit.model.task import Status
from orchgit.repository import store

if TYPE_CHECKING:
    from orchgit.engine.history import Entry
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State


def spent(
    layout: Layout, state: State, *, since: int | None = None, until: int | None = None, task: str | None = None
) -> list[Spent]:
    """Return the runs that ended in that time, in seconds since the epoch, newest first; `task` is an id.

    Each run is one commit, and those are read as far back as `since`. Runs of tasks that are archived or deleted are
    among them; those that are at work are not. Times are local ones.
    """
    found = history.ended_runs(layout, state.tip, since=since, until=until, task=task)
    return [_spent(each) for each in found]


def with_goals(layout: Layout, state: State, runs: list[Spent]) -> list[Spent]:
    """Return the runs with what their tasks serve now; this reads those of the tasks that are archived."""
    elsewhere = {each.task for each in runs} - state.tasks.keys()
    known = {**state.tasks, **(store.archived(layout, state.tip, elsewhere) if elsewhere else {})}
    return [replace(each, goal=known[each.task].goal or "") if each.task in known else each for each in runs]


def _spent(entry: Entry) -> Spent:
    said = entry.message
    return Spent(
        at=entry.at.astimezone(),
        task=said.get("Task") or "",
        title=said.body.partition("\n")[0],
        agent=said.get("Agent") or said.get("Actor") or "",
        succeeded=(said.get("Transition") or "").endswith(f"-> {Status.REVIEW}"),
        used=usage.from_trailers(said),
    )
