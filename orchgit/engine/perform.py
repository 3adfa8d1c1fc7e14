"""Carries out what was decided: what has ended in one write, then what starts in another, one commit each."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, assert_never

from orchgit.engine import clearing, deliveries, dispatch, goals, outside, pasts, recovery, whereabouts
from orchgit.engine.telling import Happening, Level, Notice, ignore
from orchgit.model import actor
from orchgit.model.actor import ENGINE
from orchgit.model.errors import BusyError, InvalidFileError, NotFoundError, OrchgitError, RefusedError, StaleError
from orchgit.model.lifecycle import Ask
from orchgit.model.run import Outcome, Result
from orchgit.model.scheduling import Abandon, Archive, Assess, Complete, Dispatch, Drop, Recover, Settle
from orchgit.model.task import CLOSED, Status
from orchgit.repository import ledger, runs, store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from orchgit.engine.pasts import Pasts
    from orchgit.engine.telling import Notify, Report
    from orchgit.model.actor import Actor
    from orchgit.model.scheduling import Action
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.runs import Folder
    from orchgit.repository.states import State


# Since the snapshot; the next one tells.
_CHANGED_MEANWHILE = (RefusedError, NotFoundError, InvalidFileError, StaleError)


def all_of(
    layout: Layout, actions: tuple[Action, ...], *, now: datetime, report: Report, notify: Notify = ignore
) -> bool:
    """Carry the actions out, telling what happened; was any of them still possible when its turn came?

    What has ended is written before anything starts, so that no fault of a start ever holds a result back.
    """
    recovered, ended, starting = [], [], []
    archived: list[Task] = []
    assessing: list[Assess] = []
    for action in actions:
        match action:
            case Recover():
                recovered.append(_recover(layout, action, report))
            case Abandon():
                recovered.append(recovery.abandon(layout, action, notify))
            case Settle() | Complete() | Drop():
                ended.append(action)
            case Dispatch():
                starting.append(action)
            case Assess():
                assessing.append(action)
            case Archive(tasks):
                archived += tasks
            case _:
                assert_never(action)
    done = [*recovered, _carry_on(layout, ended, now, report, notify), _start(layout, starting, report, notify)]
    return any([*done, _assess(layout, assessing, report), _archive(layout, archived, now, notify)])


def _recover(layout: Layout, action: Recover, report: Report) -> bool:
    try:
        return recovery.recover(layout, action)
    except BusyError as error:  # it holds up this task, and no other
        report(Happening(action.task, str(error), run=action.task.run, agent=action.task.agent))
        return False


def _carry_on(
    layout: Layout, actions: Sequence[Settle | Complete | Drop], now: datetime, report: Report, notify: Notify
) -> bool:
    if not actions:
        return False
    happened: list[Happening] = []
    with ledger.writing(layout, ENGINE) as book:
        for action in actions:
            with _telling(action.task, notify):
                happened += filter(None, [_end(book, action, now)])
    for each in happened:
        report(each)
        if each.task.status in CLOSED:
            clearing.in_background(clearing.clear_away, layout, book.state.config, each.task)
    return bool(happened)


def _start(layout: Layout, actions: Sequence[Dispatch], report: Report, notify: Notify) -> bool:
    """Commit that the tasks are at work, then let their runners go; one that never begins is found and released."""
    if not actions:
        return False
    started: list[tuple[Task, Folder, int]] = []
    behind = pasts.behind(layout, _state(layout), [each.task for each in actions])
    with ExitStack() as locked:
        try:
            with ledger.writing(layout, ENGINE) as book:
                whereabouts.check_base(layout, book.state.settings)
                for action in actions:
                    with _telling(action.task, notify):
                        started.append(_dispatch(layout, book, action, behind, locked))
                # They load while we commit: an agent begins a good deal sooner, and none does without the commit.
                ready = [
                    locked.enter_context(dispatch.start(place, lock))
                    for _, place, lock in started
                    if not place.result.exists()
                ]
        except BaseException:
            for _, place, _ in started:
                dispatch.discard(place)
            raise
        for runner in ready:
            dispatch.go(runner)
    for task, place, _ in started:
        report(Happening(task, run=place.id, agent=task.agent))
    return bool(started)


def _assess(layout: Layout, actions: Sequence[Assess], report: Report) -> bool:
    if not actions:
        return False
    with ledger.writing(layout, ENGINE) as book:
        asked = [task for action in actions if (task := goals.assess(book, action.goal.id))]
    for task in asked:
        report(Happening(task, "all of its goal's tasks are closed"))
    return bool(asked)


def _archive(layout: Layout, tasks: Sequence[Task], now: datetime, notify: Notify) -> bool:
    if not tasks:
        return False
    with ledger.writing(layout, ENGINE) as book:
        moved = book.archive(tasks, now=now)
    if moved:
        notify(Notice("archived", f"{len(moved)} closed task{'s' if moved[1:] else ''}: archived", Level.INFO))
    return bool(moved)


@contextmanager
def _telling(task: Task, notify: Notify) -> Iterator[None]:
    """Go on where one action is no longer possible, and say so."""
    try:
        yield
    except _CHANGED_MEANWHILE as error:
        notify(Notice("refused", str(error), Level.WARNING, task))


def _end(book: Book, action: Settle | Complete | Drop, now: datetime) -> Happening | None:
    match action:
        case Settle():
            return _settle(book, action, now)
        case Complete():
            return _complete(book, action, now)
        case Drop():
            return _drop(book, action, now)
        case _:
            assert_never(action)


def _drop(book: Book, action: Drop, now: datetime) -> Happening:
    why, closed = f"its goal is {action.goal.status}", now.replace(microsecond=0)
    after = book.transition(action.task.id, Ask.CANCEL, sets={"closed": closed}, details={"Reason": why})
    return Happening(after, why)


def _complete(book: Book, action: Complete, now: datetime) -> Happening | None:
    if book.state.task(action.task.id).status is Status.DONE:
        return None  # who approved it has moved the base first, and then closed the task
    done = outside.complete(book, action, now)
    if done.review_commit == done.review_base:
        return Happening(done, "it changed no file, and needs no approval", agent=done.agent)
    how = f", as {action.brought[:12]}" if action.brought else ""
    return Happening(done, f"its commit is in the base branch{how}", agent=done.agent)


def _settle(book: Book, action: Settle, now: datetime) -> Happening:
    result, task = action.result, book.state.task(action.task.id)
    if task.run != result.run:
        how = "with another run" if task.run else str(task.status)
        raise RefusedError(f"{task.id} is {how} by now: the end of {result.run} changes nothing of it.")
    place = runs.folder(book.layout, result.run)
    after = book.transition(
        task.id,
        action.ask,
        sets=_sets(action, now),
        credit=_whose(action.ask, task, place),
        words=result.summary,
        details={
            "Base-Commit": outside.base_tip(book) if action.ask is Ask.SUCCEED else None,
            "Reason": result.reason,
            "Note": "; ".join(result.notes),
            **runs.trailers(place, result.usage, lost=result.is_void),
        },
    )
    deliveries.give_back(book, place, result)
    why = "; ".join(filter(None, (result.reason, *result.notes)))
    return Happening(after, why, run=result.run, agent=task.agent)


def _whose(ask: Ask, task: Task, place: Folder) -> Actor:
    """Return whose doing it is how the run ended: its agent's, or theirs who had it stopped."""
    if ask in (Ask.SUCCEED, Ask.FAIL, Ask.RETRY_LATER, Ask.COOL_DOWN):
        return actor.agent(task.agent) if task.agent else ENGINE
    return runs.asker(place) or ENGINE


def _sets(action: Settle, now: datetime) -> ledger.Sets:
    match action.ask:
        case Ask.SUCCEED:
            return {"review_base": action.result.base, "review_commit": action.result.commit}
        case Ask.RETRY_LATER | Ask.COOL_DOWN:
            return {"retry_at": action.retry_at}
        case Ask.CANCEL:
            return {"closed": now.replace(microsecond=0)}
        case _:
            return {}


def _state(layout: Layout) -> State:
    return store.newest(layout)


def _dispatch(
    layout: Layout, book: Book, action: Dispatch, behind: Pasts, locked: ExitStack
) -> tuple[Task, Folder, int]:
    """Take the task into work. What can't be prepared becomes the run's result, so that the task fails and says why."""
    task, place = book.state.task(action.task.id), dispatch.new_run(layout)
    lock = dispatch.lock(place)
    locked.callback(os.close, lock)
    try:
        after = book.transition(
            task.id, Ask.DISPATCH, sets=dispatch.keys(layout, book.state.config, task, action.agent, place)
        )
    except OrchgitError:
        dispatch.discard(place)
        raise
    try:
        dispatch.prepare(layout, book, place, task, action.agent, behind=behind)
    except OSError:  # no room on the disk: nothing is committed, and it is tried again
        dispatch.discard(place)
        raise
    except (OrchgitError, UnicodeError) as error:  # UnicodeError: half a character in what an agent file says
        runs.write_result(place, Result(place.id, Outcome.FATAL, str(error)))
    return after, place, lock
