"""How long, how often and how soon again: each limit is the task's own word, else its agent's, else the project's."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from orchgit.model import usage
from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from orchgit.model.agent import Agent
    from orchgit.model.config import Config
    from orchgit.model.task import Task
    from orchgit.model.usage import Usage

_T = TypeVar("_T", int, float)

_JITTER = 0.2  # a delay is stretched by up to this much, so that what failed together doesn't come back together


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a run may use; 0 is no limit."""

    turns: int = 0
    tokens: int = 0
    cost_usd: float = 0


def max_attempts(task: Task, agent: Agent | None, config: Config) -> int:
    """Return how many attempts `task` gets; an agent counts its retries, which come after the first attempt."""
    retries = agent.max_retries if agent else None
    return _first(task.max_attempts, None if retries is None else retries + 1, config.task_max_attempts)


def timeout(task: Task, agent: Agent, config: Config) -> float:
    """Return the longest that a run may take, in seconds."""
    return _first(task.timeout_ms, agent.timeout_ms, config.agent_timeout_ms) / 1000


def stall_timeout(task: Task, agent: Agent, config: Config) -> float:
    """Return the longest that a run may be silent, in seconds."""
    return _first(task.stall_timeout_ms, agent.stall_timeout_ms, config.agent_stall_timeout_ms) / 1000


def retry_delay(task: Task, agent: Agent | None, config: Config, *, seed: str) -> timedelta:
    """Return how long to wait now that an attempt failed: min(base x 2^(attempts-1), cap), stretched by a jitter.

    The jitter is made from `seed`, so that the same run always gives the same delay.
    """
    own = task.retry_delay_ms if task.retry_delay_ms is not None else agent.retry_delay_ms if agent else None
    base = config.retry_base_delay_ms if own is None else own
    delay = min(base * 2 ** min(max(task.attempts - 1, 0), 40), max(config.retry_max_delay_ms, own or 0))
    return timedelta(milliseconds=delay * (1 + _JITTER * zlib.crc32(seed.encode()) / 2**32))


def whole_second(moment: datetime) -> datetime:
    """Return `moment`, or the next whole second: files hold whole seconds, and a retry never comes early."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)


def budget(task: Task, agent: Agent, config: Config) -> Budget:
    """Return the most that a run may use; where a task or an agent says 0, it takes a limit away."""
    return Budget(
        _first(task.max_turns, agent.max_turns, config.agent_max_turns),
        _first(task.max_tokens, agent.max_tokens, config.agent_max_tokens),
        _first(task.max_cost_usd, agent.max_cost_usd, config.agent_max_cost_usd),
    )


def overspent(used: Usage | None, budget: Budget) -> str:
    """Return in what a run has used more than it may, or "" where it hasn't."""
    if used is None:
        return ""
    cost, most = used.cost_usd or 0, budget.cost_usd
    return ", ".join(filter(None, (
        f"took {used.turns} turns, of {budget.turns} that it may" if 0 < budget.turns < used.turns else "",
        f"used {used.tokens} tokens, of {budget.tokens} that it may" if 0 < budget.tokens < used.tokens else "",
        f"cost {usage.dollars(cost)}, of {usage.dollars(most)} that it may" if 0 < most < cost else "",
    )))  # fmt: skip


def _first(own: _T | None, agents: _T | None, projects: _T) -> _T:
    return own if own is not None else agents if agents is not None else projects
