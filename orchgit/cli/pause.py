"""`orchgit pause`: let nothing be started for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import show

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.pass_obj
def pause(directory: Path) -> None:
    """Start no more runs in this clone until `orchgit resume`, by whatever team runs here, now or later.

    What runs goes on.
    """
    changed = api.open_project(directory).pause()
    show.say("Paused: nothing is started until `orchgit resume`." if changed else "It is paused already.")
