"""Where a run works: in which folder, on which branch, from which commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import checkout, ids, setup
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import NotFoundError
from orchgit.repository import refs, worktrees

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.model.agent import Agent
    from orchgit.model.config import Config
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout


@dataclass(frozen=True, slots=True)
class Where:
    """`own_branch` is the task's, or "" where its work isn't committed on one."""

    mode: str
    path: Path
    branch: str
    own_branch: str
    base: str


def of(layout: Layout, config: Config, task: Task, agent: Agent) -> Where:
    """Return where `agent` would do the task; RefusedError or NotFoundError where it can't be done."""
    mode, own, tip = checkout.mode(task, agent, config), own_branch(task, agent, config), check_base(layout, config)
    if mode != setup.SHARED:
        return Where(mode, worktrees.workspaces(layout, config) / task.id, own, own, tip)
    from orchgit.engine import shared

    branch, head = shared.check(layout)
    return Where(mode, layout.root, branch, own, head or tip)


def own_branch(task: Task, agent: Agent, config: Config) -> str:
    """Return the branch that the work is committed on for the agent; "" where none is."""
    uncommitted = checkout.is_shared(task, agent, config) and not config.shared_commit
    return "" if uncommitted else branch_of(task)


def branch_of(task: Task) -> str:
    return task.branch or f"{ids.WORK_BRANCHES}/{ids.named(task.id, task.title)}"


def check_base(layout: Layout, config: Config) -> str:
    """Return the tip of the base branch."""
    found = refs.branch(config.project_base, common=layout.common)
    if found is None:
        raise NotFoundError(
            f"The base branch {config.project_base!r} doesn't exist.",
            "Set another: `orchgit config set project.base BRANCH`.",
        )
    return found
