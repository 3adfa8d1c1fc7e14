from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchgit.model import goal
from orchgit.model.agent import Agent
from orchgit.model.errors import InvalidFileError
from orchgit.model.goal import Goal
from orchgit.model.task import Purpose, Status, Task
from orchgit.model.team import Team

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DONE, TODO, CANCELLED, FAILED = Status.DONE, Status.TODO, Status.CANCELLED, Status.FAILED


def text(**keys: str) -> str:
    lines = {"id": "gol_1", "title": "Be fast", **keys}
    return "---\n" + "".join(f"{key}: {value}\n" for key, value in lines.items() if value) + "---\nIn 5 ms.\n"


def task(name: str, status: Status, **said: Any) -> Task:
    return Task(f"tsk_{name}", name, f"tasks/tsk_{name}.md", status, goal="gol_1", **said)


def test_a_goal() -> None:
    found = goal.read("goals/x.md", text(status="paused", assignee="Ada Lovelace", created="2026-11-22T12:00:00Z"))
    assert found == Goal("gol_1", "Be fast", "goals/x.md", goal.Status.PAUSED, "Ada Lovelace", NOON)
    assert goal.read("goals/x.md", text()) == Goal("gol_1", "Be fast", "goals/x.md", goal.Status.ACTIVE)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"id": "tsk_1"}, "goals/x.md:2: id: 'tsk_1' is not a goal id such as gol_5n2c8v"),
        ({"id": ""}, "goals/x.md:1: id: is missing"),
        ({"title": ""}, "goals/x.md:1: title: is missing"),
        ({"status": "done"}, "goals/x.md:4: status: 'done' is not one of active, paused, achieved, abandoned"),
        ({"assignee": "[a]"}, r"goals/x.md:4: assignee: \['a'\] is not text"),
    ],
)
def test_what_is_no_goal(keys: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidFileError, match=why):
        goal.read("goals/x.md", text(**keys))


@pytest.mark.parametrize(
    ("assignee", "expected"),
    [("bot", "bot"), ("core", "bot"), ("off", None), ("Ada", None), (None, None), ("lost", None)],
)
def test_who_plans_a_goal(assignee: str | None, expected: str | None) -> None:
    agents = {"bot": Agent("bot", "agents/bot.md"), "off": Agent("off", "agents/off.md", enabled=False)}
    teams = {"core": Team("core", "teams/core.md", "bot"), "lost": Team("lost", "teams/lost.md", "gone")}
    assert goal.planner(Goal("gol_1", "G", "goals/x.md", assignee=assignee), agents, teams) == expected


PLAN = task("p", DONE, purpose=Purpose.PLAN, created=NOON, closed=NOON)
WORK = task("w", DONE, created=NOON, closed=NOON + HOUR)


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        pytest.param([], False, id="nothing was done"),
        pytest.param([PLAN], False, id="but planned"),
        pytest.param([PLAN, WORK], True, id="all is done"),
        pytest.param([WORK, task("x", CANCELLED)], True, id="or cancelled"),
        pytest.param([task("x", CANCELLED)], False, id="but not all of it"),
        pytest.param([WORK, task("x", TODO)], False, id="something is open"),
        pytest.param([WORK, task("x", FAILED)], False, id="something failed"),
        pytest.param([WORK, task("a", TODO, purpose=Purpose.ASSESS)], False, id="somebody is asked"),
        pytest.param(
            [WORK, task("a", DONE, purpose=Purpose.ASSESS, created=NOON + 2 * HOUR)], False, id="somebody was asked"
        ),
        pytest.param(
            [
                WORK,
                task("a", DONE, purpose=Purpose.ASSESS, created=NOON + 2 * HOUR),
                task("x", DONE, created=NOON + 3 * HOUR, closed=NOON + 4 * HOUR),
            ],
            True,
            id="and more was done since",
        ),
    ],
)
def test_when_somebody_is_to_be_asked_whether_it_is_achieved(tasks: list[Task], *, expected: bool) -> None:
    assert goal.awaits_verdict(tasks) is expected
