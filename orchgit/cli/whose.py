"""Says what becomes of work whose agent or team is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit.model.task import CLOSED

if TYPE_CHECKING:
    from orchgit.api import Project


def warn_of(project: Project, gone: str) -> None:
    """Name the open tasks and goals that wait for a person now: nobody else has that name."""
    state = project.refresh()
    for task in project.tasks(assignee=gone):
        if task.assignee == gone and task.status not in CLOSED:
            _warn(
                f"{task.id} was for it, and waits for a person of that name now: {task.title}",
                f"task assign {task.id} NAME",
            )
    for goal in state.goals.values():
        if goal.assignee == gone and not goal.is_over:
            _warn(
                f"{goal.id} was its to plan, and is a person's of that name now: {goal.title}",
                f"goal edit {goal.id} --assignee NAME",
            )


def _warn(words: str, command: str) -> None:
    click.echo(f"orchgit: {words}\n`orchgit {command}` gives it to somebody else.", err=True)
