"""`orchgit undo`: take a change back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import show

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("commit", metavar="[COMMIT|TASK]", required=False)
@show.as_json
@click.pass_obj
def undo(directory: Path, commit: str | None, *, wants_json: bool) -> None:
    """Set the state before COMMIT again, before the last commit about TASK, or before the last one of all.

    That is a new commit; undoing it brings back what was undone.
    """
    done = api.open_project(directory).undo(commit)
    if wants_json:
        show.dump({
            "undone": done.commit, "subject": done.subject, "restored": done.restored, "paths": done.paths,
            "tasks": done.tasks,
        })  # fmt: skip
    else:
        show.say(f"Undone: {done.commit[:9]} {done.subject}")
