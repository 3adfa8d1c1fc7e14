"""Reads what agents said: the events of a run, from its start or its end, as they come."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, BinaryIO

from orchgit.repository import locks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.repository.runs import Folder

_PAUSE = 0.1
_TAIL = 1 << 14  # bytes


@dataclass(frozen=True, slots=True)
class Line:
    """One event of a run, as text. `kind` is `text` or `warning`."""

    run: str
    at: datetime
    kind: str
    text: str


def lines(run: Folder, *, tail: int | None = None, follow: bool = False) -> Iterator[Line]:
    """Yield a run's events: all, or the last `tail`; with `follow`, those to come until its runner ends."""
    while follow and not run.events.exists() and locks.is_held(run.runner_lock):
        time.sleep(_PAUSE)
    if not run.events.exists():
        return
    with run.events.open("rb") as file:
        yield from deque(_whole(run, file), maxlen=tail)
        while follow:
            alive = locks.is_held(run.runner_lock)
            yield from _whole(run, file)
            if not alive:
                return
            time.sleep(_PAUSE)


def last(run: Folder) -> Line | None:
    """Return what a run said last; None where it has said nothing yet, or nothing short enough to be found at once."""
    if not run.events.exists():
        return None
    with run.events.open("rb") as file:
        start = max(run.events.stat().st_size - _TAIL, 0)
        file.seek(start)
        if start:
            file.readline()  # half of one
        return next(iter(deque(_whole(run, file), maxlen=1)), None)


def _whole(run: Folder, file: BinaryIO) -> Iterator[Line]:
    """Yield the lines that are there in full; a line that is being written is left for the next time."""
    while line := file.readline():
        if not line.endswith(b"\n"):
            file.seek(-len(line), os.SEEK_CUR)
            return
        values = json.loads(line)
        yield Line(run.id, datetime.fromisoformat(values["at"]), values["type"], values["text"])
