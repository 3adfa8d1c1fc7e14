"""Who does what, when: a snapshot and a time in, a tuple of actions out."""

from __future__ import annotations

from collections import Counter
from dataclasses import field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from orchgit.model import approval, checkout, choosing, limits, standing, team, waiting
from orchgit.model import goal as goals
from orchgit.model.dataclass import dataclass
from orchgit.model.lifecycle import Ask
from orchgit.model.run import Alive, Finished, Gone, Outcome, Result, Stop, Stray
from orchgit.model.task import CLOSED, Purpose, Status, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchgit.model.agent import Agent
    from orchgit.model.breaker import Rest
    from orchgit.model.config import Config
    from orchgit.model.cooldown import CoolDown
    from orchgit.model.goal import Goal
    from orchgit.model.run import State
    from orchgit.model.team import Team

_NO_PLAN = "it made no task for its goal"


@dataclass(frozen=True)
class Snapshot:
    """What is known at one moment. `runs` holds the runs of tasks in progress here, by run id.

    `merged` are the ids of tasks in review whose reviewed work is in the base branch; `brought` says of those that were
    squashed or rebased which commit of it has the work. `only` limits the loop to one task; `draining` stops it from
    starting anything, and so does `paused`, until somebody resumes. `rests` are the agents that are given nothing for
    a while, by name: the breaker has stopped them, or they cool down. `strays` are runs of this clone that no task
    names any more.

    `archived` are the tasks in the archive that open ones depend on; `known` are they and `tasks`.
    `at_work` are the tasks in progress, whoever has them; `tangled` those in or behind a circle of dependencies.
    """

    config: Config
    tasks: Mapping[str, Task]
    agents: Mapping[str, Agent]
    machine: str
    goals: Mapping[str, Goal] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    archived: Mapping[str, Task] = field(default_factory=dict)
    runs: Mapping[str, State] = field(default_factory=dict)
    merged: frozenset[str] = frozenset()
    rests: Mapping[str, Rest | CoolDown] = field(default_factory=dict)
    strays: tuple[Stray, ...] = ()
    brought: Mapping[str, str] = field(default_factory=dict)
    only: str | None = None
    draining: bool = False
    paused: bool = False

    @cached_property
    def at_work(self) -> tuple[Task, ...]:
        return standing.at_work(self.tasks)

    @cached_property
    def about_goals(self) -> tuple[Task, ...]:
        """The tasks that plan a goal or ask about one; all others serve one at most."""
        return tuple(task for task in self.tasks.values() if task.purpose is not None)

    @cached_property
    def claiming(self) -> frozenset[str]:
        """The agents that may be given what is nobody's."""
        return frozenset(
            name for name, agent in self.agents.items() if agent.autonomous and team.claims(name, self.teams)
        )

    @cached_property
    def known(self) -> Mapping[str, Task]:
        return {**self.archived, **self.tasks} if self.archived else self.tasks

    @cached_property
    def tangled(self) -> frozenset[str]:
        return standing.tangled(self.known)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Start `agent` on `task`."""

    task: Task
    agent: Agent


@dataclass(frozen=True, slots=True)
class Settle:
    """A run has ended: carry its task on. `retry_at` is set where it is to be tried again."""

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


@dataclass(frozen=True, slots=True)
class Drop:
    """A task that asks whether a goal is achieved, which is over by now: nobody has to answer any more."""

    task: Task
    goal: Goal


@dataclass(frozen=True, slots=True)
class Archive:
    """Closed tasks to move out of the way, in one go."""

    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Abandon:
    """A run goes on, or is gone, whose task was moved on without it: end it, keep its work, leave nothing of it."""

    stray: Stray


@dataclass(frozen=True, slots=True)
class Assess:
    """All of a goal's tasks are closed: ask `agent` whether it is achieved."""

    goal: Goal
    agent: str


Action: TypeAlias = Settle | Recover | Abandon | Complete | Drop | Dispatch | Assess | Archive


def decide(snapshot: Snapshot, now: datetime) -> tuple[Action, ...]:
    """Return what to do now, most pressing first."""
    astray = map(Abandon, snapshot.strays)
    over = (*_ended(snapshot, now), *astray, *_merged(snapshot), *_concluded(snapshot), *_answered(snapshot))
    return (*over, *_assessing(snapshot), *_starting(snapshot, now), *_archiving(snapshot, now))


def next_due(snapshot: Snapshot, now: datetime) -> datetime | None:
    """Return when a retry comes due, or the rest of an agent ends, next; None where nothing of it waits."""
    retries = (task.retry_at for task in _in_view(snapshot) if task.status is Status.RETRYING and task.retry_at)
    rests = (
        max(rest.until, now) for rest in snapshot.rests.values()
    )  # one that ended just now is gone at the next look
    return min((*(moment for moment in retries if moment > now), *rests), default=None)


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


def _concluded(snapshot: Snapshot) -> Iterator[Complete]:
    for task in snapshot.about_goals:
        if is_concluded(task, snapshot):
            yield Complete(task)


def _answered(snapshot: Snapshot) -> Iterator[Drop]:
    for task in snapshot.about_goals:
        asked = task.status in (Status.TODO, Status.RETRYING) and snapshot.only in (None, task.id)
        if asked and goals.is_answered(task, snapshot.goals):
            yield Drop(task, snapshot.goals[task.goal or ""])


def is_concluded(task: Task, snapshot: Snapshot) -> bool:
    """Is it a plan, or an assessment, that changed no file, and that needs nobody's approval, or none any more?"""
    if task.purpose is None or task.status is not Status.REVIEW or task.review_commit != task.review_base:
        return False
    if goals.is_answered(task, snapshot.goals):
        return True
    agent = snapshot.agents.get(task.agent or "")
    return agent is not None and (agent.approval_policy or snapshot.config.agent_approval_policy) == approval.AUTO


def _assessing(snapshot: Snapshot) -> Iterator[Assess]:
    if snapshot.draining or snapshot.paused or snapshot.only is not None:
        return
    active = (goal for _, goal in sorted(snapshot.goals.items()) if goal.status is goals.Status.ACTIVE)
    asked = {goal.id: agent for goal in active if (agent := goals.planner(goal, snapshot.agents, snapshot.teams))}
    serving = goals.serving(snapshot.tasks.values(), asked) if asked else {}
    for each, agent in asked.items():
        if goals.awaits_verdict(serving[each]):
            yield Assess(snapshot.goals[each], agent)


def _settle(task: Task, result: Result, snapshot: Snapshot, now: datetime) -> Settle:
    every = snapshot.tasks.values()
    match result.outcome:
        case Outcome.SUCCEEDED if task.purpose is Purpose.PLAN and not goals.has_work(task.goal, every):
            return _retry_or_fail(task, replace(result, outcome=Outcome.FAILED, reason=_NO_PLAN), snapshot, now)
        case Outcome.SUCCEEDED:
            return Settle(task, result, Ask.SUCCEED)
        case Outcome.FATAL | Outcome.FAILED | Outcome.OVERSPENT if goals.is_answered(task, snapshot.goals):
            return Settle(task, result, Ask.CANCEL)
        case Outcome.FATAL:
            return Settle(task, result, Ask.FAIL)
        case Outcome.NEVER_STARTED:
            return Settle(task, result, Ask.RELEASE)
        case Outcome.STOPPED:
            return Settle(task, result, Ask.CANCEL if result.stop is Stop.CANCEL else Ask.RELEASE)
        case Outcome.LIMITED:
            rest = snapshot.rests.get(task.agent or "")  # none: its time is over, or the agent is another by now
            return Settle(
                task, result, Ask.COOL_DOWN, retry_at=limits.whole_second(max(rest.until, now) if rest else now)
            )
        case Outcome.FAILED if result.is_void:  # the next run begins a new session, so that this comes once
            return Settle(task, result, Ask.COOL_DOWN, retry_at=limits.whole_second(now))
        case Outcome.FAILED | Outcome.STALLED | Outcome.TIMED_OUT | Outcome.OVERSPENT | Outcome.VANISHED:
            return _retry_or_fail(task, result, snapshot, now)


def _retry_or_fail(task: Task, result: Result, snapshot: Snapshot, now: datetime) -> Settle:
    agent = snapshot.agents.get(task.agent or "")
    if task.attempts >= limits.max_attempts(task, agent, snapshot.config):
        return Settle(task, result, Ask.FAIL)
    delay = limits.retry_delay(task, agent, snapshot.config, seed=result.run)
    return Settle(task, result, Ask.RETRY_LATER, retry_at=limits.whole_second(now + delay))


def _starting(snapshot: Snapshot, now: datetime) -> Iterator[Dispatch]:
    running = _running(snapshot)
    slots = 0 if snapshot.draining or snapshot.paused else snapshot.config.max_concurrent_agents - len(running)
    again = snapshot.config.max_concurrent_retries - sum(task.attempts > 1 for task in running)
    free = choosing.room(_givable(snapshot), running)
    if slots <= 0 or not free or waiting.is_review_full(snapshot):
        return
    ready = sorted(_ready(snapshot, now), key=lambda task: standing.rank(task, snapshot.known, snapshot.config, now))
    awaited = Counter(task.assignee for task in ready)
    claimed, kept, begun = list(snapshot.at_work), False, list(snapshot.at_work)
    taken = checkout.user(running, snapshot.agents, snapshot.config) is not None
    for task in ready:
        able = choosing.able(task, free, claiming=snapshot.claiming, teams=snapshot.teams)
        able = checkout.elsewhere(task, able, snapshot.agents, snapshot.config) if taken else able
        if not able or (task.attempts > 0 and again <= 0) or _is_team_full(task, snapshot, begun):
            continue
        if standing.in_the_way(task, claimed):
            if not kept and _keeps_its_place(task, snapshot, now):
                claimed, kept = [*claimed, task], True
            continue
        agent = choosing.suited(task, snapshot.agents, able, awaited)
        yield Dispatch(task, agent)
        claimed.append(task)
        begun.append(task)
        taken = taken or checkout.is_shared(task, agent, snapshot.config)
        slots, again, free = slots - 1, again - (task.attempts > 0), choosing.less(free, agent)
        if slots == 0 or not free:
            return


def _is_team_full(task: Task, snapshot: Snapshot, begun: Iterable[Task]) -> bool:
    found = snapshot.teams.get(task.assignee or "")
    return found is not None and team.is_full(found, begun)


def _archiving(snapshot: Snapshot, now: datetime) -> Iterator[Archive]:
    due = to_archive(snapshot.tasks.values(), snapshot.goals, snapshot.config, now) if snapshot.only is None else ()
    if due:
        yield Archive(due)


def to_archive(tasks: Iterable[Task], goals: Mapping[str, Goal], config: Config, now: datetime) -> tuple[Task, ...]:
    """Return the tasks that have been closed for so long that they go to the archive, by id.

    Those of a goal that is not over stay: it is told by them how far it is.
    """
    if not config.archive_after_days:
        return ()
    before = now - timedelta(days=config.archive_after_days)
    due = (task for task in tasks if task.status in CLOSED and task.closed is not None and task.closed <= before)
    return tuple(sorted((task for task in due if not _is_pursued(task, goals)), key=lambda task: task.id))


def _is_pursued(task: Task, goals: Mapping[str, Goal]) -> bool:
    goal = goals.get(task.goal or "")
    return goal is not None and not goal.is_over


def _givable(snapshot: Snapshot) -> Iterator[Agent]:
    """Yield the agents that tasks may be given to; one that rests only where a person names the task to run."""
    for agent in snapshot.agents.values():
        if agent.enabled and (agent.name not in snapshot.rests or snapshot.only is not None):
            yield agent


def _ready(snapshot: Snapshot, now: datetime) -> Iterator[Task]:
    left = {stray.task for stray in snapshot.strays if not isinstance(stray.state, Finished)}
    for task in _in_view(snapshot):
        due = task.status is Status.RETRYING and (task.retry_at is None or task.retry_at <= now)
        if (task.status is Status.TODO or due) and task.id not in left and waiting.is_free(task, snapshot):
            yield task


def _keeps_its_place(task: Task, snapshot: Snapshot, now: datetime) -> bool:
    """Has `task` waited so long that nothing more may start where it is to write? Not while others' work is there."""
    starving = standing.waited(task, snapshot.known, now) >= timedelta(milliseconds=snapshot.config.starvation_ms)
    return starving and standing.in_the_way(task, waiting.with_others(snapshot)) is None


def is_settled(task: Task, snapshot: Snapshot) -> bool:
    """Will the loop do nothing more with `task` unless somebody changes something?"""
    match task.status:
        case Status.IN_PROGRESS:
            return not waiting.runs_here(task, snapshot)
        case Status.TODO | Status.RETRYING:
            if goals.is_answered(task, snapshot.goals):
                return False
            return snapshot.draining or snapshot.paused or waiting.is_held_up(task, snapshot)
        case Status.REVIEW:
            return task.id not in snapshot.merged and not is_concluded(task, snapshot)
        case Status.DONE | Status.FAILED | Status.CANCELLED:
            return True
