"""The last words of a CLI on stderr."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchgit.adapters import jsonlines
from orchgit.model import events

if TYPE_CHECKING:
    from orchgit.model.events import Event


@dataclass(slots=True)
class Tail:
    """Remembers some lines; `noise` are those that say nothing."""

    noise: frozenset[str] = frozenset()
    _lines: deque[str] = field(default_factory=lambda: deque(maxlen=8))

    def hear(self, line: str) -> tuple[Event, ...]:
        plain = jsonlines.plain(line).strip()
        if not plain or plain in self.noise:
            return ()
        self._lines.append(plain)
        return (events.Warning(plain),)

    @property
    def words(self) -> str:
        return "\n".join(self._lines)
