"""What orchgit needs of the system where the project lies: the right to write, room, and watches."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from orchgit.engine.doctor.finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.engine.doctor.finding import Scene
    from orchgit.repository.find import Located
    from orchgit.repository.layout import Layout

_LITTLE, _TOO_LITTLE = 1 << 30, 100 << 20  # bytes


def permissions(located: Located) -> Iterator[Finding]:
    layout = located.layout
    wanted = (
        layout.root, layout.common, layout.common / "objects", layout.common / "refs" / "heads", layout.local,
        layout.runs, layout.state,
    )  # fmt: skip
    for place in wanted:
        if place.is_dir() and not os.access(place, os.W_OK | os.X_OK):
            yield Finding(
                Level.ERROR,
                f"{place} can't be written to.",
                "Commands that change something fail there.",
                f"Give yourself the right to; it belongs to the user {_owner(place)}.",
            )


def disk(located: Located) -> Iterator[Finding]:
    for place, what in _filling(located.layout):
        free = shutil.disk_usage(place).free
        if free < _LITTLE:
            level = Level.ERROR if free < _TOO_LITTLE else Level.WARNING
            yield Finding(
                level,
                f"{free >> 20} MB are left for {what}, on the disk of {place}.",
                "Worktrees are whole checkouts; a full disk fails attempts and stops commits.",
                "Make room. `orchgit workspace list` shows the worktrees, `du -sh .git/orchgit/runs` the logs of runs.",
            )


def watching(scene: Scene) -> Iterator[Finding]:
    from orchgit.engine import watch
    from orchgit.repository import find

    told: list[str] = []
    if not find.mounted(scene.layout):
        return
    with watch.bell(scene.layout, lambda notice: told.append(notice.text)):
        pass
    for words in told:
        limits = "fs.inotify.max_user_instances and fs.inotify.max_user_watches"
        yield Finding(
            Level.WARNING,
            words,
            "The team reacts later, and works as well otherwise.",
            f"Other programs have taken all watches: close some, or raise {limits}.",
        )


def _filling(layout: Layout) -> Iterator[tuple[Path, str]]:
    """Yield the places that fill up, those on one disk once."""
    beside = layout.root.with_name(f"{layout.root.name}.orchgit")
    disks: set[int] = set()
    for place, what in ((layout.common, "the repository"), (beside, "worktrees")):
        if place.is_dir() and place.stat().st_dev not in disks:
            disks.add(place.stat().st_dev)
            yield place, what


def _owner(place: Path) -> str:
    try:
        return place.owner()
    except (KeyError, OSError):
        return str(place.stat().st_uid)
