"""What an agent's output says, one closed set of types for every adapter."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, TypeAlias, assert_never

from orchgit.model.usage import Usage

__all__ = ["Event", "Limited", "Text", "Usage", "Warning", "details", "words"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words of the agent, one line."""

    text: str


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the field's own word; always read as events.Warning
    """Something a person should see: words on stderr, or the runner's own remarks."""

    text: str


@dataclass(frozen=True, slots=True)
class Limited:
    """The provider's limit was hit. `seconds` until it may be asked again, where it said; `text` are its words."""

    text: str = ""
    seconds: int | None = None


Event: TypeAlias = Text | Warning | Usage | Limited


def words(event: Event) -> str:
    """Return an event as a person reads it, on one line."""
    match event:
        case Text(text) | Warning(text):
            return text
        case Usage():
            return f"used {event}"
        case Limited(text, seconds):
            again = "" if seconds is None else f", for {seconds} s"
            return f"the provider's limit{again}{f': {text}' if text else ''}"
        case _:
            assert_never(event)


def details(event: Event) -> dict[str, Any]:
    """Return what a program reads of an event besides its words."""
    match event:
        case Text() | Warning():
            return {}
        case Usage():
            return {"usage": asdict(event)}
        case Limited(_, seconds):
            return {"seconds": seconds}
        case _:
            assert_never(event)
