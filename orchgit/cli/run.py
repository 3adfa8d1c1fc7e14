"""`orchgit run`: let the team work."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import conclusion, interrupt, progress, show
from orchgit.cli.main import INTERRUPTED
from orchgit.engine.loop import Control
from orchgit.model.errors import RefusedError, UsageError
from orchgit.model.task import Status

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from orchgit.api import Project
    from orchgit.cli.progress import Screen
    from orchgit.engine.telling import Happening
    from orchgit.model.scheduling import Snapshot


@click.command()
@click.argument("task", required=False)
@click.option("--all", "everything", is_flag=True, help="Work until nothing is left that an agent could do.")
@click.option("--watch", is_flag=True, help="Go on, and take up what is added or changed.")
@click.option("--verbose", is_flag=True, help="Say on stderr all that the team notes, not only what goes wrong.")
@click.pass_obj
def run(directory: Path, task: str | None, *, everything: bool, watch: bool, verbose: bool) -> int:
    """Let the team work: on TASK, on all that is ready (--all), or for as long as you like (--watch).

    Ctrl-C once starts nothing more and waits for what runs; twice leaves the runs to go on by themselves. Exits 1
    where a task failed, before or now, or nobody can do it, 130 where Ctrl-C ended it early.
    """
    if (task is not None) == (everything or watch):
        raise UsageError("Say what to run: a TASK, --all or --watch.")
    project = api.open_project(directory, merged=False)  # the loop tells of it
    only = project.task(task).id if task else None
    if only and (closed := _closed(project, only)):
        show.say(closed)
        return 0
    control = Control()
    moved: set[str] = set()
    if found := project.paused():
        click.echo(f"orchgit: Paused by {found.by}: nothing is started until `orchgit resume`.", err=True)

    with progress.shown(project) as screen, _heeded(control, screen):

        def report(happening: Happening) -> None:
            moved.add(happening.task.id)
            screen.report(happening)

        after = project.run(
            report=report,
            notify=screen.tell if verbose else screen.complain,
            only=only,
            watch=watch,
            control=control,
        )
    project.refresh()
    code = _conclude(project, after, left=control.leaving)
    if not moved and not watch and not control.interrupted and sys.stdout.isatty():
        show.say("Nothing was ready to be started.")
    return INTERRUPTED if control.interrupted and not watch else code


def _heeded(control: Control, screen: Screen) -> AbstractContextManager[None]:
    return interrupt.heeded(control, screen.say, command="orchgit run", once_more="Ctrl-C")


def _closed(project: Project, task: str) -> str:
    """Make the task ready, where it waits for a retry; return what to say where it is done already, else "".

    RefusedError where it was cancelled.
    """
    match project.task(task).status:
        case Status.RETRYING:
            project.retry(task)
        case Status.DONE:
            return f"{task} is done already."
        case Status.CANCELLED:
            raise RefusedError(f"{task} is cancelled.", f"`orchgit task retry {task}` has it done after all.")
        case _:
            pass
    return ""


def _conclude(project: Project, after: Snapshot, *, left: bool) -> int:
    """Say how things stand at the end and return the exit code."""
    found = list(conclusion.verdicts(project, after))
    for each in found:
        click.echo(each.text)
    return conclusion.exit_code(found, left=left)
