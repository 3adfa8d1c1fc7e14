"""Carries what a commit changed into the file that lies in the state folder, keeping what was typed there."""

from __future__ import annotations

import re
import stat
import time
from typing import TYPE_CHECKING

from orchgit.model.agent import Agent
from orchgit.model.task import Task
from orchgit.repository import files, git, judged, refs, states

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orchgit.repository.layout import Layout

_LOOKS, _PAUSE = 25, 0.02  # at a file that somebody is saving, and the seconds between them


def carry(layout: Layout, path: str, *, base: bytes | None, ours: bytes | None) -> list[str]:
    """Bring the file at `path` from `base` to `ours` (None: no file); return what a person should be told.

    Somebody may be saving it meanwhile: then it is looked at again, for a moment. A file that is open for writing all
    that time stays as it is, and whoever judges it then sees that it is an older one.
    """
    place = layout.state / path
    kept: dict[bytes, str] = {}
    for _ in range(_LOOKS):
        obstacle = _obstacle(layout, place)
        if obstacle is not None:
            return [f"{path} was committed, but {obstacle} is in its way and stays: move it elsewhere."]
        notices = _carried(layout, path, base, ours, typed=files.read(place), kept=kept)
        if notices is not None:
            return notices
        time.sleep(_PAUSE)
    return [f"{path} was committed, and somebody is writing to the file: it is brought up to date after that."]


def _carried(
    layout: Layout, path: str, base: bytes | None, ours: bytes | None, *, typed: bytes | None, kept: dict[bytes, str]
) -> list[str] | None:
    """Make of `typed`, which lies there, what should; return what a person should be told, None where it changed."""
    if typed == ours:
        return []
    if typed is None or typed == base:
        told = [f"{path} had been deleted by hand; it is back."] if typed is None and base is not None else []
        return told if files.swap(layout.state / path, ours, seen=typed) else None
    if base is None and ours is None:
        return []
    if base is None or ours is None:
        return [f"{path} was changed by hand meanwhile; it stays as typed."]
    return _merge(layout, path, base, ours, typed=typed, kept=kept)


def _merge(
    layout: Layout, path: str, base: bytes, ours: bytes, *, typed: bytes, kept: dict[bytes, str]
) -> list[str] | None:
    from orchgit.repository import merge  # nobody types, mostly

    merged = merge.three_way(path, base=base, ours=ours, typed=typed)
    if merged.unreadable:
        return [f"{path} stays as typed, though orchgit had to change it: {merged.unreadable}"]
    notices = []
    if merged.overruled:
        if typed not in kept:
            kept[typed] = keep_aside(layout, path, like=ours, typed=typed)
        keys = ", ".join(merged.overruled)
        notices = [f"{path}: {keys} as typed gave way to what orchgit had to write; the typed file is {kept[typed]}."]
    judged.follow(layout, path, old=typed, new=None if merged.overruled else merged.data)
    if files.swap(layout.state / path, merged.data, seen=typed):
        return notices
    judged.follow(layout, path, old=merged.data, new=typed)
    return None


def _obstacle(layout: Layout, place: Path) -> Path | None:
    """Return what keeps a file from lying at `place`; a link counts, since it may lead out of the state folder."""
    inside = layout.state
    for name in place.relative_to(layout.state).parts[:-1]:
        inside /= name
        if not _is(inside, stat.S_ISDIR):
            return inside
    return None if _is(place, stat.S_ISREG) else place


def _is(place: Path, kind: Callable[[int], bool]) -> bool:
    """Is there nothing at `place`, or what it should be?"""
    try:
        return kind(place.lstat().st_mode)
    except FileNotFoundError:
        return True


def keep_aside(layout: Layout, path: str, *, like: bytes, typed: bytes) -> str:
    """Name the bytes `typed` by a ref and return that; the committed file `like` tells whose they are."""
    blob = git.run("hash-object", "-w", "--stdin", cwd=layout.common, stdin=typed).text
    return refs.name_next(layout, f"refs/orchgit/edits/{_name(path, like)}", blob)


def _name(path: str, data: bytes) -> str:
    """Return what the file is about, as a part of a ref: a task's id, an agent's name."""
    match states.parse(path, data):
        case Task() as task:
            return task.id
        case Agent() as agent:
            return re.sub(r"[^A-Za-z0-9_-]", "-", agent.name)
        case _:
            return re.sub(r"[^A-Za-z0-9_-]", "-", path)
