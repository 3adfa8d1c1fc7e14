"""Carries out what was decided: what has ended in one write, then what starts in another, one commit each."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, assert_never

from orchgit.engine import clearing, descendants, dispatch, runner
from orchgit.model import actor
from orchgit.model.actor import ENGINE
from orchgit.model.errors import BusyError, InvalidFileError, NotFoundError, OrchgitError, RefusedError
from orchgit.model.lifecycle import Ask
from orchgit.model.run import Outcome, Result
from orchgit.model.scheduling import Complete, Dispatch, Recover, Settle
from orchgit.model.task import CLOSED
from orchgit.repository import ledger, locks, runs

if TYPE_CHECKING:
    from datetime import datetime

    from orchgit.model.scheduling import Action
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.runs import Folder


@dataclass(frozen=True, slots=True)
class Happening:
    """What the loop tells whoever runs it: a task after a transition, and why."""

    task: Task
    reason: str = ""


Report: TypeAlias = Callable[[Happening], None]

_CHANGED_MEANWHILE = (RefusedError, NotFoundError, InvalidFileError)  # since the snapshot; the next one tells


def all_of(layout: Layout, actions: tuple[Action, ...], *, now: datetime, report: Report) -> bool:
    """Carry the actions out, telling what happened; was any of them still possible when its turn came?

    What has ended is written before anything starts, so that no fault of a start ever holds a result back.
    """
    recovered, ended, starting = [], [], []
    for action in actions:
        match action:
            case Recover():
                recovered.append(_recover(layout, action, report))
            case Settle() | Complete():
                ended.append(action)
            case Dispatch():
                starting.append(action)
            case _:
                assert_never(action)
    return any([*recovered, _carry_on(layout, ended, now, report), _start(layout, starting, report)])


def _recover(layout: Layout, action: Recover, report: Report) -> bool:
    try:
        return recover(layout, action)
    except BusyError as error:  # it holds up this task, and no other
        report(Happening(action.task, str(error)))
        return False


def _carry_on(layout: Layout, actions: Sequence[Settle | Complete], now: datetime, report: Report) -> bool:
    if not actions:
        return False
    happened = []
    with ledger.writing(layout, ENGINE) as book:
        for action in actions:
            with suppress(*_CHANGED_MEANWHILE):
                happened.append(_end(book, action, now))
    for each in happened:
        report(each)
        if each.task.status in CLOSED:
            clearing.in_background(clearing.clear_away, layout, book.state.config, each.task)
    return bool(happened)


def _start(layout: Layout, actions: Sequence[Dispatch], report: Report) -> bool:
    """Commit that the tasks are at work, then start their runners; one that is never started is found and released."""
    if not actions:
        return False
    started: list[tuple[Task, Folder, int]] = []
    with ExitStack() as locked:
        try:
            with ledger.writing(layout, ENGINE) as book:
                dispatch.check_base(layout, book.state.config)
                for action in actions:
                    with suppress(*_CHANGED_MEANWHILE):
                        started.append(_dispatch(layout, book, action, locked))
        except BaseException:
            for _, place, _ in started:
                dispatch.discard(place)
            raise
        for _, place, lock in started:
            if not place.result.exists():
                dispatch.start(place, lock)
    for task, _, _ in started:
        report(Happening(task))
    return bool(started)


def _end(book: Book, action: Settle | Complete, now: datetime) -> Happening:
    match action:
        case Settle():
            return _settle(book, action, now)
        case Complete():
            return _complete(book, action, now)
        case _:
            assert_never(action)


def _complete(book: Book, action: Complete, now: datetime) -> Happening:
    task = book.state.task(action.task.id)
    if task.review_commit != action.task.review_commit:
        raise RefusedError(f"{task.id} has another commit in review by now.")
    done = book.transition(task.id, Ask.COMPLETE, sets={"closed": now.replace(microsecond=0)})
    return Happening(done, "its commit is in the base branch")


def _settle(book: Book, action: Settle, now: datetime) -> Happening:
    result, task = action.result, book.state.task(action.task.id)
    if task.run != result.run:
        raise RefusedError(f"{task.id} is with another run by now.")
    by = actor.agent(task.agent) if task.agent else ENGINE
    after = book.transition(
        task.id,
        action.ask,
        sets=_sets(action, now),
        credit=by if action.ask in (Ask.SUCCEED, Ask.FAIL, Ask.RETRY_LATER) else ENGINE,
        details={"Reason": result.reason, "Note": "; ".join(result.notes)},
    )
    return Happening(after, "; ".join(filter(None, (result.reason, *result.notes))))


def _sets(action: Settle, now: datetime) -> ledger.Sets:
    match action.ask:
        case Ask.SUCCEED:
            return {"review_base": action.result.base, "review_commit": action.result.commit}
        case Ask.RETRY_LATER:
            return {"retry_at": action.retry_at}
        case Ask.CANCEL:
            return {"closed": now.replace(microsecond=0)}
        case _:
            return {}


def _dispatch(layout: Layout, book: Book, action: Dispatch, locked: ExitStack) -> tuple[Task, Folder, int]:
    """Take the task into work. What can't be prepared becomes the run's result, so that the task fails and says why."""
    task, place = book.state.task(action.task.id), dispatch.new_run(layout)
    lock = dispatch.lock(place)
    locked.callback(os.close, lock)
    try:
        after = book.transition(task.id, Ask.DISPATCH, sets=dispatch.keys(layout, task, action.agent, place))
    except OrchgitError:
        dispatch.discard(place)
        raise
    try:
        dispatch.prepare(layout, book, place, task, action.agent)
    except (OrchgitError, UnicodeError) as error:  # UnicodeError: half a character in what an agent file says
        runs.write_result(place, Result(place.id, Outcome.FATAL, str(error)))
    return after, place, lock


def recover(layout: Layout, action: Recover) -> bool:
    """Give a run that is gone its result, once nothing of it lives any more."""
    assert action.task.run is not None
    place = runs.folder(layout, action.task.run)
    lock = locks.take(place.runner_lock)
    if lock is None:
        return False
    try:
        left = descendants.end(place.id, lock=place.agent_lock)
        if left:
            raise BusyError(f"{place.id} is gone, but {', '.join(left)} of it can't be stopped.", "Stop it by hand.")
        if runs.read_result(place) is None:
            runs.write_result(place, _missing_result(place, started=action.started))
    finally:
        os.close(lock)
    return True


def _missing_result(place: Folder, *, started: bool) -> Result:
    if not started or not place.spec.exists():
        return Result(place.id, Outcome.NEVER_STARTED, "its runner never started")
    return runner.keep_work(runs.read_spec(place), Result(place.id, Outcome.VANISHED, "its runner died"))
