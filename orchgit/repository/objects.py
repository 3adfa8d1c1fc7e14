"""Reads trees and files out of commits, many at a time."""

from __future__ import annotations

import os
import re
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass
from orchgit.model.errors import GitError
from orchgit.repository import git

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_HEADER = re.compile(rb"(?P<id>[0-9a-f]{40,64}) (?P<kind>\w+) (?P<size>\d+)\n")


def blob_id(data: bytes, *, like: str) -> str:
    """Return the id that git gives to a file with this content, in a repository whose ids look `like` this one."""
    import hashlib  # 3 ms that only a writer needs

    algorithm = hashlib.sha1 if len(like) == 40 else hashlib.sha256
    return algorithm(b"blob %d\0%s" % (len(data), data)).hexdigest()


def blobs(ids: Iterable[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> Iterator[bytes]:
    """Yield the content of each object, in order, from one git process."""
    wanted = list(ids)
    if not wanted:
        return
    out = git.run("cat-file", "--batch", cwd=cwd, stdin="\n".join(wanted).encode() + b"\n", env=env).out
    position = 0
    for _ in wanted:
        end = out.index(b"\n", position)
        size = int(out[position:end].split()[2])
        yield out[end + 1 : end + 1 + size]
        position = end + 1 + size + 1


@dataclass(frozen=True, slots=True)
class Entry:
    """What a tree says of one name; `mode` as git writes it: 100644, 120000 for a link, 40000 for a tree."""

    mode: str
    id: str


@dataclass(slots=True)
class Reader:
    """A git process that is asked for one object after the other; it starts with the first question."""

    directory: Path
    process: subprocess.Popen[bytes] | None = None

    def object(self, name: str) -> tuple[str, bytes] | None:
        """Return id and content of what `name` (an id, a ref, `<commit>:<path>`) means, None where it means nothing."""
        found = self._ask(name)
        return found and (found[0], found[2])

    def file(self, commit: str, path: str) -> bytes | None:
        """Return the bytes of `path` in `commit`, or None where it has no such file."""
        found = self._ask(f"{commit}:{path}")
        return found[2] if found and found[1] == b"blob" else None

    def tree(self, name: str) -> dict[str, Entry]:
        """Return what lies directly in the tree that `name` means; nothing where it means none."""
        found = self._ask(name)
        return dict(_entries(found[2], len(found[0]) // 2)) if found and found[1] == b"tree" else {}

    def close(self) -> None:
        if self.process is not None:
            with self.process:
                pass

    def _ask(self, name: str) -> tuple[str, bytes, bytes] | None:
        self.process = self.process or git.start("cat-file", "--batch", "-z", cwd=self.directory)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(os.fsencode(name) + b"\0")
        self.process.stdin.flush()
        while header := self.process.stdout.readline():
            found = _HEADER.fullmatch(header)
            if found:
                content = self.process.stdout.read(int(found["size"]) + 1)[:-1]
                return found["id"].decode(), found["kind"], content
            if header.endswith(b" missing\n"):  # a name with a line end in it comes back on several lines
                return None
        raise GitError("git cat-file ended early.", "Run `git fsck`: an object may be damaged.")


@contextmanager
def reader(cwd: Path) -> Iterator[Reader]:
    """Keep one `git cat-file` open for the length of a `with`."""
    with closing(Reader(cwd)) as opened:
        yield opened


def _entries(tree: bytes, length: int) -> Iterator[tuple[str, Entry]]:
    """Yield the names of a tree as git stores it: mode, space, name, NUL, and the id in `length` bytes."""
    start = 0
    while start < len(tree):
        space = tree.index(b" ", start)
        nul = tree.index(b"\0", space)
        after = nul + 1 + length
        yield os.fsdecode(tree[space + 1 : nul]), Entry(tree[start:space].decode(), tree[nul + 1 : after].hex())
        start = after
