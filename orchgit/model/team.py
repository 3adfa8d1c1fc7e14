"""A team: agents that share the tasks which are given to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchgit.model import fields
from orchgit.model.actor import ENGINE
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orchgit.model.task import Task

FOLDER = "teams"


@dataclass(frozen=True, slots=True)
class Team:
    """One team file. `path` is relative to the state folder; `max_concurrent_tasks` 0 is no limit.

    `members` are those that the file lists; `everyone` has the lead among them. `orch` is the id that it had in ORCH,
    where it was brought over.
    """

    name: str
    path: str
    lead: str
    members: tuple[str, ...] = ()
    max_concurrent_tasks: int = 0
    auto_claim: bool = True
    description: str = ""
    orch: str | None = None

    @property
    def everyone(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.lead, *self.members)))


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(fields.name, fields.words(value)))


READERS: Final[dict[str, Callable[[object], Any]]] = {
    "lead": fields.name,
    "members": _names,
    "max_concurrent_tasks": fields.count,
    "auto_claim": fields.flag,
    "orch": fields.orch_id,
}


def path_of(name: str) -> str:
    return f"{FOLDER}/{name}.md"


def read(path: str, text: str) -> Team:
    """Return the team that the file at `path` describes; InvalidFileError names line and key of the first fault."""
    from orchgit.model import document

    try:
        name = fields.name(path.rpartition("/")[2].removesuffix(".md"))
        if name == ENGINE.name:
            raise InvalidFileError(path, f"{name!r} is what the engine itself signs with; give the team another name")
        found = document.parse(text)
    except InvalidFileError as error:
        raise error.at(path) from None
    except ValueError as error:
        raise InvalidFileError(path, str(error)) from None
    if found.values.get("lead") is None:
        raise InvalidFileError(path, "is missing", line=found.line("lead"), key="lead")
    return Team(
        name, path, description=found.body.strip(), **fields.typed(path, found.values, READERS, line=found.line)
    )


def of_agent(name: str, teams: Mapping[str, Team]) -> tuple[Team, ...]:
    """Return the teams that the agent is in, by name."""
    return tuple(team for _, team in sorted(teams.items()) if name in team.everyone)


def claims(name: str, teams: Mapping[str, Team]) -> bool:
    """May the agent be given tasks that are nobody's? Not as a member of a team that doesn't claim any."""
    return all(team.auto_claim for team in of_agent(name, teams))


def is_full(team: Team, at_work: Iterable[Task]) -> bool:
    """Are as many of the team's tasks at work as may be?"""
    most = team.max_concurrent_tasks
    return most > 0 and sum(task.assignee == team.name for task in at_work) >= most
