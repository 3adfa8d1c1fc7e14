"""Reads what agents said: the events of a run, from its start or its end, as they come."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orchgit.engine import record
from orchgit.model.dataclass import dataclass
from orchgit.model.usage import Usage
from orchgit.repository import locks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchgit.repository.runs import Folder

_PAUSE = 0.1
_TAIL = 1 << 14  # bytes
_NOT_SAID = frozenset({"usage", "session", "raw"})
_OWN_FIELDS = frozenset({"at", "type", "text", "usage", "seconds"})


@dataclass(frozen=True, slots=True)
class Line:
    """One event of a run, as text. `kind` is one of `events.KINDS`.

    `usage` is what was used on top of what was said before, `seconds` how long the provider may not be asked; `details`
    are what else it says.
    """

    run: str
    at: datetime
    kind: str
    text: str
    usage: Usage | None = None
    seconds: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def lines(run: Folder, *, tail: int | None = None, follow: bool = False) -> Iterator[Line]:
    """Yield a run's events: all, or the last `tail`; with `follow`, those to come until its runner ends."""
    while follow and not run.events.exists() and locks.is_held(run.runner_lock):
        time.sleep(_PAUSE)
    if not run.events.exists():
        return
    reader = _Reader(run)
    try:
        yield from map(reader.parsed, deque(reader.whole(), maxlen=tail))
        while follow:
            alive = locks.is_held(run.runner_lock)
            yield from map(reader.parsed, reader.whole())
            if not alive:
                return
            time.sleep(_PAUSE)
    finally:
        reader.close()


def last(run: Folder) -> Line | None:
    """Return what a run said last to a person; None where that is nothing yet, or too long ago to be found at once."""
    newest = run.part(max(run.parts(), default=0))
    if not newest.exists():
        return None
    with newest.open("rb") as file:
        start = max(newest.stat().st_size - _TAIL, 0)
        file.seek(start)
        if start:
            file.readline()  # half of one
        whole = [line for line in file.readlines() if line.endswith(b"\n")]
    found = (_parsed(run, line) for line in reversed(whole))
    return next((line for line in found if line.kind not in _NOT_SAID), None)


def last_words(run: Folder) -> str:
    """Return the summary of a run whose runner couldn't make it: as `Record.summary`, from what is on the disk."""
    final, words = "", deque[str](maxlen=record.LAST_WORDS)
    for line in lines(run):
        final = str(line.details.get("result") or final) if line.kind == "result" else final
        if line.kind in ("text", "warning") and line.text.strip():
            words.append(line.text[: record.LONGEST_WORDS])
    return final.strip() or "\n".join(words)


def _parsed(run: Folder, line: bytes) -> Line:
    values = json.loads(line)
    used = Usage(**values["usage"]) if "usage" in values else None
    at = datetime.fromisoformat(values["at"])
    details = {key: value for key, value in values.items() if key not in _OWN_FIELDS}
    return Line(run.id, at, values["type"], values["text"], used, values.get("seconds"), details)


class _Reader:
    """Reads the parts of a run's events one after the other, from where it stopped the last time."""

    def __init__(self, run: Folder) -> None:
        self._run = run
        self._part = 0
        self._file = run.events.open("rb")
        self._last = b""

    def close(self) -> None:
        self._file.close()

    def whole(self) -> Iterator[bytes]:
        """Yield the lines that are there in full; a line that is being written is left for the next time."""
        while True:
            following = [number for number in self._run.parts() if number > self._part]
            yield from self._rest()  # asked before: once there is a next part, nothing is added to this one
            if not following:
                return
            if left_out := self._open(following[0]):
                yield left_out

    def parsed(self, line: bytes) -> Line:
        return _parsed(self._run, line)

    def _rest(self) -> Iterator[bytes]:
        while line := self._file.readline():
            if not line.endswith(b"\n"):
                self._file.seek(-len(line), os.SEEK_CUR)
                return
            self._last = line
            yield line

    def _open(self, number: int) -> bytes:
        """Go on with a part, if it is still there; return a line that says what is missing before it, if anything."""
        skipped, self._part = number - self._part - 1, number
        try:
            following = self._run.part(number).open("rb")
        except FileNotFoundError:  # there are newer ones by now
            self._part -= skipped + 1
            return b""
        self._file.close()
        self._file = following
        if not skipped:
            return b""
        words = f"[{skipped * record.PART >> 20} MB of output were left out here]"
        values = {"at": json.loads(self._last)["at"], "type": "warning", "text": words}
        return json.dumps(values).encode()
