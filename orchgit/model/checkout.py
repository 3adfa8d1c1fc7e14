"""Which tasks are worked on in the person's own checkout, and that only one of them is at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import choosing, setup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchgit.model.agent import Agent
    from orchgit.model.config import Config
    from orchgit.model.task import Task
    from orchgit.model.team import Team


def mode(task: Task, agent: Agent | None, config: Config) -> str:
    """Return where `task` is worked on: its own word, else that of the agent who does it, else the project's."""
    return task.workspace_mode or (agent.workspace_mode if agent else None) or config.workspace_mode


def is_shared(task: Task, agent: Agent | None, config: Config) -> bool:
    return mode(task, agent, config) == setup.SHARED


def user(running: Iterable[Task], agents: Mapping[str, Agent], config: Config) -> Task | None:
    """Return which of the tasks that run in this clone has the checkout, or None."""
    return next((task for task in running if is_shared(task, agents.get(task.agent or ""), config)), None)


def elsewhere(task: Task, free: Mapping[str, int], agents: Mapping[str, Agent], config: Config) -> dict[str, int]:
    """Return the room of those agents who would do `task` in a place of its own."""
    return {name: places for name, places in free.items() if not is_shared(task, agents[name], config)}


def awaits(task: Task, agents: Mapping[str, Agent], teams: Mapping[str, Team], config: Config) -> bool:
    """Does `task` need the checkout, whoever may do it?"""
    named = agents if task.assignee is None else choosing.members(task.assignee, teams)
    able = [agents[name] for name in named if name in agents and (agents[name].enabled or name == task.assignee)]
    return bool(able) and all(is_shared(task, each, config) for each in able)


def waits(other: Task) -> str:
    """Return how a person reads that `other` has the checkout."""
    return f"waits for your checkout, which {other.id} works in"
