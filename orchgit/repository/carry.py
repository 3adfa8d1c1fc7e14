"""Carries what a commit changed into the file that lies in the state folder, keeping what was typed there."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

from orchgit.model.agent import Agent
from orchgit.model.task import Task
from orchgit.repository import files, git, judged, refs, store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orchgit.repository.layout import Layout


def carry(layout: Layout, path: str, *, base: bytes | None, ours: bytes | None) -> list[str]:
    """Bring the file at `path` from `base` to `ours` (None: no file); return what a person should be told."""
    place = layout.state / path
    obstacle = _obstacle(layout, place)
    if obstacle is not None:
        return [f"{path} was committed, but {obstacle} is in its way and stays: move it elsewhere."]
    typed = files.read(place)
    if typed == ours:
        return []
    if typed is None or typed == base:
        _put(place, ours)
        return [f"{path} had been deleted by hand; it is back."] if typed is None and base is not None else []
    if base is None or ours is None:
        return [f"{path} was changed by hand meanwhile; it stays as typed."]
    return _merge(layout, path, base, ours, typed)


def _merge(layout: Layout, path: str, base: bytes, ours: bytes, typed: bytes) -> list[str]:
    from orchgit.repository import merge  # nobody types, mostly

    merged = merge.three_way(path, base=base, ours=ours, typed=typed)
    if merged.unreadable:
        return [f"{path} stays as typed, though orchgit had to change it: {merged.unreadable}"]
    notices = []
    if merged.overruled:
        ref = keep_aside(layout, path, like=ours, typed=typed)
        keys = ", ".join(merged.overruled)
        notices = [f"{path}: {keys} as typed gave way to what orchgit had to write; the typed file is {ref}."]
    judged.follow(layout, path, old=typed, new=None if merged.overruled else merged.data)
    files.replace(layout.state / path, merged.data)
    return notices


def _put(place: Path, data: bytes | None) -> None:
    if data is None:
        place.unlink(missing_ok=True)
    else:
        files.replace(place, data)


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
    match store.parse(path, data):
        case Task() as task:
            return task.id
        case Agent() as agent:
            return re.sub(r"[^A-Za-z0-9_-]", "-", agent.name)
        case _:
            return re.sub(r"[^A-Za-z0-9_-]", "-", path)
