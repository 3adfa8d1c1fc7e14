"""What an agent's output says, one closed set of types for every adapter."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Final, TypeAlias, assert_never

from orchgit.model.dataclass import dataclass
from orchgit.model.usage import Usage

__all__ = [
    "KINDS", "Denied", "Event", "FileChanged", "Limited", "Raw", "Result", "Session", "Text", "Told", "Tool", "Usage",
    "Warning", "details", "kind", "seen_from", "words",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation has begun, or goes on. `id` is the CLI's own; `model` is "" where it doesn't say."""

    id: str
    model: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Words of the agent."""

    text: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool is called. `summary` says on one line what with."""

    name: str
    summary: str = ""


@dataclass(frozen=True, slots=True)
class FileChanged:
    """A file was written. `path` is as its CLI names it, `how` one word: added, changed or deleted."""

    path: str
    how: str = "changed"


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the field's own word; always read as events.Warning
    """Something a person should see: words on stderr, or the runner's own remarks."""

    text: str


@dataclass(frozen=True, slots=True)
class Limited:
    """The provider's limit was hit. `seconds` until it may be asked again, where it said; `text` are its words."""

    text: str = ""
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """The agent was not allowed to use a tool. `summary` says on one line what it wanted."""

    tool: str
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A message has reached the model in the middle of its work. `sender` is "" where only the CLI has spoken yet."""

    name: str
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The agent has ended by itself. `text` are its final words, or those of the error.

    `further`: they come on top of what it said at an earlier end of the same run.
    """

    text: str
    failed: bool = False
    further: bool = False


@dataclass(frozen=True, slots=True)
class Raw:
    """A line that the adapter can't read, as it is."""

    text: str


Event: TypeAlias = Session | Text | Tool | FileChanged | Usage | Warning | Limited | Denied | Told | Result | Raw

KINDS: Final[dict[type, str]] = {
    Session: "session", Text: "text", Tool: "tool", FileChanged: "file", Usage: "usage", Warning: "warning",
    Limited: "limited", Denied: "denied", Told: "told", Result: "result", Raw: "raw",
}  # fmt: skip


def kind(event: Event) -> str:
    """Return what sort of event it is, in a word."""
    return KINDS[type(event)]


def seen_from(folder: str, event: Event) -> Event:
    """Return the event with its paths in `folder` told as one who works there would."""
    match event:
        case FileChanged(path):
            return replace(event, path=path.removeprefix(f"{folder}/"))
        case Tool(_, summary) | Denied(_, summary) if folder in summary:
            return replace(event, summary=summary.replace(f"{folder}/", ""))
        case _:
            return event


def words(event: Event) -> str:
    """Return an event as a person reads it; all but words of the agent are on one line."""
    match event:
        case Text(text) | Warning(text) | Raw(text):
            return text
        case Session(id_, model):
            return f"session {id_}{f', {model}' if model else ''}"
        case Tool(name, summary):
            return _named(name, summary)
        case FileChanged(path, how):
            return f"{how} {path}"
        case Usage():
            return f"used {event}"
        case Limited(text, seconds):
            again = "" if seconds is None else f", for {seconds} s"
            return f"the provider's limit{again}{f': {text}' if text else ''}"
        case Denied(tool, summary):
            return f"denied: {_named(tool, summary)}"
        case Told(name, sender):
            return f"was told {name}{f', from {sender}' if sender else ''}"
        case Result(text, failed):
            first = text.strip().partition("\n")[0]
            return f"{'failed' if failed else 'finished'}{f': {first}' if first else ''}"
        case _:
            assert_never(event)


def details(event: Event) -> dict[str, Any]:
    """Return what a program reads of an event besides its words."""
    match event:
        case Text() | Warning() | Raw():
            return {}
        case Session(id_, model):
            return {"session": id_, "model": model}
        case Tool(name, summary) | Denied(name, summary):
            return {"tool": name, "summary": summary}
        case FileChanged(path, how):
            return {"path": path, "how": how}
        case Usage():
            return {"usage": asdict(event)}
        case Limited(_, seconds):
            return {"seconds": seconds}
        case Told(name, sender):
            return {"message": name, "from": sender}
        case Result(text, failed):
            return {"result": text, "failed": failed}
        case _:
            assert_never(event)


def _named(tool: str, summary: str) -> str:
    return f"{tool}: {summary}" if summary else tool
