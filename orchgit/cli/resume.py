"""`orchgit resume`: end a pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import show

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.pass_obj
def resume(directory: Path) -> None:
    """Let the team of this clone start runs again."""
    changed = api.open_project(directory).resume()
    show.say("Resumed." if changed else "It was not paused.")
