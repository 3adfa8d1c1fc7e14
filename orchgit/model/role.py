"""A role of the shop: an agent's file before it is anybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import agent as agent_file
from orchgit.model import document, fields
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from orchgit.model.agent import Agent

FOLDER, SUFFIXES = "agents", (".md",)


@dataclass(frozen=True, slots=True)
class Role:
    """`path` is where the file lies, `text` all that it says, `agent` that as an agent would have it."""

    name: str
    path: str
    description: str
    text: str
    agent: Agent


def read(path: str, text: str) -> Role:
    """Return the role that the file at `path` describes; InvalidFileError names line and key of the first fault.

    Where it has no `description`, the first line of the role's text stands for it.
    """
    made = agent_file.read(path, text)
    found = document.parse(text)
    if not made.role:
        raise InvalidFileError(path, "says nothing below its front matter", next_step="The text there is the role.")
    described = fields.typed(path, found.values, {"description": fields.line}, line=found.line)
    return Role(made.name, path, described.get("description") or made.role.splitlines()[0], text, made)
