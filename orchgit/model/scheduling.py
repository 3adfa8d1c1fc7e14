"""Who does what, when: a snapshot and a time in, a tuple of actions out."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from orchgit.model import standing
from orchgit.model.lifecycle import Ask
from orchgit.model.run import Alive, Finished, Gone, Outcome, Result, Stop
from orchgit.model.task import Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchgit.model.agent import Agent
    from orchgit.model.config import Config
    from orchgit.model.run import State

_HOPELESS = frozenset({"missing", Status.FAILED, Status.CANCELLED})
_JITTER = 0.2  # a delay is stretched by up to this much, so that what failed together doesn't come back together


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known at one moment. `runs` holds the runs of tasks in progress here, by run id.

    `merged` are the ids of tasks in review whose reviewed commit is in the base branch. `only` limits the loop to one
    task; `draining` stops it from starting anything, and so does `paused`, until somebody resumes.
    """

    config: Config
    tasks: Mapping[str, Task]
    agents: Mapping[str, Agent]
    machine: str
    runs: Mapping[str, State] = field(default_factory=dict)
    merged: frozenset[str] = frozenset()
    only: str | None = None
    draining: bool = False
    paused: bool = False


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
    """A task in review whose reviewed commit is in the base branch: it is done."""

    task: Task


Action: TypeAlias = Settle | Recover | Complete | Dispatch


def decide(snapshot: Snapshot, now: datetime) -> tuple[Action, ...]:
    """Return what to do now, most pressing first."""
    return (*_ended(snapshot, now), *_merged(snapshot), *_starting(snapshot, now))


def next_due(snapshot: Snapshot, now: datetime) -> datetime | None:
    """Return when a retry comes due next, or None where none waits."""
    times = [t.retry_at for t in _in_view(snapshot) if t.status is Status.RETRYING and t.retry_at and t.retry_at > now]
    return min(times, default=None)


def obstacle(task: Task, snapshot: Snapshot) -> str | None:
    """Return why nobody can start `task`, however long one waits for a free agent; None where somebody can."""
    unmet = standing.blockers(task, snapshot.tasks)
    if unmet:
        return f"waits for {', '.join(f'{needed} ({how})' for needed, how in unmet)}"
    if task.assignee is not None and task.assignee not in snapshot.agents:
        return f"is for {task.assignee}, who is not an agent here"
    if task.assignee is not None and not snapshot.agents[task.assignee].enabled:
        return f"is for {task.assignee}, an agent that is disabled"
    if not any(agent.enabled for agent in snapshot.agents.values()):
        return "has no enabled agent to do it"
    return None


def is_stuck(task: Task, snapshot: Snapshot) -> bool:
    """Does `task` wait for what can't come by itself, and what isn't a person's to do?"""
    unmet = {how for _, how in standing.blockers(task, snapshot.tasks)}
    if unmet:
        return bool(unmet & _HOPELESS) or standing.circle(task.id, task.depends_on, snapshot.tasks) != ()
    for_a_person = task.assignee is not None and task.assignee not in snapshot.agents
    return not for_a_person and obstacle(task, snapshot) is not None


def _in_view(snapshot: Snapshot) -> Iterator[Task]:
    return (task for task in snapshot.tasks.values() if snapshot.only in (None, task.id))


def _running(snapshot: Snapshot) -> list[Task]:
    """Return the tasks that this machine's runs own, whether their agents are still known or not."""
    return sorted((task for task in snapshot.tasks.values() if _runs_here(task, snapshot)), key=lambda task: task.id)


def _runs_here(task: Task, snapshot: Snapshot) -> bool:
    return task.status is Status.IN_PROGRESS and task.run is not None and task.machine == snapshot.machine


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
            yield Complete(snapshot.tasks[each])


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
    if task.attempts >= standing.max_attempts(task, agent, snapshot.config):
        return Settle(task, result, Ask.FAIL)
    delay = retry_delay(task.attempts, agent, snapshot.config, seed=result.run)
    return Settle(task, result, Ask.RETRY_LATER, retry_at=_whole_second(now + delay))


def _whole_second(moment: datetime) -> datetime:
    """Return `moment`, or the next whole second: files hold whole seconds, and a retry never comes early."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)


def retry_delay(attempt: int, agent: Agent | None, config: Config, *, seed: str) -> timedelta:
    """Return how long to wait after `attempt` failed: min(base x 2^(attempt-1), cap), stretched by a jitter.

    The jitter is made from `seed`, so that the same run always gives the same delay.
    """
    own = agent.retry_delay_ms if agent else None
    base = config.retry_base_delay_ms if own is None else own
    delay = min(base * 2 ** min(max(attempt - 1, 0), 40), max(config.retry_max_delay_ms, own or 0))
    return timedelta(milliseconds=delay * (1 + _JITTER * zlib.crc32(seed.encode()) / 2**32))


def _starting(snapshot: Snapshot, now: datetime) -> Iterator[Dispatch]:
    running = _running(snapshot)
    busy = {task.agent for task in running}
    free = {name: agent for name, agent in snapshot.agents.items() if agent.enabled and name not in busy}
    slots = 0 if snapshot.draining or snapshot.paused else snapshot.config.max_concurrent_agents - len(running)
    ready = sorted(_ready(snapshot, now), key=lambda task: standing.order(task, snapshot.config))
    awaited = Counter(task.assignee for task in ready)
    for task in ready:
        agent = _suited(task, free, awaited)
        if slots > 0 and agent is not None:
            del free[agent.name]
            slots -= 1
            yield Dispatch(task, agent)


def _ready(snapshot: Snapshot, now: datetime) -> Iterator[Task]:
    for task in _in_view(snapshot):
        due = task.status is Status.RETRYING and (task.retry_at is None or task.retry_at <= now)
        if (task.status is Status.TODO or due) and obstacle(task, snapshot) is None:
            yield task


def _suited(task: Task, free: Mapping[str, Agent], awaited: Mapping[str | None, int]) -> Agent | None:
    """Return the assignee if free; for a task of nobody's the free agent whom the fewest tasks wait for by name."""
    if task.assignee is not None:
        return free.get(task.assignee)
    return min(free.values(), key=lambda agent: (awaited[agent.name], agent.name), default=None)


def is_settled(task: Task, snapshot: Snapshot) -> bool:
    """Will the loop do nothing more with `task` unless somebody changes something?"""
    match task.status:
        case Status.IN_PROGRESS:
            return not _runs_here(task, snapshot)
        case Status.TODO | Status.RETRYING:
            return snapshot.draining or snapshot.paused or obstacle(task, snapshot) is not None
        case Status.REVIEW:
            return task.id not in snapshot.merged
        case Status.DONE | Status.FAILED | Status.CANCELLED:
            return True
