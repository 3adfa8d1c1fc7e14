"""`orchgit skill`: teach other agents to use the team."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import nearest, show

if TYPE_CHECKING:
    from pathlib import Path

_home = click.option("--home", is_flag=True, help="In your home, for all your projects.")


@click.group(cls=nearest.Group)
def skill() -> None:
    """Teach Claude Code and other agents how to hand work to the team, follow it and collect the result."""


@skill.command()
@_home
@click.pass_obj
def install(directory: Path, *, home: bool) -> None:
    """Put a skill for Claude Code, and a section of AGENTS.md for the others, into the project.

    Done again, it brings them up to date.
    """
    for place, changed in api.install_skill(directory, home=home):
        show.say(f"{place}" if changed else f"{place} is up to date.")


@skill.command()
@_home
@click.pass_obj
def uninstall(directory: Path, *, home: bool) -> None:
    """Take them away again, and nothing else."""
    gone = api.uninstall_skill(directory, home=home)
    for place in gone:
        show.say(f"Taken out of {place}." if place.exists() else f"{place} is gone.")
    if not gone:
        show.say("Nothing to do: there is none.")
