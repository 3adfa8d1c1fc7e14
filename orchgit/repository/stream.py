"""Writes commits of the state branch: one `git fast-import` stream for one commit or for a thousand."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchgit.model.errors import BusyError
from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Put:
    """`path` gets `data`. Paths are relative to the state folder, with `/`."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Remove:
    """`path` is gone."""

    path: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Who and when, as git writes it: `seconds` since the epoch, in UTC."""

    name: str
    email: str
    seconds: int

    def __str__(self) -> str:
        return f"{_plain(self.name) or 'unknown'} <{_plain(self.email)}> {self.seconds} +0000"


@dataclass(frozen=True, slots=True)
class Commit:
    message: str
    author: Signature
    committer: Signature
    changes: tuple[Put | Remove, ...]


@dataclass(frozen=True, slots=True)
class Landed:
    """The new tip, every commit in order, and the object each path stands at now (None: it is gone)."""

    tip: str
    commits: tuple[str, ...]
    blobs: dict[str, str | None]


def write(common: Path, ref: str, parent: str | None, commits: Sequence[Commit]) -> Landed:
    """Put `commits` on `ref`, the first on top of `parent` (None: a root commit). BusyError where the ref has moved on.

    fast-import moves a ref only forward, so a tip that came in between is refused here and nothing is lost; the caller
    holds the lock that keeps our own writers apart.
    """
    marks = iter(_feed(common, b"".join(_script(ref, parent, commits)), ref))
    blobs: dict[str, str | None] = {}
    landed: list[str] = []
    for commit in commits:
        for change in commit.changes:
            blobs[change.path] = next(marks) if isinstance(change, Put) else None
        landed.append(next(marks))
    return Landed(landed[-1], tuple(landed), blobs)


def _script(ref: str, parent: str | None, commits: Sequence[Commit]) -> Iterator[bytes]:
    mark = 0
    for number, commit in enumerate(commits):
        changes = []
        for change in commit.changes:
            if isinstance(change, Put):
                mark += 1
                yield b"blob\nmark :%d\n%s" % (mark, _data(change.data))
                changes.append(b"M 100644 :%d %s\n" % (mark, _quoted(change.path)))
            else:
                changes.append(b"D %s\n" % _quoted(change.path))
        mark += 1
        yield b"commit %s\nmark :%d\nauthor %s\ncommitter %s\n%s" % (
            ref.encode(),
            mark,
            str(commit.author).encode(),
            str(commit.committer).encode(),
            _data(commit.message.encode()),
        )
        if number == 0 and parent is not None:
            yield b"from %s\n" % parent.encode()
        yield from changes
        yield b"\n"
    yield from (b"get-mark :%d\n" % each for each in range(1, mark + 1))
    yield b"done\n"


def _feed(common: Path, script: bytes, ref: str) -> list[str]:
    result = git.call(*git.NO_HOOKS, "--git-dir", common, "fast-import", "--quiet", "--done", cwd=common, stdin=script)
    if result.code != 0 and "Not updating" in result.err:
        raise BusyError(f"{ref} moved on while it was written to; nothing was changed.", "Run the command again.")
    if result.code != 0:
        raise git.failure(("fast-import",), result)
    return result.text.split()


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> bytes:
    raw = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"%s"' % raw


def _plain(words: str) -> str:
    return "".join(c for c in words if c not in "<>\n\0").strip()
