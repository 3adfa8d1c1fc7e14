"""Stops, pauses and resumes the team of a clone, on behalf of whoever asks."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.model import actor
from orchgit.model.errors import BusyError, NotFoundError
from orchgit.repository import locks, orders
from orchgit.repository.orders import Order, Pause

if TYPE_CHECKING:
    from orchgit.model.actor import Actor
    from orchgit.repository.layout import Layout

_PAUSE = 0.05


def stop(layout: Layout, by: Actor, order: Order | str, *, wait: float | None) -> None:
    """Give the order to the loop that runs, and return when that has ended; `wait` limits it, in seconds."""
    actor.refuse_agent(by, "stop the team")
    if not locks.is_held(layout.orchestrator_lock):
        raise NotFoundError("No team is running here, so there is none to stop.", "`orchgit status` shows what runs.")
    deadline, asked = None if wait is None else time.monotonic() + wait, ""
    while locks.is_held(layout.orchestrator_lock):
        token = orders.running(layout)
        if asked and token != asked and not orders.is_waiting(layout):
            return  # that loop took it and has ended; this is the next one
        if token and token != asked:  # the token of a dead loop, until the one that has just begun writes its own
            orders.give(layout, Order(order), to=token, by=by.name)
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
