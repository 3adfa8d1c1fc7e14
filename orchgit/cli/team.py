"""`orchgit team`: agents that share tasks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from orchgit import api
from orchgit.cli import given, nearest, show, verb, whose
from orchgit.model import yamltext
from orchgit.model.task import CLOSED, Status

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.api import Project
    from orchgit.engine.agents import Settings
    from orchgit.model.task import Task
    from orchgit.model.team import Team


@click.group(cls=nearest.Group)
def team() -> None:
    """Make teams of agents. A task that is given to a team goes to a member that is free."""


@team.command()
@click.argument("name")
@click.option("--lead", required=True, metavar="AGENT", help="Who leads it, and plans its goals.")
@click.option("--members", metavar="AGENTS", help="Its other agents, with commas between.")
@click.option("-d", "--description", default="", help="What it is for; `-` reads it from standard input.")
@click.option("--max-concurrent-tasks", type=click.IntRange(0), metavar="N", help="Its tasks at work at once; 0: any.")
@click.option("--no-auto-claim", is_flag=True, help="Its members take no task that is nobody's.")
@show.as_json
@click.pass_obj
def create(
    directory: Path,
    /,
    name: str,
    lead: str,
    members: str | None,
    description: str,
    *,
    max_concurrent_tasks: int | None,
    no_auto_claim: bool,
    wants_json: bool,
) -> None:
    """Make a team: the file .orchestry/teams/NAME.md."""
    settings: Settings = {"lead": lead}
    if members:
        settings["members"] = given.listed(members)
    if max_concurrent_tasks is not None:
        settings["max_concurrent_tasks"] = max_concurrent_tasks
    if no_auto_claim:
        settings["auto_claim"] = False
    project = api.open_project(directory)
    made = project.add_team(name, settings, description=given.text(description))
    _answer(project, made, f"{made.name} is a team ({made.path}).", wants_json=wants_json)


@team.command("list")
@show.at
@show.as_json
@click.pass_obj
def list_(directory: Path, at: str | None, *, wants_json: bool) -> None:
    """List the teams, who is in them, and how many tasks they have."""
    project = api.open_project(directory, at=at)
    found = project.teams()
    if wants_json:
        show.dump([_data(project, each) for each in found])
    elif found:
        rows = ((each.name, each.lead, str(len(_open(project, each))), ", ".join(each.everyone)) for each in found)
        show.table(("NAME", "LEAD", "TASKS", "MEMBERS"), rows)
    elif sys.stdout.isatty():
        show.say("No teams yet. `orchgit team create NAME --lead AGENT --members A,B` makes one.")


@team.command("show")
@click.argument("name")
@show.at
@show.as_json
@click.pass_obj
def show_(directory: Path, name: str, at: str | None, *, wants_json: bool) -> None:
    """Show a team: its members and what they do, and the tasks that it has."""
    from orchgit.engine.agents import working_on

    project = api.open_project(directory, at=at)
    found = project.team(name)
    if wants_json:
        show.dump(_data(project, found))
        return
    click.echo(show.style(found.name, bold=True))
    if found.max_concurrent_tasks:
        click.echo(f"  at most {found.max_concurrent_tasks} of its tasks at once")
    if not found.auto_claim:
        click.echo("  its members take no task that is nobody's")
    busy = working_on(project.state)
    for each in found.everyone:
        agent = project.state.agents.get(each)
        state = busy.get(each, "free") if agent and agent.enabled else "disabled" if agent else "no agent here"
        click.echo(f"  {each:<16}{state}{'  leads' if each == found.lead else ''}")
    for task in _open(project, found):
        click.echo(f"  {task.id}  {show.status(task.status)}  {task.agent or '-'}  {task.title}")
    if found.description:
        click.echo(f"\n{found.description}")


@team.command()
@click.argument("name")
@click.option("--lead", metavar="AGENT", help="Who leads it.")
@click.option("--members", metavar="AGENTS", help="Its other agents, all of them, with commas between.")
@click.option("-d", "--description", help="What it is for; `-` reads it from standard input.")
@click.option("--max-concurrent-tasks", type=click.IntRange(0), metavar="N", help="Its tasks at work at once; 0: any.")
@click.option("--auto-claim/--no-auto-claim", default=None, help="Do its members take what is nobody's?")
@show.as_json
@click.pass_obj
def edit(directory: Path, /, name: str, description: str | None, *, wants_json: bool, **options: Any) -> None:
    """Change a team: what the options name, or without any the whole file in your editor."""
    project = api.open_project(directory)
    settings: Settings = {
        key: (given.listed(value) or yamltext.REMOVE) if key == "members" else value
        for key, value in options.items()
        if value is not None
    }
    if settings or description is not None:
        after = project.edit_team(name, settings, description=given.text(description))
    else:
        from orchgit.cli import editor

        path = project.team(name).path
        after = editor.rewrite(project, path, lambda base, typed: project.rewrite_team(name, base=base, typed=typed))
    _answer(project, after, f"{after.name} is changed.", wants_json=wants_json)


@verb.of(team, "name", "agent")
def join(directory: Path, name: str, agent: str, *, wants_json: bool) -> None:
    """Put an agent into a team."""
    project = api.open_project(directory)
    after, who = project.join_team(name, agent), project.agent(agent).name
    _answer(project, after, f"{who} is in {after.name}.", wants_json=wants_json)


@verb.of(team, "name", "agent")
def leave(directory: Path, name: str, agent: str, *, wants_json: bool) -> None:
    """Take an agent out of a team. What it works on goes on."""
    project = api.open_project(directory)
    after, who = project.leave_team(name, agent), project.state.who(agent)
    _answer(project, after, f"{who} has left {after.name}.", wants_json=wants_json)


@verb.of(team, "name", "task")
def add_task(directory: Path, name: str, task: str, *, wants_json: bool) -> None:
    """Give a task to a team: it goes to a member that is free, the one that its labels suit best."""
    from orchgit.engine.tasks import Wish

    project = api.open_project(directory)
    after = project.edit_task(task, Wish(assignee=project.team(name).name))
    if wants_json:
        show.dump(show.task_data(project, after))
    else:
        show.say(f"{after.id} is for {after.assignee}.")


@verb.of(team, "name", "agent")
def set_lead(directory: Path, name: str, agent: str, *, wants_json: bool) -> None:
    """Let another agent lead a team; who led it stays in it."""
    project = api.open_project(directory)
    after = project.set_lead(name, agent)
    _answer(project, after, f"{after.lead} leads {after.name}.", wants_json=wants_json)


@team.command()
@click.argument("name")
@click.pass_obj
def disband(directory: Path, name: str) -> None:
    """Remove a team. Its agents stay; its file stays in the history."""
    project = api.open_project(directory)
    gone = project.team(name).name
    project.disband_team(name)
    show.say(f"{gone} is disbanded.")
    whose.warn_of(project, gone)


def _open(project: Project, found: Team) -> list[Task]:
    tasks = (task for task in project.tasks(assignee=found.name) if task.assignee == found.name)
    return [task for task in tasks if task.status not in CLOSED]


def _data(project: Project, found: Team) -> dict[str, object]:
    """Return a team as `--json` prints it: its file, who is in it, and its open tasks."""
    named = {key: getattr(found, key) for key in found.__slots__}
    tasks = _open(project, found)
    return {
        **named, "everyone": found.everyone, "tasks": [task.id for task in tasks],
        "at_work": [task.id for task in tasks if task.status is Status.IN_PROGRESS],
    }  # fmt: skip


def _answer(project: Project, found: Team, words: str, *, wants_json: bool) -> None:
    if wants_json:
        project.refresh()
        show.dump(_data(project, found))
    else:
        show.say(words)
