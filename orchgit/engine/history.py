"""Reads the state branch as the audit trail that it is."""

from __future__ import annotations

import os
import re
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from orchgit.model import trailers
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import GitError
from orchgit.model.task import Status
from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator

    from orchgit.model.trailers import Message
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State

_FORMAT = "%H%x1f%at%x1f%an%x1f%B"
_AT_ONCE = 1 << 16  # bytes
_FEW = 10  # tasks: git takes longer to look for the names of more in each commit than we take to read all commits
_ABOUT_ANY = ("--basic-regexp", "--grep=^Task: ")


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit of the state branch."""

    commit: str
    at: datetime
    author: str
    message: Message


def entries(layout: Layout, tip: str, *, task: str | None = None, limit: int | None = None) -> Iterator[Entry]:
    """Yield commits, newest first; `task` is an id, by which git itself picks them."""
    bound = [f"--max-count={limit}"] if limit is not None else []
    return _entries(layout, tip, *(_about(task) if task else ()), *bound)


def of_file(layout: Layout, tip: str, path: str) -> Iterator[Entry]:
    """Yield the commits that changed the file at `path`, newest first."""
    return _entries(layout, tip, path=path)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which commits are wanted; None: any. Times are in seconds since the epoch.

    `actor` caused it; `agent` did, or had, the run; `goal` is what the task serves now; `status` what it came to.
    """

    agent: str | None = None
    goal: str | None = None
    actor: str | None = None
    status: str | None = None
    since: int | None = None
    until: int | None = None


def picked(
    layout: Layout, state: State, wanted: Wanted, *, task: str | None = None, limit: int | None = None
) -> Iterator[Entry]:
    """Yield the commits that are wanted, newest first."""
    bounds = _bounds(wanted.since, wanted.until)
    found = _entries(layout, state.tip, *(_about(task) if task else ()), *bounds)
    return islice((each for each in found if _fits(each, wanted, state)), limit)


def _fits(each: Entry, wanted: Wanted, state: State) -> bool:
    message, actor = each.message, each.message.get("Actor") or each.author
    task = state.tasks.get(message.get("Task") or "")
    return (
        (wanted.actor is None or wanted.actor.casefold() in (actor.casefold(), each.author.casefold()))
        and (
            wanted.agent is None or wanted.agent in (actor, message.get("Agent")) or _names_agent(message, wanted.agent)
        )
        and (wanted.goal is None or wanted.goal in (message.get("Goal"), task.goal if task else None))
        and (wanted.status is None or (message.get("Transition") or "").endswith(f"-> {wanted.status}"))
    )


def _names_agent(message: Message, agent: str) -> bool:
    return message.subject.startswith(f"agent({agent}): ")


def last_transition(layout: Layout, tip: str, task: str, *, to: str = ".*", since: str = ".*") -> Entry | None:
    """Return the commit that last brought the task to the status `to`, from `since`, or None where none did."""
    into = (f"--grep=^Transition: {since} -> {to}$", "--all-match", "--max-count=1")
    return next(_entries(layout, tip, *_about(task), *into), None)


def of_tasks(layout: Layout, tip: str, tasks: Collection[str]) -> dict[str, list[Entry]]:
    """Return the commits of each task, newest first."""
    found: dict[str, list[Entry]] = {task: [] for task in tasks}
    picks = (pick for task in sorted(tasks) for pick in _about(task))
    for entry in _entries(layout, tip, *picks) if tasks else ():
        if (task := entry.message.get("Task")) in found:
            found[task].append(entry)
    return found


def until_worked_on(layout: Layout, tip: str, tasks: Collection[str]) -> dict[str, list[Entry]]:
    """Return the commits of each task, newest first, down to the one that took it out of work the last time.

    The history is read from its end, and no further than that, or to where a task was made.
    """
    found: dict[str, list[Entry]] = {task: [] for task in tasks}
    left = set(tasks)
    few = len(left) <= _FEW
    picks = (pick for task in sorted(tasks) for pick in _about(task)) if few else iter(_ABOUT_ANY)
    if not left:
        return found
    with closing(_streamed(layout, tip, *picks)) as entries:
        for entry in entries:
            task = entry.message.get("Task")
            if task in left:
                found[task].append(entry)
                left -= {task} if ends_work(entry) or entry.message.subject == f"task({task}): created" else set()
                if not left:
                    break
    return found


def ended_runs(
    layout: Layout, tip: str, *, since: int | None = None, until: int | None = None, task: str | None = None
) -> Iterator[Entry]:
    """Yield the commits that ended a run in that time, in seconds since the epoch, newest first."""
    into = ("--basic-regexp", "--all-match", f"--grep=^Transition: {Status.IN_PROGRESS} -> ", "--grep=^Run: run_")
    return _streamed(layout, tip, *into, *(_about(task) if task else ()), *_bounds(since, until))


def ends_work(entry: Entry) -> bool:
    """Did a run, or a person's work at the task, end with this commit?

    A run whose session was lost has done none: what lies behind the task is what was before it.
    """
    ended = (entry.message.get("Transition") or "").startswith(f"{Status.IN_PROGRESS} -> ")
    return ended and not lost_session(entry)


def lost_session(entry: Entry) -> bool:
    return entry.message.get("Lost-Session") is not None


def planned(layout: Layout, tip: str, plan: str) -> tuple[str, ...]:
    """Return the ids of the tasks that the runs of the task `plan` made, oldest first."""
    found = _entries(layout, tip, "--basic-regexp", "--reverse", f"--grep=^Plan: {re.escape(plan)}$")
    return tuple(dict.fromkeys(task for each in found if (task := each.message.get("Task"))))


def reviews(layout: Layout, tip: str) -> dict[str, tuple[str, str | None]]:
    """Return for each commit that ever came into review its task and its run."""
    into = _entries(layout, tip, "--basic-regexp", "--grep=^Transition: .* -> review$")
    found = ((each.message.get("Review-Commit"), each.message.get("Task"), each.message.get("Run")) for each in into)
    return {commit: (task, run) for commit, task, run in found if commit and task}


def _bounds(since: int | None, until: int | None) -> tuple[str, ...]:
    return tuple(f"--{name}=@{at}" for name, at in (("since", since), ("until", until)) if at is not None)


def _about(task: str) -> tuple[str, ...]:
    return "--basic-regexp", f"--grep=^Task: {re.escape(task)}$"


def _entries(layout: Layout, tip: str, *options: str, path: str = "") -> Iterator[Entry]:
    paths = [f":(top,literal){path}"] if path else []
    said = git.run("log", f"--format={_FORMAT}", "-z", *options, tip, "--", *paths, cwd=layout.common)
    yield from map(_entry, said.fields)


def _streamed(layout: Layout, tip: str, *options: str) -> Generator[Entry]:
    """Yield as above, as git comes upon them: who has read enough stops it."""
    walk = git.start("log", f"--format={_FORMAT}", "-z", *options, tip, "--", cwd=layout.common)
    try:
        assert walk.stdout is not None
        rest = b""
        while data := os.read(walk.stdout.fileno(), _AT_ONCE):
            *whole, rest = (rest + data).split(b"\0")
            yield from map(_entry, map(os.fsdecode, filter(None, whole)))
        if rest:
            yield _entry(os.fsdecode(rest))
        if walk.wait() != 0:
            raise GitError("The state branch can't be read to its beginning.", "`git fsck` says what is wrong with it.")
    finally:
        walk.kill()
        walk.communicate()


def _entry(record: str) -> Entry:
    commit, seconds, author, text = record.split("\x1f", 3)
    return Entry(commit, datetime.fromtimestamp(int(seconds), UTC), author, trailers.parse(text))
