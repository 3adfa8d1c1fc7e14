"""Which session a run goes on with: that of the task's last run, where it is still there and can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchgit.engine import workspace
from orchgit.model import setup
from orchgit.model.run import Outcome
from orchgit.repository import runs

if TYPE_CHECKING:
    from orchgit.adapters.protocol import Adapter
    from orchgit.engine.prompts import Subject
    from orchgit.engine.whereabouts import Where
    from orchgit.model.run import Result, Session
    from orchgit.repository.layout import Layout
    from orchgit.repository.runs import Spec

_STARTED_OVER: Final = ("failed -> todo", "cancelled -> todo")


def to_go_on_with(layout: Layout, subject: Subject, adapter: Adapter, where: Where) -> Session | None:
    """Return the session that a run goes on with, as the last run left it; None where it begins a new one.

    It is the same task, agent and workspace, on this machine; the agent's file is as it was, since a CLI would not take
    another role in. Somebody who starts a task over wants it from the beginning.
    """
    task, agent, past = subject.task, subject.agent, subject.past
    if past is None or past.run is None or not adapter.resumes(agent):
        return None
    if past.lost_session or any(map(past.moved, _STARTED_OVER)):
        return None
    place = runs.folder(layout, past.run)
    result = runs.read_result(place)
    if result is None or not place.spec.exists():
        return None
    spec, file = runs.read_spec(place), subject.state.items[agent.path][0]
    now = (task.id, agent.name, file, agent.adapter, where.mode, str(where.path))
    then = (spec.task, spec.agent, spec.agent_file, spec.adapter, spec.mode, spec.workspace)
    if now != then or _is_spent(spec, result) or not _is_as_it_was(layout, where, spec):
        return None
    return runs.read_session(place)


def _is_spent(spec: Spec, result: Result) -> bool:
    """Can nobody go on with the session, or did the run that did fail? It may be the session that fails then."""
    return result.session_lost or (bool(spec.session) and result.outcome is Outcome.FAILED)


def _is_as_it_was(layout: Layout, where: Where, spec: Spec) -> bool:
    """Is the workspace the one that the run had, and nobody else's since?"""
    if where.mode == setup.SHARED:
        return where.path.is_dir()
    return where.path.is_dir() and workspace.last_run(layout, where.path) == spec.run
