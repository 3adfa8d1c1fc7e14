"""`orchgit run`: let the team work."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import progress
from orchgit.cli.task import complain_of_broken
from orchgit.engine.loop import Control
from orchgit.model import scheduling, standing
from orchgit.model.errors import UsageError
from orchgit.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.api import Project
    from orchgit.engine.perform import Happening
    from orchgit.model.scheduling import Snapshot

_WAITING = frozenset({Status.TODO, Status.RETRYING})


@click.command()
@click.argument("task", required=False)
@click.option("--all", "everything", is_flag=True, help="Work until nothing is left that an agent could do.")
@click.option("--watch", is_flag=True, help="Go on, and take up what is added or changed.")
@click.pass_obj
def run(directory: Path, task: str | None, *, everything: bool, watch: bool) -> int:
    """Let the team work: on TASK, on all that is ready (--all), or for as long as you like (--watch).

    Ctrl-C once starts nothing more and waits for what runs; twice leaves the runs to go on by themselves. Exits 1
    where a task failed or nobody can do it.
    """
    if sum((task is not None, everything, watch)) != 1:
        raise UsageError("Say what to run: a TASK, --all or --watch.")
    project = api.open_project(directory)
    only = project.task(task).id if task else None
    if only and project.task(only).status is Status.RETRYING:
        project.retry(only)
    control = Control()
    complain_of_broken(project)
    failed: set[str] = set()
    with progress.shown(project) as tell, _interruptible(control):

        def report(happening: Happening) -> None:
            (failed.add if happening.task.status is Status.FAILED else failed.discard)(happening.task.id)
            tell(happening)

        after = project.run(report=report, only=only, watch=watch, control=control)
    project.refresh()
    return _conclude(project, after, failed=failed, left=control.leaving)


@contextmanager
def _interruptible(control: Control) -> Iterator[None]:
    def on_interrupt(_number: int, _frame: object) -> None:
        if control.draining:
            click.echo("\nLeaving. What runs goes on by itself; the next `orchgit run` takes it up.", err=True)
            control.leave()
        else:
            click.echo(
                "\nStarting nothing more; waiting for what runs. Ctrl-C again leaves it to go on by itself.", err=True
            )
            control.drain()

    before = {number: signal.signal(number, on_interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _conclude(project: Project, after: Snapshot, *, failed: set[str], left: bool) -> int:
    """Say how things stand at the end; return 1 where a task failed now, or waits for what can't come by itself."""
    in_view = [task for task in after.tasks.values() if after.only in (None, task.id)]
    for task in sorted(in_view, key=lambda each: standing.order(each, after.config)):
        if task.status is Status.REVIEW:
            click.echo(f"{task.id} waits for your review: orchgit task show {task.id}")
        elif task.status is Status.FAILED:
            click.echo(f"{task.id} failed: {project.reason(task.id) or 'given up'}. orchgit logs --task {task.id}")
        elif task.status in _WAITING and (why := scheduling.obstacle(task, after)):
            click.echo(f"{task.id} was not started: it {why}")
    stuck = not after.draining and any(task.status in _WAITING and scheduling.is_stuck(task, after) for task in in_view)
    return (
        1
        if not left and (stuck or failed or any(task.status is Status.FAILED for task in in_view if after.only))
        else 0
    )
