"""Says what becomes of work whose agent or team is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit.model.task import CLOSED, Status

if TYPE_CHECKING:
    from orchgit.api import Project
    from orchgit.model.task import Task

_STANDS = {
    Status.IN_PROGRESS: "is being worked on", Status.REVIEW: "is in review", Status.FAILED: "has failed",
}  # fmt: skip


def warn_of(project: Project, gone: str) -> None:
    """Name the open tasks and goals that were for it: who has that name now is a person at most."""
    state = project.refresh()
    for task in project.tasks(assignee=gone):
        if task.assignee == gone and task.status not in CLOSED:
            _warn(f"{task.id} was for it, and {_now(task)}: {task.title}", f"task assign {task.id} NAME")
    for goal in state.goals.values():
        if goal.assignee == gone and not goal.is_over:
            _warn(
                f"{goal.id} was its to plan, and is a person's of that name now: {goal.title}",
                f"goal edit {goal.id} --assignee NAME",
            )


def _now(task: Task) -> str:
    if task.status in (Status.TODO, Status.RETRYING):
        return "waits for a person of that name now"
    return f"{_STANDS[task.status]}; to be done again it would wait for a person of that name"


def _warn(words: str, command: str) -> None:
    click.echo(f"orchgit: {words}\n`orchgit {command}` gives it to somebody else.", err=True)
