"""Rings when something happened that the loop should look at: a file was saved, or a run has ended."""

from __future__ import annotations

import logging
import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer

from orchgit.engine.telling import Level, Notice, ignore
from orchgit.repository import locks, loose, states

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver

    from orchgit.engine.telling import Notify
    from orchgit.repository.layout import Layout
    from orchgit.repository.runs import Folder

# What it calls an error there is an event that came while it was being stopped.
logging.getLogger("watchdog.observers.inotify").setLevel(logging.CRITICAL)
_CHANGES = frozenset({"created", "modified", "closed", "moved", "deleted"})  # reading a file is none of these


class Bell(FileSystemEventHandler):
    """Waits for a ring. Rings between two waits are one."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._saved: set[str] = set()
        self._heard: set[str] = set()

    def ring(self) -> None:
        self._rung.set()

    def wait(self, seconds: float) -> None:
        self._rung.wait(seconds)
        self._rung.clear()

    def saved(self) -> set[str]:
        """Return the files that something happened to since the last time, as the watcher names them."""
        saved, self._saved = self._saved, set()
        return saved

    def listen_for(self, folders: Iterable[Folder]) -> None:
        """Ring when the runner of a run lets go of its lock, whoever started it; asked again, it listens once."""
        for place in folders:
            if place.id not in self._heard:
                with suppress(RuntimeError):  # no room for one more thread: the slow tick sees it
                    threading.Thread(target=self._await_end, args=(place,), daemon=True, name=place.id).start()
                    self._heard.add(place.id)

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in _CHANGES and not event.is_directory:
            self._saved |= {os.fsdecode(event.src_path), os.fsdecode(event.dest_path)}
            self.ring()

    def _await_end(self, place: Folder) -> None:
        locks.wait_until_free(place.runner_lock)
        self.ring()


@contextmanager
def bell(layout: Layout, notify: Notify = ignore) -> Iterator[Bell]:
    """Watch the state folders, never the workspaces, for the length of a `with`.

    Where the system has no more watches to give, that is said, and the bell rings for runs and signals alone.
    """
    made = Bell()
    observer = Observer()
    try:
        _watch(layout, made, observer)
    except (OSError, RuntimeError) as error:  # RuntimeError: no more threads
        why = f"Files can't be watched ({error}): changes are seen at the slow tick."
        notify(Notice("watch", why, Level.WARNING))
    try:
        yield made
    finally:
        observer.stop()
        if observer.is_alive():
            observer.join()


def _watch(layout: Layout, made: Bell, observer: BaseObserver) -> None:
    inside = (layout.state / folder for folder in states.FOLDERS)
    for folder in (*inside, layout.common / "refs" / "heads", layout.orders):
        folder.mkdir(parents=True, exist_ok=True)
        observer.schedule(made, str(folder))
    for folder in (layout.state / name for name in loose.FOLDERS):
        folder.mkdir(parents=True, exist_ok=True)
        observer.schedule(made, str(folder), recursive=True)
    observer.schedule(made, str(layout.state))
    observer.start()
