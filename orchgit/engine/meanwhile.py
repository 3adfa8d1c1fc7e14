"""What others did to the tasks of a team that runs: closed them, or left runs of theirs that go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.engine.telling import Level, Notice
from orchgit.model import waiting
from orchgit.model.run import Alive
from orchgit.model.task import CLOSED, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchgit.model.scheduling import Snapshot
    from orchgit.model.task import Task


class Meanwhile:
    """Remembers how tasks stood, so that what becomes of them is told once, whoever did it."""

    def __init__(self) -> None:
        self._before: Mapping[str, Task] | None = None
        self._told: dict[str, Status] = {}

    def note(self, task: Task) -> None:
        """Take in what the team itself has told of."""
        self._told[task.id] = task.status

    def news(self, snapshot: Snapshot) -> Iterator[Notice]:
        """Yield what is to be told: at first the runs that are taken up, later the tasks that others have closed."""
        before, self._before = self._before, snapshot.tasks
        told, self._told = self._told, {}
        in_view = (task for task in snapshot.tasks.values() if snapshot.only in (None, task.id))
        if before is None:
            for task in in_view:
                if waiting.runs_here(task, snapshot) and isinstance(snapshot.runs.get(task.run or ""), Alive):
                    yield Notice("run_followed", f"{task.run} is followed on: {task.title}", Level.INFO, task)
            return
        for task in in_view:
            old = before.get(task.id)
            if old is None or old is task:
                continue
            was = told.get(task.id, old.status)
            if task.status is not was and was not in CLOSED and task.status in (Status.DONE, Status.CANCELLED):
                yield Notice("transition", f"{task.status}: {task.title} ({_HOW[task.status]})", Level.INFO, task)


_HOW = {Status.DONE: "approved, and in the base branch", Status.CANCELLED: "by a command or a commit"}
