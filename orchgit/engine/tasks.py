"""Tasks as somebody wants them: made, and changed."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from orchgit.engine import drafts, planning
from orchgit.model import document, fields, ids, standing, yamltext
from orchgit.model import goal as goal_file
from orchgit.model import task as task_file
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import AmbiguousError, InvalidFileError, NotFoundError, RefusedError, UsageError
from orchgit.repository import attachments, ledger, store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchgit.model.actor import Actor
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.states import State


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants a task to say; None leaves it as it is, and () or "" empties it."""

    title: str | None = None
    description: str | None = None
    priority: int | None = None
    labels: tuple[str, ...] | None = None
    assignee: str | None = None
    depends_on: tuple[str, ...] | None = None
    goal: str | None = None
    scope: tuple[str, ...] | None = None
    context: tuple[str, ...] | None = None
    review_criteria: tuple[str, ...] | None = None
    max_attempts: int | None = None
    timeout_ms: int | None = None
    stall_timeout_ms: int | None = None
    max_turns: int | None = None
    max_tokens: int | None = None
    max_cost_usd: float | None = None
    retry_delay_ms: int | None = None
    workspace_mode: str | None = None

    def keys(self) -> dict[str, yamltext.Value | yamltext.Remove]:
        """Return the front matter's part of it, in the order that a new file has."""
        named = {
            "title": self.title, "priority": self.priority, "assignee": self.assignee, "labels": self.labels,
            "depends_on": self.depends_on, "goal": self.goal, "scope": self.scope, "context": self.context,
            "review_criteria": self.review_criteria, "max_attempts": self.max_attempts,
            "timeout_ms": self.timeout_ms, "stall_timeout_ms": self.stall_timeout_ms,
            "max_turns": self.max_turns, "max_tokens": self.max_tokens, "max_cost_usd": self.max_cost_usd,
            "retry_delay_ms": self.retry_delay_ms,
            "workspace_mode": self.workspace_mode,
        }  # fmt: skip
        return {
            key: yamltext.REMOVE if value in ("", ()) else value for key, value in named.items() if value is not None
        }


def add(
    layout: Layout,
    by: Actor,
    wish: Wish,
    *,
    text: str = "",
    source: str = "task.md",
    attached: Mapping[str, bytes] | None = None,
) -> Task:
    """Make a task and return it. `text` is a file it begins as, with or without front matter; `source` names it.

    `attached` are files that belong to it, by name.
    """
    draft = drafts.read(text, source)
    title = wish.title or draft.values.get("title") or document.title_of(draft.body)
    if not str(title or "").strip():
        raise UsageError("A task needs a title.", 'Give one: orchgit task add "TITLE".')
    try:
        title = fields.line(title)
    except ValueError as error:
        raise UsageError(f"The title {error}.") from None
    with ledger.writing(layout, by) as book:
        identifier = fresh_id(book, draft)
        wanted = wish.depends_on if wish.depends_on is not None else fields.words(draft.values.get("depends_on") or [])
        wish = _whole(book.state, wish)
        asked = planning.order(book.state, by)
        if asked is not None:
            goal = wish.goal or draft.values.get("goal")
            wish = planning.wished(wish, asked, goal=str(goal) if goal else None, needs=wanted)
            wanted = wish.depends_on or ()
        _refuse_absent(book.state, wish.goal)
        named = {**wish.keys(), "title": str(title), "depends_on": _known(book, wanted, of=identifier) or None}
        path = f"{task_file.FOLDER}/{ids.named(identifier, str(title))}.md"
        try:
            made = drafts.composed(draft.text, identifier, named, wish.description)
            task = task_file.read(path, made)
        except InvalidFileError as error:
            raise error.at(source) from None
        planning.refuse_making(by, task)
        if asked is not None:
            planning.refuse_unfit(book.state, asked, task)
        details = {"Task": identifier, "Plan": asked.id if asked else None}
        along = attachments.placed(identifier, attached or {})
        book.put(path, made, f"task({identifier}): created", body=str(title), details=details, along=along)
        return book.state.tasks[identifier]


def edit(layout: Layout, by: Actor, task: Task, wish: Wish) -> Task:
    """Change what `wish` names, and nothing else."""
    with ledger.writing(layout, by) as book:
        before, named = book.state.task(task.id), _whole(book.state, wish).keys()
        if before.status is task_file.Status.DONE and wish.assignee and named["assignee"] != before.assignee:
            raise RefusedError(f"{before.id} is done: there is nothing to give to {wish.assignee}.", "Add a new task.")
        if wish.depends_on is not None:
            named["depends_on"] = _known(book, wish.depends_on, of=task.id)
        body = None
        if wish.description is not None:
            body = drafts.described(document.parse(book.text(before.path)), wish.description)
        after = book.edit(task.id, named, body=body)
        planning.refuse_edit(book.state, by, before, after)
        _refuse_absent(book.state, after.goal if wish.goal else None)
        return after


def rewrite(layout: Layout, by: Actor, task: Task, *, base: str, typed: str) -> Task:
    """Take over a file as somebody typed it, starting from `base`; what changed meanwhile elsewhere stays changed."""
    with ledger.writing(layout, by) as book:
        before = book.state.task(task.id)
        text = drafts.merged(before.path, base=base, typed=typed, current=book.text(before.path))
        after = task_file.read(before.path, text)
        drafts.refuse_guarded(before, after, text)
        refuse_circle(after, book.state)
        planning.refuse_edit(book.state, by, before, after)
        return book.rewrite(task.id, text)


def _whole(state: State, wish: Wish) -> Wish:
    """Return the wish with goal and assignee as they are called here."""
    assignee = state.who(wish.assignee) if wish.assignee else wish.assignee
    return replace(wish, goal=whole_goal(state, wish.goal), assignee=assignee)


def whole_goal(state: State, word: str | None) -> str | None:
    """Return the id of the goal that `word` is a prefix of; any other name stays as it is."""
    try:
        return state.goal(word).id if word else word
    except AmbiguousError:
        raise
    except NotFoundError:
        return word


def _refuse_absent(state: State, goal: str | None) -> None:
    """NotFoundError where `goal` looks like the id of one, or like its beginning, and is none; a mere word may stay."""
    unread = any(error.path.startswith(f"{goal_file.FOLDER}/") for error in state.broken)
    if goal and goal.startswith(f"{ids.GOAL}_") and not unread:
        state.goal(goal)


def fresh_id(book: Book, draft: document.Document) -> str:
    """Return the id that the draft brings, where it is free, else a new one: a copied file is another task."""
    identifier = draft.values.get("id")
    while identifier is None or book.is_taken(str(identifier)):
        identifier = ids.make(ids.TASK, int.from_bytes(os.urandom(8)) % ids.SPACE)
    return str(identifier)


def whole_id(book: Book, word: str) -> str:
    """Return the whole id for a prefix of one; what looks like an id stays where its task is not there, or not yet."""
    try:
        return _one(book, word)
    except AmbiguousError:
        raise
    except NotFoundError:
        if ids.is_id(word, ids.TASK):
            return word
        raise


def _one(book: Book, word: str) -> str:
    try:
        return ids.resolve(word, book.state.tasks)
    except AmbiguousError:
        raise
    except NotFoundError:
        archived = store.in_archive(book.layout, book.state.tip, word)
        if archived is None:
            raise
        return archived.id


def _known(book: Book, wanted: tuple[str, ...], *, of: str) -> list[str]:
    """Return whole ids for the dependencies that were asked for; each must be there, and none wait for `of`."""
    found = [_one(book, word) for word in wanted]
    circle = standing.circle(of, found, book.state.tasks)
    if circle:
        raise RefusedError(f"These would wait for each other: {' -> '.join(circle)}.", "Leave one of them out.")
    return found


def refuse_circle(after: Task, state: State) -> None:
    """RefusedError where `after` would wait for itself."""
    circle = standing.circle(after.id, after.depends_on, state.tasks)
    if circle:
        raise RefusedError(f"{after.path}: these would wait for each other: {' -> '.join(circle)}.", "Leave one out.")
