"""Who acts on this machine: the person that Git knows, or the agent in whose run the command was typed."""

from __future__ import annotations

import os
import re
from functools import cache
from typing import TYPE_CHECKING

from orchgit.model import actor
from orchgit.model.actor import Actor, Kind
from orchgit.repository import git

if TYPE_CHECKING:
    from pathlib import Path

_IDENT = re.compile(r"(?P<name>.*) <(?P<email>[^>]*)> \d+ [-+]\d+$")


@cache
def machine(directory: Path) -> Actor:
    """Return the person behind this machine's Git identity; a stand-in where there is none: no work waits for it.

    A process asks git once.
    """
    said = git.call("var", "GIT_COMMITTER_IDENT", cwd=directory)
    found = _IDENT.match(said.text) if said.code == 0 else None
    if found is None or not found["name"]:
        return Actor(Kind.PERSON, _login(), f"{_login()}@localhost")
    return Actor(Kind.PERSON, found["name"], found["email"])


def caller(directory: Path) -> Actor:
    """Return who typed this command: the agent that the environment names, else the person."""
    name, run = os.environ.get("ORCHGIT_AGENT"), os.environ.get("ORCHGIT_RUN")
    return actor.agent(name, run=run) if name and run else machine(directory)


def _login() -> str:
    import getpass  # hardly ever needed

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "nobody"
