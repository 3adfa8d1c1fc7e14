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
    project = api.open_project(directory, edits=False)
    faults, near_misses = project.faults(staged=staged), project.near_misses(staged=staged)
    if wants_json:
        wrong = [(each.path, each.line, each.key, each.reason, each.next_step) for each in faults]
        wrong += [(each.path, each.line, each.key, "is unknown", f"Did you mean {each.meant}?") for each in near_misses]
        show.dump([dict(zip(("path", "line", "key", "reason", "next"), each, strict=True)) for each in wrong])
        return 1 if faults else 0
    for each in (*faults, *near_misses):
        click.echo(f"orchgit: {each}", err=True)
    if not faults and not near_misses:
        show.say("Nothing is wrong.")
    return 1 if faults else 0
