"""The shape that most commands of a noun have: what they are about, `--json`, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orchgit.cli import show

if TYPE_CHECKING:
    from collections.abc import Callable


def of(noun: click.Group, *arguments: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of a function that takes the folder, these arguments and `wants_json`."""

    def make(function: Callable[..., Any]) -> click.Command:
        found = show.as_json(click.pass_obj(function))
        for name in reversed(arguments):
            found = click.argument(name)(found)
        return noun.command()(found)

    return make
