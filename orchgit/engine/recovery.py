"""Runs that are gone or went astray: ended for good, their work kept, their result made where a runner left none."""

from __future__ import annotations

import os
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, assert_never

from orchgit.engine import clearing, deliveries, descendants, dispatch, output, runner
from orchgit.engine.telling import Level, Notice
from orchgit.model.actor import ENGINE
from orchgit.model.errors import BusyError
from orchgit.model.run import Alive, Finished, Gone, Outcome, Result, Stop
from orchgit.repository import ledger, locks, runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.engine.telling import Notify
    from orchgit.model.scheduling import Abandon, Recover
    from orchgit.repository.layout import Layout
    from orchgit.repository.runs import Folder

_STARTS, _LONGEST_WORDS = 3, 300  # starts of a runner until its task fails; characters of what it said then
_LOOKED_AT = 200  # runs, from the newest on, among which those of a task that never starts are


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


def abandon(layout: Layout, action: Abandon, notify: Notify) -> bool:
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
            with ledger.writing(layout, ENGINE) as book:
                deliveries.give_back(book, place, None)
            dispatch.discard(place)
        elif is_ours and runs.read_result(place) is None:
            runs.write_result(place, _missing_result(layout, place, started=started))


def _missing_result(layout: Layout, place: Folder, *, started: bool) -> Result:
    if not started or not place.spec.exists():
        return _unstarted(layout, place, "its runner never started")
    words, used = output.last_words(place), runs.read_usage(place)
    vanished = Result(place.id, Outcome.VANISHED, "its runner died", summary=words, usage=used)
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
