"""The log of `orchgit serve`: one line for each thing that happens, on stdout and in a file."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import click

from orchgit.engine.telling import Level
from orchgit.model.dataclass import dataclass
from orchgit.model.task import Status

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.engine.telling import Happening, Notice
    from orchgit.model.task import Task


@dataclass(slots=True)
class ServerLog:
    """Writes lines of text or JSON. What can't be written is lost: a full disk or a closed pipe ends no team."""

    path: Path | None = None
    as_json: bool = False
    verbose: bool = False
    reopening: bool = False
    _file: IO[str] | None = None
    _last: dict[str, Happening] = field(default_factory=dict)

    def open(self) -> None:
        """Open the file, again where it was open: whoever rotates it has moved the old one away."""
        self.reopening = False
        if self._file is not None:
            self._file.close()
        self._file = self.path.open("a", encoding="utf-8") if self.path else None

    def happening(self, told: Happening) -> None:
        """Write what became of a task, once: what is told again in the same words has been said."""
        task = told.task
        if self._last.get(task.id) == told:
            return
        self._last[task.id] = told
        self.line(
            Level.ERROR if task.status is Status.FAILED else Level.INFO,
            _kind(told),
            f"{task.status.value}: {task.title}{f' ({told.reason.splitlines()[0]})' if told.reason else ''}",
            task=task, run=told.run, agent=told.agent,
        )  # fmt: skip

    def notice(self, told: Notice) -> None:
        if told.level is not Level.DEBUG or self.verbose:
            task = told.task
            agent, run = (task.agent, task.run) if task else (told.agent, told.run)
            self.line(told.level, told.kind, told.text, task=task, run=run, agent=agent)

    def line(
        self,
        level: Level,
        event: str,
        message: str,
        *,
        task: Task | None = None,
        run: str | None = None,
        agent: str | None = None,
    ) -> None:
        values = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": level.value, "event": event, "run": run, "task": task.id if task else None, "agent": agent,
            "status": task.status.value if task else None, "message": message,
        }  # fmt: skip
        self._write(json.dumps(values, ensure_ascii=False) if self.as_json else _text(values))

    def _write(self, line: str) -> None:
        if self.reopening:
            with suppress(OSError):
                self.open()
        with suppress(OSError, ValueError):  # ValueError: stdout was closed
            click.echo(line)
        if self._file is not None:
            with suppress(OSError, ValueError):
                self._file.write(f"{line}\n")
                self._file.flush()


def _kind(told: Happening) -> str:
    if told.run is None:
        return "transition"
    return "run_started" if told.task.status is Status.IN_PROGRESS and not told.reason else "run_ended"


def _text(values: dict[str, str | None]) -> str:
    """Return the values as a line of text; further lines of a message, a traceback's, are indented."""
    about = "  ".join(f"{key}={values[key]}" for key in ("run", "task", "agent") if values[key])
    message = str(values["message"]).replace("\n", "\n    ")
    return "  ".join(filter(None, (values["time"], f"{str(values['level']).upper():<7}", about, message)))
