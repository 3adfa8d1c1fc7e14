"""Why a task isn't started, for reasons that lie in it and not in who is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import checkout, choosing, standing, team
from orchgit.model import goal as goals
from orchgit.model.cooldown import CoolDown
from orchgit.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.model.scheduling import Snapshot
    from orchgit.model.task import Task

_HOPELESS = frozenset({"missing", Status.FAILED, Status.CANCELLED})


def obstacle(task: Task, snapshot: Snapshot) -> str | None:
    """Return why nobody can start `task`, however many agents were free; None where somebody could."""
    return (
        standing.dependency(task, snapshot.known, snapshot.tangled)
        or _waits_for_goal(task, snapshot)
        or without_agent(task, snapshot)
        or _waits_for_team(task, snapshot)
        or _waits_for_provider(task, snapshot)
        or _waits_for_review(snapshot)
        or _waits_for_scope(task, snapshot)
        or _waits_for_checkout(task, snapshot)
    )


def _waits_for_goal(task: Task, snapshot: Snapshot) -> str | None:
    goal = goals.held(task, snapshot.goals)
    return goals.holds(goal) if goal else None


def _waits_for_team(task: Task, snapshot: Snapshot) -> str | None:
    found = snapshot.teams.get(task.assignee or "")
    if found is None or not team.is_full(found, snapshot.at_work):
        return None
    return f"waits: {found.name} is at work on {found.max_concurrent_tasks} of its tasks, which is its most"


def without_agent(task: Task, snapshot: Snapshot) -> str | None:
    """Return why no agent can be given `task`, whatever else it waits for; None where one can, or only cools down."""
    wanted = _wanted(task, snapshot)
    if not wanted:
        return _nobody(task, snapshot)
    if _away(wanted, snapshot) and not any(_cools(name, snapshot) for name in wanted):
        return _until_they_are_back(wanted, snapshot)
    return None


def _nobody(task: Task, snapshot: Snapshot) -> str:
    """Return why there is nobody whom `task` may be given to."""
    if task.assignee in snapshot.teams:
        return f"is for the team {task.assignee}, which has no enabled agent"
    if task.assignee in snapshot.agents:
        return f"is for {task.assignee}, an agent that is disabled"
    if task.assignee is not None:
        return f"is for {task.assignee}, who is not an agent here"
    enabled = [each for each in snapshot.agents.values() if each.enabled]
    if enabled and not any(each.autonomous for each in enabled):
        return "is nobody's, and no agent here is autonomous: each does only what is assigned to it"
    if enabled:
        return "is nobody's, and every agent is in a team that claims no such task"
    return "has no enabled agent to do it"


def _waits_for_provider(task: Task, snapshot: Snapshot) -> str | None:
    """Return that all who could do `task` are away, where one of them only cools down: that comes by itself."""
    wanted = _wanted(task, snapshot)
    return _until_they_are_back(wanted, snapshot) if _away(wanted, snapshot) else None


def _wanted(task: Task, snapshot: Snapshot) -> list[str]:
    """Return the enabled agents that `task` may be given to, busy ones too."""
    named = snapshot.claiming if task.assignee is None else choosing.members(task.assignee, snapshot.teams)
    return sorted(name for name in named if name in snapshot.agents and snapshot.agents[name].enabled)


def _away(wanted: list[str], snapshot: Snapshot) -> bool:
    """Is each of them given nothing for a while? Not where a person names the task to run."""
    return snapshot.only is None and all(name in snapshot.rests for name in wanted)


def _cools(name: str, snapshot: Snapshot) -> bool:
    return isinstance(snapshot.rests.get(name), CoolDown)


def _until_they_are_back(wanted: list[str], snapshot: Snapshot) -> str:
    return f"has to wait: {'; '.join(f'{name} {snapshot.rests[name]}' for name in wanted)}"


def _waits_for_review(snapshot: Snapshot) -> str | None:
    if not is_review_full(snapshot):
        return None
    most = snapshot.config.max_in_review
    return f"waits: {_in_review(snapshot)} wait for your review, and scheduling.max_in_review is {most}"


def is_review_full(snapshot: Snapshot) -> bool:
    """Do so many tasks wait for review that nothing is started? Not where a person names the task to run."""
    return snapshot.only is None and 0 < snapshot.config.max_in_review <= _in_review(snapshot)


def _in_review(snapshot: Snapshot) -> int:
    """Return how many tasks wait for a person; what is in the base branch by now doesn't."""
    known = snapshot.tasks.items()
    return sum(task.status is Status.REVIEW and each not in snapshot.merged for each, task in known)


def _waits_for_scope(task: Task, snapshot: Snapshot) -> str | None:
    other = standing.in_the_way(task, snapshot.at_work) if task.scope else None
    return f"waits: {standing.overlaps(other)}" if other else None


def _waits_for_checkout(task: Task, snapshot: Snapshot) -> str | None:
    here = (each for each in snapshot.at_work if runs_here(each, snapshot))
    other = checkout.user(here, snapshot.agents, snapshot.config)
    return (
        checkout.waits(other)
        if other and checkout.awaits(task, snapshot.agents, snapshot.teams, snapshot.config)
        else None
    )


def is_stuck(task: Task, snapshot: Snapshot) -> bool:
    """Does `task` wait for what can't come by itself, and what isn't a person's to do? A rest of its agent counts."""
    unmet = {how for _, how in standing.blockers(task, snapshot.known)}
    if unmet:
        return bool(unmet & _HOPELESS) or task.id in snapshot.tangled
    if goals.held(task, snapshot.goals):
        return snapshot.only is not None
    for_a_person = task.assignee is not None and task.assignee not in {**snapshot.agents, **snapshot.teams}
    return not for_a_person and without_agent(task, snapshot) is not None


def is_free(task: Task, snapshot: Snapshot) -> bool:
    """Are its dependencies done, is its goal pursued, and may somebody be given it?"""
    return (
        not standing.blockers(task, snapshot.known)
        and goals.held(task, snapshot.goals) is None
        and without_agent(task, snapshot) is None
    )


def is_held_up(task: Task, snapshot: Snapshot) -> bool:
    """Is something in the way of `task` that no run of this machine will take away?"""
    if not is_free(task, snapshot) or is_review_full(snapshot):
        return True
    found = snapshot.teams.get(task.assignee or "")
    if found is not None and team.is_full(found, with_others(snapshot)):
        return True
    return bool(task.scope) and standing.in_the_way(task, with_others(snapshot)) is not None


def with_others(snapshot: Snapshot) -> Iterator[Task]:
    """Yield the tasks in progress that no run of this machine owns: a person's, another machine's."""
    return (task for task in snapshot.at_work if not runs_here(task, snapshot))


def runs_here(task: Task, snapshot: Snapshot) -> bool:
    return task.status is Status.IN_PROGRESS and task.run is not None and task.machine == snapshot.machine
