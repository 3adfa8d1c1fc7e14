"""Shows a team at work: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from orchgit.cli import everywhere, show, tasklist
from orchgit.engine.telling import Level
from orchgit.model.dataclass import dataclass
from orchgit.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from orchgit.api import Project
    from orchgit.engine.telling import Happening, Notice, Report
    from orchgit.model.task import Task

_CONTROL_CS = 6  # columns that a row leaves free: a terminal writes ^C there, and may not go on in the next line


@dataclass(frozen=True, slots=True)
class Screen:
    """Where a team at work is told of: `report` shows what happens, `say` prints other words on stderr.

    `say` may be called by a signal handler.
    """

    report: Report
    say: Callable[[str], None]

    def complain(self, notice: Notice) -> None:
        """Say what went wrong beside the tasks."""
        if notice.level in (Level.WARNING, Level.ERROR):
            self.tell(notice)

    def tell(self, notice: Notice) -> None:
        """Say whatever the team notes."""
        self.say(f"orchgit: {notice.text}")


@contextmanager
def shown(project: Project) -> Iterator[Screen]:
    """Yield where it is told what happens, for the length of a `with`."""
    if not sys.stdout.isatty():
        yield Screen(lambda happening: click.echo(line(happening)), _on_stderr)
        return
    with _live(_Board(project)) as screen:
        yield screen


def line(happening: Happening) -> str:
    """Return what happened on one line: when, which task, what it is now, who, why, when again."""
    task, now = happening.task, datetime.now().astimezone()
    word = show.style(f"{task.status.value:<11}", fg=show.COLORS[task.status])
    before = f"{now:%H:%M:%S}  {task.id}  {word}  {task.agent or '-':<10}  "
    again = f"  attempt {task.attempts}" if task.status is Status.IN_PROGRESS and task.attempts > 1 else ""
    return show.fitted(before, task.title, again + (f"  ({why})" if (why := _why(happening)) else ""))


def _why(happening: Happening) -> str:
    again = tasklist.again(happening.task) if sys.stdout.isatty() else ""
    return "; ".join(filter(None, (happening.reason.partition("\n")[0], again)))


def _on_stderr(words: str) -> None:
    click.echo(words, err=True)


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
        table.width = show.columns() - _CONTROL_CS
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
def _live(board: _Board) -> Iterator[Screen]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False)

    def report(happening: Happening) -> None:
        board.note(happening.task)
        console.print(Text.from_ansi(line(happening)))

    def above(words: str) -> None:
        console.print(Text(words))

    with Live(board, console=console, refresh_per_second=4, transient=True):
        if sys.stderr.isatty():
            with _by_a_thread(above) as say:
                yield Screen(report, say)
        else:
            yield Screen(report, _on_stderr)


@contextmanager
def _by_a_thread(show: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
    """Yield a function that has words shown soon: a signal handler may come in the middle of our own printing."""
    import threading
    from queue import SimpleQueue

    waiting: SimpleQueue[str | None] = SimpleQueue()

    def show_all() -> None:
        for words in iter(waiting.get, None):
            show(words)

    thread = threading.Thread(target=show_all)
    thread.start()
    try:
        yield waiting.put
    finally:
        waiting.put(None)
        thread.join()
