"""`orchgit check`: are the files of .orchestry/ what they should be?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import show

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.option("--staged", is_flag=True, help="Check what is staged there, as a commit would take it.")
@show.as_json
@click.pass_obj
def check(directory: Path, *, staged: bool, wants_json: bool) -> int:
    """Check tasks, agents, skills and settings as they lie in .orchestry/: file, line and key of what is wrong."""
    faults = api.open_project(directory, edits=False).faults(staged=staged)
    if wants_json:
        show.dump([
            {"path": each.path, "line": each.line, "key": each.key, "reason": each.reason, "next": each.next_step}
            for each in faults
        ])  # fmt: skip
        return 1 if faults else 0
    for fault in faults:
        click.echo(f"orchgit: {fault}", err=True)
    if not faults:
        show.say("Nothing is wrong.")
    return 1 if faults else 0
