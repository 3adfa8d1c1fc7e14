"""The options that say what a run may use, for tasks and for agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orchgit.model import fields

if TYPE_CHECKING:
    from collections.abc import Callable


def _dollars(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else fields.dollars(int(value) if value.isdecimal() else value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


def options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--max-turns`, `--max-tokens` and `--max-cost-usd`."""
    count = click.IntRange(0, fields.MOST)
    for option in (
        click.option(
            "--max-cost-usd", callback=_dollars, metavar="X", help="The most that a run may cost; 0: no limit."
        ),
        click.option("--max-tokens", type=count, help="The most tokens, cached ones aside; 0: no limit."),
        click.option("--max-turns", type=count, help="The most turns that a run may take; 0: no limit."),
    ):
        function = option(function)
    return function
