"""Which lines of which file a person means, and whether git knows them."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass
from orchgit.model.errors import NotFoundError, RefusedError, UsageError
from orchgit.repository import git

if TYPE_CHECKING:
    from orchgit.repository.layout import Layout

Lines = tuple[int, int]

_NUMBERS = re.compile(r"(\d+)(?:-(\d+))?")
_LOOKED_AT = 8000  # bytes: by these git tells a binary file


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked about: a file of the worktree at `top`, and lines of it, counted from 1; None: all of them.

    `revision` is what the file is read from where it doesn't lie in the worktree any more.
    """

    top: Path
    path: str
    lines: Lines | None
    revision: str | None


def named(layout: Layout, word: str, *, start: Path) -> Target:
    """Return what `word` asks about, seen from `start`: FILE, FILE:LINE or FILE:A-B; a file of that whole name wins."""
    top, path = _placed(layout, word, start)
    if not path or _exists(top, path):
        return Target(top, path, None, _revision(top, path))
    name, _, numbers = word.rpartition(":")
    found = _NUMBERS.fullmatch(numbers) if name else None
    if found is None:
        return Target(top, path, None, _revision(top, path))
    top, path = _placed(layout, name, start)
    return Target(top, path, _lines(found), _revision(top, path))


def count(asked: Target) -> int:
    """Return how many lines the file has; an error where it lacks those asked for, or has none that git knows."""
    place = asked.top / asked.path
    if place.is_dir() and not place.is_symlink():
        raise RefusedError(f"{asked.path or place} is a folder.", "Name a file in it.")
    if asked.revision and git.call("cat-file", "-e", f"HEAD:{asked.path}", cwd=asked.top).code != 0:
        raise NotFoundError(f"There is no file {asked.path}.", f"Looked in {asked.top}, and in its newest commit.")
    if not asked.revision and not _is_tracked(asked):
        what = f"{asked.path} is not known to Git yet, so nothing says where it is from."
        raise RefusedError(what, "What is committed has a past; `git status` names what is not.")
    data = _bytes(asked, place)
    if b"\0" in data[:_LOOKED_AT]:
        raise RefusedError(f"{asked.path} is a binary file: it has no lines.", _history(asked.path))
    found = data.count(b"\n") + (not data.endswith(b"\n") if data else 0)
    if asked.lines and asked.lines[1] > found:
        raise NotFoundError(f"{asked.path} has {_many(found, 'line')}, and no line {asked.lines[1]}.")
    return found


def _placed(layout: Layout, word: str, start: Path) -> tuple[Path, str]:
    """Return the worktree of the project that `word` lies in, and its path there."""
    place = Path(os.path.abspath(start / word))  # noqa: PTH100 - a link is a file of its own to git
    around = (place, *place.parents) if not place.is_symlink() else place.parents
    folder = next(each for each in around if each.is_dir())
    said = git.call("rev-parse", "--path-format=absolute", "--git-common-dir", "--show-toplevel", cwd=folder)
    common, _, top = os.fsdecode(said.out).removesuffix("\n").partition("\n")
    if said.code != 0 or Path(common) != layout.common:
        raise RefusedError(f"{word} is not in a worktree of {layout.root}.", "Name a file of the project.")
    real = folder.resolve() / os.path.relpath(place, folder)
    path = Path(os.path.normpath(real)).relative_to(top).as_posix()
    return Path(top), "" if path == "." else path


def _exists(top: Path, path: str) -> bool:
    return os.path.lexists(top / path) or git.call("cat-file", "-e", f"HEAD:{path}", cwd=top).code == 0


def _revision(top: Path, path: str) -> str | None:
    return None if os.path.lexists(top / path) else "HEAD"


def _lines(found: re.Match[str]) -> Lines:
    first, last = int(found[1]), int(found[2] or found[1])
    if first < 1 or last < first:
        raise UsageError(f"There are no lines {found[0]}.", "Lines count from 1: FILE:12 is one, FILE:12-20 are some.")
    return first, last


def _is_tracked(asked: Target) -> bool:
    return bool(git.call("ls-files", "-z", "--", f":(top,literal){asked.path}", cwd=asked.top).out)


def _bytes(asked: Target, place: Path) -> bytes:
    if asked.revision:
        return git.run("cat-file", "blob", f"{asked.revision}:{asked.path}", cwd=asked.top).out
    return os.fsencode(place.readlink()) if place.is_symlink() else place.read_bytes()


def _history(path: str) -> str:
    return f"`git log -- {shlex.quote(path)}` shows the commits that changed it, with their trailers."


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
