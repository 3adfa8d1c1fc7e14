"""The last words of a CLI on stderr."""

from __future__ import annotations

from collections import deque
from dataclasses import field
from typing import TYPE_CHECKING, Final

from orchgit.adapters import jsonlines
from orchgit.model import events
from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from orchgit.model.events import Event

_LONGEST: Final = 1000  # characters of a line


@dataclass(slots=True)
class Tail:
    """Remembers some lines; `noise` are those that say nothing."""

    noise: frozenset[str] = frozenset()
    _lines: deque[str] = field(default_factory=lambda: deque(maxlen=8))

    def hear(self, line: str) -> tuple[Event, ...]:
        plain = jsonlines.plain(line).strip()
        if not plain or plain in self.noise:
            return ()
        self._lines.append(plain[:_LONGEST])
        return (events.Warning(plain),)

    def keep(self, line: str) -> tuple[Event, ...]:
        """Keep a line of stdout that is no event of the CLI; plain words may be all that it says of its end."""
        if line.strip() and not line.lstrip().startswith(("{", "[")):
            self._lines.append(jsonlines.plain(line).strip()[:_LONGEST])
        return (events.Raw(line),) if line.strip() else ()

    @property
    def words(self) -> str:
        return "\n".join(self._lines)
