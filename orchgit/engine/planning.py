"""What an agent may ask for while it plans a goal, or judges whether it is achieved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchgit.model.actor import Kind
from orchgit.model.errors import RefusedError

if TYPE_CHECKING:
    from orchgit.engine.tasks import Wish
    from orchgit.model.actor import Actor
    from orchgit.model.task import Task
    from orchgit.repository.states import State


def order(state: State, by: Actor) -> Task | None:
    """Return the task to plan or to assess in whose run `by` asks; None where it is none of these."""
    return next((task for task in state.tasks.values() if by.run and task.run == by.run and task.purpose), None)


def wished(wish: Wish, asked: Task, *, goal: str | None, needs: tuple[str, ...]) -> Wish:
    """Return the wish for a task of a plan: it serves the plan's goal, and starts when the plan is done."""
    if goal not in (None, asked.goal):
        what = f"{asked.id} is about the goal {asked.goal}, and not about {goal}."
        raise RefusedError(what, f"Make tasks for {asked.goal} alone.")
    return replace(wish, goal=asked.goal, depends_on=(*needs, *(() if asked.id in needs else (asked.id,))))


def refuse_unfit(state: State, asked: Task, made: Task) -> None:
    """RefusedError where nobody could be given the new task, or the plan has as many as may be."""
    if made.assignee is not None and made.assignee not in {**state.agents, **state.teams}:
        known = ", ".join(sorted({**state.agents, **state.teams}))
        raise RefusedError(f"There is no agent or team {made.assignee!r}.", f"There are: {known}.")
    most = state.config.goal_max_tasks
    count = sum(asked.id in task.depends_on for task in state.tasks.values())
    if 0 < most <= count:
        what = f"{asked.id} has made {count} tasks, and goals.max_tasks is {most}."
        raise RefusedError(what, "Leave it at these, and say in your last words what is missing.")


def refuse_making(by: Actor, made: Task) -> None:
    """RefusedError where an agent makes a task that plans or assesses: it would be taken at its word."""
    if by.kind is Kind.AGENT and made.purpose is not None:
        raise RefusedError("An agent may not make a task with a `purpose`.", "Leave that key out.")


def refuse_edit(state: State, by: Actor, before: Task, after: Task) -> None:
    """RefusedError where an agent takes a task out of the plan that it waits for, or into another goal."""
    if by.kind is not Kind.AGENT:
        return
    plans = {each for each in before.depends_on if each in state.tasks and state.tasks[each].purpose}
    if plans - set(after.depends_on):
        raise RefusedError(f"{after.id} waits for its plan, {', '.join(sorted(plans))}.", "Keep that dependency.")
    if before.purpose is not after.purpose or ((plans or before.purpose) and before.goal != after.goal):
        raise RefusedError(f"An agent may not change what {after.id} is for.", "Ask the person you work for.")
