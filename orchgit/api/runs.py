"""The runs of an open project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.api.opened import Opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from orchgit.engine.loop import Control
    from orchgit.engine.output import Line
    from orchgit.engine.telling import Notify, Report
    from orchgit.model.scheduling import Snapshot
    from orchgit.model.task import Task
    from orchgit.model.usage import Usage
    from orchgit.repository.orders import Order, Pause
    from orchgit.repository.runs import Folder


class Runs(Opened):
    """Run the team, and look at what its agents do."""

    __slots__ = ()

    def run(
        self,
        *,
        report: Report,
        notify: Notify | None = None,
        only: str | None = None,
        watch: bool = False,
        control: Control | None = None,
        tick: float | None = None,
    ) -> Snapshot:
        """Run the team: until nothing is left to do, or with `watch` until `control` ends it; `only` names one task.

        `notify` is told what is no transition: what was refused, what failed. `tick` is in seconds.
        """
        from orchgit.engine import loop, telling

        until = loop.Until.STOPPED if watch else loop.Until.SETTLED
        notify = notify or telling.ignore
        return loop.run(self.layout, until=until, report=report, notify=notify, only=only, control=control, tick=tick)

    def stop(self, order: Order | str = "drain", *, wait: float | None = None) -> None:
        """Ask the running team to `drain`, to `leave` its runs or to end them `now`, and return when it has ended.

        `now` also ends runs that were left to go on by themselves, where no team runs any more.
        NotFoundError where there is nothing to stop; BusyError where it has not ended within `wait` seconds.
        """
        from orchgit.engine import standby

        standby.stop(self.layout, self.caller, order, wait=wait)

    def pause(self) -> bool:
        """Let nothing be started until `resume`, by whatever team runs here; was it not paused already?"""
        from orchgit.engine import standby

        return standby.pause(self.layout, self.caller)

    def resume(self) -> bool:
        """Let the team start runs again; was it paused?"""
        from orchgit.engine import standby

        return standby.resume(self.layout, self.caller)

    def paused(self) -> Pause | None:
        """Return who paused the team and when, or None."""
        from orchgit.repository import orders

        return orders.paused(self.layout)

    def is_team_running(self) -> bool:
        from orchgit.repository import locks

        return locks.is_held(self.layout.orchestrator_lock)

    def in_checkout(self) -> Task | None:
        """Return the task whose run works in this clone's checkout now, if one does."""
        from orchgit.model import checkout, standing
        from orchgit.repository import machine

        running = [task for task in standing.at_work(self.state.tasks) if task.run]
        here = machine.machine_id(self.layout) if running else ""
        mine = (task for task in running if task.machine == here)
        return checkout.user(mine, self.state.agents, self.state.config)

    def runs(self) -> Iterator[Folder]:
        """Yield the folders of the runs that this clone remembers, newest first."""
        from orchgit.repository import runs

        return runs.all_of(self.layout)

    def output(self, run: Folder, *, tail: int | None = None, follow: bool = False) -> Iterator[Line]:
        """Yield what the agent said in a run; with `follow`, go on until the run has ended."""
        from orchgit.engine import output

        return output.lines(run, tail=tail, follow=follow)

    def last_line(self, run: str) -> Line | None:
        """Return what the agent said last in the run with that id."""
        from orchgit.engine import output
        from orchgit.repository import runs

        return output.last(runs.folder(self.layout, run))

    def began(self, run: str) -> datetime | None:
        """Return when the run with that id was started; None where this clone doesn't know it."""
        from orchgit.repository import runs

        return runs.began(runs.folder(self.layout, run))

    def used(self, run: str) -> Usage | None:
        """Return what the run with that id has used by now; None where this clone knows nothing of it."""
        from orchgit.repository import runs

        return runs.read_usage(runs.folder(self.layout, run))

    def session(self, run: str) -> str | None:
        """Return the id of the session that the run with that id has with its CLI; None where none is known."""
        from orchgit.repository import runs

        found = runs.read_session(runs.folder(self.layout, run))
        return found.id if found else None
