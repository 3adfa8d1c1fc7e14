"""`orchgit context`: what the team keeps for all of its agents, by key."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import nearest, show, span
from orchgit.cli.log import data as log_data
from orchgit.model.errors import UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from orchgit.model.context import Value

_LINE = 80  # characters of a value that a list shows
_BEGINNING = 1_000  # and that a program is given of it


@click.group(cls=nearest.Group)
def context() -> None:
    """Keep texts for the whole team, by key: files under .orchestry/context/."""


@context.command("set")
@click.argument("key")
@click.argument("value", required=False)
@click.option("--file", "file", type=click.Path(path_type=Path), help="Take the value from this file, byte for byte.")
@span.ttl
@show.as_json
@click.pass_obj
def set_(
    directory: Path, key: str, value: str | None, file: Path | None, ttl: timedelta | None, *, wants_json: bool
) -> None:
    """Let KEY hold VALUE; `-` reads it from standard input."""
    if (value is None) == (file is None):
        raise UsageError("A key gets one value.", "orchgit context set KEY VALUE, or `-`, or --file FILE.")
    made = api.open_project(directory).set_context(key, _bytes(value, file), ttl=ttl)
    if wants_json:
        show.dump(_data(made))
    else:
        until = f", until {show.local(made.expires)}" if made.expires else ""
        show.say(f"{made.key} is kept: {_size(made)} bytes{until}.")


@context.command()
@click.argument("key")
@show.at
@show.as_json
@click.pass_obj
def get(directory: Path, key: str, at: str | None, *, wants_json: bool) -> None:
    """Print what KEY holds, and nothing else."""
    project = api.open_project(directory, at=at)
    found = project.context(key)
    if wants_json:
        show.dump(_data(found))
    else:
        end = "\n" if sys.stdout.isatty() and not found.text.endswith("\n") else ""  # or the prompt hangs on to it
        sys.stdout.flush()
        sys.stdout.buffer.write((found.text + end).encode())


@context.command("list")
@click.argument("prefix", required=False, default="")
@show.at
@show.as_json
@click.pass_obj
def list_(directory: Path, prefix: str, at: str | None, *, wants_json: bool) -> None:
    """List the keys, or those that begin with PREFIX, and how each value begins."""
    project = api.open_project(directory, at=at)
    found = project.contexts(prefix)
    show.warn(project.doubts_of_files())
    if wants_json:
        show.dump([_data(each, most=_BEGINNING) for each in found])
    elif found:
        rows = ((each.key, str(_size(each)), _until(each), _line(each.text)) for each in found)
        show.table(("KEY", "BYTES", "UNTIL", "VALUE"), rows)
    elif sys.stdout.isatty():
        show.say("Nothing is kept." if not prefix else f"No key begins with {prefix}.")


@context.command()
@click.argument("key")
@click.pass_obj
def delete(directory: Path, key: str) -> None:
    """Forget KEY; its values stay in the history."""
    api.open_project(directory).delete_context(key)
    show.say(f"{key} is deleted; `orchgit context log {key}` still tells what it held.")


@context.command()
@click.argument("key")
@show.as_json
@click.pass_obj
def log(directory: Path, key: str, *, wants_json: bool) -> None:
    """Print who set KEY and when, newest first; `context get KEY --at COMMIT` prints what it held."""
    found = list(api.open_project(directory).context_log(key))
    if wants_json:
        show.dump(log_data(found))
        return
    rows = ((each.commit[:9], show.local(each.at), each.author, each.message.subject) for each in found)
    show.table(("COMMIT", "WHEN", "WHO", "WHAT"), rows)


def _bytes(value: str | None, file: Path | None) -> bytes:
    if file is not None:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    assert value is not None
    return sys.stdin.buffer.read() if value == "-" else value.encode("utf-8", "surrogateescape")


def _size(value: Value) -> int:
    return len(value.text.encode())


def _until(value: Value) -> str:
    return show.local(value.expires) if value.expires else "-"


def _line(text: str) -> str:
    """Return how a value begins, in a short line."""
    first, _, rest = text.strip().partition("\n")
    return f"{first[:_LINE]}..." if first[_LINE:] or rest.strip() else first


def _data(value: Value, *, most: int | None = None) -> dict[str, object]:
    text = value.text[:most]
    return {
        "key": value.key, "value": text, "is_cut": len(text) < len(value.text), "bytes": _size(value),
        "expires": value.expires,
    }  # fmt: skip
