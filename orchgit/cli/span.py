"""Spans of time on the command line: `--ttl 2h`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orchgit.model import span

if TYPE_CHECKING:
    from datetime import timedelta


class _Span(click.ParamType[Any]):
    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        try:
            return span.read(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


ttl = click.option(
    "--ttl", type=_Span(), metavar="TIME", help="How long it counts: 15m, 2h, 1d; a bare number is milliseconds."
)
