"""What a person asks of agents: made, changed, switched off and on, removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from orchgit.engine import dispatch
from orchgit.model import actor, document, fields, yamltext
from orchgit.model import agent as agent_file
from orchgit.model.errors import RefusedError, UsageError
from orchgit.model.task import Status
from orchgit.repository import ledger

if TYPE_CHECKING:
    from orchgit.model.actor import Actor
    from orchgit.model.agent import Agent
    from orchgit.repository.layout import Layout
    from orchgit.repository.store import State

Settings = dict[str, yamltext.Value | yamltext.Remove]


def add(layout: Layout, by: Actor, name: str, settings: Settings, *, role: str = "") -> Agent:
    """Make `agents/<name>.md` and return the agent; RefusedError where the name is taken or it could never start."""
    actor.refuse_agent(by, "change the team")
    path = f"{agent_file.FOLDER}/{_name(name)}.md"
    text = document.edit("", settings) if settings else "---\n---\n"
    text = document.replace_body(text, f"{role.strip()}\n" if role.strip() else "")
    made = agent_file.read(path, text)
    with ledger.writing(layout, by) as book:
        if name in book.state.agents:
            raise RefusedError(f"There is an agent {name} already.", f"`orchgit agent edit {name}` changes it.")
        dispatch.check(made, book.state.config)
        book.put(path, text, f"agent({name}): created")
        return made


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
        dispatch.check(after, book.state.config)
        if text != old:
            what = ", ".join([*settings, *(["role"] if role is not None else [])])
            book.put(before.path, text, f"agent({name}): edit {what}")
        return after


def rewrite(layout: Layout, by: Actor, name: str, *, base: str, typed: str) -> Agent:
    """Take over an agent's file as somebody typed it, starting from `base`."""
    actor.refuse_agent(by, "change the team")
    with ledger.writing(layout, by) as book:
        before = book.state.agent(name)
        after = agent_file.read(before.path, typed)
        if book.text(before.path) != base:
            raise RefusedError(f"{before.path} was changed by somebody else meanwhile.", "Edit it again.")
        dispatch.check(after, book.state.config)
        if typed != base:
            book.put(before.path, typed, f"agent({name}): edit")
        return after


def remove(layout: Layout, by: Actor, name: str) -> None:
    """Remove an agent's file, and its prompt template; RefusedError while it works on something."""
    actor.refuse_agent(by, "change the team")
    with ledger.writing(layout, by) as book:
        found = book.state.agent(name)
        refuse_busy(book.state, name)
        led = [team.name for team in book.state.teams.values() if team.lead == name]
        if led:
            raise RefusedError(
                f"{name} leads {', '.join(led)}.", f"`orchgit team set-lead {led[0]} AGENT` comes first."
            )
        book.remove(found.path, f"agent({name}): removed")
        template = agent_file.prompt_path(name)
        if book.exists(template):
            book.remove(template, f"{template}: removed")


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
