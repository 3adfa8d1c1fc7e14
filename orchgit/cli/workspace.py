"""`orchgit workspace`: where tasks are worked on."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import nearest, show

if TYPE_CHECKING:
    from pathlib import Path


@click.group(cls=nearest.Group)
def workspace() -> None:
    """See where tasks are worked on, and clean up."""


@workspace.command("list")
@show.as_json
@click.pass_obj
def list_(directory: Path, *, wants_json: bool) -> None:
    """List the worktrees of tasks, and whether all that is in them is committed and named by a ref."""
    found = api.open_project(directory).workspaces()
    if wants_json:
        show.dump([asdict(each) for each in found])
    elif found:
        rows = ((each.task, each.status or "deleted", "yes" if each.kept else "no", str(each.path)) for each in found)
        show.table(("TASK", "STATUS", "KEPT", "PATH"), rows)
    elif sys.stdout.isatty():
        show.say("No workspaces: a task gets one when an agent starts on it.")


@workspace.command()
@click.argument("id")
@click.pass_obj
def path(directory: Path, id: str) -> None:  # noqa: A002 - the argument's name in the usage line
    """Print where the worktree of the task ID is: `cd "$(orchgit workspace path ID)"`."""
    click.echo(api.open_project(directory).workspace(id))


@workspace.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.pass_obj
def clean(directory: Path, *, dry_run: bool) -> None:
    """Remove the worktrees of closed and deleted tasks, once all that is in them is kept under a ref."""
    found = api.open_project(directory).clean_workspaces(dry_run=dry_run)
    gone = "would be removed" if dry_run else "removed"
    for each in found:
        click.echo(f"{each.task}  {f'left: {each.why}' if each.why else gone}  {each.path}")
