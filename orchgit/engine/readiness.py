"""Which tasks a team could start, and which of them nobody in it can do, by the committed state alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import waiting
from orchgit.model.scheduling import Snapshot
from orchgit.model.task import Status

if TYPE_CHECKING:
    from orchgit.repository.states import State

_WAITING = (Status.TODO, Status.RETRYING)


def ready(state: State) -> list[str]:
    """Return the ids of the tasks in `todo` that wait for nothing but a team that runs."""
    seen = _seen(state)
    return sorted(
        task.id for task in state.tasks.values() if task.status is Status.TODO and waiting.is_free(task, seen)
    )


def unstaffed(state: State, *, by: str) -> dict[str, str]:
    """Return why no agent can do them, by the ids of waiting tasks; not of those for `by`, a person."""
    seen = _seen(state)
    tasks = (task for task in state.tasks.values() if task.status in _WAITING and task.assignee != by)
    found = {task.id: waiting.without_agent(task, seen) for task in sorted(tasks, key=lambda each: each.id)}
    return {task: why for task, why in found.items() if why}


def _seen(state: State) -> Snapshot:
    return Snapshot(
        config=state.settings, tasks=state.tasks, archived=state.archived, agents=state.agents, goals=state.goals,
        teams=state.teams, machine="",
    )  # fmt: skip
