"""`orchgit goal`: what tasks are done for, and how far it is."""

from __future__ import annotations

import sys
from copy import copy
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import everywhere, given, nearest, show, verb
from orchgit.model.goal import Status
from orchgit.model.task import CLOSED, Purpose
from orchgit.model.task import Status as TaskStatus

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.api import Project
    from orchgit.model.goal import Goal
    from orchgit.model.task import Task
    from orchgit.repository.states import State

_COLORS = {Status.ACTIVE: "cyan", Status.PAUSED: "yellow", Status.ACHIEVED: "green", Status.ABANDONED: "bright_black"}


@click.group(cls=nearest.Group)
def goal() -> None:
    """Set goals, have agents plan them, and see how far they are.

    ID is a goal's id or its first characters, three or more, with or without `gol_`.
    """


@goal.command()
@click.argument("title")
@click.option("-d", "--description", default="", help="What is wanted, in Markdown; `-` reads it from standard input.")
@click.option("--assignee", metavar="NAME", help="An agent, or a team's lead, plans it; a person has it otherwise.")
@show.as_json
@click.pass_obj
def add(directory: Path, title: str, description: str, assignee: str | None, *, wants_json: bool) -> None:
    """Set a goal and print its id. An agent that has it is given the task to plan it."""
    project = api.open_project(directory)
    made = project.add_goal(title, description=given.text(description), assignee=assignee)
    project.refresh()
    show.warn(project.doubts_of_goal(made))
    planning = next((task for task in project.tasks() if task.goal == made.id), None)
    hint = f"\n{planning.assignee} plans it as {planning.id}." if planning else ""
    if everywhere.is_asked(everywhere.QUIET) and not wants_json:
        click.echo(made.id)
    else:
        _answer(project, made, f"{made.id}  {made.title}{hint}", wants_json=wants_json)


@goal.command("list")
@click.option("-s", "--status", type=click.Choice([each.value for each in Status]), help="Only these.")
@show.at
@show.as_json
@click.pass_obj
def list_(directory: Path, status: str | None, at: str | None, *, wants_json: bool) -> None:
    """List the goals, the oldest first, and how much of their work is done."""
    from orchgit.cli import goalview

    project = api.open_project(directory, at=at)
    found = project.goals(status=status)
    if wants_json:
        show.dump([goalview.data(project, each) for each in found])
    elif found:
        counts = project.progress(found)
        rows = (
            (each.id, each.status.value, str(counts.get(each.id, "-")), each.assignee or "-", each.title)
            for each in found
        )
        show.table(("ID", "STATUS", "DONE", "WHO", "TITLE"), rows, paint={1: _paint})
    elif sys.stdout.isatty():
        show.say("No goals." if status else 'No goals yet. `orchgit goal add "TITLE"` sets one.')


@goal.command("show")
@click.argument("id")
@show.at
@show.as_json
@click.pass_obj
def show_(directory: Path, id: str, at: str | None, *, wants_json: bool) -> None:  # noqa: A002
    """Show a goal: how far it is, its tasks and what they wait for, what was said of them, and what it cost."""
    from orchgit.cli import goalview

    project = api.open_project(directory, at=at)
    goalview.show_goal(project, project.goal(id), wants_json=wants_json)


@goal.command()
@click.argument("id")
@click.argument("status", type=click.Choice([each.value for each in Status]))
@show.as_json
@click.pass_obj
def status(directory: Path, id: str, status: str, *, wants_json: bool) -> None:  # noqa: A002
    """Say how a goal stands. Only an active goal's tasks are started; what runs goes on."""
    project = api.open_project(directory)
    after = project.set_goal_status(id, status)
    _answer(project, after, f"{after.id} is {after.status.value}.{_resumed(project, after)}", wants_json=wants_json)


def _resumed(project: Project, found: Goal) -> str:
    """Say what happens to a goal that is active again and has nothing to go on with."""
    from orchgit.cli import goalnext

    project.refresh()
    words = goalnext.words(project, found, project.tasks_of_goal(found.id)) if found.status is Status.ACTIVE else ""
    return f"\n{words}" if words else ""


@goal.command()
@click.argument("id")
@click.option("--title", help="Another title.")
@click.option("-d", "--description", help="Another description; `-` reads it from standard input.")
@click.option("--assignee", metavar="NAME", help="Who has it; '' is nobody.")
@show.as_json
@click.pass_obj
def update(
    directory: Path,
    id: str,  # noqa: A002
    title: str | None,
    description: str | None,
    assignee: str | None,
    *,
    wants_json: bool,
) -> None:
    """Change a goal: what the options name, or without any the whole file in your editor."""
    project = api.open_project(directory)
    if title is description is assignee is None:
        from orchgit.cli import editor

        before = project.goal(id)
        after = editor.rewrite(
            project, before.path, lambda base, typed: project.rewrite_goal(before.id, base=base, typed=typed)
        )
    else:
        after = project.edit_goal(id, title=title, description=given.text(description), assignee=assignee)
    show.warn(project.doubts_of_goal(after))
    _answer(project, after, f"{after.id}  {after.title}", wants_json=wants_json)


edit = copy(update)  # as it is called of all else; ORCH's users know it as `update`
update.hidden = True
goal.add_command(edit, "edit")


@verb.of(goal, "id")
def delete(directory: Path, id: str, *, wants_json: bool) -> None:  # noqa: A002
    """Remove a goal that no open task serves. Its text stays in the history."""
    project = api.open_project(directory)
    gone = project.delete_goal(id)
    _answer(
        project, gone, f"{gone.id} is deleted; `orchgit log --goal {gone.id}` tells its story.", wants_json=wants_json
    )


@verb.of(goal, "id")
def plan(directory: Path, id: str, *, wants_json: bool) -> None:  # noqa: A002
    """Give the goal's agent the task to plan it, once more or for the first time."""
    project = api.open_project(directory)
    made = project.plan_goal(id)
    if wants_json:
        show.dump(show.task_data(project, made))
    else:
        click.echo(made.id if everywhere.is_asked(everywhere.QUIET) else f"{made.id}  {made.title}")


@verb.of(goal, "id")
def approve(directory: Path, id: str, *, wants_json: bool) -> None:  # noqa: A002
    """Approve the plan of a goal that waits for you: its tasks may start. `goal status` says that it is achieved."""
    project = api.open_project(directory)
    found, done = project.goal(id), project.approve_goal(id)
    if wants_json:
        show.dump(show.task_data(project, done.task, merge=done.merge, base=done.base))
    else:
        show.say(
            f"{done.task.id} is done: {done.task.title.rstrip('.')}. {_after(project.refresh(), found, done.task)}"
        )


def _after(state: State, found: Goal, asked: Task) -> str:
    """Return what an approval of `asked`, a plan or an assessment of the goal, leads to."""
    work = [each for each in state.tasks.values() if each.goal == found.id and each.purpose is None]
    if asked.purpose is Purpose.ASSESS and all(each.status in CLOSED for each in work):
        return f"If it is achieved, say so: orchgit goal status {found.id} achieved"
    if not any(each.status not in CLOSED for each in work):
        return "No task is left that it made."
    active = found.status is Status.ACTIVE
    return "What it made may start." if active else f"What it made waits: {found.id} is {found.status}."


@goal.command()
@click.argument("id")
@click.option("-r", "--reason", default="", help="What must change; the next prompt has it. `-` is standard input.")
@show.as_json
@click.pass_obj
def reject(directory: Path, id: str, reason: str, *, wants_json: bool) -> None:  # noqa: A002
    """Send back the plan of a goal, to be made again; the tasks that it made are removed."""
    project = api.open_project(directory)
    after, taken = project.reject_goal(id, reason=given.text(reason))
    show.warn(project.doubts_of_removal([*taken.removed, *taken.cancelled]))
    if wants_json:
        named = {"removed": [each.id for each in taken.removed], "cancelled": [each.id for each in taken.cancelled]}
        show.dump({"task": show.task_data(project, after), **named})
    else:
        cancelled = f", {_count(len(taken.cancelled))} cancelled" if taken.cancelled else ""
        show.say(f"{after.id} is to do again; {_count(len(taken.removed))} of its plan removed{cancelled}.")


@goal.command()
@click.argument("id")
@click.option("--stop", is_flag=True, help="End what is being worked on too; its work is kept under a ref.")
@show.as_json
@click.pass_obj
def undo(directory: Path, id: str, *, stop: bool, wants_json: bool) -> None:  # noqa: A002
    """Take back all that the last plan of a goal made: remove what nobody began, cancel what was begun."""
    take_back(api.open_project(directory), id, stop=stop, wants_json=wants_json)


def take_back(project: Project, word: str, *, stop: bool = False, wants_json: bool) -> None:
    """Take back what the last plan of a goal made, and tell of it."""
    taken = project.undo_plan(word, stop=stop)
    show.warn(project.doubts_of_removal([*taken.removed, *taken.cancelled]))
    if wants_json:
        parts = {"removed": taken.removed, "cancelled": taken.cancelled, "kept": taken.kept}
        show.dump({name: [show.task_data(project, each) for each in tasks] for name, tasks in parts.items()})
        return
    done = [each.id for each in taken.kept if each.status is TaskStatus.DONE]
    if taken.removed:
        show.say(f"{_count(len(taken.removed))} of its plan removed.")
    if taken.cancelled:
        ids = ", ".join(each.id for each in taken.cancelled)
        show.say(f"{_count(len(taken.cancelled))} of its plan cancelled, and the work kept under refs: {ids}.")
    if not (taken.removed or taken.cancelled):
        show.say(_nothing_left(project.goal(word).id, len(taken.kept), len(done)))
    if done:
        is_, stay = ("is", "stays") if len(done) == 1 else ("are", "stay")
        show.say(f"{', '.join(done)} {is_} done, and {stay}.")


def _nothing_left(goal: str, closed: int, done: int) -> str:
    """Say why nothing of a plan was to be taken back, of whose tasks so many are closed, and so many of these done."""
    if closed and closed == done:
        return f"Every task of the plan of {goal} is done."
    what = "No open task" if closed else "No task"
    return f"{what} is left of the plan of {goal}. `orchgit log --goal {goal}` lists what else was done."


def _count(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


def _paint(cell: str) -> str:
    return show.style(cell, fg=_COLORS[Status(cell.strip())])


def _answer(project: Project, found: Goal, words: str, *, wants_json: bool) -> None:
    if wants_json:
        from orchgit.cli import goalview

        project.refresh()
        show.dump(goalview.data(project, found))
    else:
        show.say(words)
