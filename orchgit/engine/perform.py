"""Carries out what was decided: all of one tick in one write, one commit each."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, assert_never

from orchgit.engine import dispatch, process, runner
from orchgit.model import actor
from orchgit.model.actor import ENGINE
from orchgit.model.errors import BusyError, NotFoundError, OrchgitError, RefusedError
from orchgit.model.lifecycle import Ask
from orchgit.model.run import Outcome, Result
from orchgit.model.scheduling import Complete, Dispatch, Recover, Settle
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


def all_of(layout: Layout, actions: tuple[Action, ...], *, now: datetime, report: Report) -> bool:
    """Carry the actions out; was any of them still possible when its turn came?"""
    recovered = [recover(layout, action) for action in actions if isinstance(action, Recover)]
    rest = [action for action in actions if not isinstance(action, Recover)]
    happened: list[Happening] = []
    if rest:
        with ExitStack() as descriptors:
            started = _write(layout, rest, now, happened, descriptors)
            for place, lock in started:
                dispatch.start(place, lock)
    for each in happened:
        report(each)
    return any(recovered) or bool(happened)


def _write(
    layout: Layout, actions: Sequence[Action], now: datetime, happened: list[Happening], descriptors: ExitStack
) -> list[tuple[Folder, int]]:
    """Commit the transitions; return the runs to start, each with its held lock."""
    started = []
    with ledger.writing(layout, ENGINE) as book:
        if any(isinstance(action, Dispatch) for action in actions):
            dispatch.check_base(layout, book.state.config)
        for action in actions:
            try:
                match action:
                    case Settle():
                        happened.append(_settle(book, action, now))
                    case Complete():
                        done = book.transition(action.task.id, Ask.COMPLETE, sets={"closed": now})
                        happened.append(Happening(done, "its commit is in the base branch"))
                    case Dispatch():
                        place, lock = _dispatch(layout, book, action, happened, descriptors)
                        if not place.result.exists():
                            started.append((place, lock))
                    case Recover():
                        raise AssertionError(action)
                    case _:
                        assert_never(action)
            except (RefusedError, NotFoundError):
                continue  # it changed since the snapshot; the next one tells
    return started


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
            return {"closed": now}
        case _:
            return {}


def _dispatch(
    layout: Layout, book: Book, action: Dispatch, happened: list[Happening], descriptors: ExitStack
) -> tuple[Folder, int]:
    """Take the task into work. What can't be prepared becomes the run's result, so that the task fails and says why."""
    task = book.state.task(action.task.id)
    place = dispatch.new_run(layout)
    lock = dispatch.lock(place)
    descriptors.callback(os.close, lock)
    after = book.transition(task.id, Ask.DISPATCH, sets=dispatch.keys(layout, task, action.agent, place))
    try:
        dispatch.prepare(layout, book, place, task, action.agent)
    except OrchgitError as error:
        runs.write_result(place, Result(place.id, Outcome.FATAL, str(error)))
    happened.append(Happening(after))
    return place, lock


def recover(layout: Layout, action: Recover) -> bool:
    """Give a run that is gone its result, once nothing of it lives any more."""
    assert action.task.run is not None
    place = runs.folder(layout, action.task.run)
    lock = locks.take(place.runner_lock)
    if lock is None:
        return False
    try:
        left = process.end_all(place.id, lock=place.agent_lock)
        if left:
            raise BusyError(f"{place.id} is gone, but {', '.join(left)} of it can't be stopped.", "Stop it by hand.")
        if runs.read_result(place) is None:
            runs.write_result(place, _missing_result(layout, place, started=action.started))
    finally:
        os.close(lock)
    return True


def _missing_result(layout: Layout, place: Folder, *, started: bool) -> Result:
    if not started or not place.spec.exists():
        return Result(place.id, Outcome.NEVER_STARTED, "its runner never started")
    return runner.keep_work(layout, runs.read_spec(place), Result(place.id, Outcome.VANISHED, "its runner died"))
