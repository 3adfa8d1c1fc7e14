"""The oracle is DESIGN 4, written out by hand: what isn't a row of the table is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchgit.model import actor, lifecycle
from orchgit.model.actor import Actor, Kind
from orchgit.model.errors import RefusedError
from orchgit.model.lifecycle import RULES, Ask, Count, Rule
from orchgit.model.task import ENGINE_KEYS, Status, Task

FEW = settings(max_examples=300, deadline=None, derandomize=True)
ADA = Actor(Kind.PERSON, "Ada", "ada@example.org")
ACTORS = {"person": ADA, "agent": actor.agent("backend"), "engine": actor.ENGINE}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "agent": "backend", "run": "run_1", "machine": "5c1e09", "branch": "orchgit/tsk_1", "review_base": "a" * 40,
    "review_commit": "b" * 40, "retry_at": NOON, "closed": NOON,
}  # fmt: skip

# What is asked, from where, by whom, who must hold the task, where it leads, and what 2 attempts become.
TABLE = """
dispatch     todo         engine  anyone  in_progress  3
dispatch     retrying     engine  anyone  in_progress  3
take         todo         person  anyone  in_progress  3
take         retrying     person  anyone  in_progress  3
succeed      in_progress  engine  run     review       2
submit       in_progress  person  person  review       2
retry_later  in_progress  engine  run     retrying     2
cool_down    in_progress  engine  run     retrying     1
fail         in_progress  engine  run     failed       2
fail         review       engine  anyone  failed       2
release      in_progress  engine  anyone  todo         1
release      in_progress  person  anyone  todo         1
give_up      retrying     person  anyone  failed       2
approve      review       person  anyone  done         2
complete     review       engine  anyone  done         2
reject       review       person  anyone  todo         0
send_back    review       engine  anyone  todo         2
reopen       failed       person  anyone  todo         0
reopen       cancelled    person  anyone  todo         0
cancel       todo         person  anyone  cancelled    2
cancel       in_progress  person  anyone  cancelled    2
cancel       retrying     person  anyone  cancelled    2
cancel       review       person  anyone  cancelled    2
cancel       failed       person  anyone  cancelled    2
cancel       todo         engine  anyone  cancelled    2
cancel       in_progress  engine  anyone  cancelled    2
cancel       retrying     engine  anyone  cancelled    2
cancel       review       engine  anyone  cancelled    2
"""
ORACLE = {
    (Ask[ask.upper()], Status(source), who, owner): (Status(target), int(attempts))
    for ask, source, who, holder, target, attempts in map(str.split, TABLE.strip().splitlines())
    for owner in (("run", "person") if holder == "anyone" else (holder,))
}

# What a file must hold in each state besides what people write, and may.
MUST = {
    Status.TODO: set(),
    Status.IN_PROGRESS: {"agent"},
    Status.REVIEW: {"review_base", "review_commit"},
    Status.DONE: {"review_base", "review_commit", "closed"},
    Status.RETRYING: {"agent", "retry_at"},
    Status.FAILED: {"agent"},
    Status.CANCELLED: {"closed"},
}
MAY = {
    Status.TODO: {"branch"},
    Status.IN_PROGRESS: {"branch", "run", "machine"},
    Status.REVIEW: {"agent", "branch"},
    Status.DONE: {"agent", "branch"},
    Status.RETRYING: {"branch"},
    Status.FAILED: {"branch", "review_base", "review_commit"},
    Status.CANCELLED: {"agent", "branch", "review_base", "review_commit"},
}


def task(status: Status, owner: str = "person", **said: Any) -> Task:
    run = "run_1" if owner == "run" else None
    return Task("tsk_1", "T", "tasks/tsk_1.md", status, **{"attempts": 2, "agent": "backend", "run": run, **said})


def carried_out(before: Task, rule: Rule) -> Task:
    """Return the task as the ledger would leave it."""
    cleared = dict.fromkeys(rule.clears)
    given = {key: VALUES[key] for key in rule.sets}
    attempts = lifecycle.attempts_after(rule, before.attempts)
    return replace(before, status=rule.target, **{"attempts": attempts, **cleared, **given})


def refusal(before: Task, ask: Ask, by: Actor) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        lifecycle.judge(before, ask, by)
    return caught.value


@pytest.mark.parametrize("ask", Ask)
@pytest.mark.parametrize("status", Status)
def test_every_ask_from_every_state_by_everyone_is_judged_as_the_table_says(status: Status, ask: Ask) -> None:
    for who, owner in product(ACTORS, ("run", "person")):
        expected = ORACLE.get((ask, status, who, owner))
        if expected is None:
            refusal(task(status, owner), ask, ACTORS[who])
        else:
            rule = lifecycle.judge(task(status, owner), ask, ACTORS[who])
            assert (rule.target, lifecycle.attempts_after(rule, 2)) == expected


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("owner", ["run", "person"])
@pytest.mark.parametrize("who", ["person", "engine"])
def test_every_refusal_names_what_is_allowed_and_nothing_else(status: Status, owner: str, who: str) -> None:
    allowed = [ask for ask in Ask if (ask, status, who, owner) in ORACLE]
    for ask in set(Ask) - set(allowed):
        said = refusal(task(status, owner), ask, ACTORS[who]).next_step
        if allowed:
            named = said.removeprefix(f"From {status} you can ask for: ").removesuffix(".").split(", ")
            assert sorted(named) == sorted(allowed)
        else:
            assert said == f"Nothing follows {status}: what is still to do is a new task."


@pytest.mark.parametrize(
    ("before", "ask", "who", "what", "next_step"),
    [
        (
            task(Status.TODO), Ask.APPROVE, "person",
            "tsk_1 is todo: approve needs it to be review.", "From todo you can ask for: take, cancel.",
        ),
        (
            task(Status.DONE), Ask.REJECT, "person",
            "tsk_1 is done: reject needs it to be review.",
            "Nothing follows done: what is still to do is a new task.",
        ),
        (
            task(Status.DONE), Ask.CANCEL, "person",
            "tsk_1 is done: cancel needs it to be todo, in_progress, review, retrying or failed.",
            "Nothing follows done: what is still to do is a new task.",
        ),
        (
            task(Status.REVIEW), Ask.APPROVE, "agent",
            "approve of tsk_1 is not for an agent to do.",
            "An agent ends its run well, and its work goes to review; a person decides the rest.",
        ),
        (
            task(Status.TODO), Ask.DISPATCH, "person",
            "dispatch of tsk_1 is not for a person to do.", "From todo you can ask for: take, cancel.",
        ),
        (
            task(Status.IN_PROGRESS, "run"), Ask.SUBMIT, "person",
            "submit of tsk_1 is refused: agent backend is working on it.",
            "From in_progress you can ask for: release, cancel.",
        ),
        (
            task(Status.IN_PROGRESS, agent="Ada"), Ask.SUCCEED, "engine",
            "succeed of tsk_1 is refused: Ada took it by hand.",
            "From in_progress you can ask for: release, cancel.",
        ),
        (
            task(Status.IN_PROGRESS, agent=None), Ask.FAIL, "engine",
            "fail of tsk_1 is refused: somebody took it by hand.",
            "From in_progress you can ask for: release, cancel.",
        ),
        (
            task(Status.IN_PROGRESS, agent="Ada"), Ask.TAKE, "person",
            "tsk_1 is in_progress: take needs it to be todo or retrying.",
            "From in_progress you can ask for: submit, release, cancel.",
        ),
        (
            task(Status.REVIEW), Ask.REOPEN, "person",
            "tsk_1 is review: retry needs it to be failed or cancelled.",
            "From review you can ask for: approve, reject, cancel.",
        ),
        (
            task(Status.CANCELLED), Ask.CANCEL, "person",
            "tsk_1 is cancelled: cancel needs it to be todo, in_progress, review, retrying or failed.",
            "From cancelled you can ask for: retry.",
        ),
        (
            task(Status.REVIEW), Ask.SEND_BACK, "person",
            "send back of tsk_1 is not for a person to do.", "From review you can ask for: approve, reject, cancel.",
        ),
        (
            task(Status.TODO), Ask.APPROVE, "engine",
            "approve of tsk_1 is not for the engine to do.", "From todo you can ask for: dispatch, cancel.",
        ),
    ],
)  # fmt: skip
def test_refusals_are_clear(before: Task, ask: Ask, who: str, what: str, next_step: str) -> None:
    error = refusal(before, ask, ACTORS[who])
    assert (error.what, error.next_step) == (what, next_step)
    assert str(error) == f"{what}\n{next_step}"


@pytest.mark.parametrize(
    ("count", "attempts", "after"),
    [(Count.KEEP, 2, 2), (Count.UP, 0, 1), (Count.UP, 2, 3), (Count.DOWN, 2, 1), (Count.DOWN, 0, 0),
     (Count.RESET, 5, 0)],
)  # fmt: skip
def test_attempts_are_counted(count: Count, attempts: int, after: int) -> None:
    rule = Rule(Ask.TAKE, frozenset(), Status.TODO, frozenset(), count)
    assert lifecycle.attempts_after(rule, attempts) == after


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.ask} to {rule.target}")
def test_a_rule_writes_engine_keys_alone(rule: Rule) -> None:
    assert rule.sets <= {*ENGINE_KEYS}
    assert rule.clears <= {*ENGINE_KEYS}
    assert not rule.sets & rule.clears


@given(st.lists(st.tuples(st.sampled_from(Ask), st.sampled_from(sorted(ACTORS))), max_size=60))
@FEW
def test_whatever_is_asked_a_task_stays_sound(asked: list[tuple[Ask, str]]) -> None:
    now = Task("tsk_1", "T", "tasks/tsk_1.md")
    for ask, who in asked:
        before = now
        try:
            now = carried_out(before, lifecycle.judge(before, ask, ACTORS[who]))
        except RefusedError:
            continue
        assert who != "agent"
        assert before.status is not Status.DONE
        assert now.status is not Status.DONE or (before.status is Status.REVIEW and now.review_commit)
        assert abs(now.attempts - before.attempts) <= 1 or now.attempts == 0
        held = {key for key in VALUES if getattr(now, key) is not None}
        assert MUST[now.status] <= held <= MUST[now.status] | MAY[now.status]
        assert (now.run is None) == (now.machine is None)


@given(st.integers(1, 20))
@FEW
def test_only_runs_that_ended_are_counted(released: int) -> None:
    now = Task("tsk_1", "T", "tasks/tsk_1.md")
    for _ in range(released):
        for ask in (Ask.DISPATCH, Ask.RELEASE, Ask.DISPATCH, Ask.RETRY_LATER):
            now = carried_out(now, lifecycle.judge(now, ask, actor.ENGINE))
    assert now.attempts == released
