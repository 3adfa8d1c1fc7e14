"""What an agent's output says, one closed set of types for every adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """Words of the agent, one line."""

    text: str


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the field's own word; always read as events.Warning
    """Something a person should see: words on stderr, or the runner's own remarks."""

    text: str


Event: TypeAlias = Text | Warning
