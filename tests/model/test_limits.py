"""The most that a run may use: whose word counts, and when it is too much."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchgit.model import limits
from orchgit.model.agent import Agent
from orchgit.model.config import Config
from orchgit.model.limits import Budget
from orchgit.model.task import Task
from orchgit.model.usage import Usage


def task(**said: Any) -> Task:
    return Task("tsk_x", "x", "tasks/tsk_x.md", **said)


def agent(**said: Any) -> Agent:
    return Agent("a", "agents/a.md", **said)


@pytest.mark.parametrize(
    ("of_task", "of_agent", "of_project", "counts"),
    [(None, None, 0, 0), (None, None, 5, 5), (None, 6, 5, 6), (7, 6, 5, 7), (None, 0, 5, 0), (0, 6, 5, 0)],
)
def test_the_tasks_own_word_counts_then_its_agents_and_0_takes_a_limit_away(
    of_task: int | None, of_agent: int | None, of_project: int, counts: int
) -> None:
    for field, key in (("turns", "max_turns"), ("tokens", "max_tokens"), ("cost_usd", "max_cost_usd")):
        config = replace(Config(), **{f"agent_{key}": of_project})  # type: ignore[arg-type]
        found = limits.budget(task(**{key: of_task}), agent(**{key: of_agent}), config)
        assert found == Budget(**{field: counts})


@pytest.mark.parametrize(
    ("used", "budget", "words"),
    [
        (None, Budget(1, 1, 1), ""),
        (Usage(10**9, turns=10**9, cost_usd=1e9), Budget(), ""),
        (Usage(3000, 2000), Budget(tokens=5000), ""),
        (Usage(3000, 2000, reasoning=200), Budget(tokens=5000), "used 5200 tokens, of 5000 that it may"),
        (Usage(1, cache=10**6), Budget(tokens=5000), ""),
        (Usage(turns=12), Budget(turns=12), ""),
        (Usage(turns=13), Budget(turns=12), "took 13 turns, of 12 that it may"),
        (Usage(1), Budget(cost_usd=0.5), ""),
        (Usage(cost_usd=0.5), Budget(cost_usd=0.5), ""),
        (Usage(cost_usd=0.52), Budget(cost_usd=0.5), "cost $0.5200, of $0.5000 that it may"),
        (
            Usage(6, turns=13), Budget(turns=12, tokens=5),
            "took 13 turns, of 12 that it may, used 6 tokens, of 5 that it may",
        ),
    ],
)  # fmt: skip
def test_a_run_that_used_more_than_it_may_is_told_by_what(used: Usage | None, budget: Budget, words: str) -> None:
    assert limits.overspent(used, budget) == words
