"""Shows a team at work: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from orchgit.cli import everywhere, show
from orchgit.engine.telling import Level
from orchgit.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from orchgit.api import Project
    from orchgit.engine.telling import Happening, Notice, Report
    from orchgit.model.task import Task


@contextmanager
def shown(project: Project) -> Iterator[Report]:
    """Yield the function that shows what happens, for the length of a `with`."""
    if not sys.stdout.isatty():
        yield lambda happening: click.echo(line(happening))
        return
    with _live(_Board(project)) as report:
        yield report


def line(happening: Happening) -> str:
    """Return what happened on one line: when, which task, what it is now, who, why."""
    task, now = happening.task, datetime.now().astimezone()
    reason = f"  ({happening.reason.splitlines()[0]})" if happening.reason else ""
    again = f"  attempt {task.attempts}" if task.status is Status.IN_PROGRESS and task.attempts > 1 else ""
    word = show.style(f"{task.status.value:<11}", fg=show.COLORS[task.status])
    return f"{now:%H:%M:%S}  {task.id}  {word}  {task.agent or '-':<10}  {task.title}{again}{reason}"


def complain(notice: Notice) -> None:
    """Say on stderr what went wrong beside the tasks."""
    if notice.level in (Level.WARNING, Level.ERROR):
        click.echo(f"orchgit: {notice.text}", err=True)


def tell_all(notice: Notice) -> None:
    """Say on stderr whatever the team notes."""
    click.echo(f"orchgit: {notice.text}", err=True)


class _Board:
    """What runs now, since when, what it has used, and what it said last."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._since: dict[str, tuple[Task, datetime]] = {}
        for task in project.refresh().tasks.values():
            if task.status is Status.IN_PROGRESS and task.run:
                self.note(task)

    def note(self, task: Task) -> None:
        self._since.pop(task.id, None)
        if task.status is Status.IN_PROGRESS:
            began = self._project.began(task.run) if task.run else None
            self._since[task.id] = (task, began or datetime.now(UTC))

    def __rich__(self) -> RenderableType:
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2), expand=True)
        for longest in (None, None, show.columns() // 3, None, None):  # what it used has room beside a long title
            table.add_column(no_wrap=True, overflow="ellipsis", max_width=longest)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        spinner = "line" if everywhere.is_asked(everywhere.ASCII) else "dots"
        for task, since in self._since.values():
            elapsed = show.span((datetime.now(UTC) - since).total_seconds())
            used = show.short(self._project.used(task.run) if task.run else None)
            table.add_row(
                Spinner(spinner), Text(task.agent or "-", "cyan"), Text(task.title), Text(elapsed, "dim"),
                Text(used, "dim"), Text(self._last_words(task), "dim"),
            )  # fmt: skip
        return table

    def _last_words(self, task: Task) -> str:
        last = self._project.last_line(task.run) if task.run else None
        return show.one_line(last.text) if last else ""


@contextmanager
def _live(board: _Board) -> Iterator[Report]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False)

    def report(happening: Happening) -> None:
        board.note(happening.task)
        console.print(Text.from_ansi(line(happening)))

    with Live(board, console=console, refresh_per_second=4, transient=True):
        yield report
