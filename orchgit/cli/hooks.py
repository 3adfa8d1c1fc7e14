"""`orchgit hooks`: Git's own hooks, put beside what a repository has already."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import nearest, show
from orchgit.repository import githooks

if TYPE_CHECKING:
    from orchgit.engine.githooks import Report, Standing


@click.group(cls=nearest.Group)
def hooks() -> None:
    """Let Git itself ask orchgit: at a commit of yours, a merge, a push."""


@hooks.command()
@click.option("--shared", is_flag=True, help="Install in a folder that your other repositories use too.")
@click.pass_obj
def install(directory: Path, *, shared: bool) -> None:
    """Put orchgit's hooks in front of those that are there; run it again where another tool wrote over them."""
    _tell(api.open_project(directory, edits=False).install_hooks(shared=shared))


@hooks.command()
@click.pass_obj
def uninstall(directory: Path) -> None:
    """Take orchgit's hooks away: what was there before is there again, to the byte."""
    left = api.open_project(directory, edits=False).uninstall_hooks()
    show.say("The hooks are gone; those that were here before are back.")
    for words in left:
        click.echo(f"orchgit: {words}", err=True)


@hooks.command()
@show.as_json
@click.pass_obj
def status(directory: Path, *, wants_json: bool) -> None:
    """Show each hook: whether it runs, what runs with it, and what keeps it from running."""
    report = api.open_project(directory, edits=False).hooks()
    if wants_json:
        show.dump(asdict(report))
    else:
        _tell(report)


@hooks.command("show")
@click.argument("name", type=click.Choice((*githooks.NAMES, githooks.SERVER)))
def show_(name: str) -> None:
    """Print a hook's script: `pre-receive` is the one for a server."""
    sys.stdout.buffer.write(api.hook_script(name))


@hooks.command(hidden=True)
@click.pass_obj
def merged(directory: Path) -> None:
    """Close the tasks in review whose work is in the base branch by now: merged, squashed or rebased by hand."""
    closed = api.open_project(directory, edits=False).close_merged()
    if closed:
        verb = "is" if len(closed) == 1 else "are"
        click.echo(f"orchgit: {', '.join(task.id for task in closed)} {verb} done: the work is in the base branch.")


@hooks.command(hidden=True)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("source", required=False, default="")
@click.pass_obj
def message(directory: Path, file: Path, source: str) -> None:
    """Write the message of a commit in .orchestry/ into FILE, from what is staged: what prepare-commit-msg calls."""
    api.open_project(directory, edits=False).write_message(file.absolute(), typed=bool(source))


@hooks.command(hidden=True)
@click.argument("remote", required=False, default="")
@click.argument("url", required=False, default="")
@click.pass_obj
def push(directory: Path, remote: str, url: str) -> None:
    """Judge a push to REMOTE before it is sent, as git tells it on standard input: what pre-push calls."""
    named = "" if remote == url else remote
    api.judge_push(directory, sys.stdin.read(), remote=named)


@hooks.command(hidden=True)
@click.pass_obj
def receive(directory: Path) -> None:
    """Judge a push before it is accepted, as git tells it on standard input: what pre-receive calls."""
    api.judge_receipt(directory, sys.stdin.read())


def _tell(report: Report) -> None:
    click.echo(f"Hooks in {report.folder}")
    show.table(("HOOK", "STATE", "RUNS", "WITH", "NOTES"), [_row(each) for each in report.hooks])
    for note in report.notes:
        click.echo(f"orchgit: {note}", err=True)


def _row(hook: Standing) -> tuple[str, ...]:
    return (hook.hook, hook.how.value, "yes" if hook.runs else "no", hook.chained or "-", "; ".join(hook.faults) or "-")
