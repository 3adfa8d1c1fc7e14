"""`orchgit init`: give a project its team, or join the one it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import click

from orchgit import api
from orchgit.cli import show
from orchgit.repository.mount import Did

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.option("--base", metavar="BRANCH", help="The branch that approved work is merged into; else the current one.")
@click.option("--name", help="What the project is called; else its folder's name.")
@click.option("--offline", is_flag=True, help="Don't ask the remote whether it has a team already.")
@show.as_json
@click.pass_obj
def init(directory: Path, base: str | None, name: str | None, *, offline: bool, wants_json: bool) -> None:
    """Give a project its team, or join the one that its remote has.

    Everything that orchgit keeps is in the branch `orchestry`, mounted at .orchestry/ and listed in .git/info/exclude.
    Your own branches never see it.
    """
    done = api.init(directory, base=base, name=name, offline=offline)
    place = done.layout.state
    if wants_json:
        show.dump({"did": done.did.value, "state": str(place), "base": done.base, "source": done.source})
        return
    match done.did:
        case Did.CREATED:
            show.say(f"Made {place}, on the branch orchestry. Approved work is merged into {done.base}.")
            show.say("Next: orchgit agent add NAME --adapter shell --command '...', then orchgit task add \"TITLE\"")
        case Did.ATTACHED:
            show.say(f"Joined the team of {done.source}, at {place}. Approved work is merged into {done.base}.")
        case Did.MOUNTED:
            show.say(f"Mounted {place} again. Approved work is merged into {done.base}.")
        case Did.UNCHANGED:
            show.say(f"Nothing to do: {place} is there. Approved work is merged into {done.base}.")
        case _:
            assert_never(done.did)
