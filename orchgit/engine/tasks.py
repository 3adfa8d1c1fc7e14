"""What a person or an agent asks of tasks: made, changed, taken, handed in, stopped, started over."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.engine import dispatch, drafts
from orchgit.model import document, fields, ids, lifecycle, standing, yamltext
from orchgit.model import task as task_file
from orchgit.model.actor import Kind
from orchgit.model.errors import RefusedError, UsageError
from orchgit.model.lifecycle import Ask
from orchgit.model.run import Stop
from orchgit.model.task import Status
from orchgit.repository import attempts, git, ledger, worktrees

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.model.actor import Actor
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.store import State


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
    max_attempts: int | None = None

    def keys(self) -> dict[str, yamltext.Value | yamltext.Remove]:
        """Return the front matter's part of it, in the order that a new file has."""
        named = {
            "title": self.title, "priority": self.priority, "assignee": self.assignee, "labels": self.labels,
            "depends_on": self.depends_on, "goal": self.goal, "scope": self.scope, "max_attempts": self.max_attempts,
        }  # fmt: skip
        return {
            key: yamltext.REMOVE if value in ("", ()) else value for key, value in named.items() if value is not None
        }


def add(layout: Layout, by: Actor, wish: Wish, *, text: str = "", source: str = "task.md") -> Task:
    """Make a task and return it. `text` is a file it begins as, with or without front matter; `source` names it."""
    draft = drafts.read(text, source)
    title = wish.title or draft.values.get("title") or document.title_of(draft.body)
    if not title:
        raise UsageError("A task needs a title.", 'Give one: orchgit task add "TITLE".')
    with ledger.writing(layout, by) as book:
        identifier = _fresh_id(book, draft)
        wanted = wish.depends_on if wish.depends_on is not None else fields.words(draft.values.get("depends_on") or [])
        named = {**wish.keys(), "title": str(title), "depends_on": _known(book.state, wanted, of=identifier) or None}
        path = f"{task_file.FOLDER}/{ids.named(identifier, str(title))}.md"
        made = drafts.composed(draft.text, identifier, named, wish.description)
        task_file.read(path, made)
        details = {"Task": identifier}
        book.put(path, made, f"task({identifier}): created", body=str(title), details=details)
        return book.state.tasks[identifier]


def edit(layout: Layout, by: Actor, task: Task, wish: Wish) -> Task:
    """Change what `wish` names, and nothing else."""
    with ledger.writing(layout, by) as book:
        named = wish.keys()
        if wish.depends_on is not None:
            named["depends_on"] = _known(book.state, wish.depends_on, of=task.id)
        body = None
        if wish.description is not None:
            body = drafts.described(document.parse(book.text(book.state.task(task.id).path)), wish.description)
        return book.edit(task.id, named, body=body)


def rewrite(layout: Layout, by: Actor, task: Task, *, base: str, typed: str) -> Task:
    """Take over a file as somebody typed it, starting from `base`; what changed meanwhile elsewhere stays changed."""
    with ledger.writing(layout, by) as book:
        before = book.state.task(task.id)
        text = drafts.merged(before.path, base=base, typed=typed, current=book.text(before.path))
        after = task_file.read(before.path, text)
        drafts.refuse_guarded(before, after, text)
        _refuse_circle(after, book.state)
        return book.rewrite(task.id, text)


def take(layout: Layout, by: Actor, task: Task, *, branch: bool = False) -> Task:
    """Give the task to the person who asks; with `branch`, make its work branch, checked out nowhere."""
    with ledger.writing(layout, by) as book:
        sets: dict[str, yamltext.Value] = {"agent": by.name}
        if branch:
            sets["branch"] = dispatch.branch_of(task)
            base = dispatch.check_base(layout, book.state.settings)
        taken = book.transition(task.id, Ask.TAKE, sets=sets)
    if branch:
        from orchgit.engine import clearing

        _make_branch(layout, dispatch.branch_of(task), base)
        clearing.free_branch(layout, book.state.config, taken)
    return taken


def submit(layout: Layout, state: State, by: Actor, task: Task, *, commit: str | None, start: Path) -> Task:
    """Hand in what a person did: `commit`, else the tip of the task's branch, else what is checked out at `start`."""
    lifecycle.judge(task, Ask.SUBMIT, by)
    branch_tip = git.commit_of(f"refs/heads/{task.branch}", cwd=layout.common) if task.branch else None
    wanted = git.commit_of(commit, cwd=start) if commit else branch_tip or git.commit_of("HEAD", cwd=start)
    if wanted is None:
        raise RefusedError(
            f"There is no commit {commit or 'to hand in'!r}.", "Name one: orchgit task submit ID --commit REV."
        )
    base = dispatch.check_base(layout, state.settings)
    parted = git.call("merge-base", base, wanted, cwd=layout.common)
    if parted.code != 0:
        raise RefusedError(
            f"{wanted[:12]} shares no history with {state.config.project_base}.",
            "Only work that grew from it can be merged.",
        )
    branch = task.branch or dispatch.branch_of(task)
    if branch_tip != wanted:
        _move_branch(layout, task.id, branch, old=branch_tip, new=wanted)
    sets = {"review_base": parted.text, "review_commit": wanted, "branch": branch}
    with ledger.writing(layout, by) as book:
        return book.transition(task.id, Ask.SUBMIT, sets=sets)


def release(layout: Layout, by: Actor, task: Task) -> Task:
    """Give the task back; a run of it is stopped first."""
    lifecycle.judge(task, Ask.RELEASE, by)
    return _stopped(layout, by, task, Stop.RELEASE)


def cancel(layout: Layout, state: State, by: Actor, task: Task) -> Task:
    """Close the task without its work; a run of it is stopped first, and what it did is kept under a ref."""
    lifecycle.judge(task, Ask.CANCEL, by)
    done = _stopped(layout, by, task, Stop.CANCEL)
    _clear_away(layout, state, done)
    return done


def retry(layout: Layout, by: Actor, task: Task) -> Task:
    """Start over a task that failed or was cancelled; let one that waits for its retry go at once."""
    _refuse_agent(by, "start over", task)
    with ledger.writing(layout, by) as book:
        if book.state.task(task.id).status is Status.RETRYING:
            return book.edit(task.id, {"retry_at": datetime.now(UTC).replace(microsecond=0)})
        return book.transition(task.id, Ask.REOPEN)


def delete(layout: Layout, state: State, by: Actor, task: Task) -> Task:
    """Remove the task's file; its text stays in the history, its work under its refs."""
    _refuse_agent(by, "delete", task)
    if task.run is not None:
        raise RefusedError(
            f"{task.id} is being worked on by {task.agent}.", f"`orchgit task cancel {task.id}` stops it first."
        )
    with ledger.writing(layout, by) as book:
        found = book.state.task(task.id)
        if found.run is not None:
            raise RefusedError(f"{task.id} was started meanwhile.", f"`orchgit task cancel {task.id}` stops it first.")
        book.remove(found.path, f"task({task.id}): deleted", body=task.title, details={"Task": task.id})
    _clear_away(layout, state, task)
    return task


def _stopped(layout: Layout, by: Actor, task: Task, stop: Stop) -> Task:
    if task.run is not None:
        from orchgit.engine import halt  # psutil, for the one command in ten that needs it

        halt.stop(layout, task, stop, by=by)
    with ledger.writing(layout, by) as book:
        now = book.state.task(task.id)
        wanted = Status.CANCELLED if stop is Stop.CANCEL else Status.TODO
        if now.status is wanted:  # the loop was faster
            return now
        if now.run not in (None, task.run):
            raise RefusedError(f"{task.id} was started again meanwhile ({now.run}).", "Ask again.")
        if stop is Stop.CANCEL:
            return book.transition(task.id, Ask.CANCEL, sets={"closed": datetime.now(UTC).replace(microsecond=0)})
        return book.transition(task.id, Ask.RELEASE)


def _clear_away(layout: Layout, state: State, task: Task) -> None:
    if task.branch:
        from orchgit.engine import clearing

        clearing.clear_away(layout, state.config, task)


def _fresh_id(book: Book, draft: document.Document) -> str:
    """Return the id that the draft brings, where it is free, else a new one: a copied file is another task."""
    identifier = draft.values.get("id")
    while identifier is None or identifier in book.state.tasks:
        identifier = ids.make(ids.TASK, secrets.randbelow(ids.SPACE))
    return str(identifier)


def _known(state: State, wanted: tuple[str, ...], *, of: str) -> list[str]:
    """Return whole ids for the dependencies that were asked for; each must be there, and none wait for `of`."""
    found = [ids.resolve(word, state.tasks) for word in wanted]
    circle = standing.circle(of, found, state.tasks)
    if circle:
        raise RefusedError(f"These would wait for each other: {' -> '.join(circle)}.", "Leave one of them out.")
    return found


def _refuse_circle(after: Task, state: State) -> None:
    circle = standing.circle(after.id, after.depends_on, state.tasks)
    if circle:
        raise RefusedError(f"{after.path}: these would wait for each other: {' -> '.join(circle)}.", "Leave one out.")


def _refuse_agent(by: Actor, what: str, task: Task) -> None:
    if by.kind is Kind.AGENT:
        raise RefusedError(f"To {what} {task.id} is not for an agent to do.", "Ask a person.")


def _move_branch(layout: Layout, task: str, branch: str, *, old: str | None, new: str) -> None:
    """Let the task's branch be what was handed in; what it had besides is kept under a ref."""
    place = worktrees.of_branch(layout, branch)
    if place is not None:
        raise RefusedError(
            f"{branch} is checked out in {place.path}, at another commit.", "Commit there, or hand that in."
        )
    if old is not None and not git.is_ancestor(old, new, cwd=layout.common):
        attempts.record(layout, task, old)
    git.run(*git.NO_HOOKS, "update-ref", f"refs/heads/{branch}", new, old or "", cwd=layout.common)


def _make_branch(layout: Layout, branch: str, base: str) -> None:
    if not git.branch_exists(branch, cwd=layout.common):
        git.run(*git.NO_HOOKS, "branch", "--no-track", "--", branch, base, cwd=layout.common)
