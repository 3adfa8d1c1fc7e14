"""`orchgit log`: the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import show

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("task", required=False)
@click.option("-n", "--max-count", type=click.IntRange(1), metavar="N", help="Only the newest N.")
@show.as_json
@click.pass_obj
def log(directory: Path, task: str | None, max_count: int | None, *, wants_json: bool) -> None:
    """Print what happened, newest first: to TASK, or to everything. It is `git -C .orchestry log`, a line a commit."""
    project = api.open_project(directory)
    wanted = _id(project, task) if task else None
    found = project.history(task=wanted, limit=max_count)
    if wants_json:
        show.dump([
            {
                "commit": each.commit, "at": each.at, "author": each.author, "subject": each.message.subject,
                "body": each.message.body, "trailers": dict(each.message.trailers),
            }
            for each in found
        ])  # fmt: skip
        return
    rows = ((each.commit[:9], show.local(each.at), each.author, _said(each)) for each in found)
    show.table(("COMMIT", "WHEN", "WHO", "WHAT"), rows)


def _id(project: api.Project, word: str) -> str:
    """Return the task's id; a task that was deleted is known by its whole id."""
    from orchgit.model import ids
    from orchgit.model.errors import NotFoundError

    try:
        return project.task(word).id
    except NotFoundError:
        if ids.is_id(word, ids.TASK) and next(project.history(task=word, limit=1), None):
            return word
        raise


def _said(entry: object) -> str:
    from orchgit.engine.history import Entry

    assert isinstance(entry, Entry)
    reason = entry.message.get("Reason")
    title = entry.message.body.partition("\n")[0]
    return "  ".join(filter(None, (entry.message.subject, title, f"({reason})" if reason else "")))
