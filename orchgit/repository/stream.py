"""Writes commits of the state branch: one `git fast-import` stream for one commit or for a thousand.

fast-import can't sign. Where Git is set to, the stream makes the trees, and `git commit-tree -S` each commit.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass
from orchgit.model.errors import BusyError, GitError
from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_MOMENT, _PAUSE = 2.0, 0.05  # seconds to wait for a locked ref, and between two looks at it
_SIGNING = 120.0  # seconds that a signature may take: a person may be asked for the key's password
_UNSIGNED = "refs/orchgit/unsigned"  # never made: fast-import wants a name for what it writes
_LOOSE = 100  # objects: fast-import keeps so many as a pack, and takes a smaller one apart again
_MADE = 3  # objects of a commit beside its files: itself, and two trees
_BRIEF = ("-c", f"fastimport.unpackLimit={_LOOSE}", "-c", "pack.compression=0")  # a pack that doesn't last
_CRASH = re.compile(r"^fast-import: dumping crash report to (?P<report>.*)$", re.MULTILINE)


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
    """The new tip, and every commit in order."""

    tip: str
    commits: tuple[str, ...]


def write(
    common: Path,
    ref: str,
    parent: str | None,
    commits: Sequence[Commit],
    *,
    meanwhile: Callable[[], None] = lambda: None,
    pass_fds: Sequence[int] = (),
) -> Landed:
    """Put `commits` on `ref`, the first on top of `parent` (None: a root commit). BusyError where the ref has moved on.

    `meanwhile` is called while git makes the commits, and has ended before the ref moves, which it doesn't where that
    raises. fast-import moves a ref only forward, so a tip that came in between is refused here and nothing is lost; the
    caller holds the lock that keeps our own writers apart, and passes it on, since git goes on writing if we die.
    """
    _wait_for(common / f"{ref}.lock")
    if signs(common):
        return _write_signed(common, ref, parent, commits, pass_fds, meanwhile=meanwhile)
    landed = _feed(common, ref, parent, commits, pass_fds, meanwhile=meanwhile)
    return Landed(landed[-1], tuple(landed))


def _wait_for(lock: Path) -> None:
    """Give a git that moves the ref a moment; BusyError where its lock file stays."""
    until = time.monotonic() + _MOMENT
    while lock.exists():
        if time.monotonic() >= until:
            what = f"{lock} keeps every git from moving the branch; nothing was changed."
            raise BusyError(what, "If no git is at work here any more, one that died left that file, and it can go.")
        time.sleep(_PAUSE)


@cache
def signs(common: Path) -> bool:
    """Is Git set to sign commits here? A process asks once."""
    asked = ("config", "--type=bool", "--get", "commit.gpgsign")
    return git.call(f"--git-dir={common}", *asked, cwd=common).text == "true"


def _write_signed(
    common: Path,
    ref: str,
    parent: str | None,
    commits: Sequence[Commit],
    pass_fds: Sequence[int],
    *,
    meanwhile: Callable[[], None],
) -> Landed:
    """Sign the commits one by one, and only then move the ref: where a signature fails, nothing has changed."""
    unsigned = _feed(common, _UNSIGNED, parent, commits, pass_fds, kept=False)
    asked = "".join(f"{commit}^{{tree}}\n" for commit in unsigned).encode()
    trees = git.run("cat-file", "--batch-check=%(objectname)", cwd=common, stdin=asked).text.split()
    signed: list[str] = []
    for commit, tree in zip(commits, trees, strict=True):
        signed.append(_signed(common, commit, tree, signed[-1] if signed else parent, pass_fds))
    meanwhile()
    moved = ("update-ref", "-m", "orchgit", ref, signed[-1], parent or "0" * len(signed[-1]))
    if git.call(*git.NO_HOOKS, *moved, cwd=common, pass_fds=pass_fds).code != 0:
        raise BusyError(f"{ref} moved on while it was written to; nothing was changed.", "Run the command again.")
    return Landed(signed[-1], tuple(signed))


def _signed(common: Path, commit: Commit, tree: str, parent: str | None, pass_fds: Sequence[int]) -> str:
    people = (("AUTHOR", commit.author), ("COMMITTER", commit.committer))
    env = {
        f"GIT_{role}_{key}": value
        for role, who in people
        for key, value in (
            ("NAME", _plain(who.name) or "unknown"), ("EMAIL", _plain(who.email)), ("DATE", f"@{who.seconds} +0000"),
        )
    }  # fmt: skip
    args = ("-c", "i18n.commitEncoding=UTF-8", "commit-tree", "-S", tree, *(("-p", parent) if parent else ()))
    words = _words(commit.message.replace("\0", ""))
    try:
        said = git.call(*args, cwd=common, stdin=words, env=env, pass_fds=pass_fds, timeout=_SIGNING)
    except GitError as error:
        raise _unsigned(f"no answer within {_SIGNING:g} s") from error
    if said.code != 0:
        raise _unsigned(" ".join(said.err.split()) or f"exit code {said.code}")
    return said.text


def _unsigned(why: str) -> GitError:
    what = f"Git is set to sign commits (commit.gpgsign), and this one could not be signed: {why}. Nothing was changed."
    return GitError(what, "See that your key is there and unlocked, then run the command again.")


def _script(ref: str, parent: str | None, commits: Sequence[Commit]) -> Iterator[bytes]:
    """Yield the part of the stream that makes the commits."""
    for number, commit in enumerate(commits, start=1):
        yield b"commit %s\nmark :%d\nauthor %s\ncommitter %s\n%s" % (
            ref.encode(),
            number,
            _words(str(commit.author)),
            _words(str(commit.committer)),
            _data(_words(commit.message.replace("\0", ""))),
        )
        if number == 1 and parent is not None:
            yield b"from %s\n" % parent.encode()
        for change in commit.changes:
            if isinstance(change, Put):
                yield b"M 100644 inline %s\n%s" % (_quoted(change.path), _data(change.data))
            else:
                yield b"D %s\n" % _quoted(change.path)
        yield b"\n"


def _end(ref: str, parent: str | None, commits: Sequence[Commit], *, kept: bool) -> Iterator[bytes]:
    """Yield the part that moves the ref; unless it is `kept`, that is taken back before, and the objects remain."""
    yield from (b"get-mark :%d\n" % number for number, _ in enumerate(commits, start=1))
    if not kept:
        null = b"0" * len(parent or "0" * 40)
        yield b"reset %s\nfrom %s\n\n" % (ref.encode(), null)
    yield b"done\n"


def _feed(
    common: Path,
    ref: str,
    parent: str | None,
    commits: Sequence[Commit],
    pass_fds: Sequence[int],
    *,
    meanwhile: Callable[[], None] = lambda: None,
    kept: bool = True,
) -> list[str]:
    def end() -> bytes:
        meanwhile()
        return b"".join(_end(ref, parent, commits, kept=kept))

    made = sum(_MADE + len(commit.changes) for commit in commits)
    brief = _BRIEF if made < _LOOSE else ()
    args = (*git.NO_HOOKS, *brief, f"--git-dir={common}", "fast-import", "--quiet", "--done")
    script = b"".join(_script(ref, parent, commits))
    result = git.feed(*args, cwd=common, stdin=script, then=end, pass_fds=pass_fds)
    if result.code == 0:
        return result.text.split()
    crash = _CRASH.search(result.err)
    if crash:  # git's own report, of what its words say already
        Path(common, crash["report"]).unlink(missing_ok=True)
    if "Not updating" in result.err:
        raise BusyError(f"{ref} moved on while it was written to; nothing was changed.", "Run the command again.")
    raise git.failure(("fast-import",), replace(result, err=_CRASH.sub("", result.err).strip()))


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _words(text: str) -> bytes:
    """Return text as UTF-8; a name that Git is configured with in another encoding keeps its bytes."""
    return text.encode("utf-8", "surrogateescape")


def _quoted(path: str) -> bytes:
    raw = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"%s"' % raw


def _plain(words: str) -> str:
    return "".join(c for c in words if c not in "<>\n\0").strip()
