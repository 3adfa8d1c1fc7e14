"""`orchgit stats`: what the agents have used, and what it cost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import everywhere, show
from orchgit.model import spending, usage
from orchgit.model.spending import By

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.table import Table

    from orchgit.model.spending import Sum

_HEADERS = ("RUNS", "SUCCEEDED", "IN", "OUT", "CACHED", "REASONING", "COST")
_NONE = {By.AGENT: "nobody", By.TASK: "no task", By.GOAL: "no goal", By.DAY: ""}
_SHORT = ("COST", "TOKENS", "RUNS", "SUCCEEDED")
_BAR, _LEAST, _GAP = 24, 8, 2  # columns of the screen: a bar's at most, a bar's at least, and those between


@click.command()
@click.option(
    "--by", type=click.Choice([each.value for each in By]), default=By.AGENT.value, help="What it is added up by."
)
@click.option("--since", metavar="DATE", help="Only runs that ended from then on.")
@click.option("--until", metavar="DATE", help="Only runs that ended up to then.")
@show.as_json
@click.pass_obj
def stats(directory: Path, by: str, since: str | None, until: str | None, *, wants_json: bool) -> None:
    """Show what runs used and cost: tokens and US dollars, per agent, task, goal or day.

    It adds up what the commits say that ended the runs, of archived and deleted tasks too. A run at work isn't counted.
    """
    project, way = api.open_project(directory), By(by)
    runs = project.spent(since=since, until=until, goals=way is By.GOAL)
    found, total = spending.sums(runs, way), spending.total(runs)
    if wants_json:
        show.dump(
            {"by": by, "since": since, "until": until, "total": _data(total), "rows": [_data(each) for each in found]}
        )
    elif not found:
        click.echo("No run has ended in that time." if since or until else "No run has ended yet.", err=True)
    elif sys.stdout.isatty() and not everywhere.is_asked(everywhere.ASCII):
        from rich.console import Console

        width = show.columns()
        Console(width=width, no_color=not show.colored()).print(chart(found, total, way, width=width))
    else:
        lines = [(_label(each, way), *_cells(each)) for each in found]
        show.table((by.upper(), *_HEADERS), [*lines, ("total", *_cells(total))])


def chart(found: Sequence[Sum], total: Sum, by: By, *, width: int) -> Table:
    """Return the sums as bars: of what they cost, or of tokens where nobody said what anything costs."""
    from rich import box
    from rich.bar import Bar
    from rich.table import Table
    from rich.text import Text

    numbers, sums = [_in_short(each) for each in found], _in_short(total)
    columns = [max(map(len, column)) for column in zip(_SHORT, sums, *numbers, strict=True)]
    room = max(width - sum(columns) - _GAP * (len(columns) + 1), _LEAST * 2)
    names = [Text(_label(each, by)) for each in found]
    named = min(max(each.cell_len for each in names), room - _LEAST)
    bar = min(room - named, _BAR)
    most = max(_size(each, total) for each in found)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, show_footer=True, pad_edge=False, padding=(0, _GAP - 1, 0, 0))
    table.add_column(by.value.upper(), "total", no_wrap=True, width=max(named, len("total"), len(by.value)))
    table.add_column("", width=bar)
    for heading, footer, size in zip(_SHORT, sums, columns, strict=True):
        table.add_column(heading, footer, justify="right", no_wrap=True, width=size)
    for each, name, cells in zip(found, names, numbers, strict=True):
        name.truncate(max(named, len("total")), overflow="ellipsis")
        table.add_row(name, Bar(most, 0, _size(each, total), width=bar, color="cyan") if most else "", *cells)
    return table


def _in_short(each: Sum) -> tuple[str, ...]:
    tokens = show.short_count(each.used.tokens) if _is_told(each) else "-"
    return _price(each), tokens, str(each.runs), str(each.succeeded)


def _is_told(each: Sum) -> bool:
    """Did any of the runs say which tokens it used?"""
    return bool(each.used.tokens or each.used.cache)


def _size(each: Sum, total: Sum) -> float:
    return each.used.tokens if total.used.cost_usd is None else each.used.cost_usd or 0


def _label(each: Sum, by: By) -> str:
    return show.one_line("  ".join(filter(None, (each.key or _NONE[by], each.title))))


def _price(each: Sum) -> str:
    return usage.dollars(each.used.cost_usd) or "-"


def _cells(each: Sum) -> tuple[str, ...]:
    used = each.used
    tokens = (used.input, used.output, used.cache, used.reasoning)
    told = map(str, tokens) if _is_told(each) else ("-" for _ in tokens)
    return (str(each.runs), str(each.succeeded), *told, _price(each))


def _data(each: Sum) -> dict[str, object]:
    return {
        "key": each.key, "title": each.title or None, "runs": each.runs, "succeeded": each.succeeded, "used": each.used,
    }  # fmt: skip
