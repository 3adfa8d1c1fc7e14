"""Which files say what an agent's skills are: the project's, the person's own, or ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import skill
from orchgit.model.errors import InvalidFileError
from orchgit.repository import templates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchgit.model.agent import Agent
    from orchgit.model.skill import Skill


def of(agent: Agent, read: Callable[[str], str | None]) -> Iterator[Skill]:
    """Yield each skill of `agent` that has a file; `read` looks into the state folder, and wins.

    InvalidFileError names a file that can't be used.
    """
    for word in agent.skills:
        path = skill.path_of(word)
        if path is None:
            continue
        if (own := read(path)) is not None:
            yield skill.read(path, own)
        elif found := templates.find(skill.FOLDER, word, (skill.SUFFIX,)):
            yield skill.read(str(found), templates.text(found))


def faults() -> Iterator[InvalidFileError]:
    """Yield what is wrong with the files among the templates."""
    for path in templates.all_of(skill.FOLDER, (skill.SUFFIX,)).values():
        try:
            skill.read(str(path), templates.text(path))
        except InvalidFileError as error:
            yield error
