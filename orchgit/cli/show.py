"""How data is printed: aligned text, colour where a person looks, JSON where a program reads."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from orchgit import api
from orchgit.cli import everywhere
from orchgit.model import jsonable, standing, usage
from orchgit.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from orchgit.api import Project
    from orchgit.model.org import Org
    from orchgit.model.role import Role
    from orchgit.model.task import Task
    from orchgit.model.usage import Usage

COLORS = {
    Status.TODO: "white",
    Status.IN_PROGRESS: "cyan",
    Status.REVIEW: "magenta",
    Status.DONE: "green",
    Status.RETRYING: "yellow",
    Status.FAILED: "red",
    Status.CANCELLED: "bright_black",
}

moment, plain = jsonable.moment, jsonable.plain

_NARROW = 20  # columns: nothing is cut to less, and goes on in the next line instead

at = click.option("--at", metavar="REV|DATE", help="As it was at this commit of the state branch, or at this time.")
as_json = click.option(
    "--json",
    "wants_json",
    is_flag=True,
    help="Print JSON.",
    callback=lambda _context, _option, value: value or everywhere.is_asked(everywhere.JSON),
)


def say(words: str) -> None:
    """Print what confirms or explains, and is no data."""
    if not everywhere.is_asked(everywhere.QUIET):
        click.echo(words)


def warn(doubts: Iterable[str]) -> None:
    """Print on stderr what may not have been meant."""
    for each in doubts:
        click.echo(f"orchgit: {each}", err=True)


def whose(found: Org | Role) -> str:
    """Return a template's line, with a mark where it is the person's own."""
    is_own, hides_ours = api.whose_template(found)
    mark = " (yours, hides ours)" if hides_ours else " (yours)" if is_own else ""
    return f"{found.description}{mark}"


def task_data(project: Project, found: Task, **more: object) -> dict[str, object]:
    """Return a task as `--json` prints it, with the priority that counts where its file says none."""
    return jsonable.task(found, priority=standing.priority(found, project.config()), **more)


def next_run(project: Project) -> None:
    """Say on a terminal what has the team begin, where none runs that would by itself."""
    if sys.stdout.isatty() and project.refresh().agents and not project.is_team_running():
        say("Next: orchgit run --all")


def colored() -> bool:
    """May output carry colour? On a terminal that has it, unless NO_COLOR is set to anything."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def style(text: str, **how: Any) -> str:
    return click.style(text, **how) if colored() else text


def status(value: Status) -> str:
    return style(value.value, fg=COLORS[value])


def dump(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=everywhere.is_asked(everywhere.ASCII), default=plain))


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], *, paint: dict[int, Callable[[str], str]] | None = None
) -> None:
    """Print rows in aligned columns, the last one as wide as it comes.

    A terminal that has no room for all cuts the last one, and the widest of the others where that leaves it too little.
    """
    lines = [list(headers), *([one_line(cell) for cell in row] for row in rows)]
    *widths, last = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    room = _make_room(widths, last) if sys.stdout.isatty() else None
    shades = paint if paint and colored() else {}
    told = [_laid_out(line, widths, room, shades if number else {}) for number, line in enumerate(lines)]
    shown = told[1:] if everywhere.is_asked(everywhere.QUIET) else told
    click.echo("\n".join(shown), nl=bool(shown))


def fitted(before: str, title: str, after: str = "", *, least: int = 12, room: int | None = None) -> str:
    """Return a line of three parts; a terminal that has no room for all cuts the title, and then what comes after it.

    `least` is what the title keeps, in columns; the line has `room`, or all of them.
    """
    if not sys.stdout.isatty():
        return before + title + after
    left = (columns() if room is None else room) - _width(click.unstyle(before))
    kept = _cut(title, max(left - _width(after), least))
    return before + kept + _cut(after, max(left - _width(kept), _NARROW))


def room_beside(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Return how many columns a terminal has beside cells, for the one under the last of `headers`."""
    lines = [list(headers[:-1]), *rows]
    return columns() - sum(max(map(_width, column)) + 2 for column in zip(*lines, strict=True))


def _make_room(widths: list[int], last: int) -> int:
    """Return how many columns of the terminal a last cell has; where they are few, `widths` has its widest narrowed."""
    room = columns() - sum(widths) - 2 * len(widths)
    if widths and room < _NARROW:
        widest = widths.index(max(widths))
        narrowed = max(widths[widest] - (min(last, columns() // 3) - room), min(widths[widest], _NARROW))
        room += widths[widest] - narrowed
        widths[widest] = narrowed
    return room


def _laid_out(line: list[str], widths: list[int], room: int | None, shades: dict[int, Callable[[str], str]]) -> str:
    *cells, last = line
    full = [_pad(cell, width) for cell, width in zip(cells, widths, strict=True)]
    full.append(last if room is None or room < _NARROW else _cut(last, room))
    for column, shade in shades.items():
        full[column] = shade(full[column])
    return "  ".join(full).rstrip()


def _pad(cell: str, width: int) -> str:
    cell = _cut(cell, width)
    return cell.ljust(width) if cell.isascii() else cell + " " * (width - _width(cell))


def columns() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except OSError:
        return 80


def ago(moment: datetime | None) -> str:
    """Return how long ago, in the largest unit that fits: `5m`."""
    if moment is None:
        return ""
    return span((datetime.now(UTC) - moment).total_seconds())


def span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(int(seconds), 0)}s"


def short(used: Usage | None) -> str:
    """Return what was used in a few characters: `52.1k tokens  $0.0421`."""
    if used is None:
        return ""
    tokens = f"{short_count(used.tokens)} tokens" if used.tokens else ""
    return "  ".join(filter(None, (tokens, usage.dollars(used.cost_usd))))


def short_count(count: int) -> str:
    """Return a number in a few characters: `52.1k`."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return f"{count / size:.1f}{unit}"
    return str(count)


def local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def clock(moment: datetime) -> str:
    """Return the time of day, with the day where that isn't today."""
    here = moment.astimezone()
    return here.strftime("%H:%M:%S" if here.date() == datetime.now().astimezone().date() else "%Y-%m-%d %H:%M:%S")


def one_line(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _cut(text: str, room: int | None) -> str:
    if room is None or _width(text) <= room:
        return text
    more = "..." if everywhere.is_asked(everywhere.ASCII) else "…"
    while text and _width(text) > room - len(more):
        text = text[:-1]
    return text + more
