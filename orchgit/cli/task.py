"""`orchgit task`: add, list, show and move tasks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import everywhere, given, nearest, show, verb, wishes
from orchgit.model.errors import UsageError
from orchgit.model.task import Status

if TYPE_CHECKING:
    from typing import Any

    from orchgit.api import Project
    from orchgit.model.task import Task


@click.group(cls=nearest.Group)
def task() -> None:
    """Add, list, show and move tasks.

    ID is a task's id or its first characters, three or more, with or without `tsk_`.
    """


@task.command()
@click.argument("title", required=False)
@wishes.options
@click.option(
    "--file", "file", type=click.Path(path_type=Path), help="Begin with this Markdown file; `-` is standard input."
)
@click.option("--attach", multiple=True, metavar="PATHS", help="Files to keep with it, with commas between.")
@click.option("-e", "--edit", "in_editor", is_flag=True, help="Open it in your editor before it is made.")
@show.as_json
@click.pass_obj
def add(
    directory: Path,
    /,
    title: str | None,
    file: Path | None,
    attach: tuple[str, ...],
    *,
    in_editor: bool,
    wants_json: bool,
    **options: Any,
) -> None:
    """Add a task and print its id."""
    project = api.open_project(directory)
    text = wishes.read(file) if file else ""
    wish = wishes.wish(title, options)
    if in_editor:
        from orchgit.cli import editor

        text = editor.edit(project, wishes.draft(wish, text), name="task.md")
        wish = wishes.wish(None, {})
    made = project.add_task(wish, text=text, source=str(file) if file else "task.md", attach=wishes.paths(attach))
    show.warn(project.doubts_of_task(made))
    if everywhere.is_asked(everywhere.QUIET) and not wants_json:
        click.echo(made.id)
    else:
        _answer(project, made, f"{made.id}  {made.title}", wants_json=wants_json)
        if not wants_json:
            show.next_run(project)


@task.command("list")
@click.option("-s", "--status", multiple=True, metavar="STATUS", help="Only these; several, or with commas between.")
@click.option("--assignee", help="Only those that this agent, team or person has.")
@click.option("-l", "--label", help="Only those with this label.")
@click.option("--goal", help="Only those that serve this goal.")
@click.option("--archived", is_flag=True, help="Those in the archive, the last closed first.")
@show.at
@show.as_json
@click.pass_obj
def list_(
    directory: Path,
    /,
    at: str | None,
    status: tuple[str, ...],
    *,
    archived: bool,
    wants_json: bool,
    **wanted: str | None,
) -> None:
    """List tasks: what moves first, then by priority and age."""
    from orchgit.cli import tasklist

    project = api.open_project(directory, at=at)
    listed = tasklist.of_archived if archived else tasklist.of_open
    listed(project, wanted, _statuses(status), wants_json=wants_json)


def _statuses(words: tuple[str, ...]) -> frozenset[Status]:
    """Return the statuses that options name, each of them one or several; none where none is asked for."""
    names = [name for word in words for name in given.listed(word)]
    known = [each.value for each in Status]
    for name in names:
        if name not in known:
            raise UsageError(f"{name!r} is no status.", f"There are {', '.join(known)}.")
    return frozenset(map(Status, names))


@task.command("archive")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@show.as_json
@click.pass_obj
def archive(directory: Path, ids: tuple[str, ...], *, wants_json: bool) -> None:
    """Move closed tasks to archive/: these, or all that were closed `archive_after_days` ago."""
    project = api.open_project(directory)
    moved = project.archive(*ids)
    if wants_json:
        show.dump([show.task_data(project, each) for each in moved])
        return
    for each in moved:
        show.say(f"{each.id} is archived: {each.title}")
    if not moved:
        days = project.config().archive_after_days
        after = f"closed tasks are, {days} days after they close" if days else "archive_after_days is 0"
        show.say(f"Nothing is due to be archived: {after}.")


@task.command("show")
@click.argument("id")
@click.option("--prompt", "wants_prompt", is_flag=True, help="Print its prompt: of its run, its next or its last.")
@show.at
@show.as_json
@click.pass_obj
def show_(directory: Path, id: str, at: str | None, *, wants_prompt: bool, wants_json: bool) -> None:  # noqa: A002
    """Show all of a task: what to do, how it stands, what was said last, and what waits for review."""
    from orchgit.cli import taskview

    project = api.open_project(directory, at=at)
    if wants_prompt:
        if at is not None or wants_json:
            raise UsageError("A prompt is text, and of now.", "orchgit task show ID --prompt, with nothing else.")
        click.echo(project.prompt(id), nl=False)
        return
    taskview.show_task(project, project.task(id), wants_json=wants_json)


@task.command()
@click.argument("id")
@click.option("--title", help="Another title.")
@wishes.options
@show.as_json
@click.pass_obj
def edit(directory: Path, /, id: str, title: str | None, *, wants_json: bool, **options: Any) -> None:  # noqa: A002
    """Change a task: what the options name, or without any the whole file in your editor."""
    project = api.open_project(directory)
    wish = wishes.wish(title, options)
    if wish == wishes.wish(None, {}):
        from orchgit.cli import editor

        before = project.task(id)
        after = editor.rewrite(
            project, before.path, lambda base, typed: project.rewrite_task(before.id, base=base, typed=typed)
        )
    else:
        after = project.edit_task(id, wish)
    show.warn(project.doubts_of_task(after))
    _answer(project, after, f"{after.id}  {after.title}", wants_json=wants_json)


@verb.of(task, "id", "agent")
def assign(directory: Path, id: str, agent: str, *, wants_json: bool) -> None:  # noqa: A002
    """Give a task to an agent, a team or a person."""
    from orchgit.engine.tasks import Wish

    if agent.strip() in ("", "-"):
        raise UsageError(
            f"Nobody has {'the name -' if agent.strip() else 'an empty name'}.",
            f"To let any agent take it: orchgit task edit {id} --assignee ''.",
        )
    project = api.open_project(directory)
    after = project.edit_task(id, Wish(assignee=agent))
    show.warn(project.doubts_of_task(after))
    _answer(project, after, f"{after.id} is for {after.assignee}.", wants_json=wants_json)


@task.command()
@click.argument("id")
@click.option("--branch", is_flag=True, help="Make its work branch too, checked out nowhere.")
@show.as_json
@click.pass_obj
def take(directory: Path, id: str, *, branch: bool, wants_json: bool) -> None:  # noqa: A002
    """Take a task into your own hands: no agent is given it."""
    project = api.open_project(directory)
    after = project.take(id, branch=branch)
    hint = f" Its branch is {after.branch}." if branch else ""
    next_step = f"`{project.way_to_work(after)}`, commit there, and `orchgit task submit {after.id}` hands it in."
    _answer(project, after, f"{after.id} is yours.{hint} {next_step}", wants_json=wants_json)


@task.command()
@click.argument("id")
@click.option("--commit", help="The commit to hand in; else the tip of its branch, or what you have checked out.")
@click.option("--allow-empty", is_flag=True, help="Hand it in though it changes no file.")
@show.as_json
@click.pass_obj
def submit(directory: Path, id: str, commit: str | None, *, allow_empty: bool, wants_json: bool) -> None:  # noqa: A002
    """Hand in a task that you took: your commit waits for review."""
    project = api.open_project(directory)
    after = project.submit(id, commit=commit, start=directory, allow_empty=allow_empty)
    _answer(project, after, f"{after.id} is in review at {str(after.review_commit)[:12]}.", wants_json=wants_json)


@verb.of(task, "id")
def release(directory: Path, id: str, *, wants_json: bool) -> None:  # noqa: A002
    """Give back a task that you took, or stop the run of an agent: it is to do again."""
    project = api.open_project(directory)
    after = project.release(id)
    _answer(project, after, f"{after.id} is to do again.", wants_json=wants_json)


@verb.of(task, "id")
def cancel(directory: Path, id: str, *, wants_json: bool) -> None:  # noqa: A002
    """Cancel a task. A run of it is stopped first; what it did is kept under a ref."""
    project = api.open_project(directory)
    after = project.cancel(id)
    _answer(project, after, f"{after.id} is cancelled.", wants_json=wants_json)


@task.command()
@click.argument("id")
@click.option("--commit", help="Approve this commit, where the branch has moved on since its review began.")
@show.as_json
@click.pass_obj
def approve(directory: Path, id: str, commit: str | None, *, wants_json: bool) -> None:  # noqa: A002
    """Merge the reviewed commit into the base branch: the task is done."""
    project = api.open_project(directory, merged=False)
    done = project.approve(id, commit=commit)
    if wants_json:
        show.dump(show.task_data(project, done.task, merge=done.merge, base=done.base))
    elif done.merge:
        show.say(f"{done.task.id} is done: {done.merge[:12]} merges it into {done.base}.")
    else:
        show.say(f"{done.task.id} is done: there was nothing to merge into {done.base} that it doesn't have.")


@task.command()
@click.argument("id")
@click.option(
    "-r",
    "--reason",
    help="What must change; it becomes feedback in the next prompt. `-` is standard input. Asked for on a terminal.",
)
@show.as_json
@click.pass_obj
def reject(directory: Path, id: str, reason: str | None, *, wants_json: bool) -> None:  # noqa: A002
    """Send a task back to be done again, on the same branch, with your reason as feedback."""
    project = api.open_project(directory)
    if reason is None and not wants_json and sys.stdin.isatty() and sys.stdout.isatty():
        reason = _ask_for_reason(project.task(id))
    after = project.reject(id, reason=given.text(reason or ""))
    _answer(project, after, f"{after.id} is to do again.{_how_it_starts(project, after)}", wants_json=wants_json)


@verb.of(task, "id")
def retry(directory: Path, id: str, *, wants_json: bool) -> None:  # noqa: A002
    """Start over a task that failed or was cancelled, or end the wait of one that is to be retried."""
    project = api.open_project(directory)
    after = project.retry(id)
    _answer(project, after, f"{after.id} is {after.status.value}, and can start at once.", wants_json=wants_json)


@verb.of(task, "id")
def delete(directory: Path, id: str, *, wants_json: bool) -> None:  # noqa: A002
    """Remove a task's file. Its text stays in the history, its work under its refs."""
    project = api.open_project(directory)
    gone = project.delete_task(id)
    for each in project.tasks():
        if gone.id in each.depends_on:
            click.echo(f"orchgit: {each.id} depends on it, and waits for good now: {each.title}", err=True)
    kept = project.kept_work(gone)
    hint = f" Its work is kept: git log {kept}" if kept else ""
    _answer(
        project,
        gone,
        f"{gone.id} is deleted; `orchgit log {gone.id}` still tells its story.{hint}",
        wants_json=wants_json,
    )


def _ask_for_reason(task: Task) -> str:
    if task.status is not Status.REVIEW:
        return ""  # it will be refused
    words: str = click.prompt(f"{task.title}: what must change? (Enter for no reason)", default="", show_default=False)
    return words


def _how_it_starts(project: Project, task: Task) -> str:
    """Say what lets an agent start on it; "" where a running team will, or it is a person's."""
    is_a_persons = bool(task.assignee and project.state.stranger(task.assignee))
    return "" if is_a_persons or project.is_team_running() else f" `orchgit run {task.id}` starts it."


def _answer(project: Project, task: Task, words: str, *, wants_json: bool) -> None:
    if wants_json:
        show.dump(show.task_data(project, task))
    else:
        show.say(words)
