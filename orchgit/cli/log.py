"""`orchgit log`: the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import show
from orchgit.model.errors import UsageError
from orchgit.model.task import Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from orchgit.engine.history import Entry, Wanted

_HEADERS = ("COMMIT", "WHEN", "WHO", "WHAT")


@click.command()
@click.argument("task", required=False)
@click.option("--agent", metavar="NAME", help="Only what this agent did, had or became.")
@click.option("--goal", metavar="NAME", help="Only tasks that serve this goal.")
@click.option("--actor", metavar="NAME", help="Only what this person or agent caused.")
@click.option("-s", "--status", type=click.Choice([each.value for each in Status]), help="Only what led to it.")
@click.option("--since", metavar="DATE", help="Only from then on.")
@click.option("--until", metavar="DATE", help="Only up to then.")
@click.option("-n", "--max-count", type=click.IntRange(1), metavar="N", help="Only the newest N.")
@click.option("--graph", is_flag=True, help="Draw TASK's transitions together with the commits of its work.")
@show.as_json
@click.pass_obj
def log(
    directory: Path, /, task: str | None, max_count: int | None, *, graph: bool, wants_json: bool, **options: str | None
) -> None:
    """Print what happened, newest first: to TASK, or to everything. It is `git -C .orchestry log`, a line a commit."""
    project = api.open_project(directory)
    about = _id(project, task) if task else None
    if graph:
        _draw(project, about, max_count, alone=not wants_json and not any(options.values()))
        return
    asked = dict(options)
    found = list(project.history(task=about, limit=max_count, wanted=_wanted(project, options)))
    if not found:
        _tell_of_nobody(project, asked)
    if wants_json:
        show.dump(data(found))
        return
    entries = list(found)
    cells = [(each.commit[:9], show.local(each.at), each.author) for each in entries]
    room = show.room_beside(_HEADERS, cells)
    show.table(_HEADERS, ((*row, _said(each, room)) for row, each in zip(cells, entries, strict=True)))


def _draw(project: api.Project, task: str | None, limit: int | None, *, alone: bool) -> None:
    if task is None or not alone:
        raise UsageError("A graph is of one task, as a whole.", "orchgit log TASK --graph, with -n or without.")
    click.echo(project.graph(task, color=show.colored(), limit=limit))


def _tell_of_nobody(project: api.Project, asked: dict[str, str | None]) -> None:
    """Say which of the names that were asked for is in no commit at all, nor in the team."""
    for key in ("agent", "actor", "goal"):
        name = asked[key]
        if name is None or (key != "goal" and not project.state.stranger(name)):
            continue
        wanted = _wanted(project, {**dict.fromkeys(asked), key: name})
        if next(iter(project.history(limit=1, wanted=wanted)), None) is None:
            what = (
                f"Nothing in the history is of a goal {name!r}" if key == "goal" else f"{name!r} is not in the history"
            )
            click.echo(f"orchgit: {what}.", err=True)


def _wanted(project: api.Project, options: dict[str, str | None]) -> Wanted | None:
    if not any(value is not None for value in options.values()):
        return None
    from orchgit.engine import history, moment, tasks

    since, until = options.pop("since"), options.pop("until")
    options["goal"] = tasks.whole_goal(project.state, options["goal"])
    return history.Wanted(
        **options,
        since=None if since is None else moment.seconds(project.layout, since, end=False),
        until=None if until is None else moment.seconds(project.layout, until, end=True),
    )


def data(found: Iterable[Entry]) -> list[dict[str, object]]:
    """Return commits as `--json` prints them."""
    return [
        {
            "commit": each.commit, "at": each.at, "author": each.author, "subject": each.message.subject,
            "body": each.message.body, "trailers": dict(each.message.trailers),
        }
        for each in found
    ]  # fmt: skip


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


def _said(entry: Entry, room: int) -> str:
    """Return what happened: where there is no room for all of it, the title is cut first."""
    subject, reason = entry.message.subject, show.one_line(entry.message.get("Reason") or "")
    title = show.one_line(entry.message.body.partition("\n")[0])
    why = f"  ({reason})" if reason else ""
    return show.fitted(f"{subject}  " if title else subject, title, why, least=1, room=room)
