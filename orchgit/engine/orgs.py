"""Organisations: found among the templates, deployed in one write, and made of the present team."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchgit.engine import agents, drafts, shop, tasks
from orchgit.model import actor, document, fields, ids, yamltext
from orchgit.model import agent as agent_file
from orchgit.model import org as org_file
from orchgit.model import task as task_file
from orchgit.model.errors import InvalidFileError, NotFoundError, RefusedError, UsageError
from orchgit.repository import files, ledger, store, templates

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from orchgit.engine.agents import Settings
    from orchgit.model.actor import Actor
    from orchgit.model.agent import Agent
    from orchgit.model.org import First, Hire, Org
    from orchgit.model.role import Role
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.store import State

_KINDS = (org_file.FOLDER, org_file.SUFFIXES)
_MEMBER = ("description", *agent_file.READERS)  # what of an agent's file goes into a template


@dataclass(frozen=True, slots=True)
class Deployed:
    """What was made."""

    agents: tuple[Agent, ...]
    tasks: tuple[Task, ...]


def orgs() -> tuple[list[Org], list[InvalidFileError]]:
    """Return the organisations by name, and what is wrong with the files that can't be read."""
    found: list[Org] = []
    faults: list[InvalidFileError] = []
    for path in templates.all_of(*_KINDS).values():
        try:
            found.append(_read(path))
        except InvalidFileError as error:
            faults.append(error)
    return found, faults


def org(name: str) -> Org:
    """Return the organisation called `name`; InvalidFileError where its file can't be read."""
    path = templates.find(org_file.FOLDER, name, org_file.SUFFIXES)
    if path is None:
        known = ", ".join(templates.all_of(*_KINDS))
        raise NotFoundError(f"There is no organisation {name!r} to deploy.", f"There are: {known}.")
    return _read(path)


def deploy(
    layout: Layout, by: Actor, name: str, *, goal: str = "", settings: Settings | None = None, prefix: str = ""
) -> Deployed:
    """Make all that the organisation `name` is, or nothing of it, and return it.

    `goal` is what it is for; `settings` go to each agent, before what the template says; `prefix` begins each name.
    RefusedError where a name is taken or an agent could not start.
    """
    actor.refuse_agent(by, "change the team")
    found = org(name)
    roles = {each.name: _origin(found, each) for each in found.agents}
    aim = _aim(goal or found.goal)
    with ledger.writing(layout, by) as book:
        names = {each.name: _name(f"{prefix}{each.name}") for each in found.agents}
        _refuse_taken(book.state, found, names.values())
        hired = tuple(_hire(book, names[each.name], each, roles[each.name], settings or {}) for each in found.agents)
        return Deployed(hired, _begin(book, found, names, aim))


def exported(layout: Layout, state: State, name: str, *, description: str = "") -> str:
    """Return the present team as the text of an organisation called `name`; NotFoundError where there is none."""
    _name(name)
    found = sorted(state.agents.values(), key=lambda each: each.name)
    if not found:
        raise NotFoundError("There is no agent to export.", "`orchgit agent add NAME` makes one.")
    members = {each.name: _member(each, store.text(layout, state.tip, each.path)) for each in found}
    text = org_file.written(description or f"The team {name}", goal="", lead=None, team={}, agents=members)
    org_file.read(f"{name}.yaml", text)
    return text


def keep(name: str, text: str, *, force: bool = False) -> Path:
    """Put the text of an organisation among the person's own templates; RefusedError where one of the name is there."""
    there = templates.own() / org_file.FOLDER
    known = next((path for suffix in org_file.SUFFIXES if (path := there / f"{name}{suffix}").exists()), None)
    if known is not None and not force:
        raise RefusedError(f"There is {known} already.", "Give another name, or --force to write it anew.")
    place = known or there / f"{_name(name)}.yaml"
    place.parent.mkdir(parents=True, exist_ok=True)
    files.replace(place, text.encode())
    return place


def _read(path: Path) -> Org:
    found = org_file.read(str(path), templates.text(path))
    for each in found.agents:
        _origin(found, each)
    return found


def _origin(found: Org, hire: Hire) -> Role | None:
    """Return the role that an agent begins as; InvalidFileError where the shop doesn't have it."""
    if hire.origin is None:
        return None
    try:
        return shop.role(hire.origin)
    except NotFoundError as error:
        key = f"agents.{hire.name}.from"
        raise InvalidFileError(found.path, error.what, line=hire.line, key=key, next_step=error.next_step) from error


def _hire(book: Book, name: str, hire: Hire, base: Role | None, given: Settings) -> Agent:
    settings = shop.driven(base, {**hire.settings, **given}, book.state.config)
    try:
        return agents.put(book, name, agents.composed(base, settings, hire.role))
    except RefusedError as error:
        raise RefusedError(error.what, "Nothing was deployed. --adapter and --command say what drives them.") from error


def _begin(book: Book, found: Org, names: dict[str, str], aim: tuple[str, str]) -> tuple[Task, ...]:
    """Make the tasks to begin with, each after what it needs."""
    made: dict[str, Task] = {}
    for each in found.tasks:
        needs = [made[key].id for key in each.needs]
        made[each.key] = _task(book, each, names, aim[0], {"depends_on": needs} if needs else {})
    return tuple(made.values())


def _task(book: Book, first: First, names: dict[str, str], goal: str, more: dict[str, object]) -> Task:
    identifier = tasks.fresh_id(book, document.parse(""))
    title = fields.line(first.title.replace(org_file.GOAL, goal))
    named = {"title": title, "assignee": names.get(first.assignee or ""), **first.keys, **more}
    path = f"{task_file.FOLDER}/{ids.named(identifier, title)}.md"
    text = drafts.composed("", identifier, named, first.description.replace(org_file.GOAL, goal))
    book.put(path, text, f"task({identifier}): created", body=title, details={"Task": identifier})
    return book.state.tasks[identifier]


def _refuse_taken(state: State, found: Org, names: Iterable[str]) -> None:
    taken = sorted(state.agents.keys() & set(names))
    if taken:
        what = f"{found.name} can't be deployed: there {'is' if len(taken) == 1 else 'are'} {', '.join(taken)} already."
        raise RefusedError(what, "--prefix gives all of the new ones names of their own; nothing was changed.")


def _member(found: Agent, text: str) -> dict[str, object]:
    """Return an agent as a template has it: what its file says, and its role."""
    is_markdown = found.path.endswith(".md")
    values = document.parse(text).values if is_markdown else yamltext.load(text).values
    kept = {key: values[key] for key in _MEMBER if values.get(key) is not None}
    if found.max_cost_usd is not None:
        kept["max_cost_usd"] = found.max_cost_usd  # whatever it is called in the file
    return {**kept, "role": found.role}


def _aim(words: str) -> tuple[str, str]:
    """Return title and text of the goal that `words` are."""
    title, _, rest = words.strip().partition("\n")
    try:
        return (fields.line(title) if title else ""), (words.strip() if rest.strip() else "")
    except ValueError as error:
        raise UsageError(f"The goal {error}.") from None


def _name(name: str) -> str:
    try:
        return fields.name(name)
    except ValueError as error:
        raise UsageError(f"{error}.") from None
