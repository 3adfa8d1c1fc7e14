"""What runs used, added up in four ways."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from orchgit.model import spending
from orchgit.model.spending import By, Spent, Sum
from orchgit.model.usage import Usage

AT = datetime(2026, 11, 22, 23, 30, tzinfo=timezone(timedelta(hours=1)))
RUNS = (
    Spent(AT + timedelta(hours=1), "tsk_a", "New title", "back", succeeded=True, used=Usage(1, 2, 3, 4, cost_usd=0.5)),
    Spent(AT, "tsk_a", "Old title", "front", succeeded=False, used=Usage(10), goal="speed"),
    Spent(AT, "tsk_b", "Other", "back", succeeded=False, used=None),
    Spent(AT, "tsk_c", "Third", "", succeeded=True, used=Usage(cost_usd=2)),
)


def test_in_all() -> None:
    assert spending.total(RUNS) == Sum("", 4, 2, Usage(11, 2, 3, 4, cost_usd=2.5))
    assert spending.total(()) == Sum("")
    assert spending.total(RUNS[1:3]).used.cost_usd is None


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        (By.AGENT, ["", "back", "front"]),
        (By.TASK, ["tsk_c", "tsk_a", "tsk_b"]),
        (By.GOAL, ["", "speed"]),
        (By.DAY, ["2026-11-22", "2026-11-23"]),
    ],
)
def test_by_what_they_have_in_common(by: By, keys: list[str]) -> None:
    found = spending.sums(RUNS, by)
    assert [each.key for each in found] == keys
    assert sum(each.runs for each in found) == len(RUNS)
    assert sum((each.used for each in found), Usage()) == spending.total(RUNS).used


def test_a_task_is_called_what_it_is_called_now() -> None:
    assert {each.key: each.title for each in spending.sums(RUNS, By.TASK)}["tsk_a"] == "New title"
    assert {each.title for each in spending.sums(RUNS, By.AGENT)} == {""}
