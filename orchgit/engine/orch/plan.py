"""What bringing a project of ORCH over comes to: the files that will be made, and what a person should be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import TYPE_CHECKING, Final

from orchgit.engine.orch import folder, forms, liquid, names, talk, team, work
from orchgit.model import agent, config, document, goal, letter, prompt
from orchgit.model import team as team_file
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError
from orchgit.repository import attachments

if TYPE_CHECKING:
    from orchgit.engine.orch.folder import Entry, Orch
    from orchgit.engine.orch.names import Names
    from orchgit.engine.orch.work import Ground, Work
    from orchgit.repository.states import State

KEPT: Final = f"{attachments.FOLDER}/orch"  # where files lie that have no place of their own here

Exists = Callable[[str], bool]


@dataclass(slots=True)
class Plan:
    """`files` are those of each kind by path, `kept` those that stay as they are, `settings` is the new config.yaml.

    `origins` says by which file of ORCH a thing came.
    """

    work: list[Work] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    settings: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many files of each kind are made."""
        of = Counter(path.partition("/")[0] for path in self.files)
        return {"tasks": len(self.work), **{kind: of[kind] for kind in folder.KINDS if kind != "tasks"}}


@dataclass(frozen=True, slots=True)
class Here:
    """The state that it is brought into: whether it has a path, or a task, be it archived; config.yaml; who asks."""

    has: Exists
    has_task: Exists
    state: State
    settings: str
    person: str

    def has_thing(self, path: str) -> bool:
        """Is there this file, or another one of the agent, goal or message that it would be?"""
        folder, name = path.partition("/")[0], path.rpartition("/")[2].removesuffix(".md")
        match folder:
            case letter.FOLDER:
                return self.has(letter.unread_path(path)) or self.has(letter.read_path(path))
            case agent.FOLDER:
                return self.has(path) or name in self.state.agents
            case goal.FOLDER:
                return self.has(path) or name.partition("-")[0] in self.state.goals
            case _:
                return self.has(path)


def of(found: Orch, here: Here, ground: Ground) -> Plan:
    """Return the plan; nothing that is here already is touched."""
    known = names.of(found.found, here.state.agents, here.state.teams)
    plan = Plan(notes=[*found.notes, *known.notes])
    for entry in found.found["agents"]:
        _file(plan, here, entry, lambda each: [team.agent_file(each, known, plan.notes)])
    known.agents = _made(known.agents, agent.FOLDER, plan, here)
    everyone = {*known.agents.values(), *here.state.agents}
    for entry in found.found["teams"]:
        _file(plan, here, entry, lambda each: [team.team_file(each, known, everyone, plan.notes)])
    known.teams = _made(known.teams, team_file.FOLDER, plan, here)
    for entry in found.found["goals"]:
        _file(plan, here, entry, lambda each: [team.goal_file(each, known, plan.notes)])
    _tasks(plan, here, found, known, ground)
    for entry in found.found["context"]:
        _file(plan, here, entry, lambda each: [talk.value_file(each, plan.notes)])
    boxes = talk.Boxes(_members(found, known), everyone, here.person)
    for entry in found.found["messages"]:
        _file(plan, here, entry, lambda each: talk.message_files(each, known, boxes, plan.notes))
    if any(entry.values.get("updated_at") for entry in found.found["context"]):
        plan.notes.append("context/: when a value was set there is not said here; `git log` says when it was brought")
    _settings(plan, here, found)
    _keep_rest(plan, here, found)
    plan.notes = [forms.told(note) for note in plan.notes]
    return plan


def _file(plan: Plan, here: Here, entry: Entry, make: Callable[[Entry], Iterable[tuple[str, str]]]) -> None:
    """Put what is made of an entry into the plan, or keep the entry as it is where nothing can be."""
    told = len(plan.notes)
    try:
        made = list(make(entry))
        for path, text in made:
            forms.proven(path, text)
    except (ValueError, InvalidFileError) as error:
        del plan.notes[told:]
        _keep(plan, here, entry.path, entry.data, str(error).splitlines()[0])
        return
    thing = _thing(entry.path, made)
    if thing in plan.origins:
        del plan.notes[told:]
        _keep(plan, here, entry.path, entry.data, f"{plan.origins[thing]} is {thing} already")
        return
    for path, text in made:
        if here.has_thing(path):
            plan.notes.append(f"{entry.path}: there is a {path} already, which stays as it is")
        else:
            plan.files[path] = text
            plan.origins[thing] = entry.path


def _thing(source: str, made: list[tuple[str, str]]) -> str:
    """Return what no two entries may both be: a goal or a message by its id, anything else by its file's path."""
    path = made[0][0] if made else source
    kind, name = path.partition("/")[0], path.rpartition("/")[2].removesuffix(".md")
    match kind:
        case goal.FOLDER:
            return f"the goal {name.partition('-')[0]}"
        case letter.FOLDER:
            return f"the message {name}"
        case _:
            return path


def _made(known: dict[str, str], folder: str, plan: Plan, here: Here) -> dict[str, str]:
    """Return the names of those that are here now, or will be."""
    paths = {name: f"{folder}/{name}.md" for name in known.values()}
    there = {name for name, path in paths.items() if path in plan.files or here.has_thing(path)}
    return {word: name for word, name in known.items() if name in there}


def _tasks(plan: Plan, here: Here, found: Orch, known: Names, ground: Ground) -> None:
    over = work.unproven(found.found["tasks"], ground)
    pool = {
        each: known.teams[names.key_of(entry)]
        for entry in found.found["teams"]
        if names.key_of(entry) in known.teams
        for each in _pool(entry)
    }
    for entry in found.found["tasks"]:
        told = len(plan.notes)
        try:
            made = work.task_file(entry, known, over, ground, plan.notes, team=pool.get(names.key_of(entry)))
            forms.proven(made.path, made.text)
        except (ValueError, InvalidFileError) as error:
            del plan.notes[told:]
            _keep(plan, here, entry.path, entry.data, str(error).splitlines()[0])
            continue
        thing = f"the task {made.id}"
        if thing in plan.origins:
            del plan.notes[told:]
            _keep(plan, here, entry.path, entry.data, f"{plan.origins[thing]} is {thing} already")
        elif here.has_task(made.id):
            del plan.notes[told:]
            plan.notes.append(f"{entry.path}: there is a task {made.id} already, which stays as it is")
        else:
            plan.work.append(made)
            plan.origins[thing] = entry.path


def _pool(entry: Entry) -> list[str]:
    pool = entry.values.get("task_pool")
    return [str(each) for each in pool] if isinstance(pool, list) else []


def _members(found: Orch, known: Names) -> dict[str, tuple[str, ...]]:
    """Return who is in each team by its name, its lead first, and all agents by ""."""
    everyone = {"": tuple(dict.fromkeys(known.agents.values()))}
    for entry in found.found["teams"]:
        if name := known.teams.get(names.key_of(entry)):
            listed = (known.who(each) for each in (entry.values.get("lead_agent_id"), *team.listed(entry)))
            everyone.setdefault(name, tuple(dict.fromkeys(each for each in listed if each in everyone[""])))
    return everyone


def _settings(plan: Plan, here: Here, found: Orch) -> None:
    if found.config is None:
        return
    text, template = forms.settings(found.config, here.settings, plan.notes)
    config.read(text)
    plan.settings = text if text != here.settings else ""
    if template and here.has(prompt.PATH):
        plan.notes.append(
            f"{found.config.path}: prompt.template: there is a {prompt.PATH} already, which stays as it is"
        )
    elif template:
        _template(plan, here, found.config.path, template)


def _template(plan: Plan, here: Here, source: str, template: str) -> None:
    """Make the prompt template of what is Liquid, where that can be; else keep it, and tell why it isn't in force."""
    translated = liquid.as_jinja(template)
    if why := forms.unfit(translated):
        step = f"rewrite it in Jinja2 as .orchestry/{prompt.PATH}; it is not in force as it is, {why}"
        _keep(plan, here, "prompt.liquid", document.encode(template), step)
        return
    plan.files[prompt.PATH] = translated if translated.endswith("\n") else f"{translated}\n"
    plan.notes.append(f"{source}: prompt.template is {prompt.PATH} here, in Jinja2: look it over")


def _keep_rest(plan: Plan, here: Here, found: Orch) -> None:
    groups: dict[str, int] = Counter()
    for path, data in found.rest.items():
        place = f"{KEPT}/{path}"
        if not here.has(place):
            plan.kept[place] = data
            groups[path.partition("/")[0] if "/" in path else path] += 1
    for group, count in groups.items():
        files = f"{count} file{'s' if count > 1 else ''} that {'have' if count > 1 else 'has'} no place here"
        plan.notes.append(f"{group}: {files}; kept as {KEPT}/{group}")


def _keep(plan: Plan, here: Here, path: str, data: bytes, why: str) -> None:
    place = f"{KEPT}/{path}"
    if not here.has(place):
        plan.kept[place] = data
    plan.notes.append(f"{path}: {why}; kept as {place}")


def paths(plan: Plan) -> list[str]:
    """Return every file that will be made or changed."""
    attached = [path for each in plan.work for path in attachments.placed(each.id, each.attached)]
    settings = [config.PATH] if plan.settings else []
    return sorted([*plan.files, *plan.kept, *settings, *(each.path for each in plan.work), *attached])
