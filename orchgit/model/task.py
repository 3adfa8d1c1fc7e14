"""A task: what its file says, checked."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from orchgit.model import context, fields, ids, setup
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

FOLDER, ARCHIVE = "tasks", "archive"
FEEDBACK = "## Feedback"  # the section of the body that reasons for rejection are added to


class Purpose(StrEnum):
    """What a task does for its goal, where it isn't a piece of the work itself."""

    PLAN = "plan"  # makes the goal's tasks
    ASSESS = "assess"  # says whether the goal is achieved


class Status(StrEnum):
    TODO = "todo"
    IN_PROGRESS = "in_progress"
    REVIEW = "review"
    DONE = "done"
    RETRYING = "retrying"
    FAILED = "failed"
    CANCELLED = "cancelled"


CLOSED: Final = frozenset({Status.DONE, Status.CANCELLED})


@dataclass(frozen=True, slots=True)
class Task:
    """One task file. `path` is relative to the state folder; None and () mean that the file doesn't say."""

    id: str
    title: str
    path: str
    status: Status = Status.TODO
    priority: int | None = None
    assignee: str | None = None
    labels: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    goal: str | None = None
    purpose: Purpose | None = None
    scope: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    review_criteria: tuple[str, ...] = ()
    max_attempts: int | None = None
    timeout_ms: int | None = None
    stall_timeout_ms: int | None = None
    max_turns: int | None = None
    max_tokens: int | None = None
    max_cost_usd: float | None = None
    retry_delay_ms: int | None = None
    workspace_mode: str | None = None
    created: datetime | None = None
    attempts: int = 0
    agent: str | None = None
    run: str | None = None
    machine: str | None = None
    branch: str | None = None
    review_base: str | None = None
    review_commit: str | None = None
    retry_at: datetime | None = None
    closed: datetime | None = None

    @property
    def is_archived(self) -> bool:
        return self.path.startswith(f"{ARCHIVE}/")

    @property
    def age_key(self) -> tuple[datetime, str]:
        return fields.age_key(self.created, self.id)


def archived_path(task: Task, now: datetime) -> str:
    """Return where the file of a closed task goes: in the month in which it closed, under a name that its id begins."""
    name = task.path.rpartition("/")[2]
    if not name.startswith((f"{task.id}-", f"{task.id}.")):
        name = f"{ids.named(task.id, task.title)}.md"
    return f"{ARCHIVE}/{task.closed or now:%Y-%m}/{name}"


_id = fields.identifier("task", example="tsk_7k3m9q")


def _ids(value: object) -> tuple[str, ...]:
    return tuple(_id(word) for word in fields.words(value))


READERS: Final[dict[str, Callable[[object], Any]]] = {
    "id": _id,
    "title": fields.line,
    "status": fields.one_of(Status),
    "priority": fields.number(least=1, most=4),
    "assignee": fields.line,
    "labels": fields.words,
    "depends_on": _ids,
    "goal": fields.name,
    "purpose": fields.one_of(Purpose),
    "scope": fields.words,
    "context": context.keys,
    "review_criteria": fields.words,
    "max_attempts": fields.number(least=1, most=100),
    "timeout_ms": fields.milliseconds(least=1),
    "stall_timeout_ms": fields.milliseconds(least=1),
    "max_turns": fields.count,
    "max_tokens": fields.count,
    "max_cost_usd": fields.dollars,
    "retry_delay_ms": fields.milliseconds(),
    "workspace_mode": setup.mode,
    "created": fields.moment,
    "attempts": fields.number(least=0),
    "agent": fields.line,
    "run": fields.identifier("run", example="run_4w8zr1"),
    "machine": fields.name,
    "branch": fields.branch,
    "review_base": fields.commit,
    "review_commit": fields.commit,
    "retry_at": fields.moment,
    "closed": fields.moment,
}

ENGINE_KEYS: Final = (
    "attempts", "agent", "run", "machine", "branch", "review_base", "review_commit", "retry_at", "closed",
)  # fmt: skip


def stand(task: Task) -> tuple[object, ...]:
    """Return what hands don't set: by it the version is known that somebody began to edit."""
    return tuple(getattr(task, key) for key in ("status", *ENGINE_KEYS))


def read(path: str, text: str) -> Task:
    """Return the task that the file at `path` describes; InvalidFileError names line and key of the first fault."""
    from orchgit.model import document

    try:
        found = document.parse(text)
    except InvalidFileError as error:
        raise error.at(path) from None
    if not found.has_front_matter:
        raise InvalidFileError(
            path, "has no front matter", next_step="Begin it with `---`, `id:` and `title:`, and `---` again."
        )
    for key in ("id", "title"):
        if found.values.get(key) is None:
            raise InvalidFileError(path, "is missing", line=found.line(key), key=key)
    task = Task(path=path, **fields.typed(path, found.values, READERS, line=found.line))
    if task.branch is not None and not ids.is_work_branch(task.branch, task.id):
        own = f"{ids.WORK_BRANCHES}/{task.id}"
        reason = f"{fields.shown(task.branch)} is not this task's to move: its own begins with {own}"
        raise InvalidFileError(path, reason, line=found.line("branch"), key="branch", next_step="Remove the line.")
    return task
