"""Goals as somebody wants them: made, changed, planned."""

from __future__ import annotations

import os
import string
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.engine import drafts, planning, tasks
from orchgit.model import actor, approval, document, fields, ids, yamltext
from orchgit.model import goal as goal_file
from orchgit.model import task as task_file
from orchgit.model.actor import Kind
from orchgit.model.errors import InvalidFileError, RefusedError, UsageError
from orchgit.model.goal import Status
from orchgit.model.task import CLOSED, Purpose
from orchgit.model.task import Status as TaskStatus
from orchgit.repository import ledger, resources

if TYPE_CHECKING:
    from orchgit.model.actor import Actor
    from orchgit.model.goal import Goal
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.states import State

_TITLES = {Purpose.PLAN: "Plan: {}", Purpose.ASSESS: "Is it achieved? {}"}
_TEXTS = {Purpose.PLAN: "plan.md", Purpose.ASSESS: "assess.md"}


def add(layout: Layout, by: Actor, title: str, *, description: str = "", assignee: str | None = None) -> Goal:
    """Make a goal and return it; where an agent has it, a task to plan it is made too."""
    actor.refuse_agent(by, "set goals")
    try:
        title = fields.line(title)
    except ValueError as error:
        raise UsageError(f"The title {error}.") from None
    with ledger.writing(layout, by) as book:
        made = put(book, title, description=description, assignee=assignee)
        have_planned(book, made)
        return made


def put(book: Book, title: str, *, description: str, assignee: str | None) -> Goal:
    """Make a goal that nobody is asked to plan, and return it."""
    identifier = fresh_id(book.state)
    keys: ledger.Values = {"id": identifier, "title": title, "status": Status.ACTIVE.value}
    keys |= {"assignee": book.state.who(assignee)} if assignee else {}
    text = document.edit("", {**keys, "created": datetime.now(UTC)})
    text = document.replace_body(text, f"{description.strip()}\n" if description.strip() else "")
    made = goal_file.read(f"{goal_file.FOLDER}/{ids.named(identifier, title)}.md", text)
    book.put(made.path, text, f"goal({identifier}): created", body=title, details={"Goal": identifier})
    return made


def have_planned(book: Book, goal: Goal) -> Task | None:
    """Make the task in which the goal's agent plans it, where an agent has it, and return that."""
    is_planned = goal_file.planner(goal, book.state.agents, book.state.teams) is not None
    return _ask(book, goal, Purpose.PLAN) if is_planned else None


def edit(
    layout: Layout, by: Actor, word: str, *, title: str | None, description: str | None, assignee: str | None
) -> Goal:
    """Change what is named, and nothing else; an empty `assignee` is nobody."""
    actor.refuse_agent(by, "change goals")
    with ledger.writing(layout, by) as book:
        before = book.state.goal(word)
        keys: ledger.Values = {} if title is None else {"title": title}
        keys |= {} if assignee is None else {"assignee": book.state.who(assignee) if assignee else yamltext.REMOVE}
        old = text = book.text(before.path)
        text = document.edit(text, keys)
        if description is not None:
            text = document.replace_body(text, f"{description.strip()}\n" if description.strip() else "")
        what = ", ".join([*keys, *(["body"] if description is not None else [])])
        return before if text == old else _put(book, before, text, f"edit {what}")


def rewrite(layout: Layout, by: Actor, word: str, *, base: str, typed: str) -> Goal:
    """Take over a goal's file as somebody typed it, starting from `base`."""
    actor.refuse_agent(by, "change goals")
    with ledger.writing(layout, by) as book:
        before = book.state.goal(word)
        after = goal_file.read(before.path, typed)
        if book.text(before.path) != base:
            raise RefusedError(f"{before.path} was changed by somebody else meanwhile.", "Edit it again.")
        if after.id != before.id:
            raise InvalidFileError(before.path, "is not for hands to change here", key="id")
        return before if typed == base else _put(book, before, typed, "edit")


def set_status(layout: Layout, by: Actor, word: str, status: Status) -> Goal:
    """Let the goal be active, paused, achieved or abandoned; an agent may only say that its own is achieved."""
    with ledger.writing(layout, by) as book:
        before = book.state.goal(word)
        if by.kind is Kind.AGENT:
            _refuse_verdict(book.state, by, before, status)
        if before.status is status:
            return before
        text = document.edit(book.text(before.path), {"status": status.value})
        return _put(book, before, text, f"{before.status} -> {status}")


def delete(layout: Layout, by: Actor, word: str) -> Goal:
    """Remove the goal's file; RefusedError while open tasks name it."""
    actor.refuse_agent(by, "delete goals")
    with ledger.writing(layout, by) as book:
        found = book.state.goal(word)
        refuse_served(book.state, found)
        book.remove(found.path, f"goal({found.id}): deleted", body=found.title, details={"Goal": found.id})
        return found


def refuse_served(state: State, goal: Goal) -> None:
    """RefusedError where open tasks serve the goal."""
    named = sorted(task.id for task in state.tasks.values() if task.goal == goal.id and task.status not in CLOSED)
    if named:
        verb = "serves" if len(named) == 1 else "serve"
        what = f"{goal.id} is what {', '.join(named[:5])}{' and others' if named[5:] else ''} {verb}."
        if goal.is_over:
            these = "it" if len(named) == 1 else "these"
            raise RefusedError(
                what, f"Cancel {these} first: `orchgit task cancel ID`; or `orchgit goal undo` takes a plan back."
            )
        raise RefusedError(what, f"`orchgit goal status {goal.id} abandoned` keeps them from being started.")


def plan(layout: Layout, by: Actor, word: str) -> Task:
    """Make a task in which the goal's agent plans it, and return that."""
    actor.refuse_agent(by, "have a goal planned")
    with ledger.writing(layout, by) as book:
        goal = book.state.goal(word)
        if goal.status is not Status.ACTIVE:
            raise RefusedError(f"{goal.id} is {goal.status}.", f"`orchgit goal status {goal.id} active` resumes it.")
        if goal_file.planner(goal, book.state.agents, book.state.teams) is None:
            whose = f"for {goal.assignee}, who is no agent that could" if goal.assignee else "nobody's to"
            hint = f"`orchgit goal update {goal.id} --assignee AGENT` gives it to an agent."
            raise RefusedError(f"{goal.id} is {whose} plan it.", hint)
        open_one = next((each for each in asked(book.state, goal) if each.status not in CLOSED), None)
        if open_one is not None:
            what = f"{open_one.id} is about {goal.id} already, and {open_one.status}."
            if open_one.status is TaskStatus.FAILED:
                raise RefusedError(what, f"`orchgit task retry {open_one.id}` has it done once more.")
            raise RefusedError(what, f"`orchgit task show {open_one.id}` tells how it stands.")
        return _ask(book, goal, Purpose.PLAN)


def assess(book: Book, word: str) -> Task | None:
    """Ask the goal's agent whether it is achieved, where that is still to be asked."""
    goal = book.state.goals.get(word)
    if goal is None or goal.status is not Status.ACTIVE:
        return None
    if goal_file.planner(goal, book.state.agents, book.state.teams) is None:
        return None
    served = goal_file.serving(book.state.tasks.values(), [goal.id])[goal.id]
    return _ask(book, goal, Purpose.ASSESS) if goal_file.awaits_verdict(served) else None


def in_review(state: State, word: str) -> Task:
    """Return the plan, or the assessment, of the goal that waits for a person; RefusedError where none does."""
    goal = state.goal(word)
    found = next((each for each in asked(state, goal) if each.status is TaskStatus.REVIEW), None)
    if found is None:
        raise RefusedError(
            f"No plan of {goal.id} waits for you.", f"`orchgit goal show {goal.id}` tells how it stands."
        )
    return found


def approvable(state: State, word: str) -> Task:
    """Return what waits for a person as above; RefusedError for a plan of which nothing is left that could start."""
    found = in_review(state, word)
    is_empty = found.purpose is Purpose.PLAN and not goal_file.has_work(found.goal, state.tasks.values())
    if is_empty and found.review_commit == found.review_base:
        what = f"Nothing is left of the plan of {found.goal}: there is nothing to approve."
        again = f"`orchgit goal reject {found.goal} -r WHY` has it made again"
        raise RefusedError(what, f"{again}; `orchgit task cancel {found.id}` lets it be.")
    return found


def fresh_id(state: State) -> str:
    while True:
        made = ids.make(ids.GOAL, int.from_bytes(os.urandom(8)) % ids.SPACE)
        if made not in state.goals:
            return made


def asked(state: State, goal: Goal) -> list[Task]:
    """Return the tasks to plan or to assess the goal, newest first."""
    found = (each for each in state.tasks.values() if each.goal == goal.id and each.purpose)
    return sorted(found, key=lambda each: each.age_key, reverse=True)


def _ask(book: Book, goal: Goal, purpose: Purpose) -> Task:
    """Make the task in which the goal's agent does that."""
    identifier = tasks.fresh_id(book, document.parse(""))
    agent = goal_file.planner(goal, book.state.agents, book.state.teams)
    title = _TITLES[purpose].format(goal.title)
    most = book.state.config.goal_max_tasks
    text = string.Template(resources.template(_TEXTS[purpose])).substitute(
        goal=goal.id, most=f"{most} tasks at most" if most else "as many as it takes"
    )
    named = {"title": title, "assignee": agent, "goal": goal.id, "purpose": purpose.value}
    path = f"{task_file.FOLDER}/{ids.named(identifier, title)}.md"
    made = drafts.composed("", identifier, named, text)
    details = {"Task": identifier, "Goal": goal.id}
    book.put(path, made, f"task({identifier}): created", body=title, details=details)
    return book.state.tasks[identifier]


def _put(book: Book, goal: Goal, text: str, what: str) -> Goal:
    after = goal_file.read(goal.path, text)
    book.put(goal.path, text, f"goal({goal.id}): {what}", body=after.title, details={"Goal": goal.id})
    return after


def _refuse_verdict(state: State, by: Actor, goal: Goal, status: Status) -> None:
    """RefusedError unless the agent was asked whether its own goal is achieved, and may answer by itself."""
    asked = planning.order(state, by)
    agent = state.agents.get(by.name)
    policy = (agent.approval_policy if agent else None) or state.config.agent_approval_policy
    was_asked = asked is not None and asked.purpose is Purpose.ASSESS and asked.goal == goal.id
    if not was_asked or status is not Status.ACHIEVED or policy != approval.AUTO or goal.status is not Status.ACTIVE:
        raise RefusedError(
            f"It is not for {by.name} to say that {goal.id} is {status}.",
            "Say in your last words what you found; a person decides.",
        )
