"""What lies behind a task when it is begun: its last run, what came of that, and the results it builds on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.engine import history
from orchgit.model import setup, summary, usage
from orchgit.model.dataclass import dataclass
from orchgit.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchgit.engine.history import Entry
    from orchgit.model.task import Task
    from orchgit.model.usage import Usage
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State


@dataclass(frozen=True, slots=True)
class Past:
    """`ended` is the commit that ended the task's last run, or a person's work at it; `since` the later ones, newest
    first.
    """

    ended: Entry
    since: tuple[Entry, ...] = ()

    @property
    def run(self) -> str | None:
        return self.ended.message.get("Run")

    @property
    def by(self) -> str:
        """Who did the work."""
        said = self.ended.message
        return said.get("Agent") or said.get("Actor") or self.ended.author

    @property
    def status(self) -> str:
        """What the run brought the task to."""
        return (self.ended.message.get("Transition") or "").rpartition(" ")[2]

    @property
    def summary(self) -> str:
        """The last words; "" where a person did it, or nothing was said."""
        return summary.from_message(self.ended.message)

    @property
    def gist(self) -> str:
        """The line of the last words that says most: whoever has a session answered in it, and all else is output."""
        return summary.gist(self.summary, is_answer=self.session is not None)

    @property
    def note(self) -> str:
        """What a person should know of the run, such as what it was denied; mostly ""."""
        return self.ended.message.get("Note") or ""

    @property
    def session(self) -> str | None:
        """The id of the session that the run had with its CLI."""
        return self.ended.message.get("Session")

    @property
    def used(self) -> Usage | None:
        """What the run used; None where nothing is known."""
        return usage.from_trailers(self.ended.message)

    @property
    def lost_session(self) -> bool:
        """Was its session found to be lost since?"""
        return any(map(history.lost_session, self.since))

    def moved(self, way: str) -> bool:
        """Has the task gone that way since, as "review -> todo"?"""
        return any(each.message.get("Transition") == way for each in self.since)


Pasts = dict[str, Past]  # by task


def behind(layout: Layout, state: State, tasks: Iterable[Task]) -> Pasts:
    """Return the pasts of the tasks that were worked on, and of what they depend on, where that is done.

    The history is read from its end to where all of that was found, in one go.
    """
    wanted: dict[str, None] = {}
    for task in tasks:
        wanted.update({task.id: None} if was_begun(task, state) else {})
        wanted.update({each.id: None for each in done(task, state.known)})
    return of(layout, state.tip, wanted) if wanted else {}


def of(layout: Layout, tip: str, tasks: Iterable[str]) -> Pasts:
    """Return the pasts of the tasks with these ids; of one that was never worked on there is none."""
    found = history.until_worked_on(layout, tip, tuple(tasks))
    return {
        task: Past(told[-1], tuple(told[:-1])) for task, told in found.items() if told and history.ends_work(told[-1])
    }


def was_begun(task: Task, state: State) -> bool:
    """May the task have been worked on? Its file says so: else nothing has to be searched for.

    One that is done in somebody's checkout has no branch, and when it is sent back nothing else tells.
    """
    told = task.attempts or task.branch or task.status not in (Status.TODO, Status.CANCELLED)
    modes = (task.workspace_mode, state.config.workspace_mode, *(each.workspace_mode for each in state.agents.values()))
    return bool(told) or setup.SHARED in modes


def done(task: Task, known: Mapping[str, Task]) -> Iterator[Task]:
    """Yield the done ones of those that `task` depends on."""
    found = (known[each] for each in task.depends_on if each in known)
    return (each for each in found if each.status is Status.DONE)
