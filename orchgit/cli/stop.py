"""`orchgit stop`: end the team that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import show
from orchgit.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.option("--now", is_flag=True, help="End what runs and give its tasks back; its work is kept.")
@click.option("--leave", is_flag=True, help="Leave what runs to go on by itself.")
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Wait no longer; the team goes on ending.")
@click.pass_obj
def stop(directory: Path, timeout: float | None, *, now: bool, leave: bool) -> None:
    """End the team that runs in this clone, and wait until it has: it starts nothing more and finishes what runs."""
    if now and leave:
        raise UsageError("Say one: --now ends what runs, --leave lets it go on.")
    project = api.open_project(directory)
    was_running = project.is_team_running()
    project.stop("now" if now else "leave" if leave else "drain", wait=timeout)
    show.say("The team has ended." if was_running else "What was left to go on by itself has ended.")
