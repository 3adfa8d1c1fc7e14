"""A state branch that was here and is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model.errors import RefusedError
from orchgit.repository import cache, find
from orchgit.repository.layout import STATE_BRANCH

if TYPE_CHECKING:
    from orchgit.repository.layout import Layout


def is_lost(layout: Layout) -> bool:
    """Has a project that has no state branch had one? Its worktree, or what was read of it, is still there."""
    return bool(cache.load(layout)[0]) or any(map(find.on_state_branch, (layout.common / "worktrees").glob("*")))


def refusal(layout: Layout) -> RefusedError:
    what = f"The branch {STATE_BRANCH} of {layout.root} is gone: tasks, agents and settings were on it."
    return RefusedError(what, "`orchgit doctor` finds its newest commit, and names the command that brings it back.")
