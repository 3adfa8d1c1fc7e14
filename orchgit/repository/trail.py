"""Reads commits of the state branch with what they did to each file: a git process for all, and one a thousand."""

from __future__ import annotations

import os
from dataclasses import field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from orchgit.model import actor, document, task, trailers
from orchgit.model.dataclass import dataclass
from orchgit.model.diff import Change, Commit, File
from orchgit.model.errors import InvalidFileError
from orchgit.model.plain import Plain
from orchgit.repository import files, git, loose, objects, states

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from orchgit.repository.cache import Item

NO_REPLACEMENTS = {"GIT_NO_REPLACE_OBJECTS": "1"}  # what refs/replace says is not what was committed
_AT_ONCE = 2000  # commits whose files are held in memory together
_FORMAT = "%x01%H%x00%P%x00%at%x00%an%x00%ae%x00%B"
_WALK = (
    "-c", "log.showRoot=true", "log", "--raw", "-z", "--diff-merges=combined",
    "--no-abbrev", "--no-renames", "--no-relative", "--no-color", "--no-show-signature", "--encoding=UTF-8",
    f"--format={_FORMAT}",
)  # fmt: skip
_FILE = ("100644", "100755")


@dataclass(frozen=True, slots=True)
class Version:
    """A file as one tree has it: mode and blob."""

    mode: str
    blob: str


@dataclass(frozen=True, slots=True)
class Raw:
    """A commit as git prints it. `files` are the paths that differ from every parent, each as its parents have it, and
    last as the commit has it; None where there is none.
    """

    id: str
    parents: tuple[str, ...]
    at: datetime
    name: str
    email: str
    text: str
    files: tuple[tuple[str, tuple[Version | None, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """One commit, for the judge. `is_start`: what came before is not here, and nothing can be said of it."""

    id: str
    parents: tuple[str, ...]
    at: datetime
    commit: Commit
    is_start: bool = False


@dataclass(slots=True)
class _Files:
    """What was read lately: each blob is parsed once, and the last version of each path that could be read is known."""

    directory: Path
    env: Mapping[str, str]
    known: dict[tuple[str, str], File] = field(default_factory=dict)
    valid: dict[str, File] = field(default_factory=dict)

    def load(self, commits: Sequence[Raw]) -> None:
        """Read what `commits` name, and forget what only others did."""
        named = {(path, each.blob) for raw in commits for path, versions in raw.files for each in versions if each}
        self.known = {key: self.known[key] for key in named if key in self.known}
        wanted = [key for key in named - self.known.keys() if belongs(key[0])]
        blobs = objects.blobs((blob for _, blob in wanted), cwd=self.directory, env=self.env)
        for (path, blob), data in zip(wanted, blobs, strict=True):
            self.known[path, blob] = _file(path, blob, data)

    def file(self, path: str, version: Version | None) -> File | None:
        if version is None:
            return None
        if belongs(path) and version.mode not in _FILE:
            return File(version.blob, InvalidFileError(path, "is not a file of its own in the state branch"))
        return self.known.get((path, version.blob)) or File(version.blob)

    def last_valid(self, path: str, version: Version | None) -> File | None:
        """Return what `version` says; where that can't be read, what the file said before it was broken."""
        found = self.file(path, version)
        broken = found is not None and isinstance(found.item, InvalidFileError)
        return self.valid.get(path, found) if broken else found

    def changes(self, raw: Raw) -> tuple[tuple[Change, ...], ...]:
        after = {path: self.file(path, versions[-1]) for path, versions in raw.files}
        before = [
            tuple(Change(path, self.last_valid(path, versions[number]), after[path]) for path, versions in raw.files)
            for number in range(max(len(raw.parents), 1))
        ]
        readable = {path: file for path, file in after.items() if file and not isinstance(file.item, InvalidFileError)}
        self.valid.update(readable)
        for path in (path for path, file in after.items() if file is None):
            self.valid.pop(path, None)  # what comes there later is another file
        return tuple(before)


def read(
    directory: Path, revisions: Sequence[str], *, walk: bool = True, env: Mapping[str, str] | None = None
) -> Iterator[Recorded]:
    """Yield the commits that `revisions` name, as `git log` takes them, oldest first; GitError where they name none.

    Without `walk` it is just these commits, and none that they grew from.
    """
    env = {**NO_REPLACEMENTS, **(env or {})}
    starts = _shallow(directory, env)
    found = _Files(directory, env)
    commits = _walk(directory, revisions, env, walk=walk)
    while some := list(islice(commits, _AT_ONCE)):
        found.load(some)
        for raw in some:
            by, message = actor.of(raw.name, raw.email), trailers.parse(raw.text)
            commit = Commit(message, by, found.changes(raw))
            yield Recorded(raw.id, raw.parents, raw.at, commit, is_start=raw.id in starts)


def items(directory: Path, commit: str, *, env: Mapping[str, str]) -> Iterator[tuple[str, Item]]:
    """Yield what the files say, by path, that the store reads of `commit`."""
    entries = git.run("ls-tree", "-r", "-z", "--full-tree", commit, cwd=directory, env=env).fields
    read = [(path, meta.split()) for meta, _, path in (entry.partition("\t") for entry in entries)]
    wanted = [(path, blob) for path, (mode, _, blob) in read if mode in _FILE and states.belongs(path)]
    contents = objects.blobs((blob for _, blob in wanted), cwd=directory, env=env)
    yield from ((path, states.parse(path, data)) for (path, _), data in zip(wanted, contents, strict=True))


def _walk(directory: Path, revisions: Sequence[str], env: Mapping[str, str], *, walk: bool) -> Iterator[Raw]:
    """Yield the commits as git prints them, oldest first, their files unread."""
    how = ("--reverse", "--topo-order") if walk else ("--no-walk=unsorted",)
    said = git.run(*_WALK, *how, "--end-of-options", *revisions, "--", cwd=directory, env=env)
    yield from _parsed(iter(said.out.split(b"\0")))


def belongs(path: str) -> bool:
    """Is `path` a file with rules: one that the store reads, a task in the archive, a value or a message?"""
    in_archive = path.startswith(f"{task.ARCHIVE}/") and path.endswith(".md")
    return in_archive or states.belongs(path) or loose.belongs(path)


def _file(path: str, blob: str, data: bytes) -> File:
    if loose.belongs(path):
        return File(blob, loose.fault(path, data))
    if path.startswith(f"{task.ARCHIVE}/"):
        item: Item = _archived(path, data)
    else:
        item = states.parse(path, data)
    if isinstance(item, Plain):
        return File(blob)
    return File(blob, item, data.decode() if isinstance(item, task.Task) else "")


def _archived(path: str, data: bytes) -> Item:
    try:
        return task.read(path, document.decode(path, data))
    except InvalidFileError as error:
        return error


def _parsed(tokens: Iterator[bytes]) -> Iterator[Raw]:
    """Take git's fields apart: a header of six, then for each file `:modes blobs status` and its path."""
    header: tuple[str, ...] = ()
    found: list[tuple[str, tuple[Version | None, ...]]] = []
    for token in tokens:
        if token.startswith(b"\x01"):
            if header:
                yield _raw(header, found)
            rest = (next(tokens) for _ in range(5))
            header, found = tuple(each.decode(errors="replace") for each in (token[1:], *rest)), []
        elif token.lstrip(b"\n").startswith(b":"):
            found.append((os.fsdecode(next(tokens)), tuple(_versions(token.decode().strip()))))
    if header:
        yield _raw(header, found)


def _raw(header: Sequence[str], changed: Iterable[tuple[str, tuple[Version | None, ...]]]) -> Raw:
    commit, parents, seconds, name, email, text = header
    return Raw(
        commit, tuple(parents.split()), datetime.fromtimestamp(int(seconds), UTC), name, email, text, tuple(changed)
    )


def _versions(entry: str) -> Iterator[Version | None]:
    """Yield what `:100644 100644 <blob> <blob> M` says: a colon, a mode and a blob more for each further parent."""
    count = len(entry) - len(entry.lstrip(":"))
    words = entry.lstrip(":").split()
    for mode, blob in zip(words[: count + 1], words[count + 1 : 2 * count + 2], strict=True):
        yield None if mode == "000000" else Version(mode, blob)


def _shallow(directory: Path, env: Mapping[str, str]) -> frozenset[str]:
    """Return the commits at which a shallow clone ends: git shows them as if all in them were new."""
    place = git.text("rev-parse", "--path-format=absolute", "--git-path", "shallow", cwd=directory, env=env)
    data = files.read(directory / place)
    return frozenset(data.decode().split()) if data else frozenset()
