"""Feedback: an entry of the section of a task's body that reasons for rejection are added to, written and read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchgit.model import foreign
from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

_HEAD = re.compile(r"^\*\*(?P<by>[^\n]+), \d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d UTC)?:\*\*[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody said, heading included; `by` is "" for what stands there under no name."""

    by: str
    text: str


def entry(by: str, reason: str, now: datetime) -> str:
    """Return the reason as a quotation: a heading or an open fence in it can't end the section it stands in.

    `now` is in UTC.
    """
    lines = (f"> {line}".rstrip() for line in reason.splitlines())
    return f"**{by}, {now:%Y-%m-%d %H:%M:%S} UTC:**\n\n" + "\n".join(lines)


def entries(section: str) -> tuple[Entry, ...]:
    """Return the entries of a section, oldest first."""
    heads = list(_HEAD.finditer(section))
    starts = [0, *(head.start() for head in heads)]
    ends = [*starts[1:], len(section)]
    names = ["", *(head["by"] for head in heads)]
    found = (Entry(by, section[start:end].strip()) for by, start, end in zip(names, starts, ends, strict=True))
    return tuple(each for each in found if each.text)


def told(section: str, agents: Collection[str]) -> str:
    """Return a section as a prompt tells it: what agents said is marked as data."""
    parts = (foreign.marked(each.text, each.by) if each.by in agents else each.text for each in entries(section))
    return "\n\n".join(parts)


def added(before: str, now: str) -> str:
    """Return what a section has beyond what it had before; all of it where what was there has changed."""
    old = before.strip()
    return now.strip().removeprefix(old).strip() if now.strip().startswith(old) else now.strip()
