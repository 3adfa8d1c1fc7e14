"""`orchgit tui`: the terminal interface, which isn't there yet."""

from __future__ import annotations

import click

from orchgit.model.errors import UsageError


@click.command()
def tui() -> None:
    """Say what shows a team at work, until there is a terminal interface."""
    raise UsageError(
        "There is no terminal interface yet: `orchgit run --watch` shows the team at work, `orchgit status` how it is."
    )
