"""Organisations: found among the templates, deployed in one write, and made of the present team."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.engine import agents, drafts, goals, shop, tasks, teams
from orchgit.model import actor, document, fields, ids, yamltext
from orchgit.model import agent as agent_file
from orchgit.model import org as org_file
from orchgit.model import task as task_file
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError, NotFoundError, RefusedError, UsageError
from orchgit.model.goal import Status as GoalStatus
from orchgit.repository import files, ledger, store, templates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchgit.engine.agents import Settings
    from orchgit.model.actor import Actor
    from orchgit.model.agent import Agent
    from orchgit.model.goal import Goal
    from orchgit.model.org import First, Hire, Lineup, Org
    from orchgit.model.role import Role
    from orchgit.model.task import Task
    from orchgit.model.team import Team
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.states import State

_RULES = "## How this team works"
_KINDS = (org_file.FOLDER, org_file.SUFFIXES)
_MEMBER = ("description", *agent_file.READERS)  # what of an agent's file goes into a template


@dataclass(frozen=True, slots=True)
class Deployed:
    """What was made. `tasks` are those that the organisation begins with, or the one to plan its goal."""

    agents: tuple[Agent, ...]
    team: Team | None
    goal: Goal | None
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
        known = ", ".join(each.name for each in orgs()[0])
        raise NotFoundError(f"There is no organisation {name!r} to deploy.", f"There are: {known}.")
    return _read(path)


def whose(found: Org) -> tuple[bool, bool]:
    """Return whether an organisation is the person's own, and whether it hides one of ours by that name."""
    place = Path(found.path)
    return templates.is_own(place), templates.hides_ours(place, org_file.SUFFIXES)


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
        team_name = _name(f"{prefix}{found.name}")
        _refuse_taken(book.state, found, [*names.values(), *([team_name] if found.team else [])])
        given, hires = settings or {}, [(each, roles[each.name]) for each in found.agents]
        hired = tuple(_hire(book, names[each.name], each, base, given, rules=found.rules) for each, base in hires)
        team = _gather(book, found.team, team_name, names) if found.team else None
        whose = team.name if team else None
        lead = team.lead if team else None  # an agent's own goal: it may say that it is achieved
        made = goals.put(book, aim[0], description=aim[1], assignee=lead) if aim[0] else None
        return Deployed(hired, team, made, _begin(book, found, names, whose, made))


def exported(layout: Layout, state: State, name: str, *, description: str = "", team: str | None = None) -> str:
    """Return a team as the text of an organisation called `name`; NotFoundError where there is no agent.

    Without `team` it is all agents, as one team where they are just that.
    """
    _name(name)
    known = {each.name: each for each in state.agents.values()}
    lineup = state.team(team) if team else _whole(state)
    members = [each for each in (lineup.everyone if lineup else sorted(known)) if each in known]
    if not members:
        raise NotFoundError("There is no agent to export.", "`orchgit agent add NAME` makes one.")
    text = org_file.written(
        description or f"The team {name}",
        goal=_goal_of(state, lineup) if lineup else "",
        lead=lineup.lead if lineup else None,
        team=_lineup(lineup) if lineup else {},
        agents={each: _member(known[each], store.text(layout, state.tip, known[each].path)) for each in members},
    )
    org_file.read(f"{name}.yaml", text)
    return text


def keep(by: Actor, name: str, text: str, *, force: bool = False) -> Path:
    """Put the text of an organisation among the person's own templates; RefusedError where one of the name is there."""
    actor.refuse_agent(by, "write a person's templates")
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


def _hire(book: Book, name: str, hire: Hire, base: Role | None, given: Settings, *, rules: str) -> Agent:
    settings = shop.driven(base, {**hire.settings, **given}, book.state.config)
    role = hire.role
    if rules:
        own = role if role is not None else (base.agent.role if base else "")
        role = f"{own}\n\n{_RULES}\n\n{rules}".strip()
    try:
        return agents.put(book, name, agents.composed(base, settings, role))
    except RefusedError as error:
        raise RefusedError(error.what, "Nothing was deployed. --adapter and --command say what drives them.") from error


def _gather(book: Book, lineup: Lineup, name: str, names: dict[str, str]) -> Team:
    lead = names[lineup.lead]
    others = tuple(each for each in names.values() if each != lead)
    settings: Settings = {"lead": lead, **({"members": others} if others else {}), **lineup.settings}
    return teams.put(book, name, settings, description=lineup.description)


def _begin(book: Book, found: Org, names: dict[str, str], whose: str | None, goal: Goal | None) -> tuple[Task, ...]:
    """Make the tasks to begin with, each after what it needs; where there are none, the goal is to be planned."""
    made: dict[str, Task] = {}
    for each in found.tasks:
        assignee = names[each.assignee] if each.assignee else whose
        made[each.key] = _task(book, each, assignee, goal, needs=[made[key].id for key in each.needs])
    plan = goals.have_planned(book, goal) if goal and not made else None
    return (plan,) if plan else tuple(made.values())


def _task(book: Book, first: First, assignee: str | None, goal: Goal | None, *, needs: list[str]) -> Task:
    identifier = tasks.fresh_id(book, document.parse(""))
    aim = goal.title if goal else ""
    title = fields.line(first.title.replace(org_file.GOAL, aim))
    named = {
        "title": title, "assignee": assignee, **first.keys, "depends_on": needs or None,
        "goal": goal.id if goal else None,
    }  # fmt: skip
    path = f"{task_file.FOLDER}/{ids.named(identifier, title)}.md"
    text = drafts.composed("", identifier, named, first.description.replace(org_file.GOAL, aim))
    details = {"Task": identifier, "Goal": goal.id if goal else None}
    book.put(path, text, f"task({identifier}): created", body=title, details=details)
    return book.state.tasks[identifier]


def _whole(state: State) -> Team | None:
    """Return the team that all agents make up, where there is one team, and that is it."""
    found = next(iter(state.teams.values()), None) if len(state.teams) == 1 else None
    return found if found and state.agents.keys() <= set(found.everyone) else None


def _goal_of(state: State, team: Team) -> str:
    """Return the title of the goal that the team has now, "" where that is none or several."""
    own = (each for each in state.goals.values() if each.assignee in (team.name, team.lead))
    titles = [each.title for each in own if each.status is GoalStatus.ACTIVE]
    return titles[0] if len(titles) == 1 else ""


def _lineup(team: Team) -> dict[str, object]:
    """Return what a team's file says, as a template has it."""
    said: dict[str, object] = {"description": team.description} if team.description else {}
    said |= {"max_concurrent_tasks": team.max_concurrent_tasks} if team.max_concurrent_tasks else {}
    return said if team.auto_claim else {**said, "auto_claim": False}


def _refuse_taken(state: State, found: Org, names: Iterable[str]) -> None:
    taken = sorted((state.agents.keys() | state.teams.keys()) & set(names))
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
