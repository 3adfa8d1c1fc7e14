"""What the signals of a running team mean: the first one drains, the second leaves the runs to go on."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchgit.engine.loop import Control

DRAINING = "Starting nothing more; waiting for what runs. {once_more} again leaves it to go on by itself."
LEAVING = "Leaving. What runs goes on by itself; the next `{command}` takes it up."


@contextmanager
def heeded(control: Control, say: Callable[[str], None], *, command: str, once_more: str) -> Iterator[None]:
    """Heed SIGINT and SIGTERM for the length of a `with`."""

    def on_signal(_number: int, _frame: object) -> None:
        control.interrupted = True
        if control.draining:
            say(LEAVING.format(command=command))
            control.leave()
        else:
            say(DRAINING.format(once_more=once_more))
            control.drain()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
