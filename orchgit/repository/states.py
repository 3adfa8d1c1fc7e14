"""What one commit of the state branch says, as a whole: made of its files, and changed file by file."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final, assert_never

from orchgit.model import agent, config, goal, ids, skill, task, team
from orchgit.model.agent import Agent
from orchgit.model.config import Config
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError, NotFoundError
from orchgit.model.goal import Goal
from orchgit.model.plain import Plain
from orchgit.model.task import Task
from orchgit.model.team import Team
from orchgit.repository import objects

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from orchgit.repository.cache import Item, Items

    Named = Task | Agent | Goal | Team

_ORCH_AGENT = "agt_"  # what the ids of agents begin with there
FOLDERS = (task.FOLDER, agent.FOLDER, goal.FOLDER, team.FOLDER, skill.FOLDER)
PROMPT = "prompt.md"  # model.prompt spells it too; its import costs every command the template engine
_AT_THE_TOP = (config.PATH, PROMPT)
_ENDINGS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(FOLDERS, (".md",)),
    agent.FOLDER: agent.SUFFIXES,
}
_TASKS = (f"{task.FOLDER}/", f"{task.ARCHIVE}/")
_KEY: Final[dict[type, str]] = {Task: "id", Goal: "id", Agent: "", Team: ""}  # what a file of that kind is known by


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the commit `tip` says. `broken` are the files that could not be read, each as its error.

    `items` are the files: path -> blob id and what was read there. `config` is the last one that could be read, as far
    as this process has seen it; where it has seen none, `fault` is what is wrong with the one that lies there.

    `archived` are those tasks of the archive that open ones depend on, and `absent` what they depend on in vain.
    """

    tip: str
    tasks: dict[str, Task] = field(default_factory=dict)
    archived: dict[str, Task] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    agents: dict[str, Agent] = field(default_factory=dict)
    goals: dict[str, Goal] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    config: Config = field(default_factory=Config)
    broken: tuple[InvalidFileError, ...] = ()
    items: Items = field(default_factory=dict, repr=False)
    fault: InvalidFileError | None = None

    @property
    def known(self) -> dict[str, Task]:
        """The tasks, and those in the archive that they depend on."""
        return {**self.archived, **self.tasks} if self.archived else self.tasks

    @property
    def settings(self) -> Config:
        """`config`, for what must not be done by mere defaults: InvalidFileError where config.yaml can't be read."""
        if self.fault is not None:
            raise self.fault.at(self.fault.path)
        return self.config

    def task(self, word: str) -> Task:
        """Return the task that `word` names: its id, or an unambiguous prefix of it.

        Where its file can't be read, that error is raised and not that there is none.
        """
        try:
            return self.tasks.get(word) or self.tasks[ids.resolve(word, self.tasks)]
        except NotFoundError as error:
            starts = tuple(f"{task.FOLDER}/{stem}" for stem in (word.lower(), f"{ids.TASK}_{word.lower()}"))
            unread = (each for each in self.broken if word and each.path.startswith(starts))
            raise next(unread, error) from None

    def who(self, word: str) -> str:
        """Return the name of the agent or team that `word` means, a name or an id of ORCH; else `word`, a person's.

        NotFoundError for the id of an agent that wasn't brought over.
        """
        if word in self.agents or word in self.teams:
            return word
        known: list[Agent | Team] = [*self.agents.values(), *self.teams.values()]
        found = next((each.name for each in known if each.orch == word), None)
        if found is None and word.startswith(_ORCH_AGENT):
            raise self._no_agent(word)
        return found or word

    def stranger(self, name: str) -> str:
        """Say that `name` is nobody's here, and whose it may be; "" where it is an agent's or a team's."""
        known: list[Agent | Team] = [*self.agents.values(), *self.teams.values()]
        if any(name in (each.name, each.orch) for each in known):
            return ""
        import difflib

        near = difflib.get_close_matches(name, [each.name for each in known], n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"{name} is not an agent here: the task waits for a person of that name.{hint}"

    def agent(self, word: str) -> Agent:
        name = self.who(word)
        if name not in self.agents:
            raise self._no_agent(word)
        return self.agents[name]

    def _no_agent(self, word: str) -> NotFoundError:
        known = ", ".join(sorted(self.agents)) or "none yet"
        named = "Agents go by their names here" if word.startswith(_ORCH_AGENT) else "Agents here"
        return NotFoundError(f"There is no agent {word!r}.", f"{named}: {known}.")

    def goal(self, word: str) -> Goal:
        """Return the goal that `word` names: its id, or an unambiguous prefix of it."""
        return self.goals.get(word) or self.goals[ids.resolve(word, self.goals, kind="goal")]

    def team(self, word: str) -> Team:
        name = self.who(word)
        if name not in self.teams:
            known = ", ".join(sorted(self.teams)) or "none yet"
            raise NotFoundError(f"There is no team {word!r}.", f"Teams here: {known}.")
        return self.teams[name]


def belongs(path: str) -> bool:
    """Is `path` a file that the store reads?"""
    folder, _, name = path.rpartition("/")
    if not folder:
        return name in _AT_THE_TOP
    return folder in _ENDINGS and name.endswith(_ENDINGS[folder]) and name[:1] != "."


def is_template(path: str) -> bool:
    """Is it the path of a prompt template, the project's or an agent's?"""
    return path == PROMPT or agent.is_prompt(path)


def parse(path: str, data: bytes) -> Item:
    """Return what the file at `path` says, or the error that says why it can't be read."""
    from orchgit.model import document

    try:
        words = document.decode(path, data)
        if path == config.PATH:
            return config.read(words)
        if is_template(path):
            return Plain(path)
        if skill.is_skill(path):
            skill.read(path, words)
            return Plain(path)
        return _reader(path)(path, words)
    except InvalidFileError as error:
        return error


def _reader(path: str) -> Callable[[str, str], Item]:
    if path.startswith(_TASKS):
        return task.read
    if path.startswith(f"{goal.FOLDER}/"):
        return goal.read
    return team.read if path.startswith(f"{team.FOLDER}/") else agent.read


def assemble(tip: str, items: Iterable[Item]) -> State:
    """Return the state that these files make up; the second file that claims an id or a name is broken."""
    state, broken = State(tip), []
    for item in items:
        match item:
            case Task(is_archived=False):
                first = state.tasks.setdefault(item.id, item)
                if first is not item:
                    owner, copy = sorted((first, item), key=_claim)
                    state.tasks[item.id] = owner
                    broken.append(_claimed(copy.path, "id", item.id, owner.path))
            case Task() | Agent() | Goal() | Team():
                shelf, name = _place(state, item)
                known = shelf.get(name)
                if known is None:
                    shelf[name] = item
                else:
                    broken.append(_claimed(item.path, _KEY[type(item)], name, known.path))
            case Config():
                state = replace(state, config=item)
            case InvalidFileError():
                broken.append(item)
            case Plain():
                pass
    for name in sorted(state.teams.keys() & state.agents.keys()):
        broken += [_claimed(state.teams.pop(name).path, "", name, state.agents[name].path)]
    return replace(state, broken=tuple(broken))


def made_of(items: Items, tip: str, *, before: State | None) -> State:
    state = replace(assemble(tip, (item for _, item in items.values())), items=items)
    state = replace(state, absent=needed(state.tasks.values(), state.archived.keys() | state.tasks.keys()))
    fault = next((error for error in state.broken if error.path == config.PATH), None)
    if fault is None:
        return state
    known = before is not None and before.fault is None
    return replace(state, config=before.config) if before and known else replace(state, fault=fault)


def needed(tasks: Iterable[Task], known: Collection[str]) -> frozenset[str]:
    """Return the ids that open ones of `tasks` depend on and that are not `known`."""
    return frozenset(
        each
        for one in tasks
        if one.depends_on and one.status not in task.CLOSED
        for each in one.depends_on
        if each not in known
    )


def stands(state: State, item: Item) -> bool:
    """Is it by this file that the state knows what it is about? Not where another one has its id or name."""
    if not isinstance(item, Task | Agent | Goal | Team):
        return True
    shelf, name = _place(state, item)
    return name in shelf and shelf[name].path == item.path


def draft(state: State) -> State:
    """Return a copy of `state` for `change` to work on."""
    return replace(
        state,
        tasks=state.tasks.copy(),
        archived=state.archived.copy(),
        agents=state.agents.copy(),
        goals=state.goals.copy(),
        teams=state.teams.copy(),
        items=state.items.copy(),
    )


def change(state: State, path: str, data: bytes | None, *, takes_back: bool = False) -> State:
    """Make, change or remove (None) one file of a draft, and return it; InvalidFileError where it can't be read.

    Where it `takes_back` its id or name, another file that has it by now is a copy from then on, and refused else.
    """
    item = parse(path, data) if data is not None and belongs(path) else None
    _check(state, path, item, takes_back=takes_back)
    before = state.items.pop(path, ("", None))[1]
    if isinstance(before, Task | Agent | Goal | Team) and stands(state, before):
        shelf, name = _place(state, before)
        del shelf[name]
    if item is not None and data is not None:
        state.items[path] = objects.blob_id(data, like=state.tip), item
    match item:
        case Task() | Agent() | Goal() | Team():
            shelf, name = _place(state, item)
            shelf[name] = item
        case Config():
            return replace(state, config=item, fault=None)
    return replace(state, config=Config()) if path == config.PATH else state


def _check(state: State, path: str, item: Item | None, *, takes_back: bool) -> None:
    """InvalidFileError where `item` can't be what `path` holds."""
    match item:
        case InvalidFileError():
            raise item
        case Agent(name=name) if name in state.teams:
            raise _claimed(path, "", name, state.teams[name].path)
        case Team(name=name) if name in state.agents:
            raise _claimed(path, "", name, state.agents[name].path)
        case Task() | Agent() | Goal() | Team():
            shelf, name = _place(state, item)
            if name in shelf and shelf[name].path != path and not takes_back:
                raise _claimed(path, _KEY[type(item)], name, shelf[name].path)


def _place(state: State, item: Named) -> tuple[dict[str, Any], str]:
    """Return where the state has files of that kind, and what this one is known by there."""
    match item:
        case Task(id=name, is_archived=True):
            return state.archived, name
        case Task(id=name):
            return state.tasks, name
        case Agent(name=name):
            return state.agents, name
        case Goal(id=name):
            return state.goals, name
        case Team(name=name):
            return state.teams, name
        case _:
            assert_never(item)


def _claim(task: Task) -> tuple[bool, int, str]:
    """Sort the files that claim one id: the one that is named by it, and not `ID-title copy.md`, comes first."""
    name = task.path.rpartition("/")[2]
    return not name.startswith(task.id), len(name), name


def _claimed(path: str, key: str, name: str, first: str) -> InvalidFileError:
    return InvalidFileError(path, f"{name} is taken by {first}", key=key, next_step="Give one of them another.")
