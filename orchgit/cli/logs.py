"""`orchgit logs`: what agents said."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import show
from orchgit.model import ids, span
from orchgit.model.errors import AmbiguousError, NotFoundError, UsageError
from orchgit.repository import runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.api import Project
    from orchgit.engine.output import Line
    from orchgit.repository.runs import Folder, Spec

_COLORS = {
    "session": "bright_black", "tool": "cyan", "file": "green", "usage": "bright_black", "warning": "yellow",
    "limited": "yellow", "denied": "red", "result": "bright_black", "raw": "bright_black",
}  # fmt: skip
_SPAN = re.compile(r"\d+[A-Za-z]+")


@click.command()
@click.argument("run", required=False, metavar="[RUN|TASK]")
@click.option("--task", "task_id", metavar="ID", help="The runs of this task.")
@click.option("--agent", metavar="NAME", help="The runs of this agent.")
@click.option("--since", metavar="SPAN|DATE", help="Only what was said since then: 5m, 1h, 1d, or a date.")
@click.option("--tail", type=click.IntRange(0), metavar="N", help="Only the last N lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@show.as_json
@click.pass_obj
def logs(
    directory: Path,
    run: str | None,
    *,
    task_id: str | None,
    agent: str | None,
    since: str | None,
    tail: int | None,
    follow: bool,
    wants_json: bool,
) -> None:
    """Print what an agent said in a run: RUN, else the newest that fits; with a TASK or --agent all of theirs."""
    project = api.open_project(directory)
    if run is not None and task_id is None and _is_task(project, run):
        run, task_id = None, run
    wanted = project.task(task_id).id if task_id else None
    found = list(_runs(project, run, wanted, project.state.who(agent) if agent else None))
    if not found:
        raise NotFoundError("No run fits that.", "`orchgit run --all` starts what is ready.")
    several = bool(wanted or agent or since) and run is None
    shown = list(reversed(found)) if several else found[:1]
    from_then = _moment(project, since) if since else None
    lines = [line for place, _ in shown for line in project.output(place) if from_then is None or line.at >= from_then]
    names = {place.id: spec.agent for place, spec in shown}
    for line in lines[len(lines) - min(tail, len(lines)) :] if tail is not None else lines:
        _print(line, names, wants_json=wants_json)
    if follow:
        newest = found[0][0]
        for line in project.output(newest, tail=0, follow=True):
            _print(line, names, wants_json=wants_json)


def _moment(project: Project, word: str) -> datetime:
    """Return the time that a span before now means, such as 5m, or a date as Git reads one."""
    if _SPAN.fullmatch(word):
        try:
            return datetime.now(UTC) - span.read(word)
        except ValueError as error:
            raise UsageError(f"{error}.", "Or give a date.") from None
    from orchgit.engine import moment

    return datetime.fromtimestamp(moment.seconds(project.layout, word, end=False), UTC)


def _is_task(project: Project, word: str) -> bool:
    """Does `word` name a task and no run?"""
    if word.startswith(f"{ids.TASK}_"):
        return True
    try:
        ids.resolve(word, [place.id for place in project.runs()], kind="run")
    except NotFoundError:
        with suppress(NotFoundError):
            return bool(project.task(word))
    except AmbiguousError:
        pass
    return False


def _runs(project: Project, run: str | None, task: str | None, agent: str | None) -> Iterator[tuple[Folder, Spec]]:
    known = list(project.runs())
    if run is not None:
        wanted = ids.resolve(run, [place.id for place in known], kind="run")
        known = [place for place in known if place.id == wanted]
    for place in known:
        spec = runs.read_spec(place)
        if task in (None, spec.task) and agent in (None, spec.agent):
            yield place, spec


def _print(line: Line, names: dict[str, str], *, wants_json: bool) -> None:
    if wants_json:
        import json

        data = {
            "run": line.run,
            "agent": names.get(line.run),
            "at": show.moment(line.at),
            "type": line.kind,
            "text": line.text,
            "usage": line.usage,
            "seconds": line.seconds,
            "details": line.details,
        }
        click.echo(json.dumps(data, ensure_ascii=False, default=show.plain))
        return
    for each in line.text.split("\n"):
        text = show.style(each, fg=_COLORS[line.kind]) if line.kind in _COLORS else each
        click.echo(f"{line.at.astimezone():%H:%M:%S}  {line.run}  {names.get(line.run, '')}  {text}")
