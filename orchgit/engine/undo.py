"""Sets an earlier state again by a new commit, where the lifecycle bears it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, assert_never

from orchgit.model import actor, ids, standing, trailers
from orchgit.model.agent import Agent
from orchgit.model.config import Config
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError, NotFoundError, RefusedError
from orchgit.model.goal import Goal
from orchgit.model.task import Status, Task
from orchgit.model.team import Team
from orchgit.model.trailers import Message
from orchgit.repository import git, ledger, objects, trail

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchgit.model.actor import Actor
    from orchgit.model.diff import Change
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.objects import Reader
    from orchgit.repository.states import State
    from orchgit.repository.trail import Recorded


@dataclass(frozen=True, slots=True)
class Undone:
    """`commit` is what was undone, `subject` what it did, `restored` the commit whose state stands again."""

    commit: str
    subject: str
    restored: str
    paths: tuple[str, ...]
    tasks: tuple[str, ...]


def undo(layout: Layout, state: State, by: Actor, word: str | None = None) -> Undone:
    """Undo a commit of the state branch, the last one about a task, or the last one of all.

    RefusedError, and nothing changed, where what it did has been built upon, or is no longer the state's to take back.
    """
    actor.refuse_agent(by, "undo what was done")
    recorded = next(trail.read(layout.common, (f"{_meant(layout, state, word)}^!",)))
    changes = _undoable(recorded)
    parent = recorded.parents[0]
    with ledger.writing(layout, by) as book, objects.reader(layout.common) as reader:
        versions = {each.path: reader.file(parent, each.path) for each in changes}
        for each in changes:
            _refuse_if_changed(layout, book.state.tip, reader, each, recorded)
        for each in changes:
            _judge(layout, book, each, recorded)
        tasks = tuple(dict.fromkeys(task.id for each in changes for task in _tasks(each)))
        book.restore(versions, _message(recorded, tasks, by))
        _refuse_circles(book.state, tasks)
    return Undone(recorded.id, recorded.commit.message.subject, parent, tuple(versions), tasks)


def _meant(layout: Layout, state: State, word: str | None) -> str:
    """Return the commit that is meant; a task's id, or a prefix of one, means the last commit about it."""
    if word is None:
        return state.tip
    commit = git.commit_of(word, cwd=layout.state)
    if commit is not None and git.is_ancestor(commit, state.tip, cwd=layout.common):
        return commit
    from orchgit.engine import history

    try:
        task = state.task(word).id
    except NotFoundError:
        if commit is not None:
            raise NotFoundError(f"{word!r} is no commit of the state branch.", "`orchgit log` lists them.") from None
        last = None
        if ids.is_id(word, ids.TASK):
            last = next(history.entries(layout, state.tip, task=word, limit=1), None)
        elif ids.is_id(word, ids.GOAL):
            last = next(history.picked(layout, state, history.Wanted(goal=word), limit=1), None)
        if last is None:
            where = "`orchgit log` lists commits, `orchgit task list` and `orchgit goal list` the others."
            raise NotFoundError(f"There is no commit, task or goal {word!r}.", where) from None
        return last.commit  # of a task or a goal that was deleted
    last = next(history.entries(layout, state.tip, task=task, limit=1), None)
    return last.commit if last else _last_about(layout, state, task)


def _last_about(layout: Layout, state: State, word: str) -> str:
    """Return the last commit that changed the task's file, where none names it in a trailer."""
    path = state.task(word).path
    return git.text("rev-list", "--max-count=1", state.tip, "--", path, cwd=layout.common)


def _called(recorded: Recorded) -> str:
    return f"{recorded.id[:9]} ({recorded.commit.message.subject})"


def _undoable(recorded: Recorded) -> tuple[Change, ...]:
    what = _called(recorded)
    if not recorded.parents:
        raise RefusedError(f"{what} is the first commit: there is no state before it.")
    if len(recorded.parents) > 1:
        raise RefusedError(f"{what} merges two histories.", "Undo what one of them brought, commit by commit.")
    if not recorded.commit.parents[0]:
        raise RefusedError(f"{what} changes no file: there is nothing to undo.")
    return recorded.commit.parents[0]


def _refuse_if_changed(layout: Layout, tip: str, reader: Reader, change: Change, recorded: Recorded) -> None:
    """An undo takes back the last word on a file only: what came after it would be lost otherwise."""
    now = reader.object(f"{tip}:{change.path}")
    if (now[0] if now else None) == (change.after.blob if change.after else None):
        return
    since = git.text(
        "log", "--max-count=1", "--format=%h (%s)", tip, f"^{recorded.id}", "--", change.path,
        cwd=layout.common,
    )  # fmt: skip
    what = f"{change.path} has changed since {recorded.id[:9]}: {since or 'by a merge'}."
    raise RefusedError(what, "Undo that first, or edit the file as you want it.")


def _judge(layout: Layout, book: Book, change: Change, recorded: Recorded) -> None:
    old, new = (each.item if each else None for each in (change.before, change.after))
    match new or old:
        case Task():
            _judge_task(layout, old, new, recorded)
        case Agent(name=name) if old is None:
            _refuse_if_busy(book, name)
        case Agent() | Goal() | Team() | Config() | InvalidFileError() | None:
            return
        case other:
            assert_never(other)


def _judge_task(layout: Layout, old: object, new: object, recorded: Recorded) -> None:
    """RefusedError where the task can't go back from `new` to `old`; None where it has no file there."""
    if isinstance(new, Task) and new.run is not None:
        raise RefusedError(
            f"{new.id} is being worked on by {new.agent}.", f"`orchgit task release {new.id}` stops it first."
        )
    if isinstance(old, InvalidFileError):
        raise RefusedError(f"It would bring back a file that can't be read: {old.what}", "Edit the file by hand.")
    if not isinstance(old, Task):
        return
    if isinstance(new, Task) and new.status is Status.DONE and old.status is not Status.DONE:
        _refuse_if_merged(new)
    if old.run is not None:
        _refuse_ended(old, recorded)
    if old.status is Status.REVIEW and git.commit_of(old.review_commit or "", cwd=layout.common) is None:
        raise RefusedError(f"The commit that was in review of {old.id} is not in this repository.", "Fetch it first.")


def _refuse_if_merged(task: Task) -> None:
    if task.review_commit != task.review_base:
        what = f"{task.id} is done: its work is in the base branch, and no change of state takes it out of there."
        raise RefusedError(what, "`git revert` of the merge takes the work back; a new task says what to do instead.")


def _refuse_ended(task: Task, recorded: Recorded) -> NoReturn:
    run = f"{task.id} was being worked on by {task.agent} before it, and that run has ended"
    what = f"{_called(recorded)} can't be undone: {run}."
    raise RefusedError(what, f"`orchgit task show {task.id}` tells what can be done with it now.")


def _refuse_if_busy(book: Book, name: str) -> None:
    from orchgit.engine import agents

    busy = agents.working_on(book.state).get(name)
    if busy:
        raise RefusedError(f"{name} is at work on {busy}.", f"`orchgit task release {busy}` stops it first.")


def _refuse_circles(state: State, tasks: Iterable[str]) -> None:
    for each in tasks:
        task = state.tasks.get(each)
        circle = standing.circle(each, task.depends_on, state.tasks) if task else ()
        if circle:
            raise RefusedError(f"These would wait for each other: {' -> '.join(circle)}.", "Change one of them first.")


def _tasks(change: Change) -> list[Task]:
    items = (each.item for each in (change.after, change.before) if each)
    return [item for item in items if isinstance(item, Task)]


def _message(recorded: Recorded, tasks: tuple[str, ...], by: Actor) -> Message:
    done = recorded.commit.message
    about, _, what = done.subject.partition(": ")
    subject = f"{about}: {_turned(what)}" if what else _turned(done.subject)
    named: Mapping[str, str | None] = {
        "Task": tasks[0] if len(tasks) == 1 else None,
        "Actor": by.name,
        "Undoes": recorded.id,
        "Restores": recorded.parents[0],
    }
    return Message(subject, done.body.partition("\n")[0], trailers.given(named))


def _turned(what: str) -> str:
    """Return `undo this`, and `redo this` for what undid it."""
    verb, _, rest = what.partition(" ")
    return f"redo {rest}" if verb == "undo" else f"undo {rest}" if verb == "redo" else f"undo {what}"
