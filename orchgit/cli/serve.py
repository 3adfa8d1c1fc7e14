"""`orchgit serve`: the team as a service."""

from __future__ import annotations

import signal
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import conclusion, interrupt
from orchgit.cli.serverlog import ServerLog
from orchgit.engine import telling
from orchgit.engine.loop import Control
from orchgit.engine.telling import Level
from orchgit.model.errors import OrchgitError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.api import Project
    from orchgit.engine.telling import Notice
    from orchgit.model.scheduling import Snapshot


@click.command()
@click.option("--once", is_flag=True, help="End when nothing is left that an agent could do.")
@click.option(
    "--tick-interval", type=click.IntRange(1), metavar="MS", help="How often to look for what a watcher missed."
)
@click.option("--log-file", type=click.Path(dir_okay=False, path_type=Path), metavar="PATH", help="Log there too.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", help="What a line of the log is.")
@click.option("--verbose", is_flag=True, help="Log every look at the state too.")
@click.pass_obj
def serve(
    directory: Path, tick_interval: int | None, log_file: Path | None, log_format: str, *, once: bool, verbose: bool
) -> int:
    """Run the team without a terminal, for a service manager or for CI (--once).

    A line of the log says when, how grave, and which run, task and agent. SIGTERM or Ctrl-C starts nothing more and
    waits for what runs; twice leaves the runs to go on by themselves. SIGHUP opens the log file anew. With --once it
    exits 1 where a task failed or stayed blocked.
    """
    project = api.open_project(directory, merged=False)  # the loop tells of it
    log = ServerLog(log_file, as_json=log_format == "json", verbose=verbose)
    log.open()
    control = Control()

    def hear(notice: Notice) -> None:
        if notice.kind == telling.BEGAN:
            log.line(Level.INFO, "serving", f"serving {project.layout.root}, base {project.config().project_base}")
        else:
            log.notice(notice)

    with _faults_in(log), _signals(control, log):
        tick = tick_interval / 1000 if tick_interval else None
        after = project.run(report=log.happening, notify=hear, watch=not once, control=control, tick=tick)
        code = _conclude(log, project, after, left=control.leaving) if once else 0
        log.line(Level.INFO, "ended", "ended" + (f": exit code {code}" if once else ""))
    return code


def _conclude(log: ServerLog, project: Project, after: Snapshot, *, left: bool) -> int:
    project.refresh()
    found = list(conclusion.verdicts(project, after))
    for each in found:
        level = Level.ERROR if each.bad else Level.INFO
        log.line(level, "verdict", each.text, task=each.task, run=each.task.run, agent=each.task.agent)
    return conclusion.exit_code(found, left=left)


@contextmanager
def _faults_in(log: ServerLog) -> Iterator[None]:
    """Write what ends us into the log too, a defect with its traceback: nobody may be looking at stderr."""
    try:
        yield
    except (OrchgitError, OSError) as error:
        log.line(Level.ERROR, "ended", str(error))
        raise
    except Exception:
        log.line(Level.ERROR, "defect", traceback.format_exc().rstrip())
        raise


@contextmanager
def _signals(control: Control, log: ServerLog) -> Iterator[None]:
    def reopen(_number: int, _frame: object) -> None:
        log.reopening = True  # by the next line: the signal may have come in the middle of one

    def say(words: str) -> None:
        log.line(Level.INFO, "asked", words)

    before = signal.signal(signal.SIGHUP, reopen)
    try:
        with interrupt.heeded(control, say, command="orchgit serve", once_more="The same"):
            yield
    finally:
        signal.signal(signal.SIGHUP, before)
