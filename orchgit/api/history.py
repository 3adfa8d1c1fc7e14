"""The history of an open project."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.api.goals import Goals
from orchgit.api.runs import Runs
from orchgit.repository.layout import STATE_REF

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchgit.engine.blame import Blame
    from orchgit.engine.history import Entry, Wanted
    from orchgit.engine.lines import Target
    from orchgit.engine.pasts import Past
    from orchgit.engine.provenance import Origin
    from orchgit.engine.undo import Undone
    from orchgit.engine.verify import Report as Verified
    from orchgit.model.spending import Spent
    from orchgit.model.task import Task
    from orchgit.model.usage import Usage


class History(Goals, Runs):
    """What became of tasks, and what it cost."""

    __slots__ = ()

    def history(
        self, *, task: str | None = None, limit: int | None = None, wanted: Wanted | None = None
    ) -> Iterator[Entry]:
        """Yield the commits of the state branch, newest first: those about `task`, and those that are `wanted`."""
        from orchgit.engine import history

        if wanted is None:
            return history.entries(self.layout, self.state.tip, task=task, limit=limit)
        return history.picked(self.layout, self.state, wanted, task=task, limit=limit)

    def reason(self, task: str) -> str | None:
        """Return why the task with the id `task` came to stand where it stands, where its last transition says so."""
        from orchgit.engine import history

        status = self.task(task).status
        found = history.last_transition(self.layout, self.state.tip, task, to=status.value)
        return found.message.get("Reason") if found else None

    def last_used(self, task: str) -> Usage | None:
        """Return what the last run of the task with the id `task` used, or what the one at work has used by now."""
        known = self.task(task)
        if known.run:
            return self.used(known.run)
        found = self.past(task)
        return found.used if found else None

    def past(self, task: str) -> Past | None:
        """Return how the last run of the task with the id `task` ended, and what it said last; None where it had none.

        That of a run which is at work is the one before.
        """
        from orchgit.engine import pasts

        known = self.task(task)
        if not pasts.was_begun(known, self.state):
            return None  # or the whole history would be searched for it
        return pasts.of(self.layout, self.state.tip, [known.id]).get(known.id)

    def pasts(self, tasks: Iterable[Task]) -> Mapping[str, Past]:
        """Return the same of several tasks, by id, reading the history once."""
        from orchgit.engine import pasts

        return pasts.of(self.layout, self.state.tip, [each.id for each in tasks if pasts.was_begun(each, self.state)])

    def spent(self, *, since: str | None = None, until: str | None = None, goals: bool = False) -> list[Spent]:
        """Return what each run used that ended in that time, newest first; times are dates as `log` takes them.

        With `goals` it is said which goal each run's task serves now. `model.spending` adds them up.
        """
        from orchgit.engine import moment, stats

        start = None if since is None else moment.seconds(self.layout, since, end=False)
        end = None if until is None else moment.seconds(self.layout, until, end=True)
        found = stats.spent(self.layout, self.state, since=start, until=end)
        return stats.with_goals(self.layout, self.state, found) if goals else found

    def spent_on(self, task: str) -> list[Spent]:
        """Return what each run of the task with the id `task` used, newest first: read back to when it was made."""
        from orchgit.engine import stats

        return stats.spent(self.layout, self.state, since=_before(self.task(task).created), task=task)

    def spent_on_goal(self, word: str) -> list[Spent]:
        """Return what each run used whose task serves the goal now, newest first: read back to the first of them."""
        from orchgit.engine import stats

        tasks = self.tasks_of_goal(word)
        made = [task.created for task in tasks if task.created]
        since = _before(min(made)) if made and len(made) == len(tasks) else None
        known = {task.id for task in tasks}
        return [each for each in stats.spent(self.layout, self.state, since=since) if each.task in known]

    def prompt(self, word: str) -> str:
        """Return the prompt of the run that has the task, of the next where one is to come, or else of the last."""
        from orchgit.engine import briefing

        return briefing.prompt(self.layout, self.state, self.task(word))

    def why(self, word: str, *, start: str | Path = ".") -> tuple[Target, tuple[Origin, ...]]:
        """Return what `word` (FILE, FILE:LINE or FILE:A-B, seen from `start`) names, and the pasts of its lines."""
        from orchgit.engine import lines, provenance

        asked = lines.named(self.layout, word, start=Path(start))
        return asked, provenance.of(self.layout, self.state, asked)

    def graph(self, word: str, *, color: bool = False, limit: int | None = None) -> str:
        """Return the task's transitions and its work as `git log --graph` draws them."""
        from orchgit.engine import graph

        return graph.of(self.layout, self.state, word, color=color, limit=limit)

    def blame(self, word: str) -> Blame:
        """Return which commit made each field and each line of a task what it is."""
        from orchgit.engine import blame

        return blame.of(self.layout, self.state.tip, self.task(word))

    def verify(self, *revisions: str) -> Verified:
        """Hold the commits of the state branch, or those that `revisions` name, against the rules."""
        from orchgit.engine import verify

        asked = verify.named(self.layout, self.state, revisions) or (STATE_REF,)
        return verify.check(self.layout.state, asked)

    def undo(self, word: str | None = None) -> Undone:
        """Set the state before a commit again: one of the state branch, the last about a task, or the last of all."""
        from orchgit.engine import undo

        return undo.undo(self.layout, self.state, self._decider(), word)


def _before(made: datetime | None) -> int | None:
    """Return from when on, in seconds since the epoch, what was made then can be found in the history; None: always."""
    return None if made is None or made > datetime.now(UTC) else int((made - timedelta(days=1)).timestamp())
