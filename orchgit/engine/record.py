"""Writes down what is said in a run: a line of JSON an event, in batches, the first and the newest megabytes of it."""

from __future__ import annotations

import json
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.model import events
from orchgit.model.usage import Usage
from orchgit.repository import runs

if TYPE_CHECKING:
    from io import FileIO

    from orchgit.model.events import Event
    from orchgit.repository.runs import Folder

FIRST = 1 << 20  # bytes of the beginning, which stay
PART = 5 << 20  # bytes of each further part
PARTS = 4  # parts that stay: with the one being written, the newest 15 to 20 MB

LAST_WORDS, LONGEST_WORDS = 20, 1000  # lines of output that become the summary, and characters of each
_AT_ONCE = 1 << 18  # bytes that are held back at most
_AS_JSON = json.JSONEncoder(ensure_ascii=False).encode


class Record:
    """The events of a run on their way to its folder, the last words among them, and the sum of what it used.

    What is written is on the disk after `flush`. Where the disk is full, the agent goes on and its words are lost.
    """

    def __init__(self, place: Folder) -> None:
        self._place = place
        self._part = max(place.parts(), default=0)
        self._file = self._open(self._part)
        self._held: list[str] = []
        self._size = 0
        self._at, self._asked = "", 0.0
        self._words: deque[str] = deque(maxlen=LAST_WORDS)
        self._final = ""
        self._used: Usage | None = None
        self._noted: Usage | None = None

    @property
    def summary(self) -> str:
        """The agent's last words: the final ones where it said which they are, else its last lines."""
        return self._final or "\n".join(self._words)

    @property
    def used(self) -> Usage | None:
        """The sum of what the run has said that it used; None where it said nothing of it."""
        return self._used

    def write(self, event: Event) -> None:
        text, kind = events.words(event), events.kind(event)
        more = "".join(f', "{key}": {_AS_JSON(value)}' for key, value in events.details(event).items())
        self._held.append(f'{{"at": "{self._now()}", "type": "{kind}", "text": {_AS_JSON(text)}{more}}}\n')
        self._size += len(text)
        if isinstance(event, Usage):
            self._used = self._used + event if self._used else event
        self._remember(event)
        if self._size >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what was held back, and begin a new part where this one is full."""
        if not self._held:
            return
        data, self._held, self._size = "".join(self._held).encode(), [], 0
        try:
            if self._file.tell() >= (PART if self._part else FIRST):
                self._go_on()
            self._write(data)
        except OSError:
            self._mend()
        if self._used and self._used != self._noted:
            self._noted = self._used
            with suppress(OSError):  # the disk is full: the result tells it at the end
                runs.write_usage(self._place, self._used)

    def close(self) -> None:
        self.flush()
        self._file.close()

    def _remember(self, event: Event) -> None:
        """Keep what the summary is made of: the final words, else the last of all."""
        match event:
            case events.Result(text, further=further) if text.strip():
                whole = f"{self._final}\n\n{text}" if further else text
                self._final = whole[-LAST_WORDS * LONGEST_WORDS :].strip()
            case events.Text(text) | events.Warning(text):
                self._words.extend(_lines(text))
            case events.Limited():
                self._words.append(events.words(event)[:LONGEST_WORDS])
            case _:
                pass

    def _now(self) -> str:
        """Return the time, asked anew each millisecond: a flood of lines would spend a third of its time on it."""
        now = time.monotonic()
        if now - self._asked >= 0.001:
            self._at, self._asked = datetime.now(UTC).isoformat(timespec="milliseconds"), now
        return self._at

    def _open(self, part: int) -> FileIO:
        return self._place.part(part).open("ab", buffering=0)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[self._file.write(data) :]

    def _go_on(self) -> None:
        full, self._file = self._file, self._open(self._part + 1)
        self._part += 1
        full.close()
        for number in self._place.parts():
            if number <= self._part - PARTS:
                self._place.part(number).unlink(missing_ok=True)

    def _mend(self) -> None:
        """Cut off the line that a full disk took half of, or what comes later could not be read."""
        with self._place.part(self._part).open("r+b") as file:
            end = file.seek(0, 2)
            file.seek(max(end - _AT_ONCE * 8, 0))
            start, tail = file.tell(), file.read()
            file.truncate(start + tail.rfind(b"\n") + 1)


def _lines(text: str) -> list[str]:
    return [line[:LONGEST_WORDS] for line in text.split("\n")[-LAST_WORDS:] if line and not line.isspace()]
