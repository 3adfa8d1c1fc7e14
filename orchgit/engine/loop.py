"""The loop: snapshot, decide, perform, wait."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from orchgit.engine import clearing, perform, telling, watch
from orchgit.engine.desk import Desk
from orchgit.engine.meanwhile import Meanwhile
from orchgit.engine.snapshot import Observer
from orchgit.engine.telling import Happening, Level, Notice
from orchgit.engine.upkeep import Upkeep
from orchgit.model import scheduling
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import BusyError, OrchgitError, StaleError
from orchgit.model.run import Alive, Stop
from orchgit.model.scheduling import Complete, Dispatch, Drop, Recover, Settle
from orchgit.model.task import Status
from orchgit.repository import ledger, locks, orders, runs, settled
from orchgit.repository.orders import Order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchgit.engine.telling import Notify, Report
    from orchgit.engine.watch import Bell
    from orchgit.model.breaker import Rest
    from orchgit.model.cooldown import CoolDown
    from orchgit.model.scheduling import Action, Snapshot
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.runs import Folder


_LOOKS, _SOON = 10, 0.05  # at a state that others are writing, and the seconds between them
_REST = 1.0  # seconds after a fault, whatever rings meanwhile: our own attempts do
_PATIENCE = 5  # faults in a row, until a team that is to end does so though they go on
_PAUSED = "paused by {by}: nothing is started until `orchgit resume`"
_MEANING = {
    Order.DRAIN: "start nothing more, and end when what runs has ended",
    Order.LEAVE: "end, and leave what runs to go on by itself",
    Order.NOW: "end what runs, and give its tasks back",
}


class Until(StrEnum):
    """When the loop ends by itself."""

    SETTLED = "settled"  # nothing is left that it could do
    STOPPED = "stopped"  # never


@dataclass(slots=True)
class Control:
    """How the one who runs the loop speaks to it, from a signal handler too.

    `ending` is who wants what runs to be ended, where somebody does; `interrupted` is true once a signal came.
    """

    draining: bool = False
    leaving: bool = False
    ending: str = ""
    interrupted: bool = False
    _bell: list[Bell] = field(default_factory=list)

    def drain(self) -> None:
        """Start nothing more; end when what runs has ended."""
        self.draining = True
        self._ring()

    def leave(self) -> None:
        """End now; what runs goes on by itself, and the next loop takes it up."""
        self.leaving = True
        self._ring()

    def end(self, *, by: str) -> None:
        """End what runs and give its tasks back; end when that is done."""
        self.ending = by
        self.drain()

    def _ring(self) -> None:
        for bell in self._bell:
            bell.ring()

    def attach(self, bell: Bell) -> None:
        self._bell.append(bell)


class _News:
    """Tells what has not been told before, until it has changed: a fault that stays is told once."""

    def __init__(self, notify: Notify) -> None:
        self.notify = notify
        self.rests: set[Rest | CoolDown] = set()
        self.meanwhile = Meanwhile()
        self.doing: tuple[Action, ...] = ()
        self._told: dict[str, tuple[str, ...]] = {}

    def tell(self, kind: str, level: Level, *texts: str, over: str = "", task: Task | None = None) -> None:
        """Say which `texts` of that kind were not so the last time, and `over` where there were some and none is."""
        before, self._told[kind] = self._told.get(kind, ()), texts
        for text in texts:
            if text not in before:
                self.notify(Notice(kind, text, level, task))
        if over and before and not texts:
            self.notify(Notice(kind, over, Level.INFO))

    def fault(self, layout: Layout, error: OrchgitError | OSError) -> None:
        """Say what keeps us from what is to be done; that may be for many tasks."""
        tasks = [each.task for each in self.doing if isinstance(each, Settle | Recover | Complete | Drop | Dispatch)]
        words = " ".join(str(error).splitlines())
        if isinstance(error, OSError):
            where = error.filename or layout.local
            words = f"{error.strerror or error}: {where}. Nothing is lost; it is tried again until that is mended"
        if tasks[1:]:
            words = f"{words}. It waits: {', '.join(each.id for each in tasks)}"
        self.tell("error", Level.ERROR, words, task=tasks[0] if len(tasks) == 1 else None)


def run(
    layout: Layout,
    *,
    until: Until,
    report: Report,
    notify: Notify = telling.ignore,
    control: Control | None = None,
    only: str | None = None,
    tick: float | None = None,
) -> Snapshot:
    """Run the team until it is settled, or for ever; return how things stood at the end.

    `only` limits it to one task. `tick` is how often to look for what a watcher missed, in seconds, where not as
    config.yaml says. BusyError where another loop runs on this repository. A fault that may pass, a full disk say, ends
    the loop only where it is to end by itself.
    """
    control = control or Control()
    observer, news, upkeep = Observer(layout, only=only), _News(notify), Upkeep(layout)

    def tell(happening: Happening) -> None:
        if happening.run is not None and happening.task.run == happening.run:
            observer.strays.remember(happening.run)
        news.meanwhile.note(happening.task)
        report(happening)

    with (
        telling.hearing(notify),
        _alone(layout),
        watch.bell(layout, notify) as bell,
    ):
        control.attach(bell)
        notify(Notice(telling.BEGAN, "the team begins", Level.DEBUG))
        desk = Desk(layout, bell)
        token = orders.appear(layout)
        ledger.mend(layout)
        observer.strays.look_back(layout)
        clearing.in_background(clearing.sweep, layout)
        snapshot, faults = None, 0
        while True:
            try:
                news.doing = ()
                _obey(layout, token, control, notify)
                snapshot, pause = _turn(layout, observer, desk, control, bell, upkeep=upkeep, report=tell, news=news)
            except (OrchgitError, OSError) as error:
                faults += 1
                if _gives_up(layout, until, control, faults, seen=snapshot is not None):
                    raise
                news.fault(layout, error)
                time.sleep(_REST)
                pause = _REST
            else:
                faults = 0
                news.tell("error", Level.ERROR, over="what failed works again")
                if pause is not None and _is_over(snapshot, until, control):
                    clearing.wait()
                    return snapshot
            if control.leaving and snapshot is not None:
                return snapshot
            if pause is not None:
                bell.wait(pause if tick is None else min(pause, tick))


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """Be the one team of this clone for the length of a `with`; BusyError where another one runs."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locks.held(layout.orchestrator_lock, wait=0, doing="run the team"))
        except BusyError as error:
            raise BusyError(
                f"The team already runs here: {locks.holder(layout.orchestrator_lock)}.",
                "It takes up new tasks by itself, unless it was started for one; `orchgit stop` ends it.",
            ) from error
        yield


def _turn(
    layout: Layout,
    observer: Observer,
    desk: Desk,
    control: Control,
    bell: Bell,
    *,
    upkeep: Upkeep,
    report: Report,
    news: _News,
) -> tuple[Snapshot, float | None]:
    """Look once and do what is to be done; return what was seen, and how long to wait: None where more may follow."""
    observer.draining = control.draining
    snapshot = _look(observer, desk, news)
    news.tell("broken", Level.WARNING, *(error.what for error in observer.broken))
    for each in news.meanwhile.news(snapshot):
        news.notify(each)
    _tell_of_rests(snapshot, news)
    paused = orders.paused(layout)
    news.tell("paused", Level.INFO, *([_PAUSED.format(by=paused.by)] if paused else ()), over="resumed")
    known = {**snapshot.runs, **{stray.run: stray.state for stray in snapshot.strays}}
    alive = [runs.folder(layout, run) for run, state in known.items() if isinstance(state, Alive)]
    bell.listen_for(alive)
    if control.leaving:
        return snapshot, 0.0
    if control.ending:
        _end(alive, by=control.ending)
    now = datetime.now(UTC)
    actions = scheduling.decide(snapshot, now)
    pause = _pause(snapshot, now)
    news.notify(Notice("looked", f"{len(actions)} to do, {len(alive)} at work, then up to {pause:g} s", Level.DEBUG))
    news.doing = actions
    done = bool(actions) and perform.all_of(layout, actions, now=now, report=report, notify=news.notify)
    news.doing = ()
    upkeep.after(len(actions) if done else 0)
    return snapshot, None if done else pause


def _gives_up(layout: Layout, until: Until, control: Control, faults: int, *, seen: bool) -> bool:
    """Is it over after so many faults in a row? A team that is to end, whose runs have, leaves them to the next one."""
    if until is Until.SETTLED or (control.leaving and not seen):
        return True
    return control.draining and faults >= _PATIENCE and not any(runs.at_work(layout))


def _look(observer: Observer, desk: Desk, news: _News) -> Snapshot:
    """Judge what was typed or committed by others, then look; both again where somebody commits in between.

    Who commits without a pause keeps nobody waiting: then we look at what was judged by now, which a start holds again.
    """
    began = settled.read(observer.layout)
    for _ in range(_LOOKS):
        news.tell("edit", Level.WARNING, *desk.take_in(news.notify))
        with suppress(StaleError):
            return observer.take()
        time.sleep(_SOON)
    judged = settled.read(observer.layout)
    return observer.take(at=judged if judged != began else None)


def _obey(layout: Layout, token: str, control: Control, notify: Notify) -> None:
    """Take what `orchgit stop` asks of us."""
    asked = orders.take(layout, token)
    if asked is None:
        return
    order, by = asked
    notify(Notice("asked", f"{by} asks: {_MEANING[order]}", Level.INFO))
    match order:
        case Order.DRAIN:
            control.drain()
        case Order.LEAVE:
            control.leave()
        case Order.NOW:
            control.end(by=by)
        case _:
            assert_never(order)


def _end(alive: Iterable[Folder], *, by: str) -> None:
    for place in alive:
        if runs.stop_asked(place) is None:
            runs.ask_to_stop(place, Stop.RELEASE, by=by)


def _tell_of_rests(snapshot: Snapshot, news: _News) -> None:
    """Say once of each agent that is given nothing for a while, as soon as its last task is settled."""
    for rest in snapshot.rests.values():
        task = snapshot.tasks.get(rest.task)
        if (task is None or task.status is not Status.IN_PROGRESS) and rest not in news.rests:
            news.rests.add(rest)
            news.notify(Notice("rest", f"{rest.agent} {rest}", Level.WARNING, agent=rest.agent))


def _is_over(snapshot: Snapshot, until: Until, control: Control) -> bool:
    if control.leaving:
        return True
    if until is Until.STOPPED and not control.draining:
        return False
    if snapshot.strays:
        return False
    in_view = (task for task in snapshot.tasks.values() if snapshot.only in (None, task.id))
    return all(scheduling.is_settled(task, snapshot) for task in in_view)


def _pause(snapshot: Snapshot, now: datetime) -> float:
    due = scheduling.next_due(snapshot, now)
    tick = snapshot.config.poll_interval_ms / 1000
    return tick if due is None else min(tick, max((due - now).total_seconds(), 0.0))
