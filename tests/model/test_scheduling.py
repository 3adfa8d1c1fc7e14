from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchgit.model import actor, lifecycle, limits, scheduling, scope, standing, waiting
from orchgit.model import agent as agent_file
from orchgit.model import goal as goals
from orchgit.model.agent import Agent
from orchgit.model.breaker import Rest
from orchgit.model.config import Config
from orchgit.model.cooldown import CoolDown
from orchgit.model.goal import Goal
from orchgit.model.lifecycle import Ask
from orchgit.model.run import Alive, Finished, Gone, Outcome, Result, Stop, Stray
from orchgit.model.scheduling import Abandon, Archive, Assess, Complete, Dispatch, Drop, Recover, Settle, Snapshot
from orchgit.model.task import Purpose, Status, Task
from orchgit.model.team import Team
from orchgit.model.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

FEW = settings(max_examples=150, deadline=None, derandomize=True)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HERE, THERE = "here", "there"
TODO, IN_PROGRESS, REVIEW, DONE = Status.TODO, Status.IN_PROGRESS, Status.REVIEW, Status.DONE
RETRYING, FAILED, CANCELLED = Status.RETRYING, Status.FAILED, Status.CANCELLED
AB = ("a", "b")
LONG = timedelta(minutes=30)
RESTS = "rests until 12:01:00 UTC: its last 3 runs died within seconds"
COOLS = "cools down until 12:01:00 UTC: its provider's limit was hit"
SRC, LIB = ("src/**",), ("lib",)


def task(name: str, status: Status = TODO, **said: Any) -> Task:
    return Task(f"tsk_{name}", name, f"tasks/tsk_{name}.md", status, **said)


def running(name: str, agent: str = "a", *, machine: str | None = HERE, **said: Any) -> Task:
    return task(name, IN_PROGRESS, **{"agent": agent, "run": f"run_{name}", "machine": machine, "attempts": 1, **said})


def agent(name: str, **said: Any) -> Agent:
    return Agent(name, f"agents/{name}.md", **said)


def snapshot(*tasks: Task, agents: tuple[Agent | str, ...] = AB, **said: Any) -> Snapshot:
    """Return a snapshot in which every run of this machine is alive, unless `runs` says otherwise."""
    team = [agent(each) if isinstance(each, str) else each for each in agents]
    settings = {key: said.pop(key) for key in list(said) if key in Config.__slots__}
    alive = {each.run: Alive() for each in tasks if each.run and each.machine == HERE}
    return Snapshot(
        config=Config(**settings),
        tasks={each.id: each for each in tasks},
        agents={each.name: each for each in team},
        machine=HERE,
        runs={**alive, **said.pop("runs", {})},
        **said,
    )


def cooling(*names: str) -> dict[str, CoolDown]:
    return {name: CoolDown(name, NOON + 60 * SECOND, 1, "tsk_x", NOON) for name in names}


def resting(*names: str) -> dict[str, Rest]:
    return {name: Rest(name, NOON + 60 * SECOND, 3, "tsk_x") for name in names}


def started(given: Snapshot) -> list[tuple[str, str]]:
    """Return which task is given to whom, in order; nothing else may be decided."""
    actions = scheduling.decide(given, NOON)
    assert all(isinstance(each, Dispatch) for each in actions)
    return [(each.task.title, each.agent.name) for each in actions if isinstance(each, Dispatch)]


def steps(given: Snapshot) -> list[Settle | Recover | Abandon | Complete | Drop | Dispatch]:
    """Return what is decided of single tasks."""
    return [each for each in scheduling.decide(given, NOON) if not isinstance(each, Archive | Assess)]


def subject(action: Settle | Recover | Abandon | Complete | Drop | Dispatch) -> str:
    """Return the id of the task that the action is about."""
    return action.stray.task if isinstance(action, Abandon) else action.task.id


def ended(name: str, outcome: Outcome, **said: Any) -> dict[str, Finished]:
    return {f"run_{name}": Finished(Result(f"run_{name}", outcome, **said))}


# Who is started on what


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(snapshot(), [], id="no tasks"),
        pytest.param(snapshot(task("x"), agents=()), [], id="no agents"),
        pytest.param(snapshot(task("x")), [("x", "a")], id="a task of nobody's goes to the first free agent"),
        pytest.param(
            snapshot(task("z"), task("y"), task("x")), [("x", "a"), ("y", "b")], id="equal tasks go by id, spread out"
        ),
        pytest.param(
            snapshot(task("x", created=NOON), task("y", created=NOON - SECOND), task("w"), agents=(*AB, "c")),
            [("y", "a"), ("x", "b"), ("w", "c")],
            id="older first, undated last",
        ),
        pytest.param(
            snapshot(task("x", created=NOON - SECOND), task("y", priority=1), task("w", priority=4), agents=("a",)),
            [("y", "a")],
            id="urgent before old",
        ),
        pytest.param(
            snapshot(task("x"), task("y", priority=2), agents=("a",), task_priority=1),
            [("x", "a")],
            id="the project's own priority counts where a task has none",
        ),
        pytest.param(snapshot(task("x", assignee="b")), [("x", "b")], id="the assignee"),
        pytest.param(snapshot(task("x", assignee="ada")), [], id="a person's"),
        pytest.param(
            snapshot(task("x", assignee="b"), agents=("a", agent("b", enabled=False))), [], id="a disabled assignee"
        ),
        pytest.param(snapshot(task("x"), agents=(agent("a", enabled=False), "b")), [("x", "b")], id="a disabled agent"),
        pytest.param(snapshot(task("x", assignee="a"), task("y", assignee="a")), [("x", "a")], id="one task at a time"),
        pytest.param(snapshot(running("x"), task("y", assignee="a")), [], id="a busy assignee"),
        pytest.param(snapshot(running("x"), task("y")), [("y", "b")], id="the other agent"),
        pytest.param(
            snapshot(task("x", priority=1), task("y", assignee="a")),
            [("x", "b"), ("y", "a")],
            id="a task that anybody can do leaves the agent whom another one waits for",
        ),
        pytest.param(
            snapshot(task("x", priority=1), task("y", assignee="a"), agents=("a",)),
            [("x", "a")],
            id="but it goes first where there is no other agent",
        ),
        pytest.param(
            snapshot(task("x"), task("y", assignee="a", depends_on=("tsk_no",))),
            [("x", "a")],
            id="who waits for an agent is who could start",
        ),
        pytest.param(snapshot(running("x", machine=THERE), task("y")), [("y", "a")], id="agents of another machine"),
        pytest.param(
            snapshot(task("x", IN_PROGRESS, agent="a"), task("y")), [("y", "a")], id="taken by a person of that name"
        ),
        pytest.param(snapshot(task("x", RETRYING, retry_at=NOON)), [("x", "a")], id="a retry that is due"),
        pytest.param(snapshot(task("x", RETRYING, retry_at=NOON + SECOND)), [], id="a retry that is not"),
        pytest.param(snapshot(task("x", RETRYING)), [("x", "a")], id="a retry without a time"),
        pytest.param(
            snapshot(task("x", RETRYING, retry_at=NOON, depends_on=("tsk_y",)), task("y", FAILED)),
            [],
            id="a retry that is blocked",
        ),
        pytest.param(
            snapshot(task("x", RETRYING, agent="b", retry_at=NOON), running("y", "a")),
            [("x", "b")],
            id="a retry goes to whoever is free",
        ),
        pytest.param(
            snapshot(task("p", REVIEW), task("q", DONE), task("r", FAILED), task("s", CANCELLED)), [], id="not ready"
        ),
        pytest.param(snapshot(task("x"), task("y"), draining=True), [], id="draining"),
        pytest.param(snapshot(task("x", priority=1), task("y"), only="tsk_y"), [("y", "a")], id="only one"),
        pytest.param(snapshot(running("x"), task("y", assignee="a"), only="tsk_y"), [], id="only one, and it is busy"),
    ],
)
def test_tasks_are_started(given: Snapshot, expected: list[tuple[str, str]]) -> None:
    assert started(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(snapshot(task("x"), task("y"), max_concurrent_agents=1), [("x", "a")], id="one slot"),
        pytest.param(snapshot(running("x"), task("y"), max_concurrent_agents=1), [], id="taken"),
        pytest.param(snapshot(running("x"), task("y"), max_concurrent_agents=2), [("y", "b")], id="one of two taken"),
        pytest.param(
            snapshot(running("w", "gone"), task("y"), max_concurrent_agents=1), [], id="by an agent that was removed"
        ),
        pytest.param(
            snapshot(running("w", "a"), running("x", "a"), task("y"), max_concurrent_agents=2),
            [],
            id="by two runs of one agent",
        ),
        pytest.param(
            snapshot(running("w", "c"), running("x", "d"), task("y"), max_concurrent_agents=1),
            [],
            id="by more than there are now",
        ),
        pytest.param(
            snapshot(running("x", machine=THERE), task("y"), max_concurrent_agents=1),
            [("y", "a")],
            id="another machine's run takes none",
        ),
        pytest.param(
            snapshot(task("x", IN_PROGRESS, agent="ada"), task("y"), max_concurrent_agents=1),
            [("y", "a")],
            id="a person takes none",
        ),
        pytest.param(
            snapshot(task("x", assignee="a"), task("y", priority=4), running("w"), max_concurrent_agents=2),
            [("y", "b")],
            id="who waits for a busy agent takes none",
        ),
        pytest.param(
            snapshot(running("x"), task("y"), max_concurrent_agents=1, only="tsk_y"),
            [],
            id="runs out of view take theirs",
        ),
    ],
)
def test_no_more_runs_than_there_are_slots(given: Snapshot, expected: list[tuple[str, str]]) -> None:
    assert started(given) == expected


# Whom a task without an assignee is given to


@pytest.mark.parametrize(
    ("labels", "team", "expected"),
    [
        pytest.param(("auth",), ("a", agent("b", labels=("auth",))), "b", id="a label"),
        pytest.param(("auth",), ("a", agent("b", skills=("auth",))), "b", id="a skill"),
        pytest.param(("auth",), ("a", agent("b", role="You know auth, and more.")), "b", id="a word of the role"),
        pytest.param(("b",), AB, "b", id="the name"),
        pytest.param(("Auth",), ("a", agent("the-auth-bot")), "the-auth-bot", id="a word of the name, in any case"),
        pytest.param(("code review",), ("a", agent("b", skills=("review", "code"))), "a", id="all words of a label"),
        pytest.param(("code-review",), ("a", agent("b", skills=("Code review",))), "b", id="however they are joined"),
        pytest.param(
            ("auth",), (agent("a", role="auth"), agent("b", labels=("auth",))), "b", id="a label before the role"
        ),
        pytest.param(
            ("auth", "db"),
            (agent("a", labels=("auth",)), agent("b", labels=("db", "auth"))),
            "b",
            id="the most of them",
        ),
        pytest.param(
            ("auth",), (agent("a", labels=("auth",)), agent("b", labels=("auth",), role="auth")), "b", id="role as well"
        ),
        pytest.param(("author",), ("a", agent("b", labels=("auth",))), "a", id="whole words"),
        pytest.param(("!",), ("a", agent("b", labels=("!",))), "a", id="a label without words"),
        pytest.param((), ("a", agent("b", labels=("auth",))), "a", id="no labels"),
        pytest.param(("auth",), (agent("b", labels=("auth",), enabled=False), "a"), "a", id="a disabled match"),
        pytest.param((), ("a", agent("b", max_concurrent=2)), "b", id="who has the most room"),
    ],
)
def test_a_task_of_nobodys_goes_to_whom_its_labels_suit(
    labels: tuple[str, ...], team: tuple[Agent | str, ...], expected: str
) -> None:
    assert started(snapshot(task("x", labels=labels), agents=team)) == [("x", expected)]


def test_no_task_waits_for_a_better_match_that_is_busy() -> None:
    expert = agent("b", labels=("auth",))
    given = snapshot(running("w", "b"), task("x", labels=("auth",)), agents=("a", expert))
    assert started(given) == [("x", "a")]


# How many at once


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            snapshot(task("x"), task("y"), task("z"), agents=(agent("a", max_concurrent=2),)),
            [("x", "a"), ("y", "a")],
            id="two at once",
        ),
        pytest.param(
            snapshot(running("w"), task("x", assignee="a"), agents=(agent("a", max_concurrent=2),)),
            [("x", "a")],
            id="one of two",
        ),
        pytest.param(
            snapshot(running("v"), running("w"), task("x"), agents=(agent("a", max_concurrent=2),)), [], id="two of two"
        ),
        pytest.param(
            snapshot(running("v"), running("w"), task("x"), agents=(agent("a", max_concurrent=1),)), [], id="too many"
        ),
        pytest.param(
            snapshot(
                task("x", RETRYING, attempts=1),
                task("y", RETRYING, attempts=2),
                task("z"),
                max_concurrent_retries=1,
                agents=(agent("a", max_concurrent=9),),
            ),
            [("x", "a"), ("z", "a")],
            id="one slot for retries",
        ),
        pytest.param(
            snapshot(running("w", attempts=2), task("x", attempts=1), task("y"), max_concurrent_retries=1),
            [("y", "b")],
            id="which is taken, and what was sent back counts too",
        ),
        pytest.param(
            snapshot(running("w", attempts=1), task("x", RETRYING, attempts=1), max_concurrent_retries=1),
            [("x", "b")],
            id="a first attempt takes none",
        ),
        pytest.param(snapshot(task("x", assignee="a"), task("y"), rests=resting("a")), [("y", "b")], id="a rest"),
        pytest.param(snapshot(task("x", assignee="a"), task("y"), rests=cooling("a")), [("y", "b")], id="a cool-down"),
        pytest.param(
            snapshot(task("x"), rests=cooling("a"), only="tsk_x"), [("x", "a")], id="a person's word counts there too"
        ),
        pytest.param(snapshot(task("x"), task("w", REVIEW), max_in_review=1), [], id="review is full"),
        pytest.param(snapshot(task("x"), task("w", REVIEW), max_in_review=2), [("x", "a")], id="review is not full"),
        pytest.param(
            snapshot(task("x", RETRYING), task("w", REVIEW), task("v", REVIEW), max_in_review=1),
            [],
            id="what failed before doesn't start either",
        ),
        pytest.param(
            snapshot(task("x"), task("w", REVIEW), max_in_review=1, only="tsk_x"),
            [("x", "a")],
            id="review is full, and a person names the task",
        ),
        pytest.param(
            snapshot(task("x"), rests=resting("a"), only="tsk_x"), [("x", "a")], id="but a person's word counts"
        ),
    ],
)
def test_no_more_than_the_limits_allow(given: Snapshot, expected: list[tuple[str, str]]) -> None:
    assert started(given) == expected


# What goes to the archive


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(snapshot(task("x", DONE, closed=NOON - 14 * DAY)), ["x"], id="done"),
        pytest.param(snapshot(task("x", CANCELLED, closed=NOON - 15 * DAY)), ["x"], id="cancelled"),
        pytest.param(snapshot(task("x", DONE, closed=NOON - 14 * DAY + SECOND)), [], id="not yet"),
        pytest.param(snapshot(task("x", FAILED, closed=NOON - 99 * DAY)), [], id="what failed is not closed"),
        pytest.param(snapshot(task("x", DONE)), [], id="nobody knows since when"),
        pytest.param(
            snapshot(task("x", DONE, closed=NOON - 9 * DAY), archive_after_days=9), ["x"], id="by the setting"
        ),
        pytest.param(snapshot(task("x", DONE, closed=NOON - 999 * DAY), archive_after_days=0), [], id="never"),
        pytest.param(
            snapshot(task("x", DONE, closed=NOON - 99 * DAY), only="tsk_y"), [], id="not beside a single task"
        ),
        pytest.param(
            snapshot(task("y", DONE, closed=NOON - 99 * DAY), task("x", DONE, closed=NOON - 98 * DAY), draining=True),
            ["x", "y"],
            id="all in one go, also while draining",
        ),
    ],
)
def test_what_closed_long_ago_is_archived(given: Snapshot, expected: list[str]) -> None:
    found = [[one.title for one in each.tasks] for each in scheduling.decide(given, NOON) if isinstance(each, Archive)]
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("status", "why"),
    [(DONE, None), (CANCELLED, "waits for tsk_old (cancelled)"), (None, "waits for tsk_old (missing)")],
)
def test_a_dependency_in_the_archive_counts_as_ever(status: Status | None, why: str | None) -> None:
    archived = {"tsk_old": task("old", status)} if status else {}
    given = snapshot(task("x", depends_on=("tsk_old",)), archived=archived)
    assert waiting.obstacle(given.tasks["tsk_x"], given) == why
    assert waiting.is_stuck(given.tasks["tsk_x"], given) is (why is not None)
    assert started(given) == ([] if why else [("x", "a")])


# Who works in the checkout


SHARED: dict[str, Any] = {"workspace_mode": "shared"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(snapshot(task("x", **SHARED), task("y", **SHARED)), [("x", "a")], id="one after the other"),
        pytest.param(snapshot(task("x"), task("y"), **SHARED), [("x", "a")], id="by the project's word"),
        pytest.param(
            snapshot(task("x"), task("y"), agents=(agent("a", **SHARED), "b")),
            [("x", "a"), ("y", "b")],
            id="by the agent's",
        ),
        pytest.param(
            snapshot(task("x", workspace_mode="worktree"), task("y"), **SHARED),
            [("x", "a"), ("y", "b")],
            id="and the task's own wins",
        ),
        pytest.param(snapshot(running("w", **SHARED), task("x", **SHARED)), [], id="beside a run"),
        pytest.param(snapshot(running("w", **SHARED), task("x")), [("x", "b")], id="which is in nobody else's way"),
        pytest.param(snapshot(running("w"), task("x", **SHARED)), [("x", "b")], id="nor is a worktree in its"),
        pytest.param(
            snapshot(running("w", "c", **SHARED), task("x"), agents=(agent("a", **SHARED), "b")),
            [("x", "b")],
            id="another agent has a place of its own",
        ),
        pytest.param(
            snapshot(running("w", "c", **SHARED), task("x", assignee="a"), agents=(agent("a", **SHARED), "b")),
            [],
            id="but not for another one's task",
        ),
        pytest.param(
            snapshot(running("w", machine=THERE, **SHARED), task("x", **SHARED)), [("x", "a")], id="each clone has one"
        ),
        pytest.param(
            snapshot(task("w", IN_PROGRESS, agent="ada", **SHARED), task("x", **SHARED)),
            [("x", "a")],
            id="what a person took is no run",
        ),
    ],
)
def test_one_run_at_a_time_works_in_the_checkout(given: Snapshot, expected: list[tuple[str, str]]) -> None:
    assert started(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(snapshot(running("w", **SHARED), task("x", **SHARED)), True, id="the checkout is taken"),
        pytest.param(snapshot(task("x", **SHARED)), False, id="it is free"),
        pytest.param(snapshot(running("w", machine=THERE, **SHARED), task("x", **SHARED)), False, id="elsewhere"),
        pytest.param(
            snapshot(running("w", "c", **SHARED), task("x"), agents=(agent("a", **SHARED), "b")), False, id="b could"
        ),
        pytest.param(
            snapshot(running("w", "c", **SHARED), task("x", assignee="a"), agents=(agent("a", **SHARED), "b")),
            True,
            id="only a may",
        ),
    ],
)
def test_who_waits_for_the_checkout_is_told(given: Snapshot, *, expected: bool) -> None:
    why = "waits for your checkout, which tsk_w works in" if expected else None
    assert waiting.obstacle(given.tasks["tsk_x"], given) == why
    assert not scheduling.is_settled(given.tasks["tsk_x"], given)


# Who may write where


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(snapshot(task("x", scope=SRC), task("y", scope=LIB)), [("x", "a"), ("y", "b")], id="apart"),
        pytest.param(
            snapshot(task("x", scope=SRC), task("y", scope=("src/a",))), [("x", "a")], id="one after the other"
        ),
        pytest.param(snapshot(task("x", scope=SRC), task("y")), [("x", "a"), ("y", "b")], id="no scope, no overlap"),
        pytest.param(snapshot(running("w", scope=SRC), task("y", scope=("src/a",))), [], id="beside a run"),
        pytest.param(
            snapshot(task("w", IN_PROGRESS, agent="ada", scope=SRC), task("y", scope=SRC)), [], id="beside a person"
        ),
        pytest.param(
            snapshot(running("w", machine=THERE, scope=SRC), task("y", scope=SRC)),
            [],
            id="beside another machine's run",
        ),
        pytest.param(
            snapshot(task("w", REVIEW, scope=SRC), task("y", scope=SRC)), [("y", "a")], id="not beside a review"
        ),
        pytest.param(
            snapshot(running("w", scope=LIB), task("x", scope=(*SRC, *LIB), created=NOON), task("y", scope=SRC)),
            [("y", "b")],
            id="who has to wait keeps nobody waiting",
        ),
        pytest.param(
            snapshot(running("w", scope=LIB), task("x", scope=(*SRC, *LIB), created=NOON - LONG), task("y", scope=SRC)),
            [],
            id="until they have waited for long",
        ),
        pytest.param(
            snapshot(
                task("w", IN_PROGRESS, agent="ada", scope=LIB),
                task("x", scope=(*SRC, *LIB), created=NOON - LONG),
                task("y", scope=SRC),
            ),
            [("y", "a")],
            id="but not for a person, who may take days",
        ),
    ],
)
def test_two_tasks_in_progress_never_share_a_path(given: Snapshot, expected: list[tuple[str, str]]) -> None:
    assert started(given) == expected


# Nobody starves


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            snapshot(task("x", created=NOON - LONG), task("y", priority=2, created=NOON), agents=("a",)),
            ["x"],
            id="a step up, and age decides",
        ),
        pytest.param(
            snapshot(task("x", created=NOON - LONG + SECOND), task("y", priority=2, created=NOON), agents=("a",)),
            ["y"],
            id="not a second early",
        ),
        pytest.param(
            snapshot(
                task("x", priority=4, created=NOON - 3 * LONG), task("y", priority=2, created=NOON), agents=("a",)
            ),
            ["x"],
            id="two steps and more",
        ),
        pytest.param(
            snapshot(task("x", priority=2, created=NOON - 99 * LONG), task("y", priority=1), agents=("a",)),
            ["y"],
            id="never before what is urgent",
        ),
        pytest.param(
            snapshot(
                task("x", RETRYING, created=NOON - 9 * LONG, retry_at=NOON - SECOND),
                task("y", priority=2, created=NOON),
                agents=("a",),
            ),
            ["y"],
            id="since its retry is due",
        ),
        pytest.param(
            snapshot(
                task("x", created=NOON - 9 * LONG, depends_on=("tsk_w",)),
                task("w", DONE, closed=NOON - SECOND),
                task("y", priority=2, created=NOON),
                agents=("a",),
            ),
            ["y"],
            id="since its last dependency is done",
        ),
        pytest.param(
            snapshot(
                task("x", created=NOON - 2 * SECOND),
                task("y", priority=2, created=NOON),
                agents=("a",),
                starvation_ms=1000,
            ),
            ["x"],
            id="as the project has it",
        ),
        pytest.param(
            snapshot(task("x", created=NOON + LONG), task("y", created=NOON + 2 * LONG), agents=("a",)),
            ["x"],
            id="a clock that went back",
        ),
    ],
)
def test_who_has_waited_for_long_climbs(given: Snapshot, expected: list[str]) -> None:
    assert [title for title, _ in started(given)] == expected


# What stands in the way


@pytest.mark.parametrize("status", Status)
def test_a_task_waits_for_what_it_depends_on_to_be_done(status: Status) -> None:
    said = {"agent": "ada"} if status is IN_PROGRESS else {"retry_at": NOON + SECOND} if status is RETRYING else {}
    needed, needs = task("w", status, assignee="ada", **said), task("x", depends_on=("tsk_w",))
    given = snapshot(needed, needs)
    unmet = () if status is DONE else (("tsk_w", status),)
    assert standing.blockers(needs, given.tasks) == unmet
    assert waiting.obstacle(needs, given) == (None if status is DONE else f"waits for tsk_w ({status})")
    assert started(given) == ([("x", "a")] if status is DONE else [])


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (snapshot(task("x")), None),
        (snapshot(task("x", assignee="b")), None),
        (snapshot(running("w", "b"), task("x", assignee="b")), None),
        (snapshot(task("x", depends_on=("tsk_no",))), "waits for tsk_no (missing)"),
        (snapshot(task("x", depends_on=("tsk_x",))), "waits in a circle: tsk_x -> tsk_x"),
        (
            snapshot(task("x", depends_on=("tsk_no", "tsk_v", "tsk_w")), task("v", DONE), task("w", CANCELLED)),
            "waits for tsk_no (missing), tsk_w (cancelled)",
        ),
        (snapshot(task("x", assignee="ada")), "is for ada, who is not an agent here"),
        (snapshot(task("x", assignee="ada", depends_on=("tsk_no",))), "waits for tsk_no (missing)"),
        (snapshot(task("x", assignee="a"), agents=(agent("a", enabled=False),)), "is for a, an agent that is disabled"),
        (snapshot(task("x"), agents=(agent("a", enabled=False),)), "has no enabled agent to do it"),
        (snapshot(task("x"), agents=()), "has no enabled agent to do it"),
        (
            snapshot(task("x", depends_on=("tsk_y",)), task("y", depends_on=("tsk_x", "tsk_no"))),
            "waits in a circle: tsk_x -> tsk_y -> tsk_x",
        ),
        (
            snapshot(
                task("x", depends_on=("tsk_y",)),
                task("y", depends_on=("tsk_z",)),
                task("z", DONE, depends_on=("tsk_x",)),
            ),
            "waits for tsk_y (todo)",
        ),
        (
            snapshot(task("x", scope=("src",)), running("w", scope=("src/a",))),
            "waits: its scope overlaps tsk_w, which runs",
        ),
        (
            snapshot(task("x", scope=("src",)), task("w", IN_PROGRESS, agent="ada", scope=("src/a",))),
            "waits: its scope overlaps tsk_w, which ada has",
        ),
        (snapshot(task("x", scope=("src",)), running("w", scope=("lib",))), None),
        (snapshot(task("x", scope=("src",)), running("w")), None),
        (snapshot(task("x"), running("w", scope=("**",))), None),
        (
            snapshot(task("x", assignee="a"), rests=resting("a")),
            f"has to wait: a {RESTS}",
        ),
        (snapshot(task("x", assignee="b"), rests=resting("a")), None),
        (snapshot(task("x"), rests=resting("a")), None),
        (
            snapshot(task("x"), rests=resting("a", "b")),
            f"has to wait: a {RESTS}; b {RESTS}",
        ),
        (snapshot(task("x", assignee="a"), rests=cooling("a")), f"has to wait: a {COOLS}"),
        (snapshot(task("x"), rests=cooling("a")), None),
        (snapshot(task("x"), rests={**cooling("a"), **resting("b")}), f"has to wait: a {COOLS}; b {RESTS}"),
        (snapshot(task("x"), rests=cooling("a", "b"), only="tsk_x"), None),
        (
            snapshot(task("x"), task("w", REVIEW), task("v", REVIEW), max_in_review=1),
            "waits: 2 wait for your review, and scheduling.max_in_review is 1",
        ),
        (snapshot(task("x"), task("w", REVIEW), max_in_review=1, merged=frozenset({"tsk_w"})), None),
    ],
)
def test_what_stands_in_the_way_is_said(given: Snapshot, why: str | None) -> None:
    assert waiting.obstacle(given.tasks["tsk_x"], given) == why


@pytest.mark.parametrize(
    ("given", "stuck"),
    [
        (snapshot(task("x")), False),
        (snapshot(task("x", depends_on=("tsk_y",)), task("y")), False),
        (snapshot(task("x", depends_on=("tsk_no",))), True),
        (snapshot(task("x", depends_on=("tsk_y",)), task("y", FAILED)), True),
        (snapshot(task("x", depends_on=("tsk_y",)), task("y", depends_on=("tsk_x",))), True),
        (
            snapshot(
                task("x", depends_on=("tsk_y",)), task("y", depends_on=("tsk_z",)), task("z", depends_on=("tsk_y",))
            ),
            True,
        ),
        (snapshot(task("x", depends_on=("tsk_y",)), task("y", depends_on=("tsk_z",)), task("z")), False),
        (snapshot(task("x", assignee="ada")), False),
        (snapshot(task("x"), agents=()), True),
        (snapshot(task("x", assignee="a"), rests=resting("a")), True),
        (snapshot(task("x", assignee="a"), rests=cooling("a")), False),
        (snapshot(task("x"), rests={**cooling("a"), **resting("b")}), False),
        (snapshot(task("x"), task("w", REVIEW), max_in_review=1), False),
        (snapshot(task("x", scope=("src",)), running("w", scope=("src",))), False),
    ],
)
def test_what_waits_for_what_cannot_come_is_stuck(given: Snapshot, stuck: bool) -> None:  # noqa: FBT001 - a parameter
    assert waiting.is_stuck(given.tasks["tsk_x"], given) is stuck


@pytest.mark.parametrize(
    ("depends_on", "links", "expected"),
    [
        ((), {}, ()),
        (("a",), {"a": ()}, ()),
        (("no",), {}, ()),
        (("x",), {}, ("x", "x")),
        (("a",), {"a": ("x",)}, ("x", "a", "x")),
        (("a",), {"a": ("b",), "b": ("c",), "c": ("x",)}, ("x", "a", "b", "c", "x")),
        (("a",), {"a": ("b",), "b": ("a",)}, ()),
        (("a", "b"), {"a": ("c",), "b": ("c",), "c": ()}, ()),
        (("a",), {"a": (), "x": ("x",)}, ()),
    ],
)
def test_a_circle_of_dependencies_is_found(
    depends_on: tuple[str, ...], links: dict[str, tuple[str, ...]], expected: tuple[str, ...]
) -> None:
    tasks = {name: Task(name, name, f"tasks/{name}.md", depends_on=needed) for name, needed in links.items()}
    assert standing.circle("x", depends_on, tasks) == expected


# What becomes of a run that ended


@pytest.mark.parametrize(
    ("attempts", "outcome", "said", "ask"),
    [
        (1, Outcome.SUCCEEDED, {}, Ask.SUCCEED),
        (3, Outcome.SUCCEEDED, {}, Ask.SUCCEED),
        (1, Outcome.FAILED, {}, Ask.RETRY_LATER),
        (2, Outcome.FAILED, {}, Ask.RETRY_LATER),
        (3, Outcome.FAILED, {}, Ask.FAIL),
        (4, Outcome.FAILED, {}, Ask.FAIL),
        (1, Outcome.STALLED, {}, Ask.RETRY_LATER),
        (3, Outcome.STALLED, {}, Ask.FAIL),
        (1, Outcome.TIMED_OUT, {}, Ask.RETRY_LATER),
        (3, Outcome.TIMED_OUT, {}, Ask.FAIL),
        (1, Outcome.OVERSPENT, {}, Ask.RETRY_LATER),
        (3, Outcome.OVERSPENT, {}, Ask.FAIL),
        (1, Outcome.LIMITED, {}, Ask.COOL_DOWN),
        (3, Outcome.LIMITED, {}, Ask.COOL_DOWN),
        (9, Outcome.LIMITED, {}, Ask.COOL_DOWN),
        (1, Outcome.FAILED, {"session_lost": True, "resumed": True}, Ask.COOL_DOWN),
        (3, Outcome.FAILED, {"session_lost": True, "resumed": True, "usage": Usage(cost_usd=0)}, Ask.COOL_DOWN),
        (1, Outcome.FAILED, {"session_lost": True}, Ask.RETRY_LATER),
        (1, Outcome.FAILED, {"session_lost": True, "resumed": True, "usage": Usage(1)}, Ask.RETRY_LATER),
        (3, Outcome.STALLED, {"session_lost": True, "resumed": True}, Ask.FAIL),
        (1, Outcome.VANISHED, {}, Ask.RETRY_LATER),
        (3, Outcome.VANISHED, {}, Ask.FAIL),
        (1, Outcome.FATAL, {}, Ask.FAIL),
        (1, Outcome.NEVER_STARTED, {}, Ask.RELEASE),
        (3, Outcome.NEVER_STARTED, {}, Ask.RELEASE),
        (1, Outcome.STOPPED, {}, Ask.RELEASE),
        (3, Outcome.STOPPED, {"stop": Stop.RELEASE}, Ask.RELEASE),
        (1, Outcome.STOPPED, {"stop": Stop.CANCEL}, Ask.CANCEL),
    ],
)
def test_a_run_that_ended_carries_its_task_on(attempts: int, outcome: Outcome, said: dict[str, Any], ask: Ask) -> None:
    runs = ended("x", outcome, **said)
    given = snapshot(running("x", attempts=attempts), runs=runs)
    (settle,) = scheduling.decide(given, NOON)
    assert isinstance(settle, Settle)
    assert (settle.task, settle.result, settle.ask) == (given.tasks["tsk_x"], runs["run_x"].result, ask)
    assert (settle.retry_at is not None) == (ask in (Ask.RETRY_LATER, Ask.COOL_DOWN))


@pytest.mark.parametrize(
    ("of_task", "of_agent", "allowed"),
    [(None, None, 4), (None, 0, 1), (None, 6, 7), (2, None, 2), (2, 6, 2), (9, 0, 9)],
)
def test_the_tasks_own_word_on_attempts_wins_then_its_agents(
    of_task: int | None, of_agent: int | None, allowed: int
) -> None:
    config = Config(task_max_attempts=4)
    who = agent("a", max_retries=of_agent)
    assert limits.max_attempts(task("x", max_attempts=of_task), who, config) == allowed
    for attempts, ask in ((allowed, Ask.FAIL), (allowed - 1, Ask.RETRY_LATER)):
        given = snapshot(
            running("x", attempts=attempts, max_attempts=of_task), agents=(who,), task_max_attempts=4,
            runs=ended("x", Outcome.FAILED),
        )  # fmt: skip
        (settle,) = scheduling.decide(given, NOON)
        assert isinstance(settle, Settle)
        assert settle.ask is ask


def test_the_run_of_an_agent_that_was_removed_is_settled_by_the_projects_word() -> None:
    given = snapshot(running("x", "gone", attempts=2), runs=ended("x", Outcome.FAILED), task_max_attempts=3)
    (settle,) = scheduling.decide(given, NOON)
    assert isinstance(settle, Settle)
    assert settle.ask is Ask.RETRY_LATER
    assert limits.max_attempts(task("x"), None, Config()) == 3


@pytest.mark.parametrize(
    ("attempt", "own", "base", "cap", "delay"),
    [
        (1, None, 100, 10_000, 100),
        (2, None, 100, 10_000, 200),
        (3, None, 100, 10_000, 400),
        (8, None, 100, 10_000, 10_000),
        (1000, None, 100, 10_000, 10_000),
        (0, None, 100, 10_000, 100),
        (1, None, 500, 300, 300),
        (1, 50, 100, 10_000, 50),
        (4, 50, 100, 10_000, 400),
        (1, 0, 100, 10_000, 0),
        (9, 0, 100, 10_000, 0),
        (1, 500, 100, 300, 500),
        (2, 500, 100, 300, 500),
        (1, None, 0, 0, 0),
    ],
)
def test_a_retry_waits_twice_as_long_each_time(attempt: int, own: int | None, base: int, cap: int, delay: int) -> None:
    config, tried = Config(retry_base_delay_ms=base, retry_max_delay_ms=cap), task("x", attempts=attempt)
    waits = [limits.retry_delay(tried, agent("a", retry_delay_ms=own), config, seed=f"run_{n}") for n in range(50)]
    least = timedelta(milliseconds=delay)
    assert all(least <= wait <= 1.2 * least for wait in waits)
    assert len(set(waits)) > 25 or not delay


def test_a_delay_depends_on_its_run_alone() -> None:
    tried = task("x", attempts=2)
    first, again, other = (limits.retry_delay(tried, None, Config(), seed=run) for run in ("run_1", "run_1", "run_2"))
    assert first == again != other


@pytest.mark.parametrize(
    ("rests", "retry_at"),
    [
        (cooling("a"), NOON + 60 * SECOND),
        (cooling("b"), NOON),
        ({}, NOON),
        ({"a": CoolDown("a", NOON - SECOND, 1, "tsk_x", NOON)}, NOON),
    ],
)
def test_what_hit_the_providers_limit_comes_again_when_its_agent_has_cooled_down(
    rests: dict[str, CoolDown], retry_at: datetime
) -> None:
    given = snapshot(running("x", attempts=3), runs=ended("x", Outcome.LIMITED), rests=rests)
    assert scheduling.decide(given, NOON) == (
        Settle(given.tasks["tsk_x"], Result("run_x", Outcome.LIMITED), Ask.COOL_DOWN, retry_at=retry_at),
    )


@pytest.mark.parametrize("moment", [NOON, NOON + timedelta(microseconds=1), NOON - timedelta(microseconds=1)])
def test_a_retry_is_set_to_a_whole_second_and_never_early(moment: datetime) -> None:
    given = snapshot(running("x"), runs=ended("x", Outcome.FAILED), retry_base_delay_ms=1500)
    (settle,) = scheduling.decide(given, moment)
    assert isinstance(settle, Settle)
    assert settle.retry_at is not None
    assert not settle.retry_at.microsecond
    assert moment + 1.5 * SECOND <= settle.retry_at <= moment + 1.8 * SECOND + SECOND


def test_the_longest_delay_is_within_the_calendar() -> None:
    who = agent_file.read("agents/a.md", "---\nretry_delay_ms: 31622400000\n---\n")
    given = snapshot(running("x"), agents=(who,), runs=ended("x", Outcome.FAILED))
    assert scheduling.decide(given, NOON)


# Runs that are gone, runs of others, merges made elsewhere


@pytest.mark.parametrize("was_started", [True, False])
@pytest.mark.parametrize("draining", [True, False])
@pytest.mark.parametrize("only", [None, "tsk_x", "tsk_y"])
def test_a_run_that_is_gone_is_recovered(was_started: bool, draining: bool, only: str | None) -> None:  # noqa: FBT001 - parameters
    given = snapshot(running("x"), runs={"run_x": Gone(was_started)}, draining=draining, only=only)
    assert scheduling.decide(given, NOON) == (Recover(given.tasks["tsk_x"], was_started),)


@pytest.mark.parametrize("state", [Gone(started=True), Finished(Result("run_x", Outcome.SUCCEEDED))])
@pytest.mark.parametrize(
    "other",
    [
        running("x", machine=THERE),
        running("x", machine=None),
        task("x", IN_PROGRESS, agent="ada"),
        task("x", CANCELLED, run="run_x", machine=HERE),
        task("x", RETRYING, run="run_x", machine=HERE, retry_at=NOON + SECOND),
    ],
)
def test_what_this_machine_does_not_run_is_left_alone(other: Task, state: Gone | Finished) -> None:
    given = snapshot(other, runs={"run_x": state})
    assert scheduling.decide(given, NOON) == ()


def test_a_run_that_nobody_looked_at_is_left_alone() -> None:
    given = snapshot(running("x"))
    assert scheduling.decide(replace(given, runs={}), NOON) == ()


def test_reviewed_work_that_is_in_the_base_is_done() -> None:
    given = snapshot(task("y", REVIEW), task("x", REVIEW), task("w", REVIEW), merged=frozenset({"tsk_y", "tsk_x"}))
    assert scheduling.decide(given, NOON) == (Complete(given.tasks["tsk_x"]), Complete(given.tasks["tsk_y"]))


def test_what_was_merged_but_is_not_in_review_is_not_done() -> None:
    merged = frozenset({"tsk_x", "tsk_y", "tsk_no"})
    given = snapshot(task("x", FAILED), task("y", CANCELLED), merged=merged)
    assert scheduling.decide(given, NOON) == ()


def test_what_ended_comes_first_then_what_is_done_then_what_starts() -> None:
    given = snapshot(
        task("a"), task("b", REVIEW), running("d", "b"), running("c", "c"), merged=frozenset({"tsk_b"}),
        runs={**ended("d", Outcome.SUCCEEDED), "run_c": Gone(started=True)},
    )  # fmt: skip
    decided = [(type(action), subject(action)) for action in steps(given)]
    assert decided == [(Recover, "tsk_c"), (Settle, "tsk_d"), (Complete, "tsk_b"), (Dispatch, "tsk_a")]


@pytest.mark.parametrize("how", [Alive(), Gone(started=True), Gone(started=False)])
def test_what_went_astray_is_abandoned_and_its_task_starts_no_sooner(how: Alive | Gone) -> None:
    stray = Stray("run_x", "tsk_x", how)
    given = snapshot(task("x"), task("y"), strays=(stray,))
    assert scheduling.decide(given, NOON) == (Abandon(stray), Dispatch(given.tasks["tsk_y"], given.agents["a"]))


def test_what_went_astray_and_has_ended_holds_nothing_up() -> None:
    stray = Stray("run_x", "tsk_x", Finished(Result("run_x", Outcome.STOPPED)))
    given = snapshot(task("x"), strays=(stray,))
    assert scheduling.decide(given, NOON) == (Abandon(stray), Dispatch(given.tasks["tsk_x"], given.agents["a"]))


# When to look again, and when to end


@pytest.mark.parametrize(
    ("given", "due"),
    [
        (snapshot(), None),
        (snapshot(task("x", retry_at=NOON + SECOND)), None),
        (snapshot(task("x", RETRYING)), None),
        (snapshot(rests=resting("a")), NOON + 60 * SECOND),
        (snapshot(rests=cooling("a")), NOON + 60 * SECOND),
        (snapshot(rests={"a": CoolDown("a", NOON - SECOND, 1, "tsk_x", NOON)}), NOON),
        (snapshot(task("x", RETRYING, retry_at=NOON + SECOND), rests=resting("a")), NOON + SECOND),
        (snapshot(task("x", RETRYING, retry_at=NOON)), None),
        (snapshot(task("x", RETRYING, retry_at=NOON - SECOND)), None),
        (snapshot(task("x", RETRYING, retry_at=NOON + SECOND)), NOON + SECOND),
        (
            snapshot(
                task("x", RETRYING, retry_at=NOON + 2 * SECOND), task("y", RETRYING, retry_at=NOON + SECOND),
                task("z", RETRYING, retry_at=NOON),
            ),
            NOON + SECOND,
        ),
        (
            snapshot(
                task("x", RETRYING, retry_at=NOON + 2 * SECOND), task("y", RETRYING, retry_at=NOON + SECOND),
                only="tsk_x",
            ),
            NOON + 2 * SECOND,
        ),
    ],
)  # fmt: skip
def test_the_next_retry_is_told(given: Snapshot, due: datetime | None) -> None:
    assert scheduling.next_due(given, NOON) == due


@pytest.mark.parametrize(
    ("given", "settled"),
    [
        (snapshot(task("x")), False),
        (snapshot(task("x"), draining=True), True),
        (snapshot(task("x", depends_on=("tsk_no",))), True),
        (snapshot(task("x", assignee="ada")), True),
        (snapshot(task("x"), agents=()), True),
        (snapshot(running("w"), task("x", assignee="a")), False),
        (snapshot(running("w", scope=SRC), task("x", scope=SRC)), False),
        (snapshot(running("w", scope=SRC, machine=THERE), task("x", scope=SRC)), True),
        (snapshot(task("w", IN_PROGRESS, agent="ada", scope=SRC), task("x", scope=SRC)), True),
        (snapshot(task("x"), rests=resting("a", "b")), True),
        (snapshot(task("x"), rests=cooling("a", "b")), False),
        (snapshot(task("x", assignee="a"), rests=cooling("a")), False),
        (snapshot(task("x"), rests={**cooling("a"), **resting("b")}), False),
        (snapshot(task("x"), rests=cooling("a", "b"), draining=True), True),
        (snapshot(task("x"), task("w", REVIEW), max_in_review=1), True),
        (snapshot(task("x", RETRYING), task("w", REVIEW), max_in_review=1), True),
        (snapshot(task("x"), task("w", REVIEW), max_in_review=1, only="tsk_x"), False),
        (snapshot(running("x"), task("w", REVIEW), max_in_review=1), False),
        (snapshot(task("x"), rests=resting("a", "b"), only="tsk_x"), False),
        (snapshot(task("x"), rests=resting("a")), False),
        (snapshot(task("x", RETRYING, retry_at=NOON + SECOND)), False),
        (snapshot(task("x", RETRYING, retry_at=NOON + SECOND), draining=True), True),
        (snapshot(task("x", RETRYING, assignee="ada")), True),
        (snapshot(running("x")), False),
        (snapshot(running("x"), draining=True), False),
        (snapshot(running("x", "gone")), False),
        (snapshot(running("x", machine=THERE)), True),
        (snapshot(task("x", IN_PROGRESS, agent="ada")), True),
        (snapshot(task("x", REVIEW)), True),
        (snapshot(task("x", REVIEW), merged=frozenset({"tsk_x"})), False),
        (snapshot(task("x", DONE)), True),
        (snapshot(task("x", FAILED)), True),
        (snapshot(task("x", CANCELLED)), True),
    ],
)
def test_a_task_is_settled_when_the_loop_has_nothing_left_to_do_with_it(given: Snapshot, settled: bool) -> None:  # noqa: FBT001 - a parameter
    assert scheduling.is_settled(given.tasks["tsk_x"], given) is settled


# Whatever the state

_names = st.sampled_from(["p", "q", "r", "s", "t", "u", "v"])
_moments = st.sampled_from([None, NOON - 2 * LONG, NOON - SECOND, NOON, NOON + SECOND])
_scopes = st.sampled_from([(), (), ("src/**",), ("src/a/*",), ("*.md", "lib"), ("**",)])


@st.composite
def _tasks(draw: st.DrawFn, name: str) -> Task:
    status = draw(st.sampled_from(Status))
    said: dict[str, Any] = {}
    if status is IN_PROGRESS:
        said = {"agent": draw(st.sampled_from(["a", "b", "c", "gone"]))}
        if draw(st.booleans()):
            said |= {"run": f"run_{name}", "machine": draw(st.sampled_from([HERE, HERE, THERE]))}
    needed = draw(st.lists(_names, max_size=2, unique=True)) if draw(st.booleans()) else []
    return task(
        name, status, **said,
        priority=draw(st.sampled_from([None, 1, 3, 4])), assignee=draw(st.sampled_from([None, None, "a", "b", "ada"])),
        depends_on=tuple(f"tsk_{each}" for each in needed), max_attempts=draw(st.sampled_from([None, 1, 2])),
        scope=draw(_scopes), labels=draw(st.sampled_from([(), ("a",), ("db",)])),
        created=draw(_moments), attempts=draw(st.integers(0, 4)), retry_at=draw(_moments),
    )  # fmt: skip


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    tasks = [draw(_tasks(name)) for name in draw(st.lists(_names, unique=True))]
    team = [
        agent(
            name,
            enabled=draw(st.integers(0, 3)) > 0,
            max_retries=draw(st.sampled_from([None, 0, 1])),
            max_concurrent=draw(st.sampled_from([None, None, 1, 2, 3])),
            skills=draw(st.sampled_from([(), ("db",)])),
        )
        for name in draw(st.lists(st.sampled_from("abc"), unique=True))
    ]
    outcomes = st.builds(Result, st.just("run_p"), st.sampled_from(Outcome), stop=st.sampled_from([None, *Stop]))
    states = st.one_of(st.builds(Alive), st.builds(Finished, outcomes), st.builds(Gone, st.booleans()))
    given = snapshot(
        *tasks, agents=tuple(team), max_concurrent_agents=draw(st.integers(1, 4)),
        max_concurrent_retries=draw(st.integers(1, 3)),
        max_in_review=draw(st.sampled_from([0, 0, 0, 1, 2])),
        rests={
            **resting(*draw(st.sampled_from(["", "", "a", "ab"]))), **cooling(*draw(st.sampled_from(["", "b", "c"]))),
        },
        draining=draw(st.integers(0, 9)) == 0, only=draw(st.sampled_from([None, None, None, "tsk_p"])),
        merged=frozenset(each.id for each in tasks if each.status is REVIEW and draw(st.booleans())),
    )  # fmt: skip
    return replace(given, runs={run: draw(states) for run in given.runs})


def _shuffled(known: Mapping[str, Any], random: Random) -> dict[str, Any]:
    return dict(random.sample(list(known.items()), len(known)))


@given(snapshots())
@FEW
def test_nobody_gets_what_they_must_not(given: Snapshot) -> None:
    dispatched = [action for action in scheduling.decide(given, NOON) if isinstance(action, Dispatch)]
    ours = [each for each in given.tasks.values() if each.run and each.machine == HERE]
    loads = Counter([action.agent.name for action in dispatched] + [each.agent for each in ours])
    again = sum(action.task.attempts > 0 for action in dispatched)
    assert len(dispatched) + len(ours) <= max(given.config.max_concurrent_agents, len(ours))
    assert not again or again + sum(each.attempts > 1 for each in ours) <= given.config.max_concurrent_retries
    at_work = [each for each in given.tasks.values() if each.status is IN_PROGRESS]
    for one, other in combinations([action.task for action in dispatched], 2):
        assert not scope.overlap(one.scope, other.scope)
    assert not (given.draining and dispatched)
    assert not (waiting.is_review_full(given) and dispatched)
    for action in dispatched:
        assert loads[action.agent.name] <= (action.agent.max_concurrent or 1)
        assert not any(scope.overlap(action.task.scope, each.scope) for each in at_work)
        assert action.agent.name not in given.rests or given.only
        assert action.agent.enabled
        assert action.task.assignee in (None, action.agent.name)
        assert given.only in (None, action.task.id)
        assert all(given.tasks[needed].status is DONE for needed in action.task.depends_on)
        assert action.task.status is TODO or (action.task.retry_at or NOON) <= NOON


@given(snapshots())
@FEW
def test_nobody_waits_who_need_not(given: Snapshot) -> None:
    """What is ready and not started has no free agent, or is kept by a rule: slots, retries, scopes."""
    dispatched = {a.task.id: a for a in scheduling.decide(given, NOON) if isinstance(a, Dispatch)}
    ours = [each for each in given.tasks.values() if each.run and each.machine == HERE]
    loads = Counter([a.agent.name for a in dispatched.values()] + [each.agent for each in ours])
    free = {
        name for name, each in given.agents.items()
        if each.enabled and loads[name] < (each.max_concurrent or 1) and (name not in given.rests or given.only)
    }  # fmt: skip
    again = [each for each in ours if each.attempts > 1] + [a.task for a in dispatched.values() if a.task.attempts]
    for each in given.tasks.values():
        due = each.status is TODO or (each.status is RETRYING and (each.retry_at or NOON) <= NOON)
        in_view = given.only in (None, each.id) and not given.draining and not waiting.is_review_full(given)
        met = all(needed in given.tasks and given.tasks[needed].status is DONE for needed in each.depends_on)
        suited = free if each.assignee is None else free & {each.assignee}
        if not (due and in_view and met and suited) or each.id in dispatched:
            continue
        if each.attempts and len(again) >= given.config.max_concurrent_retries:
            continue
        others = [other for other in given.tasks.values() if other.status is IN_PROGRESS or other.id in dispatched]
        starving = [other for other in given.tasks.values() if other.created == NOON - 2 * LONG]
        if any(scope.overlap(each.scope, other.scope) for other in (*others, *starving) if other is not each):
            continue
        assert len(dispatched) + len(ours) >= given.config.max_concurrent_agents
        rank = partial(standing.rank, tasks=given.tasks, config=given.config, now=NOON)
        assert all(rank(action.task) < rank(each) for action in dispatched.values())


@given(snapshots())
@FEW
def test_every_decision_is_legal_and_made_once(given: Snapshot) -> None:
    actions = steps(given)
    assert len({subject(action) for action in actions}) == len(actions)
    for action in actions:
        assert isinstance(action, Abandon) or action.task is given.tasks[action.task.id]
        match action:
            case Settle():
                lifecycle.judge(action.task, action.ask, actor.ENGINE)
            case Complete():
                lifecycle.judge(action.task, Ask.COMPLETE, actor.ENGINE)
            case Dispatch():
                lifecycle.judge(action.task, Ask.DISPATCH, actor.ENGINE)
            case Recover():
                assert action.task.run
            case Abandon():
                assert action.stray in given.strays


@given(snapshots())
@FEW
def test_nothing_is_done_with_what_is_settled(given: Snapshot) -> None:
    touched = {subject(action) for action in steps(given)}
    settled = {each.id for each in given.tasks.values() if scheduling.is_settled(each, given)}
    assert not touched & settled


@given(snapshots(), st.randoms(use_true_random=False))
@FEW
def test_the_same_state_gives_the_same_decision_in_whatever_order_it_is_told(given: Snapshot, random: Random) -> None:
    before = deepcopy(given)
    decided = scheduling.decide(given, NOON)
    assert given == before
    tasks, agents, runs = (_shuffled(each, random) for each in (given.tasks, given.agents, given.runs))
    assert scheduling.decide(replace(given, tasks=tasks, agents=agents, runs=runs), NOON) == decided


@given(snapshots())
@FEW
def test_a_loop_that_waits_is_woken(given: Snapshot) -> None:
    """Where a task isn't settled and nothing is decided, a run that lives or a retry to come will change that."""
    in_view = [each for each in given.tasks.values() if given.only in (None, each.id)]
    if not scheduling.decide(given, NOON) and not all(scheduling.is_settled(each, given) for each in in_view):
        assert any(isinstance(state, Alive) for state in given.runs.values()) or scheduling.next_due(given, NOON)


# Goals and teams

PAUSED = Goal("gol_p", "P", "goals/gol_p.md", goals.Status.PAUSED, "a")
OWN = Goal("gol_o", "O", "goals/gol_o.md", assignee="a")
ACHIEVED = {"gol_o": replace(OWN, status=goals.Status.ACHIEVED)}
HELD = "waits: its goal gol_p is paused"


def with_goals(*tasks: Task, **said: Any) -> Snapshot:
    return snapshot(*tasks, goals={"gol_p": PAUSED, "gol_o": OWN}, **said)


def core(*members: str, **said: Any) -> dict[str, Team]:
    return {"core": Team("core", "teams/core.md", members[0], members[1:], **said)}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(with_goals(task("x", goal="gol_p")), [], id="a paused goal"),
        pytest.param(with_goals(task("x", goal="gol_p"), only="tsk_x"), [], id="also where a person names the task"),
        pytest.param(with_goals(task("x", RETRYING, goal="gol_p", retry_at=NOON)), [], id="a retry for it"),
        pytest.param(with_goals(running("w", goal="gol_p"), task("x")), [("x", "b")], id="what runs for it goes on"),
        pytest.param(with_goals(task("x", goal="gol_o")), [("x", "a")], id="an active goal"),
        pytest.param(with_goals(task("x", goal="gol_unknown")), [("x", "a")], id="a goal without a file"),
        pytest.param(snapshot(task("x", assignee="core"), teams=core("b")), [("x", "b")], id="a team's task"),
        pytest.param(
            snapshot(running("w"), task("x", assignee="core"), teams=core("a", "b")), [("x", "b")], id="a free member"
        ),
        pytest.param(snapshot(running("w"), task("x", assignee="core"), teams=core("a")), [], id="no free member"),
        pytest.param(
            snapshot(
                task("x", assignee="core", labels=("db",)),
                teams=core("a", "b"),
                agents=("a", agent("b", labels=("db",))),
            ),
            [("x", "b")],
            id="the member that its labels suit",
        ),
        pytest.param(
            snapshot(
                task("x", assignee="core"), task("y", assignee="core"), teams=core("a", "b", max_concurrent_tasks=1)
            ),
            [("x", "a")],
            id="no more of a team's tasks than may be",
        ),
        pytest.param(
            snapshot(
                running("w", "c", assignee="core"),
                task("x", assignee="core"),
                task("y", assignee="b"),
                teams=core("a", "b", max_concurrent_tasks=1),
            ),
            [("y", "b")],
            id="which what names a member doesn't count for",
        ),
        pytest.param(
            snapshot(task("x"), task("y", assignee="a"), teams=core("a", auto_claim=False)),
            [("x", "b"), ("y", "a")],
            id="a member that claims nothing",
        ),
        pytest.param(
            snapshot(task("x"), agents=("a",), teams=core("a", auto_claim=False)), [], id="nobody claims anything"
        ),
        pytest.param(
            snapshot(task("x", assignee="core"), agents=("a",), teams=core("a", auto_claim=False)),
            [("x", "a")],
            id="but does what is the team's",
        ),
    ],
)
def test_goals_and_teams_decide_what_is_started(given: Snapshot, expected: list[tuple[str, str]]) -> None:
    assert started(given) == expected


@pytest.mark.parametrize(
    ("given", "why", "stuck"),
    [
        pytest.param(with_goals(task("x", goal="gol_p")), HELD, False, id="a goal is a person's to resume"),
        pytest.param(with_goals(task("x", goal="gol_p"), only="tsk_x"), HELD, True, id="who wants it now is told"),
        pytest.param(
            snapshot(task("x", assignee="core"), teams=core("gone")),
            "is for the team core, which has no enabled agent",
            True,
            id="an empty team",
        ),
        pytest.param(
            snapshot(task("x"), agents=("a",), teams=core("a", auto_claim=False)),
            "is nobody's, and every agent is in a team that claims no such task",
            True,
            id="nobody's, and nobody claims it",
        ),
        pytest.param(
            snapshot(
                running("w", machine=THERE, assignee="core"),
                task("x", assignee="core"),
                teams=core("b", max_concurrent_tasks=1),
            ),
            "waits: core is at work on 1 of its tasks, which is its most",
            False,
            id="a full team",
        ),
        pytest.param(
            snapshot(task("x", assignee="core"), teams=core("a", "b"), rests=resting("a")), None, False, id="one rests"
        ),
    ],
)
def test_why_a_task_waits_for_its_goal_or_its_team(given: Snapshot, why: str | None, *, stuck: bool) -> None:
    assert waiting.obstacle(given.tasks["tsk_x"], given) == why
    assert waiting.is_stuck(given.tasks["tsk_x"], given) is stuck
    assert scheduling.is_settled(given.tasks["tsk_x"], given) is (why is not None)


def a_plan(**said: Any) -> Task:
    same = {"review_base": "1" * 40, "review_commit": "1" * 40}
    return task("x", REVIEW, **{"purpose": Purpose.PLAN, "goal": "gol_o", "agent": "a", **same, **said})


@pytest.mark.parametrize(
    ("given", "done"),
    [
        pytest.param(with_goals(a_plan()), True, id="a plan that changed nothing"),
        pytest.param(with_goals(a_plan(purpose=Purpose.ASSESS)), True, id="an assessment"),
        pytest.param(with_goals(a_plan(purpose=None)), False, id="any other task"),
        pytest.param(with_goals(a_plan(review_commit="2" * 40)), False, id="it changed files"),
        pytest.param(with_goals(a_plan(agent="Ada")), False, id="a person made it"),
        pytest.param(
            with_goals(a_plan(), agents=(agent("a", approval_policy="suggest"),)),
            False,
            id="its agent may suggest",
        ),
        pytest.param(with_goals(a_plan(), agent_approval_policy="manual"), False, id="no agent may do more"),
        pytest.param(
            replace(with_goals(a_plan(purpose=Purpose.ASSESS), agent_approval_policy="manual"), goals=ACHIEVED),
            True,
            id="a person has given the verdict",
        ),
    ],
)
def test_a_plan_is_done_when_its_agent_needs_no_approval(given: Snapshot, *, done: bool) -> None:
    found = [each for each in scheduling.decide(given, NOON) if not isinstance(each, Dispatch)]
    assert found == ([Complete(given.tasks["tsk_x"])] if done else [])
    assert scheduling.is_settled(given.tasks["tsk_x"], given) is not done


ASKING = task("x", purpose=Purpose.ASSESS, goal="gol_o")


@pytest.mark.parametrize(
    ("given", "dropped"),
    [
        pytest.param(snapshot(ASKING, goals=ACHIEVED), True, id="to do"),
        pytest.param(snapshot(replace(ASKING, status=RETRYING), goals=ACHIEVED), True, id="to do once more"),
        pytest.param(with_goals(ASKING, agents=()), False, id="of an active goal"),
        pytest.param(snapshot(replace(ASKING, purpose=Purpose.PLAN), goals=ACHIEVED), False, id="a plan"),
        pytest.param(snapshot(ASKING, goals=ACHIEVED, only="tsk_y"), False, id="another one is wanted"),
    ],
)
def test_who_asks_whether_a_goal_is_achieved_that_is_over_is_dropped(given: Snapshot, *, dropped: bool) -> None:
    found = [each for each in scheduling.decide(given, NOON) if isinstance(each, Drop)]
    assert found == ([Drop(given.tasks["tsk_x"], ACHIEVED["gol_o"])] if dropped else [])
    if dropped:
        assert not scheduling.is_settled(given.tasks["tsk_x"], given)


WORKED = task("w", DONE, goal="gol_o", created=NOON - LONG, closed=NOON)


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        pytest.param(with_goals(WORKED), True, id="all is done"),
        pytest.param(with_goals(WORKED, task("x", REVIEW, goal="gol_o")), False, id="something waits for review"),
        pytest.param(with_goals(WORKED, draining=True), False, id="the team ends"),
        pytest.param(with_goals(WORKED, paused=True), False, id="the team is paused"),
        pytest.param(with_goals(WORKED, only="tsk_w"), False, id="only one task is wanted"),
        pytest.param(with_goals(WORKED, agents=("b",)), False, id="a person has the goal"),
        pytest.param(with_goals(task("w", DONE, goal="gol_p", closed=NOON)), False, id="the goal is paused"),
    ],
)
def test_the_goals_agent_is_asked_when_all_is_closed(given: Snapshot, *, asked: bool) -> None:
    assert scheduling.decide(given, NOON) == ((Assess(OWN, "a"),) if asked else ())
