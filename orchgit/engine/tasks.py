"""What a person or an agent asks of tasks: made, changed, taken, handed in, stopped, started over."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.engine import dispatch, perform, review
from orchgit.model import document, ids, lifecycle, scheduling, yamltext
from orchgit.model import task as task_file
from orchgit.model.errors import BusyError, InvalidFileError, RefusedError, UsageError
from orchgit.model.lifecycle import Ask
from orchgit.model.run import Gone, Stop
from orchgit.model.scheduling import Recover
from orchgit.model.task import Status
from orchgit.repository import git, ledger, locks, machine, merge, runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from orchgit.model.actor import Actor
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.store import State

_STOPPING = 30.0  # seconds: the runner's grace, twice, and its last commit


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


def add(layout: Layout, by: Actor, wish: Wish, *, text: str = "") -> Task:
    """Make a task and return it. `text` is a file it begins as, with or without front matter."""
    draft = document.parse(text)
    title = wish.title or draft.values.get("title") or document.title_of(draft.body)
    if not title:
        raise UsageError("A task needs a title.", 'Give one: orchgit task add "TITLE".')
    with ledger.writing(layout, by) as book:
        identifier = _fresh_id(book)
        named = {**wish.keys(), "title": str(title)}
        named["depends_on"] = _known(book.state, wish.depends_on, of=identifier)
        path = f"{task_file.FOLDER}/{ids.named(identifier, str(title))}.md"
        made = _composed(draft.text, identifier, named, wish.description)
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
            body = _described(document.parse(book.text(book.state.task(task.id).path)), wish.description)
        return book.edit(task.id, named, body=body)


def rewrite(layout: Layout, by: Actor, task: Task, *, base: str, typed: str) -> Task:
    """Take over a file as somebody typed it, starting from `base`; what changed meanwhile elsewhere stays changed."""
    with ledger.writing(layout, by) as book:
        current = book.text(book.state.task(task.id).path)
        if current != base:
            sides = {"base": base, "ours": typed, "typed": current}
            data = merge.three_way(task.path, **{side: document.encode(text) for side, text in sides.items()})
            typed = document.decode(task.path, data.data)
        _refuse_guarded(book.state.task(task.id), task_file.read(task.path, typed), typed)
        return book.rewrite(task.id, typed)


def take(layout: Layout, by: Actor, task: Task, *, branch: bool = False) -> Task:
    """Give the task to the person who asks; with `branch`, make its work branch, checked out nowhere."""
    with ledger.writing(layout, by) as book:
        sets: dict[str, yamltext.Value] = {"agent": by.name}
        if branch:
            sets["branch"] = dispatch.branch_of(task)
            _make_branch(layout, dispatch.branch_of(task), dispatch.check_base(layout, book.state.config))
        return book.transition(task.id, Ask.TAKE, sets=sets)


def submit(layout: Layout, state: State, by: Actor, task: Task, *, commit: str | None, start: Path) -> Task:
    """Hand in what a person did: `commit`, else the tip of the task's branch, else what is checked out at `start`."""
    lifecycle.judge(task, Ask.SUBMIT, by)
    branch_tip = git.commit_of(f"refs/heads/{task.branch}", cwd=layout.common) if task.branch else None
    wanted = git.commit_of(commit, cwd=start) if commit else branch_tip or git.commit_of("HEAD", cwd=start)
    if wanted is None:
        raise RefusedError(
            f"There is no commit {commit or 'to hand in'!r}.", "Name one: orchgit task submit ID --commit REV."
        )
    base = dispatch.check_base(layout, state.config)
    parted = git.call("merge-base", base, wanted, cwd=layout.common)
    if parted.code != 0:
        raise RefusedError(
            f"{wanted[:12]} shares no history with {state.config.project_base}.",
            "Only work that grew from it can be merged.",
        )
    branch = task.branch or dispatch.branch_of(task)
    if branch_tip != wanted:
        git.run(*git.NO_HOOKS, "update-ref", f"refs/heads/{branch}", wanted, branch_tip or "", cwd=layout.common)
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
    review.clear_away(layout, state, done)
    return done


def retry(layout: Layout, by: Actor, task: Task) -> Task:
    """Start over a task that failed or was cancelled; let one that waits for its retry go at once."""
    with ledger.writing(layout, by) as book:
        if book.state.task(task.id).status is Status.RETRYING:
            return book.edit(task.id, {"retry_at": datetime.now(UTC).replace(microsecond=0)})
        return book.transition(task.id, Ask.REOPEN)


def delete(layout: Layout, state: State, by: Actor, task: Task) -> Task:
    """Remove the task's file; its text stays in the history, its work under its refs."""
    if task.run is not None:
        raise RefusedError(
            f"{task.id} is being worked on by {task.agent}.", f"`orchgit task cancel {task.id}` stops it first."
        )
    with ledger.writing(layout, by) as book:
        found = book.state.task(task.id)
        if found.run is not None:
            raise RefusedError(f"{task.id} was started meanwhile.", f"`orchgit task cancel {task.id}` stops it first.")
        book.remove(found.path, f"task({task.id}): deleted", body=task.title, details={"Task": task.id})
    review.clear_away(layout, state, task)
    return task


def halt(layout: Layout, task: Task, stop: Stop, *, by: Actor) -> None:
    """Stop the task's run and return when nothing of it lives; RefusedError where another clone runs it."""
    assert task.run is not None
    if task.machine != machine.machine_id(layout):
        raise RefusedError(f"{task.id} is being worked on in another clone ({task.machine}).", "Ask for it there.")
    place = runs.folder(layout, task.run)
    if locks.is_held(place.runner_lock):
        runs.ask_to_stop(place, stop, by=by.name)
    deadline = time.monotonic() + _STOPPING
    while locks.is_held(place.runner_lock):
        if time.monotonic() > deadline:
            raise BusyError(f"{task.run} did not end within {_STOPPING:g} s.", f"Its log: {place.runner_log}")
        time.sleep(0.02)
    state = runs.observe(place)
    if isinstance(state, Gone):
        perform.recover(layout, Recover(task, state.started))


def _stopped(layout: Layout, by: Actor, task: Task, stop: Stop) -> Task:
    if task.run is not None:
        halt(layout, task, stop, by=by)
    with ledger.writing(layout, by) as book:
        now = book.state.task(task.id)
        wanted = Status.CANCELLED if stop is Stop.CANCEL else Status.TODO
        if now.status is wanted:  # the loop was faster
            return now
        if now.run not in (None, task.run):
            raise RefusedError(f"{task.id} was started again meanwhile ({now.run}).", "Ask again.")
        if stop is Stop.CANCEL:
            return book.transition(task.id, Ask.CANCEL, sets={"closed": datetime.now(UTC)})
        return book.transition(task.id, Ask.RELEASE)


def _fresh_id(book: Book) -> str:
    while True:
        identifier = ids.make(ids.TASK, secrets.randbelow(ids.SPACE))
        if identifier not in book.state.tasks:
            return identifier


def _composed(text: str, identifier: str, named: Mapping[str, object], description: str | None) -> str:
    """Return the new task's file: what `text` says, with an id, a state and a birthday of its own."""
    fresh: dict[str, object] = {"id": identifier, "title": named["title"], "status": Status.TODO.value}
    fresh.update(named)
    fresh["created"] = datetime.now(UTC).replace(microsecond=0)
    fresh.update(dict.fromkeys(task_file.ENGINE_KEYS, yamltext.REMOVE))
    made = document.edit(text, {key: value for key, value in fresh.items() if value is not None})  # type: ignore[misc]
    if description is None:
        return made
    return document.replace_body(made, f"{description.strip()}\n" if description.strip() else "")


def _described(found: document.Document, description: str) -> str:
    """Return the body with another description and the same feedback."""
    feedback = document.section(found.body, task_file.FEEDBACK).strip()
    parts = [description.strip(), f"{task_file.FEEDBACK}\n\n{feedback}" if feedback else ""]
    return "\n\n".join(filter(None, parts)) + "\n"


def _known(state: State, wanted: tuple[str, ...] | None, *, of: str) -> list[str] | None:
    """Return whole ids for the dependencies that were asked for; each must be there, and none be the task itself."""
    if wanted is None:
        return None
    found = [ids.resolve(word, state.tasks) for word in wanted]
    if of in found:
        raise RefusedError(f"{of} can't depend on itself.")
    circle = scheduling.circle(of, found, state.tasks)
    if circle:
        raise RefusedError(f"These would wait for each other: {' -> '.join(circle)}.", "Leave one of them out.")
    return found


def _refuse_guarded(before: Task, after: Task, typed: str) -> None:
    for key in ("id", "status", *task_file.ENGINE_KEYS):
        if getattr(before, key) != getattr(after, key):
            line = document.parse(typed).line(key)
            next_step = "Status changes by a command: approve, reject, cancel, retry, take, submit, release."
            raise InvalidFileError(
                before.path, "is not for hands to change here", line=line, key=key, next_step=next_step
            )


def _make_branch(layout: Layout, branch: str, base: str) -> None:
    if not git.branch_exists(branch, cwd=layout.common):
        git.run(*git.NO_HOOKS, "branch", "--no-track", "--", branch, base, cwd=layout.common)
