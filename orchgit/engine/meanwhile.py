"""What others did to the tasks of a team that runs: closed them, or left runs of theirs that go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.engine.telling import Level, Notice
from orchgit.model import waiting
from orchgit.model.run import Alive
from orchgit.model.task import CLOSED, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.model.scheduling import Snapshot
    from orchgit.model.task import Task


class Meanwhile:
    """Remembers how tasks stood, so that what becomes of them is told once, whoever did it."""

    def __init__(self) -> None:
        self._known: dict[str, Status] | None = None

    def note(self, task: Task) -> None:
        """Take in what the team itself has told of."""
        if self._known is not None:
            self._known[task.id] = task.status

    def news(self, snapshot: Snapshot) -> Iterator[Notice]:
        """Yield what is to be told: at first the runs that are taken up, later the tasks that others have closed."""
        before, self._known = self._known, {task.id: task.status for task in snapshot.tasks.values()}
        in_view = [task for task in snapshot.tasks.values() if snapshot.only in (None, task.id)]
        if before is None:
            followed = (task for task in in_view if waiting.runs_here(task, snapshot))
            for task in followed:
                if isinstance(snapshot.runs.get(task.run or ""), Alive):
                    yield Notice("run_followed", f"{task.run} is followed on: {task.title}", Level.INFO, task)
            return
        for task in in_view:
            was = before.get(task.id, task.status)
            if task.status is not was and was not in CLOSED and task.status in (Status.DONE, Status.CANCELLED):
                yield Notice("transition", f"{task.status}: {task.title} ({_HOW[task.status]})", Level.INFO, task)


_HOW = {Status.DONE: "approved, and in the base branch", Status.CANCELLED: "by a command or a commit"}
