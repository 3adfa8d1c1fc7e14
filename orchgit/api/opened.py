"""What every noun of an open project stands on: its state, who asks, and what was typed in its folder."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.model.actor import Kind
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import BusyError
from orchgit.repository import entry, judged, store

if TYPE_CHECKING:
    from orchgit.model.actor import Actor
    from orchgit.model.errors import InvalidFileError
    from orchgit.model.misspelt import Misspelt
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State


@dataclass(slots=True)
class Opened:
    """An open project as its nouns know it."""

    layout: Layout
    _tip: str
    _state: State | None = field(default=None, repr=False)
    _is_past: bool = False

    @property
    def state(self) -> State:
        """The state as it was when the project was opened or last refreshed: read once."""
        if self._state is None:
            self._state = store.read(self.layout, self._tip)
        return self._state

    def refresh(self) -> State:
        """Read the state as it is now."""
        self._tip = entry.open(self.layout.root).tip or self._tip
        self._state = None
        return self.state

    @property
    def caller(self) -> Actor:
        """Who asks: the agent in whose run this process lives, else the machine's Git identity."""
        from orchgit.repository import identity

        return identity.caller(self.layout.common)

    def _decider(self) -> Actor:
        """Who decides: an agent is known here by its processes too, whatever became of its environment."""
        from orchgit.engine import ancestors

        return ancestors.agent(self.layout) or self.caller

    def _planner(self) -> Actor:
        """Who makes or changes a task: known by its processes while somebody plans, for it takes a while to look."""
        is_planned = any(task.purpose and task.run for task in self.state.tasks.values())
        return self._decider() if is_planned else self.caller

    @property
    def _now(self) -> datetime | None:
        """The time, where the project is open as it is now, and not as it was."""
        return None if self._is_past else datetime.now(UTC)

    def text(self, path: str) -> str:
        """Return a file of the state branch as it stands there."""
        return store.text(self.layout, self.state.tip, path)

    def take_in_edits(self, *, widely: bool = False) -> None:
        """Judge what was typed in the state folder: commit what may be, as a person's; `refused` is what may not.

        Context and messages are looked at with `widely`. Nothing is done on behalf of an agent: what it finds there is
        not its own to ask for.
        """
        from orchgit.engine import edits, incoming
        from orchgit.repository import ledger

        by = self._decider()
        if by.kind is not Kind.PERSON:
            return
        taken = edits.Taken()
        with suppress(BusyError, OSError):  # who only wants to read isn't held up: the next command judges
            incoming.settle(self.layout, self.state.tip, taken, patient=True)
        edits.take_in(self.layout, by, self.refresh(), taken, patient=True, widely=widely)
        ledger.tell(filter(None, [*taken.news, taken.hindered]))
        self.refresh()

    def _look_widely(self) -> None:
        """Judge what was typed of context and messages too: other commands leave that to the running team."""
        if self._is_past:
            return
        self.refresh()
        if judged.unjudged(self.layout, self.state, widely=True):
            self.take_in_edits(widely=True)

    def refused(self) -> list[InvalidFileError]:
        """Return what was typed in the state folder and refused, and lies there as it was typed."""
        return [verdict.error for verdict in judged.read(self.layout).values() if verdict.reason]

    def faults(self, *, staged: bool = False) -> tuple[InvalidFileError, ...]:
        """Return what is wrong with the files that lie in the state folder, or with those staged there."""
        from orchgit.engine import check

        return check.faults(self.layout, staged=staged)

    def near_misses(self, *, staged: bool = False) -> list[Misspelt]:
        """Return the keys that are close to one that counts, and nobody knows."""
        from orchgit.engine import check

        return check.near_misses(self.layout, staged=staged)

    def uncommitted(self, *, widely: bool = False) -> tuple[str, ...]:
        """Return the files of the state folder that are not as committed, context and messages too with `widely`."""
        from orchgit.engine import check

        return check.uncommitted(self.layout, widely=widely)
