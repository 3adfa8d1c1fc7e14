"""An organisation that can be deployed: agents, how they work together, what for, and what they begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchgit.model import agent as agent_file
from orchgit.model import fields, setup, yamltext, yamlvalue
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchgit.model.fields import Readers
    from orchgit.model.yamltext import Loaded, Path

    Values = dict[str, Any]

FOLDER, SUFFIXES = "orgs", (".yaml", ".yml")
GOAL: Final = "{goal}"  # in the words of a task: the title of the goal


@dataclass(frozen=True, slots=True)
class Hire:
    """An agent to be. `origin` is the role of the shop that it begins as, on `line`; `role` replaces its text."""

    name: str
    origin: str | None
    line: int
    settings: Values
    role: str | None


@dataclass(frozen=True, slots=True)
class Lineup:
    """The team to be; all agents of the organisation are in it. `settings` are further keys of its file."""

    lead: str
    description: str
    settings: Values


@dataclass(frozen=True, slots=True)
class First:
    """A task to begin with. `needs` are the keys of those that come before it, `keys` go into its file as they are."""

    key: str
    title: str
    description: str
    needs: tuple[str, ...]
    assignee: str | None
    keys: Values


@dataclass(frozen=True, slots=True)
class Org:
    """`goal` is what it is for where nobody says otherwise, "" where it is for nothing by itself.

    `rules` are told to each agent, after its role. `tasks` stand in an order in which each comes after what it needs.
    """

    name: str
    path: str
    text: str
    description: str
    goal: str
    rules: str
    agents: tuple[Hire, ...]
    team: Lineup | None
    tasks: tuple[First, ...]


def _text(value: object) -> str:
    return fields.text(value).strip()


def _group(value: object) -> Values:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError(f"{fields.shown(value)} is not a group of names, each with what belongs to it below it")
    return value


_KEYS: Final[Readers] = {
    "description": fields.line, "goal": fields.line, "rules": _text, "team": _group, "agents": _group, "tasks": _group,
}  # fmt: skip
_TEAM: Final[Readers] = {
    "lead": fields.name, "description": _text, "max_concurrent_tasks": fields.count, "auto_claim": fields.flag,
}  # fmt: skip
_TASK: Final[Readers] = {
    "title": fields.line, "description": _text, "depends_on": fields.words, "assignee": fields.name,
    "priority": fields.number(least=1, most=4), "labels": fields.words, "scope": fields.words,
    "max_attempts": fields.number(least=1, most=100), "workspace_mode": setup.mode,
}  # fmt: skip
_AGENT: Final[Readers] = {**agent_file.READERS, "description": fields.line, "from": fields.name, "role": _text}


def name_of(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


def read(path: str, text: str) -> Org:
    """Return the organisation that the file at `path` describes; InvalidFileError names line and key of a fault."""
    try:
        loaded = yamltext.load(text)
        name = fields.name(name_of(path))
    except InvalidFileError as error:
        raise error.at(path) from None
    except ValueError as error:
        raise InvalidFileError(path, str(error)) from None
    found = _typed(path, loaded, (), _KEYS)
    for key in ("description", "agents"):
        if key not in found:
            raise InvalidFileError(path, "is missing", line=loaded.line((key,)), key=key)
    agents = tuple(_hire(path, loaded, each) for each in found["agents"])
    names = [each.name for each in agents]
    team = _lineup(path, loaded, names) if "team" in found else None
    tasks = [_first(path, loaded, each, names) for each in found.get("tasks", {})]
    if "goal" not in found:
        _refuse_goalless(path, loaded, tasks)
    return Org(
        name, path, text, found["description"], found.get("goal", ""), found.get("rules", ""),
        agents, team, _in_order(path, loaded, tasks),
    )  # fmt: skip


def written(
    description: str,
    *,
    goal: str,
    lead: str | None,
    team: Mapping[str, object],
    agents: Mapping[str, Mapping[str, object]],
) -> str:
    """Return the text of an organisation without tasks."""
    values: dict[str, object] = {"description": description}
    values |= {"goal": goal} if goal else {}
    values |= {"team": {"lead": lead, **team}} if lead else {}
    return "".join(_block({**values, "agents": agents}))


def _hire(path: str, loaded: Loaded, name: str) -> Hire:
    at = ("agents", name)
    try:
        fields.name(name)
    except ValueError as error:
        raise InvalidFileError(path, str(error), line=loaded.line(at), key="agents") from None
    found = _typed(path, loaded, at, _AGENT)
    values = _at(loaded, at)
    settings = {key: values[key] for key in found if key not in ("from", "role")}
    origin = found.get("from") or (None if "role" in found else name)
    return Hire(name, origin, loaded.line((*at, "from")), settings, found.get("role"))


def _lineup(path: str, loaded: Loaded, names: list[str]) -> Lineup:
    found = _typed(path, loaded, ("team",), _TEAM)
    if "lead" not in found:
        raise InvalidFileError(path, "is missing", line=loaded.line(("team",)), key="team.lead")
    _refuse_unknown(path, loaded, ("team", "lead"), [found["lead"]], known=names)
    settings = {key: value for key, value in found.items() if key not in ("lead", "description")}
    return Lineup(found["lead"], found.get("description", ""), settings)


def _first(path: str, loaded: Loaded, key: str, names: list[str]) -> First:
    at = ("tasks", key)
    found = _typed(path, loaded, at, _TASK)
    if "title" not in found:
        raise InvalidFileError(path, "is missing", line=loaded.line(at), key=f"tasks.{key}.title")
    if "assignee" in found:
        _refuse_unknown(path, loaded, (*at, "assignee"), [found["assignee"]], known=names)
    needs = found.get("depends_on", ())
    _refuse_unknown(path, loaded, (*at, "depends_on"), needs, known=loaded.values["tasks"])
    told = ("title", "description", "depends_on", "assignee")
    keys = {name: value for name, value in found.items() if name not in told}
    return First(key, found["title"], found.get("description", ""), needs, found.get("assignee"), keys)


def _in_order(path: str, loaded: Loaded, tasks: list[First]) -> tuple[First, ...]:
    """Return the tasks, each after what it needs; InvalidFileError where some wait for each other."""
    left, ordered, done = list(tasks), list[First](), set[str]()
    while left:
        ready = next((each for each in left if done.issuperset(each.needs)), None)
        if ready is None:
            reason = f"these wait for each other: {', '.join(each.key for each in left)}"
            at = ("tasks", left[0].key, "depends_on")
            raise InvalidFileError(path, reason, line=loaded.line(at), key=".".join(at))
        left.remove(ready)
        ordered.append(ready)
        done.add(ready.key)
    return tuple(ordered)


def _refuse_goalless(path: str, loaded: Loaded, tasks: Iterable[First]) -> None:
    for each in tasks:
        if GOAL in each.title + each.description:
            line = loaded.line(("tasks", each.key))
            raise InvalidFileError(path, f"says {GOAL}, and the file has no `goal`", line=line, key=f"tasks.{each.key}")


def _refuse_unknown(path: str, loaded: Loaded, at: Path, words: Iterable[str], *, known: Iterable[str]) -> None:
    for word in words:
        if word not in known:
            reason = f"there is no {fields.shown(word)} in this file"
            next_step = f"It has: {', '.join(known)}."
            raise InvalidFileError(path, reason, line=loaded.line(at), key=".".join(at), next_step=next_step)


def _typed(path: str, loaded: Loaded, at: Path, readers: Readers) -> Values:
    """Return what stands at `at`, typed; InvalidFileError for a key that is not known there."""
    values = _at(loaded, at)
    if not isinstance(values, dict):
        reason = f"{fields.shown(values)} is not a group of keys"
        raise InvalidFileError(path, reason, line=loaded.line(at), key=".".join(at))
    for key in values:
        if key not in readers:
            line, named = loaded.line((*at, str(key))), ".".join((*at, str(key)))
            known = f"There are: {', '.join(readers)}."
            raise InvalidFileError(path, "is not known", line=line, key=named, next_step=known)
    try:
        return fields.typed(path, values, readers, line=lambda key: loaded.line((*at, key)))
    except InvalidFileError as error:
        error = InvalidFileError(path, error.reason, line=error.line, key=".".join((*at, error.key)))
        raise error from None


def _at(loaded: Loaded, at: Path) -> Any:
    values: Any = loaded.values
    for name in at:
        values = values[name]
    return {} if values is None else values


def _block(values: Mapping[str, object], indent: str = "") -> Iterable[str]:
    """Yield lines of YAML, texts of several lines as they are read."""
    for key, value in values.items():
        yield f"{indent}{yamlvalue.key(key)}:"
        match value:
            case dict() if value:
                yield "\n"
                yield from _block(value, f"{indent}  ")
            case str() if "\n" in value and _is_plain(value):
                yield " |-\n"
                yield from (f"{indent}  {line}\n" if line else "\n" for line in value.split("\n"))
            case dict():
                yield "\n"
            case _:
                yield f" {yamlvalue.written(yamlvalue.as_read(value))}\n"


def _is_plain(text: str) -> bool:
    """Can the text stand as a block, and be read from it as it is?"""
    lines = text.split("\n")
    return (
        all(line.isprintable() for line in lines)
        and bool(lines[0].strip())
        and not lines[0][0].isspace()
        and bool(lines[-1])
    )
