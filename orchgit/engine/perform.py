"""Carries out what was decided: what has ended in one write, then what starts in another, one commit each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias, assert_never

from orchgit.engine import clearing, descendants, dispatch, outside, runner
from orchgit.model import actor, usage
from orchgit.model.actor import ENGINE
from orchgit.model.errors import BusyError, InvalidFileError, NotFoundError, OrchgitError, RefusedError
from orchgit.model.lifecycle import Ask
from orchgit.model.run import Alive, Finished, Gone, Outcome, Result, Stop
from orchgit.model.scheduling import Abandon, Archive, Complete, Dispatch, Recover, Settle
from orchgit.model.task import CLOSED, Status
from orchgit.repository import ledger, locks, runs

if TYPE_CHECKING:
    from datetime import datetime

    from orchgit.model.scheduling import Action
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.runs import Folder


class Level(StrEnum):
    """How much a line of a log matters."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Happening:
    """What the loop tells whoever runs it: a task after a transition, why, and the run and agent that it is about."""

    task: Task
    reason: str = ""
    run: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What else whoever runs the loop may want to know: `kind` is one word, `text` a line.

    `task` is what it is about, or `run` where that has no task any more.
    """

    kind: str
    text: str
    level: Level
    task: Task | None = None
    run: str | None = None


Report: TypeAlias = Callable[[Happening], None]
Notify: TypeAlias = Callable[[Notice], None]

_STARTS, _LONGEST_WORDS = 3, 300  # starts of a runner until its task fails; characters of what it said then
_LOOKED_AT = 200  # runs, from the newest on, among which those of a task that never starts are
_CHANGED_MEANWHILE = (RefusedError, NotFoundError, InvalidFileError)  # since the snapshot; the next one tells


def ignore(_: Notice) -> None:
    """Tell nobody."""


def all_of(
    layout: Layout, actions: tuple[Action, ...], *, now: datetime, report: Report, notify: Notify = ignore
) -> bool:
    """Carry the actions out, telling what happened; was any of them still possible when its turn came?

    What has ended is written before anything starts, so that no fault of a start ever holds a result back.
    """
    recovered, ended, starting = [], [], []
    archived: list[Task] = []
    for action in actions:
        match action:
            case Recover():
                recovered.append(_recover(layout, action, report))
            case Abandon():
                recovered.append(_abandon(layout, action, notify))
            case Settle() | Complete():
                ended.append(action)
            case Dispatch():
                starting.append(action)
            case Archive(tasks):
                archived += tasks
            case _:
                assert_never(action)
    done = [*recovered, _carry_on(layout, ended, now, report, notify), _start(layout, starting, report, notify)]
    return any([*done, _archive(layout, archived, now, notify)])


def _recover(layout: Layout, action: Recover, report: Report) -> bool:
    try:
        return recover(layout, action)
    except BusyError as error:  # it holds up this task, and no other
        report(Happening(action.task, str(error), run=action.task.run, agent=action.task.agent))
        return False


def _carry_on(
    layout: Layout, actions: Sequence[Settle | Complete], now: datetime, report: Report, notify: Notify
) -> bool:
    if not actions:
        return False
    happened: list[Happening] = []
    with ledger.writing(layout, ENGINE) as book:
        for action in actions:
            with _telling(action.task, notify):
                happened += filter(None, [_end(book, action, now)])
    _pass_on(book, notify)
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
    with ExitStack() as locked:
        try:
            with ledger.writing(layout, ENGINE) as book:
                dispatch.check_base(layout, book.state.settings)
                for action in actions:
                    with _telling(action.task, notify):
                        started.append(_dispatch(layout, book, action, locked))
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
        _pass_on(book, notify)
        for runner in ready:
            dispatch.go(runner)
    for task, place, _ in started:
        report(Happening(task, run=place.id, agent=task.agent))
    return bool(started)


def _archive(layout: Layout, tasks: Sequence[Task], now: datetime, notify: Notify) -> bool:
    if not tasks:
        return False
    with ledger.writing(layout, ENGINE) as book:
        moved = book.archive(tasks, now=now)
    _pass_on(book, notify)
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


def _pass_on(book: Book, notify: Notify) -> None:
    for words in book.notices:
        notify(Notice("kept", words, Level.WARNING))


def _end(book: Book, action: Settle | Complete, now: datetime) -> Happening | None:
    match action:
        case Settle():
            return _settle(book, action, now)
        case Complete():
            return _complete(book, action, now)
        case _:
            assert_never(action)


def _complete(book: Book, action: Complete, now: datetime) -> Happening | None:
    if book.state.task(action.task.id).status is Status.DONE:
        return None  # who approved it has moved the base first, and then closed the task
    done = outside.complete(book, action, now)
    how = f", as {action.brought[:12]}" if action.brought else ""
    return Happening(done, f"its commit is in the base branch{how}", agent=done.agent)


def _settle(book: Book, action: Settle, now: datetime) -> Happening:
    result, task = action.result, book.state.task(action.task.id)
    if task.run != result.run:
        raise RefusedError(f"{task.id} is with another run by now.")
    by = actor.agent(task.agent) if task.agent else ENGINE
    after = book.transition(
        task.id,
        action.ask,
        sets=_sets(action, now),
        credit=by if action.ask in (Ask.SUCCEED, Ask.FAIL, Ask.RETRY_LATER, Ask.COOL_DOWN) else ENGINE,
        details={
            "Base-Commit": outside.base_tip(book) if action.ask is Ask.SUCCEED else None,
            "Reason": result.reason,
            "Note": "; ".join(result.notes),
            **usage.trailers(result.usage),
        },
    )
    why = "; ".join(filter(None, (result.reason, *result.notes)))
    return Happening(after, why, run=result.run, agent=task.agent)


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


def _dispatch(layout: Layout, book: Book, action: Dispatch, locked: ExitStack) -> tuple[Task, Folder, int]:
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
        dispatch.prepare(layout, book, place, task, action.agent)
    except OSError:  # no room on the disk: nothing is committed, and it is tried again
        dispatch.discard(place)
        raise
    except (OrchgitError, UnicodeError) as error:  # UnicodeError: half a character in what an agent file says
        runs.write_result(place, Result(place.id, Outcome.FATAL, str(error)))
    return after, place, lock


def recover(layout: Layout, action: Recover) -> bool:
    """Give a run that is gone its result, once nothing of it lives any more."""
    assert action.task.run is not None
    place = runs.folder(layout, action.task.run)
    with _ended(place) as is_ours:
        if is_ours and runs.read_result(place) is None:
            runs.write_result(place, _missing_result(layout, place, started=action.started))
    return is_ours


@contextmanager
def _ended(place: Folder) -> Iterator[bool]:
    """End what a dead runner has left, and hold its lock for the length of a `with`; False where it lives."""
    lock = locks.take(place.runner_lock)
    if lock is None:
        yield False
        return
    try:
        left = descendants.end(place.id, lock=place.agent_lock)
        if left:
            raise BusyError(f"{place.id} is gone, but {', '.join(left)} of it can't be stopped.", "Stop it by hand.")
        yield True
    finally:
        os.close(lock)


def _abandon(layout: Layout, action: Abandon, notify: Notify) -> bool:
    """Take a run that went astray one step nearer to its end; was there anything to do?"""
    stray = action.stray
    place, task = runs.folder(layout, stray.run), stray.task or "no task"
    match stray.state:
        case Alive() if runs.stop_asked(place) is None:
            runs.ask_to_stop(place, Stop.RELEASE, by="orchgit, since its task was moved on without it")
            why = f"{place.id} is being ended, its work kept: {task} was moved on without it"
        case Alive():
            return False
        case Gone(started):
            try:
                _bury(layout, place, started=started)
            except BusyError as error:
                notify(Notice("abandoned", " ".join(str(error).splitlines()), Level.WARNING, run=stray.run))
                return False
            return True
        case Finished():
            clearing.in_background(clearing.clear_after, layout, place)
            why = f"{place.id} has ended, and its work is kept: {task} was moved on without it"
        case _:
            assert_never(stray.state)
    notify(Notice("abandoned", why, Level.WARNING, run=stray.run))
    return True


def _bury(layout: Layout, place: Folder, *, started: bool) -> None:
    """End what is left of a run that no task names, and keep its work; one that never began never was."""
    with _ended(place) as is_ours:
        if is_ours and not started:
            dispatch.discard(place)
        elif is_ours and runs.read_result(place) is None:
            runs.write_result(place, _missing_result(layout, place, started=started))


def _missing_result(layout: Layout, place: Folder, *, started: bool) -> Result:
    if not started or not place.spec.exists():
        return _unstarted(layout, place, "its runner never started")
    vanished = Result(place.id, Outcome.VANISHED, "its runner died", usage=runs.read_usage(place))
    return runner.keep_work(runs.read_spec(place), vanished)


def _unstarted(layout: Layout, place: Folder, why: str) -> Result:
    """Return the result of a run that never started: its task is given back, and fails when that goes on and on."""
    said = place.runner_log.read_text(errors="replace").splitlines() if place.runner_log.exists() else []
    why = f"{why}: {said[-1][:_LONGEST_WORDS]}" if said else why
    if _unstarted_before(layout, place) + 1 < _STARTS:
        return Result(place.id, Outcome.NEVER_STARTED, why)
    return Result(place.id, Outcome.FATAL, f"{why} ({_STARTS} times in a row)")


def _unstarted_before(layout: Layout, place: Folder) -> int:
    """Return how many runs of the same task, right before this one, never started either."""
    if not place.spec.exists():
        return 0
    task, count = runs.read_spec(place).task, 0
    for each in islice(runs.all_of(layout), _LOOKED_AT):
        if each.id == place.id or runs.read_spec(each).task != task:
            continue
        result = runs.read_result(each)
        if result is None or result.outcome is not Outcome.NEVER_STARTED:
            break
        count += 1
    return count
