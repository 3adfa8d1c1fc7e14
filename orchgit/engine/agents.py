"""What a person asks of agents: made, changed, switched off and on, removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from orchgit.engine import dispatch, shop, teams
from orchgit.model import actor, document, fields, yamltext
from orchgit.model import agent as agent_file
from orchgit.model import team as team_file
from orchgit.model.errors import RefusedError, UsageError
from orchgit.model.task import Status
from orchgit.repository import ledger

if TYPE_CHECKING:
    from orchgit.model.actor import Actor
    from orchgit.model.agent import Agent
    from orchgit.model.role import Role
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.states import State

Settings = dict[str, yamltext.Value | yamltext.Remove]


def add(
    layout: Layout, by: Actor, name: str, settings: Settings, *, role: str | None = None, template: str | None = None
) -> Agent:
    """Make `agents/<name>.md` and return the agent; RefusedError where the name is taken or it could never start.

    `template` is a role of the shop to begin with: what `settings` and `role` don't say is as it says.
    """
    actor.refuse_agent(by, "change the team")
    base = shop.role(template) if template is not None else None
    with ledger.writing(layout, by) as book:
        if base is not None:
            settings = shop.driven(base, settings, book.state.config)
        return put(book, name, composed(base, settings, role))


def composed(base: Role | None, settings: Settings, role: str | None) -> str:
    """Return the text of a new agent's file: that of `base`, with these settings and this role in their places."""
    text = document.edit(base.text if base else "", settings) if settings or base else "---\n---\n"
    if base is not None and role is None:
        return text
    role = (role or "").strip()
    return document.replace_body(text, f"{role}\n" if role else "")


def put(book: Book, name: str, text: str) -> Agent:
    """Give the team an agent whose file says `text`; RefusedError where the name is taken or it could never start."""
    path = f"{agent_file.FOLDER}/{_name(name)}.md"
    made = agent_file.read(path, text)
    if name in book.state.agents:
        raise RefusedError(f"There is an agent {name} already.", f"`orchgit agent edit {name}` changes it.")
    dispatch.check(made, book.state.config, next_step=f"Nothing was made: {_wanted(made)}.")
    book.put(path, text, f"agent({name}): created")
    return made


def _wanted(made: Agent) -> str:
    """Return what an agent that can't be started needs, for who makes it."""
    if made.adapter in (None, "shell") and not made.command:
        return "give it `--command '...'`, or `--adapter claude`, say"
    return "give it other settings"


def edit(layout: Layout, by: Actor, name: str, settings: Settings, *, role: str | None = None) -> Agent:
    """Change settings of an agent in place, and its role where one is given; `env` adds to what it has."""
    actor.refuse_agent(by, "change the team")
    with ledger.writing(layout, by) as book:
        before = book.state.agent(name)
        if isinstance(added := settings.get("env"), Mapping):
            settings = {**settings, "env": {**dict(before.env), **added}}
        old = book.text(before.path)
        text = _edited(before.path, old, settings, role)
        after = agent_file.read(before.path, text)
        dispatch.check(after, book.state.config, next_step="Nothing was changed: give it other settings.")
        if text != old:
            what = ", ".join([*settings, *(["role"] if role is not None else [])])
            book.put(before.path, text, f"agent({before.name}): edit {what}")
        return after


def rewrite(layout: Layout, by: Actor, name: str, *, base: str, typed: str) -> Agent:
    """Take over an agent's file as somebody typed it, starting from `base`."""
    actor.refuse_agent(by, "change the team")
    with ledger.writing(layout, by) as book:
        before = book.state.agent(name)
        after = agent_file.read(before.path, typed)
        if book.text(before.path) != base:
            raise RefusedError(f"{before.path} was changed by somebody else meanwhile.", "Edit it again.")
        dispatch.check(after, book.state.config, next_step="Nothing was changed: give it other settings.")
        if typed != base:
            book.put(before.path, typed, f"agent({before.name}): edit")
        return after


def remove(layout: Layout, by: Actor, word: str) -> Agent:
    """Remove an agent's file, its prompt template and its place in teams, in one commit, and return the agent.

    RefusedError while it works on something, or leads a team.
    """
    actor.refuse_agent(by, "change the team")
    with ledger.writing(layout, by) as book:
        found = book.state.agent(word)
        refuse_busy(book.state, found.name)
        led = sorted(team.name for team in book.state.teams.values() if team.lead == found.name)
        if led:
            what = f"{found.name} leads {', '.join(led)}."
            raise RefusedError(what, f"`orchgit team set-lead {led[0]} AGENT` comes first.")
        after: dict[str, bytes | None] = {found.path: None}
        if book.exists(template := agent_file.prompt_path(found.name)):
            after[template] = None
        for each in team_file.of_agent(found.name, book.state.teams):
            text = document.edit(book.text(each.path), {"members": teams.without(each, found.name) or yamltext.REMOVE})
            after[each.path] = document.encode(text)
        book.change(after, f"agent({found.name}): removed")
        return found


def refuse_busy(state: State, name: str) -> None:
    busy = working_on(state).get(name)
    if busy:
        raise RefusedError(
            f"{name} is working on {busy}.", f"`orchgit task cancel {busy.partition(',')[0]}` stops that."
        )


def working_on(state: State) -> Mapping[str, str]:
    """Return what each busy agent works on: the ids of tasks, with commas between."""
    found: dict[str, list[str]] = {}
    for task in state.tasks.values():
        if task.status is Status.IN_PROGRESS and task.run and task.agent:
            found.setdefault(task.agent, []).append(task.id)
    return {name: ", ".join(sorted(ids)) for name, ids in found.items()}


def _edited(path: str, old: str, settings: Settings, role: str | None) -> str:
    if path.endswith(".md"):
        text = document.edit(old, settings)
        return text if role is None else document.replace_body(text, f"{role.strip()}\n")
    changes = settings if role is None else {**settings, "role": role.strip()}
    return yamltext.edit(old, {(key,): value for key, value in changes.items()})


def _name(name: str) -> str:
    try:
        return fields.name(name)
    except ValueError as error:
        raise UsageError(f"{error}.") from None
