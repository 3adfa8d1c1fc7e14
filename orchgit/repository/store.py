"""Reads the committed state: tasks, agents and settings at a tip, through a cache that can be deleted at any time."""

from __future__ import annotations

import marshal
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from orchgit import __version__
from orchgit.model import agent, config, ids, task
from orchgit.model.agent import Agent
from orchgit.model.config import Config
from orchgit.model.errors import InvalidFileError, NotFoundError
from orchgit.model.task import Status, Task
from orchgit.repository import files, objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchgit.repository.layout import Layout

_WATCHED = (task.FOLDER, agent.FOLDER, config.PATH)
_TIMES = ("created", "retry_at", "closed")


@dataclass(frozen=True, slots=True)
class State:
    """Everything that the commit `tip` says. `broken` are the files that could not be read, each as its error."""

    tip: str
    tasks: dict[str, Task] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    config: Config = field(default_factory=Config)
    broken: tuple[InvalidFileError, ...] = ()

    def task(self, word: str) -> Task:
        """Return the task that `word` names: its id, or an unambiguous prefix of it."""
        return self.tasks[ids.resolve(word, self.tasks)]

    def agent(self, name: str) -> Agent:
        if name not in self.agents:
            known = ", ".join(sorted(self.agents)) or "none yet"
            raise NotFoundError(f"There is no agent {name!r}.", f"Agents here: {known}.")
        return self.agents[name]


Item = Task | Agent | Config | InvalidFileError
Items = dict[str, tuple[str, Item]]


def read(layout: Layout, tip: str) -> State:
    """Return the state at `tip`, reading only what changed since the last time."""
    cached_tip, items = _load(layout)
    if cached_tip != tip:
        items = _refreshed(layout, cached_tip, items, tip)
        _save(layout, tip, items)
    return assemble(tip, (item for _, item in items.values()))


def at(layout: Layout, commit: str) -> State:
    """Return the state at any commit of the state branch, without the cache."""
    return assemble(commit, (item for _, item in _refreshed(layout, None, {}, commit).values()))


def text(layout: Layout, tip: str, path: str) -> str:
    """Return the text of `path` at `tip`; NotFoundError where it has no such file."""
    from orchgit.model import document

    with objects.reader(layout.common) as reader:
        data = reader.file(tip, path)
    if data is None:
        raise NotFoundError(f"The state branch has no {path}.")
    return document.decode(path, data)


def parse(path: str, data: bytes) -> Item:
    """Return what the file at `path` says, or the error that says why it can't be read."""
    from orchgit.model import document

    try:
        words = document.decode(path, data)
        if path == config.PATH:
            return config.read(words)
        return task.read(path, words) if path.startswith(f"{task.FOLDER}/") else agent.read(path, words)
    except InvalidFileError as error:
        return error


def assemble(tip: str, items: Iterable[Item]) -> State:
    """Return the state that these files make up; the second file that claims an id or a name is broken."""
    state, broken = State(tip), []
    for item in items:
        match item:
            case Task() if item.id in state.tasks:
                broken.append(_claimed(item.path, "id", item.id, state.tasks[item.id].path))
            case Task():
                state.tasks[item.id] = item
            case Agent() if item.name in state.agents:
                broken.append(_claimed(item.path, "", item.name, state.agents[item.name].path))
            case Agent():
                state.agents[item.name] = item
            case Config():
                state = replace(state, config=item)
            case InvalidFileError():
                broken.append(item)
    return replace(state, broken=tuple(broken))


def belongs(path: str) -> bool:
    """Is `path` a file that the store reads?"""
    folder, _, name = path.rpartition("/")
    if folder == agent.FOLDER:
        return name.endswith(agent.SUFFIXES) and not name.startswith(".")
    return path == config.PATH or (folder == task.FOLDER and name.endswith(".md") and not name.startswith("."))


def changed(state: State, path: str, data: bytes | None) -> State:
    """Return `state` with one file made, changed or removed (None)."""
    tasks = {key: item for key, item in state.tasks.items() if item.path != path}
    agents = {key: item for key, item in state.agents.items() if item.path != path}
    made = State(state.tip, tasks, agents, state.config, state.broken)
    if data is None or not belongs(path):
        return made
    match parse(path, data):
        case Task() as item:
            tasks[item.id] = item
        case Agent() as item:
            agents[item.name] = item
        case Config() as item:
            made = replace(made, config=item)
        case InvalidFileError() as error:
            raise error
    return made


def _claimed(path: str, key: str, name: str, first: str) -> InvalidFileError:
    return InvalidFileError(path, f"{name} is taken by {first}", key=key, next_step="Give one of them another.")


def _refreshed(layout: Layout, cached_tip: str | None, items: Items, tip: str) -> Items:
    changed = objects.changes(cached_tip, tip, *_WATCHED, cwd=layout.common) if cached_tip else None
    if changed is None:
        items, changed = {}, dict(objects.tree(tip, *_WATCHED, cwd=layout.common))
    fresh = {path: oid for path, oid in changed.items() if oid is not None and belongs(path)}
    kept = {path: item for path, item in items.items() if path not in changed}
    for (path, oid), data in zip(fresh.items(), objects.blobs(fresh.values(), cwd=layout.common), strict=True):
        kept[path] = (oid, parse(path, data))
    return dict(sorted(kept.items()))


def _load(layout: Layout) -> tuple[str | None, Items]:
    data = files.read(layout.cache)
    with suppress(ValueError, EOFError, TypeError, KeyError, IndexError):
        version, tip, packed = marshal.loads(data or b"")  # noqa: S302 - our own file, in the Git directory
        if version == _FORMAT:
            return tip, {path: (oid, _unpack(kind, values)) for path, oid, kind, values in packed}
    return None, {}


def _save(layout: Layout, tip: str, items: Items) -> None:
    packed = [(path, oid, *_pack(item)) for path, (oid, item) in items.items()]
    with suppress(OSError):  # a cache that can't be written is only slower
        files.replace(layout.cache, marshal.dumps((_FORMAT, tip, packed)))


def _pack(item: Item) -> tuple[str, tuple[Any, ...]]:
    if isinstance(item, InvalidFileError):
        return "!", (item.path, item.reason, item.line, item.key, item.next_step)
    return type(item).__name__, tuple(_plain(getattr(item, each.name)) for each in fields(item))


def _plain(value: Any) -> Any:
    if isinstance(value, Status):
        return value.value
    return value.isoformat() if isinstance(value, datetime) else value


def _unpack(kind: str, values: tuple[Any, ...]) -> Item:
    if kind == "!":
        path, reason, line, key, next_step = values
        return InvalidFileError(path, reason, line=line, key=key, next_step=next_step)
    return _UNPACK[kind](*values)


def _task(*values: Any) -> Task:
    made = list(values)
    made[_STATUS] = Status(made[_STATUS])
    for place in _TIME_PLACES:
        if made[place] is not None:
            made[place] = datetime.fromisoformat(made[place])
    return Task(*made)


_PLACES = {each.name: place for place, each in enumerate(fields(Task))}
_STATUS = _PLACES["status"]
_TIME_PLACES = tuple(_PLACES[name] for name in _TIMES)
_FORMAT = (__version__, *(each.name for kind in (Task, Agent, Config) for each in fields(kind)))
_UNPACK: dict[str, Callable[..., Item]] = {"Task": _task, "Agent": partial(Agent), "Config": partial(Config)}
