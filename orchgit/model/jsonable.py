"""What a program is given: values in forms that JSON has."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchgit.model.letter import Letter
    from orchgit.model.task import Task


def moment(value: datetime) -> str:
    """Return a time as JSON carries it: 2026-11-22T10:00:00Z."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def task(found: Task, **more: object) -> dict[str, object]:
    """Return a task: every key of its file, and what is derived."""
    return {**{key: getattr(found, key) for key in found.__slots__}, **more}


def letter(found: Letter, **more: object) -> dict[str, object]:
    """Return a message."""
    return {
        "id": found.id, "from": found.sender, "by_agent": found.by_agent, "to": found.to, "subject": found.subject,
        "body": found.text, "channel": found.channel, "reply_to": found.reply_to, "created": found.created,
        "expires": found.expires, **more,
    }  # fmt: skip


def plain(value: object) -> object:
    """Return a value that JSON has no form for in one that it has."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Enum):
        return value.value
    return str(value)
