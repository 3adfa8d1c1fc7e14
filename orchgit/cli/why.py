"""`orchgit why`: from lines of a file to the task, run and prompt behind them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import show
from orchgit.engine.story import Where
from orchgit.model.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from orchgit.engine.lines import Target
    from orchgit.engine.provenance import Commit, Origin
    from orchgit.engine.story import Story

_SHORT = 12


@click.command()
@click.argument("file", metavar="FILE[:LINE]")
@click.option("--prompt", "wants_prompt", is_flag=True, help="Print the prompts of the runs, whole, and nothing else.")
@show.as_json
@click.pass_obj
def why(directory: Path, file: str, *, wants_prompt: bool, wants_json: bool) -> None:
    """Say which task, run and prompt are behind a line: FILE:12, lines FILE:12-20, or all of FILE.

    It follows `git blame` to the commit's trailers, or to those of the merge that brought it, and from there to the
    state branch.
    """
    target, origins = api.open_project(directory).why(file, start=directory)
    if wants_json:
        show.dump([_data(target, each, with_prompt=wants_prompt) for each in origins])
    elif wants_prompt:
        click.echo("\n".join(_prompts(target, origins)))
    elif not origins:
        click.echo(f"{target.path} is empty: it has no lines.")
    elif target.lines is None:
        _summarise(origins)
    else:
        click.echo("\n\n".join("\n".join(_told(target, each)) for each in origins))


def _summarise(origins: Sequence[Origin]) -> None:
    """Print which tasks made the file, most lines first."""
    groups: dict[tuple[str, ...], int] = {}
    for each in origins:
        key = _row(each)
        groups[key] = groups.get(key, 0) + _count(each)
    rows = sorted(groups.items(), key=lambda group: -group[1])
    show.table(("LINES", "TASK", "STATUS", "WHO", "TITLE"), ((str(count).rjust(5), *key) for key, count in rows))


def _row(origin: Origin) -> tuple[str, str, str, str]:
    if origin.commit is None:
        return "-", "-", "-", "(not committed yet)"
    if origin.story is None:
        return "-", "-", origin.commit.author, f"(no task: {origin.commit.id[:_SHORT]} {origin.commit.subject})"
    past = origin.story
    return past.task, _status(past), past.agent or origin.commit.author, past.title or "(its title is not known here)"


def _count(origin: Origin) -> int:
    return sum(last - first + 1 for first, last in origin.lines)


def _status(past: Story) -> str:
    match past.where:
        case Where.TASKS | Where.ARCHIVE:
            return past.status or "-"
        case Where.DELETED:
            return "deleted"
        case Where.UNKNOWN:
            return "unknown"


def _told(target: Target, origin: Origin) -> Iterator[str]:
    yield show.style(_place(target, origin), bold=True)
    for name, value in _facts(target, origin):
        yield f"  {name:<10}{show.one_line(value)}"


def _place(target: Target, origin: Origin) -> str:
    return f"{target.path}:" + ",".join(
        f"{first}" if first == last else f"{first}-{last}" for first, last in origin.lines
    )


def _facts(target: Target, origin: Origin) -> Iterator[tuple[str, str]]:
    if origin.commit is None:
        yield "commit", "none yet: it is as somebody left it in the worktree"
        return
    yield "commit", _named(origin.commit)
    if origin.path != target.path:
        yield "was in", origin.path
    if origin.cut:
        yield "history", "begins with this commit in this shallow clone: the line may be older"
    if origin.merge:
        yield "merge", _named(origin.merge)
    if origin.story is None:
        yield "task", "none: no task made it, as far as trailers and the state branch say"
        return
    yield from _story(origin.story)


def _named(commit: Commit) -> str:
    return f"{commit.id[:_SHORT]}  {commit.author}, {show.local(commit.at)}: {commit.subject}"


def _story(past: Story) -> Iterator[tuple[str, str]]:
    yield "task", f"{past.task}  {past.title or ''}".rstrip()
    match past.where:
        case Where.TASKS:
            yield "status", str(past.status)
        case Where.ARCHIVE:
            yield "status", f"{past.status}, in the archive"
        case Where.DELETED:
            yield "status", f"deleted; it was {past.status}"
        case Where.UNKNOWN:
            yield "status", "unknown: the state branch of this clone never had it"
    by = " ".join(
        filter(None, (f"by {past.agent}" if past.agent else "", past.attempt and f"(attempt {past.attempt})"))
    )
    if past.run or by:
        yield "run" if past.run else "done", "  ".join(filter(None, (past.run, by)))
    for deed in past.feedback:
        yield "feedback", f"{deed.by}, {show.local(deed.at)}: {deed.words or 'sent back without a word'}"
    if past.approved:
        yield "approved", f"by {past.approved.by}, {show.local(past.approved.at)}"
    if past.run:
        yield "prompt", _prompt_of(past)


def _prompt_of(past: Story) -> str:
    if past.prompt is None:
        return "not in this clone: it is kept where the run was"
    return f"{os.path.relpath(past.prompt)}, which --prompt prints"


def _prompts(target: Target, origins: Sequence[Origin]) -> list[str]:
    places = dict.fromkeys(each.story.prompt for each in origins if each.story and each.story.prompt)
    if not places:
        what = f"No prompt is known of {target.path}, or of these lines of it."
        raise NotFoundError(
            what, "Prompts are kept in the clone where the run was; without --prompt it says which run."
        )
    return [place.read_text(encoding="utf-8").rstrip("\n") for place in places]


def _data(target: Target, origin: Origin, *, with_prompt: bool) -> dict[str, object]:
    own, past = origin.commit, origin.story
    prompt = past.prompt if past else None
    approved = past.approved if past else None
    return {
        "file": target.path, "lines": origin.lines,
        "commit": own and own.id, "author": own and own.author, "at": own and own.at, "subject": own and own.subject,
        "path": origin.path, "cut": origin.cut, "merge": origin.merge and origin.merge.id,
        "task": past and past.task, "title": past and past.title, "status": past and past.status,
        "where": past and past.where, "run": past and past.run, "agent": past and past.agent,
        "attempt": past and past.attempt,
        "approved_by": approved and approved.by, "approved_at": approved and approved.at,
        "feedback": [{"by": each.by, "at": each.at, "words": each.words} for each in past.feedback] if past else [],
        "prompt_file": prompt and str(prompt),
        "prompt": prompt.read_text(encoding="utf-8") if prompt and with_prompt else None,
    }  # fmt: skip
