"""Reads trees and files out of commits, many at a time."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchgit.model.errors import GitError
from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_HEADER = re.compile(rb"(?P<id>[0-9a-f]{40,64}) \w+ (?P<size>\d+)\n")


def tree(commit: str, *paths: str, cwd: Path) -> dict[str, str]:
    """Return path -> blob id of every file of `commit` below `paths`."""
    listing = git.run("ls-tree", "-r", "-z", commit, "--", *paths, cwd=cwd)
    entries = (entry.partition("\t") for entry in listing.fields)
    return {path: meta.split()[2] for meta, _, path in entries if meta.split()[1] == "blob"}


def changes(old: str, new: str, *paths: str, cwd: Path) -> dict[str, str | None] | None:
    """Return path -> new blob id (None: gone) for what differs below `paths`; None where `old` is not known here."""
    said = git.call("diff-tree", "-r", "-z", "--no-renames", old, new, "--", *paths, cwd=cwd)
    if said.code != 0:
        return None
    parts = iter(said.fields)
    return {path: None if meta.endswith("D") else meta.split()[3] for meta, path in zip(parts, parts, strict=True)}


def blobs(ids: Iterable[str], *, cwd: Path) -> Iterator[bytes]:
    """Yield the content of each object, in order, from one git process."""
    wanted = list(ids)
    if not wanted:
        return
    out = git.run("cat-file", "--batch", cwd=cwd, stdin="\n".join(wanted).encode() + b"\n").out
    position = 0
    for _ in wanted:
        end = out.index(b"\n", position)
        size = int(out[position:end].split()[2])
        yield out[end + 1 : end + 1 + size]
        position = end + 1 + size + 1


@dataclass(slots=True)
class Reader:
    """A git process that is asked for one object after the other."""

    process: subprocess.Popen[bytes]

    def object(self, name: str) -> tuple[str, bytes] | None:
        """Return id and content of what `name` means (`<commit>:<path>`, a ref), or None where it means nothing."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(os.fsencode(name) + b"\0")
        self.process.stdin.flush()
        while header := self.process.stdout.readline():
            found = _HEADER.fullmatch(header)
            if found:
                content = self.process.stdout.read(int(found["size"]) + 1)[:-1]
                return found["id"].decode(), content
            if header.endswith(b" missing\n"):  # a name with a line end in it comes back on several lines
                return None
        raise GitError("git cat-file ended early.", "Run `git fsck`: an object may be damaged.")

    def file(self, commit: str, path: str) -> bytes | None:
        """Return the bytes of `path` in `commit`, or None where it has no such file."""
        found = self.object(f"{commit}:{path}")
        return found[1] if found else None


@contextmanager
def reader(cwd: Path) -> Iterator[Reader]:
    """Keep one `git cat-file` open for the length of a `with`."""
    with subprocess.Popen(
        ["git", "cat-file", "--batch", "-z"],
        cwd=cwd, env=git.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        yield Reader(process)
