"""`orchgit mcp`: the team as tools of the Model Context Protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit.cli import update
from orchgit.model.errors import RefusedError

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.pass_obj
def mcp(directory: Path) -> None:
    """Serve tasks and review over the Model Context Protocol, on standard input and output.

    In a worktree of a run it acts as that agent, and may do only what agents may.
    """
    try:
        from orchgit.mcp import server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "mcp":
            raise
        raise RefusedError(
            "`orchgit mcp` needs the MCP SDK, the package mcp, version 2, which isn't installed here.",
            update.to_add("mcp>=2,<3"),
        ) from error
    server.serve(directory.absolute())
