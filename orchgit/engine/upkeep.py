"""What a loop does for the disk now and then, beside its work: old runs' folders go, and git packs what lies loose."""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from orchgit.engine import clearing
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import OrchgitError
from orchgit.model.task import CLOSED
from orchgit.repository import git, locks, runs, store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout

_COMMITS = 200  # of ours, until it is time again
_ASIDE = ".removed-"
_UNUSED = 86_400.0  # seconds after which a folder that no run ever began in is nobody's


@dataclass(slots=True)
class Upkeep:
    """Counts what the loop commits; the first time, and every so many commits, it is time."""

    layout: Layout
    commits: int = _COMMITS

    def after(self, commits: int) -> None:
        """Start what is due; nothing waits for it."""
        self.commits += commits
        if self.commits >= _COMMITS:
            self.commits = 0
            clearing.in_background(forget_runs, self.layout)
            threading.Thread(target=pack, args=(self.layout,), daemon=True, name="pack").start()


def pack(layout: Layout) -> None:
    """Let git tidy its objects up where it finds that worth while, in a process of its own that outlives us.

    `maintenance.auto` and `gc.auto` say whether it may: git itself asks for the first only where it starts this.
    """
    with suppress(OrchgitError, OSError):
        may = git.call("config", "--type=bool", "--get", "maintenance.auto", cwd=layout.common)
        if may.text != "false":
            git.detach(*git.NO_HOOKS, "maintenance", "run", "--auto", "--quiet", cwd=layout.common).wait()


def forget_runs(layout: Layout) -> None:
    """Remove the folders of old runs: all but the newest `runs.keep`, and those of open tasks and of what lives."""
    lock = locks.take(layout.local / "upkeep.lock")
    if lock is None:
        return  # somebody is at it
    try:
        state = store.newest(layout)
        for path in layout.runs.glob(f"{_ASIDE}*"):  # one who died while deleting leaves some
            shutil.rmtree(path, ignore_errors=True)
        owned = {task.run for task in state.tasks.values() if task.run}
        for place in _old(layout, keep=state.config.runs_keep):
            if place.id not in owned and not _is_of_open_task(place, state.tasks):
                _remove(place)
    finally:
        os.close(lock)


def _old(layout: Layout, *, keep: int) -> Iterator[runs.Folder]:
    yield from list(runs.all_of(layout))[keep:]
    found = layout.runs.iterdir() if layout.runs.is_dir() else ()
    yield from (runs.Folder(path) for path in found if _is_unused(path))


def _is_unused(path: Path) -> bool:
    return not (path / "run.json").exists() and time.time() - path.stat().st_mtime > _UNUSED


def _is_of_open_task(place: runs.Folder, tasks: Mapping[str, Task]) -> bool:
    if not place.spec.exists():
        return False
    task = tasks.get(runs.read_spec(place).task)
    return task is not None and task.status not in CLOSED


def _remove(place: runs.Folder) -> None:
    """Take a folder away in one step, and only where nothing of its run lives."""
    lock = locks.take(place.runner_lock)
    if lock is None:
        return
    try:
        if not locks.is_held(place.agent_lock):
            aside = place.path.with_name(f"{_ASIDE}{place.id}")
            place.path.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
    finally:
        os.close(lock)
