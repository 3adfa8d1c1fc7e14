"""Tells of each field of a task, and of each line of its text, which commit made it what it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchgit.model import document
from orchgit.model.dataclass import dataclass
from orchgit.model.task import Task
from orchgit.repository import git, store, trail

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchgit.model.diff import File
    from orchgit.repository.layout import Layout
    from orchgit.repository.trail import Recorded

_HEADER = re.compile(r"(?P<commit>[0-9a-f]{40,64}) \d+ \d+(?: \d+)?")


@dataclass(frozen=True, slots=True)
class Origin:
    """The commit that a value or some lines come from, who caused it, and when."""

    commit: str
    actor: str
    at: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class Field:
    """A key of the front matter and what it holds, as YAML reads it."""

    key: str
    value: Any
    origin: Origin


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of the body that stand together and come from one commit; `first` counts within the file, from 1."""

    first: int
    lines: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Blame:
    fields: tuple[Field, ...]
    body: tuple[Lines, ...]


def of(layout: Layout, tip: str, task: Task) -> Blame:
    """Return where each field of the task has its value from, in the file's order, and each line of its body."""
    text = store.text(layout, tip, task.path)
    parsed = document.parse(text)
    origins: dict[str, Origin] = {}
    for each, before, after in _versions(layout, tip, task):
        values = _values(after)
        olds = [_values(file) for file in before]
        for key in values:
            if not any(key in old and old[key] == values[key] for old in olds):
                origins[key] = _origin(each)
    fields = tuple(Field(key, value, origins[key]) for key, value in parsed.values.items())
    head = len(text[: len(text) - len(parsed.body)].splitlines())
    return Blame(fields, tuple(_body(layout, tip, task.path, head, origins)))


def _versions(layout: Layout, tip: str, task: Task) -> Iterator[tuple[Recorded, list[File | None], File]]:
    """Yield the commits that changed the task's file, oldest first, with what it was in each parent, and then."""
    for recorded in reversed(list(_commits(layout, tip, task.path, task.id))):
        of_task = [[c for c in changes if _is_of(task.id, c.before, c.after)] for changes in recorded.commit.parents]
        after = next((c.after for c in of_task[0] if c.after and _holds(task.id, c.after)), None)
        if after is not None:
            before = [next((c.before for c in each if _holds(task.id, c.before)), None) for each in of_task]
            yield recorded, before, after


def _commits(layout: Layout, tip: str, path: str, task: str) -> Iterator[Recorded]:
    """Yield the commits about the task, newest first: by its path, and by the one before where it was moved."""
    listed = git.text("log", "--format=%H", "--topo-order", tip, "--", f":(top,literal){path}", cwd=layout.common)
    commits = listed.split()
    found = {each.id: each for each in trail.read(layout.common, commits, walk=False)} if commits else {}
    yield from (found[commit] for commit in commits if commit in found)
    if not commits:
        return
    first = next(trail.read(layout.common, (f"{commits[-1]}^!",)))
    was = next((c.path for c in first.commit.parents[0] if c.path != path and _holds(task, c.before)), None)
    if was and first.parents:
        yield from _commits(layout, first.parents[0], was, task)


def _is_of(task: str, *versions: File | None) -> bool:
    return any(_holds(task, each) for each in versions)


def _holds(task: str, file: File | None) -> bool:
    return file is not None and isinstance(file.item, Task) and file.item.id == task


def _values(file: File | None) -> Mapping[str, Any]:
    return document.parse(file.text).values if file and file.text else {}


def _origin(each: Recorded) -> Origin:
    by = each.commit.message.get("Actor") or each.commit.author.name
    return Origin(each.id, by, each.at, each.commit.message.subject)


def _body(layout: Layout, tip: str, path: str, head: int, origins: Mapping[str, Origin]) -> Iterator[Lines]:
    """Yield the lines below the front matter as `git blame` tells them, those together that come from one commit."""
    said = git.run("-c", "blame.ignoreRevsFile=", "blame", "--line-porcelain", tip, "--", path, cwd=layout.state)
    known = {origin.commit: origin for origin in origins.values()}
    first, held, last = head + 1, [], None
    for number, (found, line) in enumerate(_blamed(said.out.decode(errors="replace")), start=1):
        if number <= head:
            continue
        origin = known.setdefault(found.commit, found)
        if last is not None and origin != last:
            yield Lines(first, tuple(held), last)
            first, held = number, []
        held.append(line)
        last = origin
    if last is not None:
        yield Lines(first, tuple(held), last)


def _blamed(said: str) -> Iterator[tuple[Origin, str]]:
    """Yield each line with its commit: `git blame --line-porcelain` prints a header, then a tab and the line."""
    about: dict[str, str] = {}
    for line in said.split("\n"):
        if line.startswith("\t"):
            at = datetime.fromtimestamp(int(about["author-time"]), UTC)
            yield Origin(about["commit"], about["author"], at, about.get("summary", "")), line[1:]
            about = {}
        elif found := _HEADER.fullmatch(line):
            about["commit"] = found["commit"]
        elif line:
            key, _, value = line.partition(" ")
            about[key] = value
