"""What was merged outside orchgit: by git itself, by a person, on a server. Such tasks are done."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.engine import history
from orchgit.model.actor import ENGINE
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import BusyError, NotFoundError, RefusedError
from orchgit.model.lifecycle import Ask
from orchgit.model.scheduling import Complete
from orchgit.model.task import Status
from orchgit.repository import git, inbase, locks, refs, sought, store
from orchgit.repository.inbase import Found, How, Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.states import State

_WAIT = 1.0  # seconds for the ledger: a loop that holds it closes the task as well


@dataclass(slots=True)
class Memory:
    """Knows which work the base branch has, and what it was when it last had it not: only what is new is looked at."""

    _asked: sought.Question = ()
    _answer: dict[str, Found] = field(default_factory=dict)
    _works: dict[tuple[str, str], Work] = field(default_factory=dict)
    _without: dict[tuple[str, str], str] = field(default_factory=dict)

    def ask(self, layout: Layout, state: State) -> Mapping[str, Found]:
        """Return the tasks in review whose work is in the base branch, where there was something to merge.

        One without a branch of its own was done in the checkout, where it may have been in base before any review. One
        that is being approved is closed by whoever approves it, and who that is is in that commit.
        """
        asked = sought.question(layout, state)
        if not asked:
            return {}
        if asked != self._asked:
            found = {task.id: self._find(layout, state, task, asked[0]) for task in sought.waiting(state)}
            self._answer = {task: how for task, how in found.items() if how}
            self._asked = asked
        return {task: how for task, how in self._answer.items() if not locks.is_held(layout.approval(task))}

    def _find(self, layout: Layout, state: State, task: Task, tip: str) -> Found | None:
        key = (task.id, task.review_commit or "")
        if key not in self._works:
            self._works[key] = _work(layout, state, task)
        found = inbase.find(layout.common, self._works[key], tip, asked=self._without.get(key))
        if found is None:
            self._without[key] = tip
        else:
            self._without.pop(key, None)
        return found


def base_tip(book: Book) -> str | None:
    """Return what the base branch is now, where it is: a review that begins notes it."""
    return refs.branch(book.state.config.project_base, common=book.layout.common)


def complete(book: Book, action: Complete, now: datetime) -> Task:
    """Close the task; RefusedError where something else is in review by now."""
    task = book.state.task(action.task.id)
    if task.review_commit != action.task.review_commit:
        raise RefusedError(f"{task.id} has another commit in review by now.")
    sets = {"closed": now.replace(microsecond=0)}
    return book.transition(task.id, Ask.COMPLETE, sets=sets, details={"Landed-Commit": action.brought})


def close_merged(layout: Layout) -> list[Task]:
    """Close the tasks whose work is in the base branch and return them; a busy ledger leaves it to the loop."""
    state = store.newest(layout)
    found = Memory().ask(layout, state)
    if not found:
        sought.note(layout, sought.question(layout, state))
        return []
    with suppress(BusyError):
        return _close(layout, state, found)
    return []


def _close(layout: Layout, state: State, found: Mapping[str, Found]) -> list[Task]:
    from orchgit.repository import ledger

    done, now = [], datetime.now(UTC)
    with ledger.writing(layout, ENGINE, wait=_WAIT) as book:
        for task, how in sorted(found.items()):
            brought = None if how.how is How.MERGED else how.commit
            with suppress(RefusedError, NotFoundError):  # somebody was faster
                done.append(complete(book, Complete(state.tasks[task], brought), now))
    return done


def sweep_later(layout: Layout) -> None:
    """Clear away what closed tasks leave, in a process that nobody waits for: hooks hold a command up."""
    subprocess.Popen(
        [sys.executable, "-c", _SWEEP, os.fspath(layout.root)], cwd="/", env=git.environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


_SWEEP = """\
import sys
from orchgit import api
from orchgit.engine import clearing
clearing.sweep(api.open_project(sys.argv[1], edits=False).layout)
"""


def _work(layout: Layout, state: State, task: Task) -> Work:
    assert task.review_commit is not None
    began = history.last_transition(layout, state.tip, task.id, to=Status.REVIEW)
    since = began.message.get("Base-Commit") if began else None
    return Work(task.id, task.review_base or task.review_commit, task.review_commit, since)
