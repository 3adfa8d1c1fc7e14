"""`orchgit undo`: take a change back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import goal, show
from orchgit.model import ids

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.api import Project


@click.command()
@click.argument("commit", metavar="[COMMIT|TASK|GOAL]", required=False)
@show.as_json
@click.pass_obj
def undo(directory: Path, commit: str | None, *, wants_json: bool) -> None:
    """Set the state before COMMIT again, before the last commit about TASK, or before the last one of all.

    Of a GOAL all tasks are removed that its last plan made, as by `orchgit goal undo`; one that was deleted comes back.
    That is a new commit; undoing it brings back what was undone.
    """
    project = api.open_project(directory)
    if commit and commit.startswith(f"{ids.GOAL}_") and not _is_gone(project, commit):
        goal.take_back(project, commit, wants_json=wants_json)
        return
    done = project.undo(commit)
    if wants_json:
        show.dump({
            "undone": done.commit, "subject": done.subject, "restored": done.restored, "paths": done.paths,
            "tasks": done.tasks,
        })  # fmt: skip
    else:
        show.say(f"Undone: {done.commit[:9]} {done.subject}")


def _is_gone(project: Project, goal: str) -> bool:
    """Is it the id of a goal that isn't here? Then its deletion is what can be undone."""
    return ids.is_id(goal, ids.GOAL) and not any(each.startswith(goal) for each in project.state.goals)
