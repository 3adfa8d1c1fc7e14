"""Finds the commit of the state branch that a person means by a revision or a date, and the state as it was there."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from orchgit.model.errors import NotFoundError, UsageError
from orchgit.repository import git
from orchgit.repository.layout import STATE_BRANCH

if TYPE_CHECKING:
    from orchgit.repository.layout import Layout

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# git reads a date out of any word, and takes what it can't read for now: a date has one of these.
_DATED = re.compile(
    r"\d|\b(?:now|today|yesterday|noon|midnight|tea|ago|last|one|two|three|four|five|six|seven|eight|nine|ten"
    r"|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\b",
    re.IGNORECASE,
)
_REVISION = re.compile(r"[~^]|@\{")  # what only a revision has
_HOW = "Give a commit of the state branch, or a date: 2026-11-22, 2026-11-22T10:00, yesterday, '2 hours ago'."


def commit_at(layout: Layout, tip: str, word: str) -> str:
    """Return the commit that `word` names: a revision of the state branch, else the last one up to a date."""
    found = git.commit_of(word, cwd=layout.state)
    if found is None:
        return _until(layout, tip, word)
    if not git.is_ancestor(found, tip, cwd=layout.common):
        raise NotFoundError(f"{word!r} is no commit of the branch {STATE_BRANCH}.", _HOW)
    return found


def seconds(layout: Layout, word: str, *, end: bool) -> int:
    """Return the time that `word` names, in seconds since the epoch; a day alone means its start, or its `end`."""
    try:
        moment = datetime.fromisoformat(word).astimezone()
    except (ValueError, OverflowError, OSError):
        return _approximate(layout, word)
    if end and _DAY.fullmatch(word):
        moment = moment.replace(hour=23, minute=59, second=59)
    return int(moment.timestamp())


def _approximate(layout: Layout, word: str) -> int:
    said = git.call("rev-parse", f"--since={word}", cwd=layout.common)
    found = re.fullmatch(r"--max-age=(\d+)", said.text)
    if not _DATED.search(word) or _REVISION.search(word) or _is_no_day(word) or found is None or "\0" in word:
        raise UsageError(f"{word!r} is neither a commit of the state branch nor a date.", _HOW)
    return int(found[1])


def _is_no_day(word: str) -> bool:
    """Does it begin as a day, and one that no calendar has? git takes it for another."""
    day = _DAY.match(word)
    if day is None:
        return False
    try:
        date.fromisoformat(day[0])
    except ValueError:
        return True
    return False


def _until(layout: Layout, tip: str, word: str) -> str:
    until = seconds(layout, word, end=True)
    found = git.text("rev-list", "--max-count=1", f"--before=@{until}", tip, "--", cwd=layout.common)
    if found:
        return found
    first = git.text("log", "--max-parents=0", "--format=%ct", tip, "--", cwd=layout.common).split()
    began = min(map(int, first), default=int(time.time()))
    raise NotFoundError(f"Nothing is known of {word}: the state begins at {_shown(began)}.", "Give a later date.")


def _shown(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
