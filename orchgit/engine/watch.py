"""Rings when something happened that the loop should look at: a file was saved, or a run has ended."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer

from orchgit.model import agent, task
from orchgit.repository import locks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from watchdog.events import FileSystemEvent

    from orchgit.repository.layout import Layout
    from orchgit.repository.runs import Folder

_CHANGES = frozenset({"created", "modified", "moved", "deleted"})  # reading a file is none of these


class Bell(FileSystemEventHandler):
    """Waits for a ring. Rings between two waits are one."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._heard: set[str] = set()

    def ring(self) -> None:
        self._rung.set()

    def wait(self, seconds: float) -> None:
        self._rung.wait(seconds)
        self._rung.clear()

    def listen_for(self, folders: Iterable[Folder]) -> None:
        """Ring when the runner of a run lets go of its lock, whoever started it; asked again, it listens once."""
        for place in folders:
            if place.id not in self._heard:
                self._heard.add(place.id)
                threading.Thread(target=self._await_end, args=(place,), daemon=True, name=f"await {place.id}").start()

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in _CHANGES and not event.is_directory:
            self.ring()

    def _await_end(self, place: Folder) -> None:
        locks.wait_until_free(place.runner_lock)
        self.ring()


@contextmanager
def bell(layout: Layout) -> Iterator[Bell]:
    """Watch the state folders, never the workspaces, for the length of a `with`."""
    made = Bell()
    observer = Observer()
    for folder in (layout.state / task.FOLDER, layout.state / agent.FOLDER, layout.common / "refs" / "heads"):
        folder.mkdir(parents=True, exist_ok=True)
        observer.schedule(made, str(folder))
    observer.schedule(made, str(layout.state))
    observer.start()
    try:
        yield made
    finally:
        observer.stop()
        observer.join()
