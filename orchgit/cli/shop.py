"""`orchgit agent shop`: roles to make agents of."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from orchgit import api
from orchgit.cli import programs, show

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.model.role import Role


@click.command()
@click.argument("name", required=False)
@click.option("--list", "only_list", is_flag=True, help="List the roles, and ask nothing on a terminal either.")
@show.as_json
@click.pass_obj
def shop(directory: Path, name: str | None, *, only_list: bool, wants_json: bool) -> None:
    """List the roles for `agent add NAME --from ROLE`; with NAME, show one of them."""
    if name is not None:
        found = api.role(name)
        if wants_json:
            show.dump(_data(found))
        else:
            click.echo(f"{found.path}\n\n{found.text}", nl=not found.text.endswith("\n"))
        return
    roles, faults = api.roles()
    for fault in faults:
        click.echo(f"orchgit: {fault}", err=True)
    if wants_json:
        show.dump([_data(each) for each in roles])
        return
    show.table(("NAME", "LABELS", "WHAT IT IS"), ((each.name, _labels(each), show.whose(each)) for each in roles))
    if not only_list and sys.stdin.isatty() and sys.stdout.isatty():
        _pick(directory)


def _pick(directory: Path) -> None:
    """Ask which role to make an agent of, and make it."""
    role = click.prompt("\nAdd which role? (Enter for none)", default="", show_default=False).strip()
    if not role:
        return
    name = click.prompt("Its name in the team", default=api.role(role).name)
    project = api.open_project(directory)
    made = project.add_agent(name, {}, template=role)
    show.say(f"{made.name} is on the team ({made.path}); `orchgit agent edit {made.name}` changes it.")
    programs.tell_of_missing(project, [made])


def _labels(found: Role) -> str:
    return ", ".join(found.agent.labels)


def _data(found: Role) -> dict[str, Any]:
    """Return a role as `--json` prints it."""
    own, hides_ours = api.whose_template(found)
    return {
        "name": found.name, "description": found.description, "labels": found.agent.labels,
        "skills": found.agent.skills, "path": found.path, "role": found.agent.role,
        "own": own, "hides_ours": hides_ours,
    }  # fmt: skip
