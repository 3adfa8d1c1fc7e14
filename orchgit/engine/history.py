"""Reads the state branch as the audit trail that it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.model import trailers
from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.model.trailers import Message
    from orchgit.repository.layout import Layout

_FORMAT = "%H%x1f%at%x1f%an%x1f%B"


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit of the state branch."""

    commit: str
    at: datetime
    author: str
    message: Message


def entries(layout: Layout, tip: str, *, task: str | None = None, limit: int | None = None) -> Iterator[Entry]:
    """Yield commits, newest first; `task` is an id, by which git itself picks them."""
    picked = ["--fixed-strings", f"--grep=Task: {task}"] if task else []
    bound = [f"--max-count={limit}"] if limit is not None else []
    said = git.run("log", f"--format={_FORMAT}", "-z", *picked, *bound, tip, "--", cwd=layout.common)
    for record in said.fields:
        commit, seconds, author, text = record.split("\x1f", 3)
        yield Entry(commit, datetime.fromtimestamp(int(seconds), UTC), author, trailers.parse(text))
