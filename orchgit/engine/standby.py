"""Stops, pauses and resumes the team of a clone, on behalf of whoever asks."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.model import actor
from orchgit.model.errors import BusyError, NotFoundError
from orchgit.repository import locks, machine, orders, runs, store
from orchgit.repository.orders import Order, Pause

if TYPE_CHECKING:
    from orchgit.model.actor import Actor
    from orchgit.repository.layout import Layout

_PAUSE = 0.05


def stop(layout: Layout, by: Actor, order: Order | str, *, wait: float | None) -> None:
    """Give the order to the loop that runs, and return when that has ended; `wait` limits it, in seconds.

    `Order.NOW` ends the runs too that an earlier loop has left to go on by themselves.
    """
    actor.refuse_agent(by, "stop the team")
    order, deadline = Order(order), None if wait is None else time.monotonic() + wait
    if locks.is_held(layout.orchestrator_lock):
        _stop_loop(layout, by, order, deadline, wait)
        if order is not Order.NOW or not _unrecorded(layout):
            return
    left = _unrecorded(layout)
    if not left:
        raise NotFoundError("No team is running here, so there is none to stop.", "`orchgit status` shows what runs.")
    if order is not Order.NOW:
        raise NotFoundError(
            "No team is running here, so there is none to stop.",
            f"Left to go on by itself: {', '.join(left)}. `orchgit stop --now` ends that.",
        )
    _end_left_behind(layout, by, wait)


def _unrecorded(layout: Layout) -> list[str]:
    """Return the runs of this clone that go on, or whose end nobody has recorded yet, each with its task."""
    here, tasks = machine.machine_id(layout), store.newest(layout).tasks.values()
    owned = {task.run: task.id for task in tasks if task.run and task.machine == here}
    astray = {each.id: runs.task_of(each) for each in runs.at_work(layout)}
    return [f"{run} ({task})" for run, task in {**astray, **owned}.items()]


def _end_left_behind(layout: Layout, by: Actor, wait: float | None) -> None:
    """Be a loop for as long as it takes to end what runs and record it; it starts nothing."""
    from orchgit.engine import loop

    control = loop.Control()
    control.end(by=by.name)
    timer = None if wait is None else threading.Timer(wait, control.leave)
    if timer is not None:
        timer.daemon = True
        timer.start()
    loop.run(layout, until=loop.Until.SETTLED, report=lambda _: None, control=control)
    if timer is not None:
        timer.cancel()
    if control.leaving:
        raise BusyError(f"What runs has been asked, and had not ended after {wait:g} s.", "`orchgit status` shows it.")


def _stop_loop(layout: Layout, by: Actor, order: Order, deadline: float | None, wait: float | None) -> None:
    asked = ""
    while locks.is_held(layout.orchestrator_lock):
        token = orders.running(layout)
        if asked and token != asked and not orders.is_waiting(layout):
            return  # that loop took it and has ended; this is the next one
        if token and token != asked:  # the token of a dead loop, until the one that has just begun writes its own
            orders.give(layout, order, to=token, by=by.name)
            asked = token
        if deadline is not None and time.monotonic() >= deadline:
            raise BusyError(
                f"The team has been asked, and had not ended after {wait:g} s.",
                "It goes on ending by itself; `orchgit status` shows what it waits for.",
            )
        time.sleep(_PAUSE)


def pause(layout: Layout, by: Actor) -> bool:
    """Let nothing be started here until `resume`; was it not paused already?"""
    actor.refuse_agent(by, "pause the team")
    if orders.paused(layout):
        return False
    orders.pause(layout, Pause(by.name, datetime.now(UTC).isoformat(timespec="seconds")))
    return True


def resume(layout: Layout, by: Actor) -> bool:
    """Let the team start runs again; was it paused?"""
    actor.refuse_agent(by, "resume the team")
    if not orders.paused(layout):
        return False
    orders.resume(layout)
    return True
