"""The loop: snapshot, decide, perform, wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from orchgit.engine import clearing, perform, watch
from orchgit.engine.snapshot import Observer
from orchgit.model import scheduling
from orchgit.model.run import Alive
from orchgit.repository import ledger, locks, runs

if TYPE_CHECKING:
    from orchgit.engine.perform import Report
    from orchgit.engine.watch import Bell
    from orchgit.model.scheduling import Snapshot
    from orchgit.repository.layout import Layout


class Until(StrEnum):
    """When the loop ends by itself."""

    SETTLED = "settled"  # nothing is left that it could do
    STOPPED = "stopped"  # never


@dataclass(slots=True)
class Control:
    """How the one who runs the loop speaks to it, from a signal handler too."""

    draining: bool = False
    leaving: bool = False
    _bell: list[Bell] = field(default_factory=list)

    def drain(self) -> None:
        """Start nothing more; end when what runs has ended."""
        self.draining = True
        self._ring()

    def leave(self) -> None:
        """End now; what runs goes on by itself, and the next loop takes it up."""
        self.leaving = True
        self._ring()

    def _ring(self) -> None:
        for bell in self._bell:
            bell.ring()

    def attach(self, bell: Bell) -> None:
        self._bell.append(bell)


def run(
    layout: Layout,
    *,
    until: Until,
    report: Report,
    control: Control | None = None,
    only: str | None = None,
) -> Snapshot:
    """Run the team until it is settled, or for ever; return how things stood at the end.

    `only` limits it to one task. BusyError where another loop runs on this repository.
    """
    control = control or Control()
    observer = Observer(layout, only=only)
    with locks.held(layout.orchestrator_lock, wait=0, doing="run the team"), watch.bell(layout) as bell:
        control.attach(bell)
        ledger.mend(layout)
        clearing.in_background(clearing.sweep, layout)
        while True:
            observer.draining = control.draining
            snapshot = observer.take()
            now = datetime.now(UTC)
            actions = scheduling.decide(snapshot, now)
            bell.listen_for(
                runs.folder(layout, run) for run, state in snapshot.runs.items() if isinstance(state, Alive)
            )
            if control.leaving:
                return snapshot
            if actions and perform.all_of(layout, actions, now=now, report=report):
                continue
            if _is_over(snapshot, until, control):
                clearing.wait()
                return snapshot
            bell.wait(_pause(snapshot, now))


def _is_over(snapshot: Snapshot, until: Until, control: Control) -> bool:
    if until is Until.STOPPED and not control.draining:
        return False
    in_view = (task for task in snapshot.tasks.values() if snapshot.only in (None, task.id))
    return all(scheduling.is_settled(task, snapshot) for task in in_view)


def _pause(snapshot: Snapshot, now: datetime) -> float:
    due = scheduling.next_due(snapshot, now)
    tick = snapshot.config.poll_interval_ms / 1000
    return tick if due is None else min(tick, max((due - now).total_seconds(), 0.0))
