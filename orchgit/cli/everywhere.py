"""The options that every command takes, before its name or after: JSON, less words, no colour, ASCII alone."""

from __future__ import annotations

import os
import re

import click

from orchgit.model.errors import UsageError

JSON, QUIET, ASCII = "orchgit.json", "orchgit.quiet", "orchgit.ascii"
_NO_COLOR = "orchgit.no-color"
_ROOM = 60  # columns that are left beside the name of a command in a terminal of 80
_FLAGS = (
    ("--json", JSON, "Print JSON."),
    ("--quiet", QUIET, "Print data alone: no confirmations, no headings."),
    ("--no-color", _NO_COLOR, "Print no colours."),
    ("--ascii", ASCII, "Draw with ASCII characters alone."),
)


def is_asked(name: str) -> bool:
    """Was this option given to the command that runs now?"""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(name))


def options(*, hidden: bool) -> list[click.Option]:
    """Return the options anew."""
    return [
        click.Option([flag], is_flag=True, expose_value=False, callback=_noting(name), help=meaning, hidden=hidden)
        for flag, name, meaning in _FLAGS
    ]


def give(command: click.Command) -> click.Command:
    """Give a command, and those below it, the options that it lacks."""
    command.short_help = command.short_help or _in_short(command.help or "")
    has = {word for parameter in command.params for word in parameter.opts}
    command.params += [option for option in options(hidden=True) if not has.intersection(option.opts)]
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            give(inner)
    elif "--json" not in has:
        next(option for option in command.params if "--json" in option.opts).callback = _refused
    return command


def _in_short(help_: str) -> str:
    """Return the first sentence of a command's help; of one that a list has no room for, what says it in general."""
    sentence = " ".join(help_.partition("\n\n")[0].split()).partition(". ")[0].removesuffix(".")
    beginnings = (re.split(mark, sentence)[0] for mark in ("[:;] ", ", "))
    return next((each for each in (sentence, *beginnings) if len(each) <= _ROOM), sentence)


def _noting(name: str) -> object:
    def note(context: click.Context, _option: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
        if value:
            context.meta[name] = True
        if value and name == _NO_COLOR:
            os.environ["NO_COLOR"] = "1"

    return note


def _refused(context: click.Context, _option: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value or context.meta.get(JSON):
        raise UsageError(f"`{context.command_path}` has nothing to print as JSON.", "Leave --json out.")
