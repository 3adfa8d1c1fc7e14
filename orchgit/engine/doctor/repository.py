"""The repository itself: is it a project, whose copy is it, and which locks are left in it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from orchgit.engine.doctor.finding import Finding, Level, of_error
from orchgit.model import config
from orchgit.model.errors import GitError, RefusedError
from orchgit.repository import cache, files, find, git, locks, lost, machine, orders, preflight
from orchgit.repository.layout import STATE_BRANCH, STATE_REF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.repository.find import Located
    from orchgit.repository.layout import Layout

_FSCK = 120.0  # seconds
_WRITE = 0.5  # seconds, many times what git takes to move a ref
_FRESH = 60.0  # seconds: a git at work may hold a lock for so long


def project(located: Located) -> Iterator[Finding]:
    layout = located.layout
    if located.tip is not None:
        yield Finding(Level.OK, f"{layout.root}, its state branch at {located.tip[:12]}")
    elif lost.is_lost(layout):
        what = f"The branch {STATE_BRANCH} is gone: tasks, agents and settings were on it."
        yield Finding(Level.ERROR, what, "No command works without it.", _way_back(layout))
    else:
        yield _uninitialised(layout)


def _uninitialised(layout: Layout) -> Finding:
    try:
        preflight.check(layout)
    except RefusedError as error:
        return of_error(error, "`orchgit init` is refused because of that.")
    what = f"{layout.root} is not an orchgit project yet."
    return Finding(Level.WARNING, what, "It has no team and no tasks.", "`orchgit init` makes it one.")


def _way_back(layout: Layout) -> str:
    """Say which commit was the branch's: the newest that holds a state and is in no branch, or at a remote."""
    remotes = git.text("for-each-ref", "--format=%(objectname)", f"refs/remotes/*/{STATE_BRANCH}", cwd=layout.common)
    known = filter(None, (*_dangling(layout), *remotes.split(), cache.load(layout)[0]))
    states = [
        each for each in known if git.call("cat-file", "-e", f"{each}:{config.PATH}", cwd=layout.common).code == 0
    ]
    if not states:
        return "No commit of it is left here. `orchgit init` begins anew, or joins the team that a remote has."
    newest = max(states, key=lambda each: int(git.text("log", "-1", "--format=%ct", each, "--", cwd=layout.common)))
    return f"`git branch {STATE_BRANCH} {newest}` brings it back: the newest commit of a state that is in no branch."


def _dangling(layout: Layout) -> list[str]:
    what = ("fsck", "--connectivity-only", "--no-reflogs", "--no-progress")
    with suppress(GitError):  # it takes too long
        said = git.call(*what, cwd=layout.common, timeout=_FSCK).text.splitlines()
        return [line.rpartition(" ")[2] for line in said if line.startswith("dangling commit ")]
    return []


def copied(located: Located) -> Iterator[Finding]:
    """Is this a copy of another project on this machine, with its name? `machine` says which clone owns a run."""
    layout = located.layout
    name = machine.known_id(layout)
    for original in sorted(_originals(layout)):
        theirs = files.read(original / "orchgit" / "machine")
        if name is not None and theirs is not None and theirs.strip() == name.encode():
            yield Finding(
                Level.WARNING,
                f"This project is a copy of {original.parent}, and both clones are called {name}.",
                "Each takes runs of the other for its own.",
                f"While nothing runs in this copy, move {layout.local / 'machine'} away: it gets a name of its own.",
            )


def _originals(layout: Layout) -> set[Path]:
    """Return the Git directories of the projects that worktrees which are registered here belong to."""
    found = set()
    for own in (layout.common / "worktrees").glob("*"):
        place = find.place_of(own)
        named = find.git_directory(place) if place is not None else None
        if named is not None and named != own and named.name == own.name and named.parent.name == "worktrees":
            found.add(named.parent.parent)
    return found - {layout.common}


def locks_left(located: Located) -> Iterator[Finding]:
    layout = located.layout
    yield from _team(layout)
    for name in ("lock", "mount.lock", "worktrees.lock", "workspaces.lock"):
        if locks.is_held(layout.local / name):
            what = f"{locks.holder(layout.local / name)} holds {layout.local / name}."
            yield Finding(Level.INFO, what, "Others wait for it; the lock goes when that process ends.")
    for lock in _git_locks(layout):
        age = time.time() - lock.lstat().st_mtime
        if age >= _FRESH or (lock == layout.common / f"{STATE_REF}.lock" and _stays(lock)):
            yield Finding(
                Level.WARNING,
                f"{lock} has been there for {_span(age)}.",
                "Git refuses to change what it locks.",
                "If no git is at work in the repository any more, one that died left that file, and it can go.",
            )


def _stays(lock: Path) -> bool:
    """Is it there for longer than a write takes?"""
    time.sleep(_WRITE)
    return lock.exists()


def _team(layout: Layout) -> Iterator[Finding]:
    if locks.is_held(layout.orchestrator_lock):
        yield Finding(Level.INFO, f"A team is running: {locks.holder(layout.orchestrator_lock)}.")
    if (pause := orders.paused(layout)) is not None:
        what = f"The team was paused by {pause.by}."
        yield Finding(Level.INFO, what, "Nothing is started in this clone.", "`orchgit resume` ends that.")


def _git_locks(layout: Layout) -> Iterator[Path]:
    """Yield the lock files that git may have left: of the repository, its refs, and the state's worktree."""
    common = layout.common
    own = find.git_directory(layout.state)
    folders = (common, *([own] if own is not None else []))
    candidates = [folder / name for folder in folders for name in ("index.lock", "HEAD.lock")]
    candidates += [common / "packed-refs.lock", common / "config.lock", common / f"{STATE_REF}.lock"]
    for folder in (common / "refs" / "heads", common / "refs" / "orchgit"):
        candidates += sorted(folder.rglob("*.lock"))
    for lock in dict.fromkeys(candidates):
        if os.path.lexists(lock) and not (files.read(lock) or b"").startswith(b"orchgit "):  # ours: see `journal`
            yield lock


def _span(seconds: float) -> str:
    minutes = int(seconds // 60)
    return (
        f"{seconds:.0f} s"
        if minutes < 1
        else f"{minutes // 1440} days"
        if minutes >= 2880
        else f"{minutes // 60} h"
        if minutes >= 120
        else f"{minutes} min"
    )
