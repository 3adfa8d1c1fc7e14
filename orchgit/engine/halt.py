"""Stops a task's run on behalf of whoever asks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orchgit.engine import recovery
from orchgit.model.errors import BusyError, RefusedError
from orchgit.model.run import Alive, Finished, Gone
from orchgit.model.scheduling import Recover
from orchgit.repository import machine, runs

if TYPE_CHECKING:
    from orchgit.model.actor import Actor
    from orchgit.model.run import Stop
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout

_WAIT = 30.0  # seconds: the runner's grace, twice, and its last commit
_PAUSE = 0.02


def stop(layout: Layout, task: Task, wanted: Stop, *, by: Actor) -> None:
    """Stop the task's run; its work is kept when this returns. RefusedError where another clone runs it."""
    assert task.run is not None
    if task.machine != machine.machine_id(layout):
        raise RefusedError(f"{task.id} is being worked on in another clone ({task.machine}).", "Ask for it there.")
    place = runs.folder(layout, task.run)
    deadline, asked = time.monotonic() + _WAIT, False
    while time.monotonic() < deadline:
        match runs.observe(place):
            case Finished():
                return
            case Gone(started) if recovery.recover(layout, Recover(task, started)):
                return
            case Alive() if not asked:
                runs.ask_to_stop(place, wanted, by=by)
                asked = True
        time.sleep(_PAUSE)
    raise BusyError(f"{task.run} did not end within {_WAIT:g} s.", f"Its log: {place.runner_log}")
