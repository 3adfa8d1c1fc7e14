"""Teams as a person wants them: made, changed, joined, left, led by another, disbanded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import actor, document, fields
from orchgit.model import team as team_file
from orchgit.model.errors import InvalidFileError, NotFoundError, RefusedError, UsageError
from orchgit.repository import ledger

if TYPE_CHECKING:
    from collections.abc import Collection

    from orchgit.engine.agents import Settings
    from orchgit.model.actor import Actor
    from orchgit.model.team import Team
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.states import State

_CHANGE = "change the team"


def add(layout: Layout, by: Actor, name: str, settings: Settings, *, description: str = "") -> Team:
    """Make `teams/<name>.md` and return the team; RefusedError where the name is taken, by an agent too."""
    actor.refuse_agent(by, _CHANGE)
    with ledger.writing(layout, by) as book:
        return put(book, name, settings, description=description)


def put(book: Book, name: str, settings: Settings, *, description: str) -> Team:
    """Make a team in a write that is under way; RefusedError as above."""
    path = team_file.path_of(_name(name))
    text = document.edit("", _called(book.state, settings))
    text = document.replace_body(text, f"{description.strip()}\n" if description.strip() else "")
    if name in book.state.teams or name in book.state.agents:
        kind = "a team" if name in book.state.teams else "an agent"
        raise RefusedError(f"There is {kind} {name} already.", "Give the team another name.")
    made = team_file.read(path, text)
    refuse_unknown(made, text, known=book.state.agents)
    book.put(path, text, f"team({name}): created")
    return made


def edit(layout: Layout, by: Actor, word: str, settings: Settings, *, description: str | None = None) -> Team:
    """Change keys of the team's file, and its description where one is given."""
    actor.refuse_agent(by, _CHANGE)
    with ledger.writing(layout, by) as book:
        before = book.state.team(word)
        text = document.edit(book.text(before.path), _called(book.state, settings))
        if description is not None:
            text = document.replace_body(text, f"{description.strip()}\n" if description.strip() else "")
        refuse_unknown(team_file.read(before.path, text), text, known=book.state.agents)
        what = ", ".join([*settings, *(["description"] if description is not None else [])])
        return _put(book, before, text, f"edit {what}")


def rewrite(layout: Layout, by: Actor, word: str, *, base: str, typed: str) -> Team:
    """Take over a team's file as somebody typed it, starting from `base`."""
    actor.refuse_agent(by, _CHANGE)
    with ledger.writing(layout, by) as book:
        before = book.state.team(word)
        if book.text(before.path) != base:
            raise RefusedError(f"{before.path} was changed by somebody else meanwhile.", "Edit it again.")
        refuse_unknown(team_file.read(before.path, typed), typed, known=book.state.agents)
        return _put(book, before, typed, "edit")


def join(layout: Layout, by: Actor, word: str, agent: str) -> Team:
    """Put the agent into the team; it can be in several."""
    actor.refuse_agent(by, _CHANGE)
    with ledger.writing(layout, by) as book:
        team, name = book.state.team(word), book.state.agent(agent).name
        if name in team.everyone:
            raise RefusedError(f"{name} is in {team.name} already.")
        return _change(book, team, {"members": (*team.members, name)}, f"{name} joins")


def leave(layout: Layout, by: Actor, word: str, agent: str) -> Team:
    """Take the agent, which may be one no more, out of the team; what it works on goes on."""
    actor.refuse_agent(by, _CHANGE)
    with ledger.writing(layout, by) as book:
        team, name = book.state.team(word), book.state.who(agent)
        if name == team.lead:
            raise RefusedError(f"{name} leads {team.name}.", f"`orchgit team set-lead {team.name} AGENT` comes first.")
        if name not in team.members:
            raise NotFoundError(f"{name} is not in {team.name}.", f"In it are: {', '.join(team.everyone)}.")
        return _change(book, team, {"members": without(team, name)}, f"{name} leaves")


def set_lead(layout: Layout, by: Actor, word: str, agent: str) -> Team:
    """Let the agent lead the team; who led it stays a member."""
    actor.refuse_agent(by, _CHANGE)
    with ledger.writing(layout, by) as book:
        team, name = book.state.team(word), book.state.agent(agent).name
        return _change(book, team, {"lead": name, "members": team.everyone}, f"{name} leads")


def disband(layout: Layout, by: Actor, word: str) -> None:
    """Remove the team's file; its agents stay, and its tasks wait for somebody else."""
    actor.refuse_agent(by, _CHANGE)
    with ledger.writing(layout, by) as book:
        team = book.state.team(word)
        book.remove(team.path, f"team({team.name}): disbanded")


def without(team: Team, name: str) -> tuple[str, ...]:
    """Return the team's other members."""
    return tuple(each for each in team.members if each != name)


def refuse_unknown(team: Team, text: str, *, known: Collection[str]) -> None:
    """InvalidFileError where the team, whose file says `text`, has a member that is none of the agents `known`."""
    for key, names in (("lead", (team.lead,)), ("members", team.members)):
        lost = next((name for name in names if name not in known), None)
        if lost is not None:
            raise InvalidFileError(
                team.path, f"there is no agent {lost!r}", line=document.parse(text).line(key), key=key,
                next_step=f"Agents here: {', '.join(sorted(known)) or 'none yet'}.",
            )  # fmt: skip


def _change(book: Book, before: Team, keys: Settings, what: str) -> Team:
    return _put(book, before, document.edit(book.text(before.path), keys), what)


def _put(book: Book, before: Team, text: str, what: str) -> Team:
    after = team_file.read(before.path, text)
    if text != book.text(before.path):
        book.put(before.path, text, f"team({before.name}): {what}")
    return after


def _called(state: State, settings: Settings) -> Settings:
    """Return the settings with agents as they are called here."""
    named = dict(settings)
    if isinstance(lead := named.get("lead"), str):
        named["lead"] = state.who(lead)
    if isinstance(members := named.get("members"), tuple):
        named["members"] = tuple(state.who(str(each)) for each in members)
    return named


def _name(name: str) -> str:
    try:
        return fields.name(name)
    except ValueError as error:
        raise UsageError(f"{error}.") from None
