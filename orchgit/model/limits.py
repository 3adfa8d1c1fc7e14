"""How long, how often and how soon again: each limit is the task's own word, else its agent's, else the project's."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchgit.model.agent import Agent
    from orchgit.model.config import Config
    from orchgit.model.task import Task

_JITTER = 0.2  # a delay is stretched by up to this much, so that what failed together doesn't come back together


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


def _first(own: int | None, agents: int | None, projects: int) -> int:
    return own if own is not None else agents if agents is not None else projects
