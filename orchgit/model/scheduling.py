"""Who does what, when: a snapshot and a time in, a tuple of actions out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from orchgit.model import choosing, limits, standing, waiting
from orchgit.model.lifecycle import Ask
from orchgit.model.run import Alive, Finished, Gone, Outcome, Result, Stop
from orchgit.model.task import Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchgit.model.agent import Agent
    from orchgit.model.breaker import Rest
    from orchgit.model.config import Config
    from orchgit.model.run import State


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known at one moment. `runs` holds the runs of tasks in progress here, by run id.

    `merged` are the ids of tasks in review whose reviewed work is in the base branch; `brought` says of those that were
    squashed or rebased which commit of it has the work. `only` limits the loop to one task; `draining` stops it from
    starting anything, and so does `paused`, until somebody resumes. `rests` are the agents that the breaker has
    stopped, by name.

    `at_work` are the tasks in progress, whoever has them; `tangled` those in or behind a circle of dependencies.
    """

    config: Config
    tasks: Mapping[str, Task]
    agents: Mapping[str, Agent]
    machine: str
    runs: Mapping[str, State] = field(default_factory=dict)
    merged: frozenset[str] = frozenset()
    brought: Mapping[str, str] = field(default_factory=dict)
    rests: Mapping[str, Rest] = field(default_factory=dict)
    only: str | None = None
    draining: bool = False
    paused: bool = False
    at_work: tuple[Task, ...] = field(init=False)
    tangled: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        # Looked through once, asked for each task.
        object.__setattr__(self, "at_work", standing.at_work(self.tasks))
        object.__setattr__(self, "tangled", standing.tangled(self.tasks))


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Start `agent` on `task`."""

    task: Task
    agent: Agent


@dataclass(frozen=True, slots=True)
class Settle:
    """A run has ended: carry its task on. `retry_at` is set where `ask` is RETRY_LATER."""

    task: Task
    result: Result
    ask: Ask
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recover:
    """A run is gone without a result: make one, keeping its work."""

    task: Task
    started: bool


@dataclass(frozen=True, slots=True)
class Complete:
    """A task in review whose reviewed work is in the base branch: it is done.

    `brought` is the commit that has it, where that isn't the reviewed one: it was squashed or rebased.
    """

    task: Task
    brought: str | None = None


Action: TypeAlias = Settle | Recover | Complete | Dispatch


def decide(snapshot: Snapshot, now: datetime) -> tuple[Action, ...]:
    """Return what to do now, most pressing first."""
    return (*_ended(snapshot, now), *_merged(snapshot), *_starting(snapshot, now))


def next_due(snapshot: Snapshot, now: datetime) -> datetime | None:
    """Return when a retry comes due, or the rest of an agent ends, next; None where nothing of it waits."""
    retries = (task.retry_at for task in _in_view(snapshot) if task.status is Status.RETRYING and task.retry_at)
    rests = (rest.until for rest in snapshot.rests.values())
    return min((moment for moment in (*retries, *rests) if moment > now), default=None)


def _in_view(snapshot: Snapshot) -> Iterator[Task]:
    return (task for task in snapshot.tasks.values() if snapshot.only in (None, task.id))


def _running(snapshot: Snapshot) -> list[Task]:
    """Return the tasks that this machine's runs own, whether their agents are still known or not."""
    return [task for task in snapshot.at_work if waiting.runs_here(task, snapshot)]


def _ended(snapshot: Snapshot, now: datetime) -> Iterator[Action]:
    for task in _running(snapshot):
        match snapshot.runs.get(task.run or ""):
            case Finished(result):
                yield _settle(task, result, snapshot, now)
            case Gone(started):
                yield Recover(task, started)
            case Alive() | None:
                pass


def _merged(snapshot: Snapshot) -> Iterator[Complete]:
    for each in sorted(snapshot.merged & snapshot.tasks.keys()):
        if snapshot.tasks[each].status is Status.REVIEW:
            yield Complete(snapshot.tasks[each], snapshot.brought.get(each))


def _settle(task: Task, result: Result, snapshot: Snapshot, now: datetime) -> Settle:
    match result.outcome:
        case Outcome.SUCCEEDED:
            return Settle(task, result, Ask.SUCCEED)
        case Outcome.FATAL:
            return Settle(task, result, Ask.FAIL)
        case Outcome.NEVER_STARTED:
            return Settle(task, result, Ask.RELEASE)
        case Outcome.STOPPED:
            return Settle(task, result, Ask.CANCEL if result.stop is Stop.CANCEL else Ask.RELEASE)
        case Outcome.FAILED | Outcome.STALLED | Outcome.TIMED_OUT | Outcome.VANISHED:
            return _retry_or_fail(task, result, snapshot, now)


def _retry_or_fail(task: Task, result: Result, snapshot: Snapshot, now: datetime) -> Settle:
    agent = snapshot.agents.get(task.agent or "")
    if task.attempts >= limits.max_attempts(task, agent, snapshot.config):
        return Settle(task, result, Ask.FAIL)
    delay = limits.retry_delay(task, agent, snapshot.config, seed=result.run)
    return Settle(task, result, Ask.RETRY_LATER, retry_at=_whole_second(now + delay))


def _whole_second(moment: datetime) -> datetime:
    """Return `moment`, or the next whole second: files hold whole seconds, and a retry never comes early."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)


def _starting(snapshot: Snapshot, now: datetime) -> Iterator[Dispatch]:
    running = _running(snapshot)
    slots = 0 if snapshot.draining or snapshot.paused else snapshot.config.max_concurrent_agents - len(running)
    again = snapshot.config.max_concurrent_retries - sum(task.attempts > 1 for task in running)
    free = choosing.room(_givable(snapshot), running)
    if slots <= 0 or not free:
        return
    ready = sorted(_ready(snapshot, now), key=lambda task: standing.rank(task, snapshot.tasks, snapshot.config, now))
    awaited = Counter(task.assignee for task in ready)
    claimed, kept = list(snapshot.at_work), False
    for task in ready:
        if task.assignee not in (None, *free) or (task.attempts > 0 and again <= 0):
            continue
        if standing.in_the_way(task, claimed):
            if not kept and _keeps_its_place(task, snapshot, now):
                claimed, kept = [*claimed, task], True
            continue
        agent = choosing.suited(task, snapshot.agents, free, awaited)
        yield Dispatch(task, agent)
        claimed.append(task)
        slots, again, free = slots - 1, again - (task.attempts > 0), choosing.less(free, agent)
        if slots == 0 or not free:
            return


def _givable(snapshot: Snapshot) -> Iterator[Agent]:
    """Yield the agents that tasks may be given to; one that rests only where a person names the task to run."""
    for agent in snapshot.agents.values():
        if agent.enabled and (agent.name not in snapshot.rests or snapshot.only is not None):
            yield agent


def _ready(snapshot: Snapshot, now: datetime) -> Iterator[Task]:
    for task in _in_view(snapshot):
        due = task.status is Status.RETRYING and (task.retry_at is None or task.retry_at <= now)
        if (task.status is Status.TODO or due) and waiting.is_free(task, snapshot):
            yield task


def _keeps_its_place(task: Task, snapshot: Snapshot, now: datetime) -> bool:
    """Has `task` waited so long that nothing more may start where it is to write? Not while others' work is there."""
    starving = standing.waited(task, snapshot.tasks, now) >= timedelta(milliseconds=snapshot.config.starvation_ms)
    return starving and standing.in_the_way(task, waiting.with_others(snapshot)) is None


def is_settled(task: Task, snapshot: Snapshot) -> bool:
    """Will the loop do nothing more with `task` unless somebody changes something?"""
    match task.status:
        case Status.IN_PROGRESS:
            return not waiting.runs_here(task, snapshot)
        case Status.TODO | Status.RETRYING:
            return snapshot.draining or snapshot.paused or waiting.is_held_up(task, snapshot)
        case Status.REVIEW:
            return task.id not in snapshot.merged
        case Status.DONE | Status.FAILED | Status.CANCELLED:
            return True
