"""`orchgit run`: let the team work."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import progress
from orchgit.engine.loop import Control
from orchgit.model import scheduling
from orchgit.model.errors import UsageError
from orchgit.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.model.scheduling import Snapshot

_GOOD = frozenset({Status.REVIEW, Status.DONE, Status.CANCELLED})


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
    with progress.shown(project) as report, _interruptible(control):
        after = project.run(report=report, only=only, watch=watch, control=control)
    return _conclude(after, left=control.leaving)


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


def _conclude(after: Snapshot, *, left: bool) -> int:
    """Say how things stand at the end; return 1 where a task failed or is stuck for good."""
    in_view = [task for task in after.tasks.values() if after.only in (None, task.id)]
    for task in sorted(in_view, key=lambda each: scheduling.order(each, after.config)):
        if task.status is Status.REVIEW:
            click.echo(f"{task.id} waits for your review: orchgit task show {task.id}")
        elif task.status is Status.FAILED:
            click.echo(f"{task.id} failed: orchgit logs --task {task.id}")
        elif task.status is Status.TODO and (why := scheduling.obstacle(task, after)):
            click.echo(f"{task.id} was not started: it {why}")
    if left:
        return 0
    return 1 if any(_went_wrong(task.id, after) for task in in_view) else 0


def _went_wrong(task_id: str, after: Snapshot) -> bool:
    task = after.tasks[task_id]
    if task.status is Status.TODO:
        unmet = scheduling.blockers(task, after.tasks)
        return not after.draining and not (unmet and all(how in _MOVING for _, how in unmet))
    return task.status is Status.FAILED


_MOVING = frozenset({Status.REVIEW, Status.TODO, Status.IN_PROGRESS, Status.RETRYING})
