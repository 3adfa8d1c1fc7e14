"""Which tools there are, and who is offered them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchgit.mcp.context import Context
from orchgit.mcp.goals import Goals
from orchgit.mcp.messages import Messages
from orchgit.mcp.tasks import Tasks
from orchgit.mcp.team import Team
from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Kind:
    """`for_persons` are a person's to decide: an agent of the team isn't offered them, and would be refused."""

    make: Callable[[Path], object]
    for_all: tuple[str, ...]
    for_persons: tuple[str, ...] = ()


KINDS: Final = (
    Kind(
        Tasks,
        ("status", "task_list", "task_show", "task_add", "task_edit", "task_logs", "task_diff", "task_history"),
        ("task_approve", "task_reject", "task_retry", "task_cancel"),
    ),
    Kind(Team, ("agent_list", "team_list")),
    Kind(Goals, ("goal_list", "goal_show", "goal_status"), ("goal_add", "goal_plan", "goal_approve", "goal_reject")),
    Kind(Context, ("context_set", "context_get", "context_list", "context_delete")),
    Kind(Messages, ("msg_send", "msg_broadcast", "msg_inbox", "msg_read")),
)  # fmt: skip
READS: Final = frozenset({
    "status", "task_list", "task_show", "task_logs", "task_diff", "task_history", "agent_list", "team_list",
    "goal_list", "goal_show", "context_get", "context_list", "msg_inbox",
})  # fmt: skip
# What takes something away, ends it or overwrites it; in the history it all stays.
DESTROYS: Final = frozenset({"task_edit", "task_cancel", "task_reject", "goal_reject", "context_set", "context_delete"})
FOR_ALL: Final = tuple(name for kind in KINDS for name in kind.for_all)
FOR_PERSONS: Final = tuple(name for kind in KINDS for name in kind.for_persons)
