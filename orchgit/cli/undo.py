"""`orchgit undo`: take a change back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import goal, show
from orchgit.model import ids

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("commit", metavar="[COMMIT|TASK|GOAL]", required=False)
@show.as_json
@click.pass_obj
def undo(directory: Path, commit: str | None, *, wants_json: bool) -> None:
    """Set the state before COMMIT again, before the last commit about TASK, or before the last one of all.

    Of a GOAL all tasks are removed that its last plan made, as by `orchgit goal undo`. That is a new commit; undoing it
    brings back what was undone.
    """
    project = api.open_project(directory)
    if commit and commit.startswith(f"{ids.GOAL}_"):
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
