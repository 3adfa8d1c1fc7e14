"""`orchgit blame`: who made a task what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orchgit import api
from orchgit.cli import show

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.engine.blame import Blame, Origin


@click.command()
@click.argument("task")
@show.as_json
@click.pass_obj
def blame(directory: Path, task: str, *, wants_json: bool) -> None:
    """Show for each field of TASK, and each part of its text, the commit it comes from, who made it and when."""
    found = api.open_project(directory).blame(task)
    if wants_json:
        show.dump(_data(found))
    else:
        show.table(("COMMIT", "WHEN", "WHO", "WHAT"), _rows(found))


def _rows(found: Blame) -> Iterator[tuple[str, ...]]:
    for each in found.fields:
        yield *_cells(each.origin), f"{each.key}: {_shown(each.value)}"
    for part in found.body:
        for number, line in enumerate(part.lines):
            yield *(("", "", "") if number else _cells(part.origin)), f"| {line}"


def _cells(origin: Origin) -> tuple[str, str, str]:
    return origin.commit[:9], show.local(origin.at), origin.actor


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _data(found: Blame) -> dict[str, object]:
    return {
        "fields": [{"key": each.key, "value": each.value, **_origin(each.origin)} for each in found.fields],
        "body": [{"line": each.first, "lines": each.lines, **_origin(each.origin)} for each in found.body],
    }


def _origin(origin: Origin) -> dict[str, object]:
    return {"commit": origin.commit, "actor": origin.actor, "at": origin.at, "subject": origin.subject}
