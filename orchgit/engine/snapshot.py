"""What is known at one moment: the committed state, and how the runs of this machine stand."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from orchgit.engine import endings, outside
from orchgit.engine.strays import Strays
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import StaleError
from orchgit.model.run import Finished
from orchgit.model.scheduling import Snapshot
from orchgit.model.task import Status
from orchgit.repository import machine, orders, runs, settled, states, store
from orchgit.repository.inbase import How

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchgit.engine.endings import Endings
    from orchgit.model.breaker import Rest
    from orchgit.model.cooldown import CoolDown
    from orchgit.model.errors import InvalidFileError
    from orchgit.model.run import State as Run
    from orchgit.repository.layout import Layout


@dataclass(slots=True)
class Observer:
    """Takes snapshots, remembering what is dear to ask again: which reviewed commits the base branch holds.

    `broken` are the files that could not be read for the last one, `strays` the runs to keep an eye on.
    """

    layout: Layout
    only: str | None = None
    draining: bool = False
    broken: tuple[InvalidFileError, ...] = ()
    strays: Strays = field(default_factory=Strays)
    _endings: Endings | None = None
    _outside: outside.Memory = field(default_factory=outside.Memory)

    def take(self, *, at: str | None = None) -> Snapshot:
        """Return how things stand, or how they stood `at` a commit that was judged.

        StaleError where that rests on commits that nobody has judged.
        """
        tip = at or store.tip(self.layout)
        if at is None and settled.is_behind(self.layout, tip):
            what = f"The commits of the state branch up to {tip[:12]} are not judged yet, so nothing is done by them."
            raise StaleError(what, "`orchgit status` judges them, and says what keeps it from that.")
        state = store.read(self.layout, tip)
        observed = self._runs(state)
        self.broken = state.broken
        found = self._outside.ask(self.layout, state)
        return Snapshot(
            config=state.settings,
            tasks=state.tasks,
            archived=state.archived,
            agents=state.agents,
            goals=state.goals,
            teams=state.teams,
            machine=machine.machine_id(self.layout),
            runs=observed,
            merged=frozenset(found),
            brought={task: how.commit for task, how in found.items() if how.how is not How.MERGED},
            rests=self._rests(state, observed),
            strays=self.strays.among(self.layout, state, named=observed.keys()),
            only=self.only,
            draining=self.draining,
            paused=orders.paused(self.layout) is not None,
        )

    def _runs(self, state: states.State) -> dict[str, Run]:
        here = machine.machine_id(self.layout)
        mine = [t for t in state.tasks.values() if t.status is Status.IN_PROGRESS and t.run and t.machine == here]
        return {task.run: runs.observe(runs.folder(self.layout, task.run)) for task in mine if task.run}

    def _rests(self, state: states.State, observed: dict[str, Run]) -> Mapping[str, Rest | CoolDown]:
        """Return who rests. What ended before is read once; what ends from now on is seen as it ends."""
        if self._endings is None:
            self._endings = endings.latest(self.layout)
        for run, how in observed.items():
            if isinstance(how, Finished):
                endings.note(self._endings, runs.folder(self.layout, run), how.result)
        return endings.rests(self._endings, state)
