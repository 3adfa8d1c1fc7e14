"""`orchgit org`: organisations to deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import nearest, programs, show

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.engine.agents import Settings
    from orchgit.model.org import Org


@click.group(cls=nearest.Group)
def org() -> None:
    """Deploy whole teams, and keep your own as templates."""


@org.command("list")
@show.as_json
@click.pass_obj
def list_(_directory: Path, *, wants_json: bool) -> None:
    """List the organisations that can be deployed: ours, and those of your own folder."""
    found, faults = api.orgs()
    for fault in faults:
        click.echo(f"orchgit: {fault}", err=True)
    if wants_json:
        show.dump([_data(each) for each in found])
        return
    show.table(("NAME", "AGENTS", "WHAT IT DOES"), ((each.name, _agents(each), show.whose(each)) for each in found))


@org.command("show")
@click.argument("name")
@show.as_json
@click.pass_obj
def show_(_directory: Path, name: str, *, wants_json: bool) -> None:
    """Show what an organisation is made of: its file."""
    found = api.org(name)
    if wants_json:
        show.dump(_data(found))
    else:
        click.echo(f"{found.path}\n\n{found.text}", nl=not found.text.endswith("\n"))


@org.command()
@click.argument("name")
@click.option("--goal", default="", metavar="TEXT", help="What it is for; the first line is the title.")
@click.option("--adapter", help="What drives each of its agents.")
@click.option("--model", help="The model of each of its agents.")
@click.option("--command", help="The command of each of its agents, for the adapter shell.")
@click.option("--prefix", default="", metavar="WORD", help="Begin the name of each agent with this.")
@show.as_json
@click.pass_obj
def deploy(directory: Path, /, name: str, goal: str, prefix: str, *, wants_json: bool, **options: str | None) -> None:
    """Make an organisation in this project: all of it, or nothing."""
    settings: Settings = {key: value for key, value in options.items() if value}
    if options["command"] and not options["adapter"]:
        settings["adapter"] = "shell"
    project = api.open_project(directory)
    made = project.deploy(name, goal=goal, settings=settings, prefix=prefix)
    if wants_json:
        show.dump({
            "agents": [each.name for each in made.agents], "team": made.team.name if made.team else None,
            "goal": made.goal.id if made.goal else None, "tasks": [each.id for each in made.tasks],
        })  # fmt: skip
        return
    for agent in made.agents:
        show.say(f"{agent.name} is on the team ({agent.path}).")
    if made.team:
        show.say(f"{made.team.name} is a team, led by {made.team.lead} ({made.team.path}).")
    if made.goal:
        click.echo(f"{made.goal.id}  {made.goal.title}")
    for task in made.tasks:
        click.echo(f"{task.id}  {task.title}")
    programs.tell_of_missing(project, made.agents)
    show.next_run(project)


@org.command()
@click.argument("name")
@click.option("-d", "--description", default="", help="What it does, in a line.")
@click.option("--team", help="Only this team; else all agents, as one team where they are one.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print it, and write nothing.")
@click.option("--force", is_flag=True, help="Write a template of yours that has the name anew.")
@click.pass_obj
def export(directory: Path, name: str, *, description: str, team: str | None, to_stdout: bool, force: bool) -> None:
    """Make a template of the present team, in your own folder of templates."""
    project = api.open_project(directory)
    text = project.export(name, description=description, team=team)
    if to_stdout:
        click.echo(text, nl=False)
        return
    place = project.keep_org(name, text, force=force)
    show.say(f"{place} is there. `orchgit org deploy {name}` makes a team of it.")
    if api.whose_template(api.org(name))[1]:
        what = f"It hides the organisation {name} that orchgit has itself, in all of your projects."
        show.warn([f"{what}\nDelete that file to have ours back, or export under another name."])


def _agents(found: Org) -> str:
    return ", ".join(each.name for each in found.agents)


def _data(found: Org) -> dict[str, object]:
    """Return an organisation as `--json` prints it."""
    own, hides_ours = api.whose_template(found)
    return {
        "name": found.name, "description": found.description, "goal": found.goal, "path": found.path,
        "own": own, "hides_ours": hides_ours,
        "agents": [{"name": each.name, "from": each.origin} for each in found.agents],
        "lead": found.team.lead if found.team else None, "tasks": [each.title for each in found.tasks],
    }  # fmt: skip
