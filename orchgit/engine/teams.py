"""Teams as a person wants them: made, joined, left, led by another, disbanded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchgit.model import actor, document, fields
from orchgit.model import team as team_file
from orchgit.model.errors import InvalidFileError, NotFoundError, RefusedError, UsageError
from orchgit.repository import ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchgit.engine.agents import Settings
    from orchgit.model.actor import Actor
    from orchgit.model.team import Team
    from orchgit.repository.layout import Layout
    from orchgit.repository.store import State

_CHANGE = "change the team"


def add(layout: Layout, by: Actor, name: str, settings: Settings, *, description: str = "") -> Team:
    """Make `teams/<name>.md` and return the team; RefusedError where the name is taken, by an agent too."""
    actor.refuse_agent(by, _CHANGE)
    path = team_file.path_of(_name(name))
    text = document.edit("", settings)
    text = document.replace_body(text, f"{description.strip()}\n" if description.strip() else "")
    with ledger.writing(layout, by) as book:
        if name in book.state.teams or name in book.state.agents:
            kind = "a team" if name in book.state.teams else "an agent"
            raise RefusedError(f"There is {kind} {name} already.", "Give the team another name.")
        made = team_file.read(path, text)
        refuse_unknown(book.state, made)
        book.put(path, text, f"team({name}): created")
        return made


def join(layout: Layout, by: Actor, name: str, agent: str) -> Team:
    """Put the agent into the team; it can be in several."""

    def more(state: State, team: Team) -> Team:
        if agent in team.everyone:
            raise RefusedError(f"{agent} is in {name} already.")
        return replace(team, members=(*team.members, state.agent(agent).name))

    return _change(layout, by, name, more, what=f"{agent} joins")


def leave(layout: Layout, by: Actor, name: str, agent: str) -> Team:
    """Take the agent out of the team; what it works on goes on."""

    def fewer(state: State, team: Team) -> Team:  # noqa: ARG001 - a member may be an agent no more
        if agent == team.lead:
            raise RefusedError(f"{agent} leads {name}.", f"`orchgit team set-lead {name} AGENT` comes first.")
        if agent not in team.members:
            raise NotFoundError(f"{agent} is not in {name}.", f"In it are: {', '.join(team.everyone)}.")
        return replace(team, members=tuple(each for each in team.members if each != agent))

    return _change(layout, by, name, fewer, what=f"{agent} leaves")


def set_lead(layout: Layout, by: Actor, name: str, agent: str) -> Team:
    """Let the agent lead the team; who led it stays a member."""

    def led(state: State, team: Team) -> Team:
        return replace(team, lead=state.agent(agent).name, members=team.everyone)

    return _change(layout, by, name, led, what=f"{agent} leads")


def disband(layout: Layout, by: Actor, name: str) -> None:
    """Remove the team's file; its agents stay, and its tasks wait for somebody else."""
    actor.refuse_agent(by, _CHANGE)
    with ledger.writing(layout, by) as book:
        book.remove(book.state.team(name).path, f"team({name}): disbanded")


def refuse_unknown(state: State, team: Team) -> None:
    """InvalidFileError where the team has a member that is no agent."""
    for key, names in (("lead", (team.lead,)), ("members", team.members)):
        lost = next((name for name in names if name not in state.agents), None)
        if lost is not None:
            known = ", ".join(sorted(state.agents)) or "none yet"
            raise InvalidFileError(
                team.path, f"there is no agent {lost!r}", key=key, next_step=f"Agents here: {known}."
            )


def _change(layout: Layout, by: Actor, name: str, change: Callable[[State, Team], Team], *, what: str) -> Team:
    actor.refuse_agent(by, _CHANGE)
    with ledger.writing(layout, by) as book:
        before = book.state.team(name)
        after = change(book.state, before)
        keys: Settings = {}
        if after.lead != before.lead:
            keys["lead"] = after.lead
        if after.members != before.members:
            keys["members"] = after.members
        if keys:
            book.put(before.path, document.edit(book.text(before.path), keys), f"team({name}): {what}")
        return after


def _name(name: str) -> str:
    try:
        return fields.name(name)
    except ValueError as error:
        raise UsageError(f"{error}.") from None
