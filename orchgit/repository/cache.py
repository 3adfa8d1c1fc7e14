"""The parsed files of the state on disk: a cache, made again wherever it is missing, broken or another version's."""

from __future__ import annotations

import marshal
from contextlib import suppress
from dataclasses import astuple, fields
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from orchgit import __version__
from orchgit.model import goal
from orchgit.model.agent import Agent
from orchgit.model.config import Config
from orchgit.model.errors import InvalidFileError
from orchgit.model.goal import Goal
from orchgit.model.heard import Rule
from orchgit.model.mcp import Server
from orchgit.model.plain import Plain
from orchgit.model.task import Purpose, Status, Task
from orchgit.model.team import Team
from orchgit.repository import files

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchgit.repository.layout import Layout

_TIMES = ("created", "retry_at", "closed")

Item = Task | Agent | Goal | Team | Config | Plain | InvalidFileError
Items = dict[str, tuple[str, Item]]  # path -> blob id and what was read there


def load(layout: Layout) -> tuple[str | None, Items]:
    """Return the tip that was cached and its files; None and none where there is no cache that can be read."""
    data = files.read(layout.cache)
    with suppress(ValueError, EOFError, TypeError, KeyError, IndexError):
        version, tip, packed = marshal.loads(data or b"")  # noqa: S302 - our own file, in the Git directory
        if version == _FORMAT:
            return tip, {path: (oid, _unpack(kind, values)) for path, oid, kind, values in packed}
    return None, {}


def save(layout: Layout, tip: str, items: Items) -> None:
    packed = [(path, oid, *_pack(item)) for path, (oid, item) in items.items()]
    with suppress(OSError):  # a cache that can't be written is only slower
        files.replace(layout.cache, marshal.dumps((_FORMAT, tip, packed)))


def _pack(item: Item) -> tuple[str, tuple[Any, ...]]:
    if isinstance(item, InvalidFileError):
        return "!", (item.path, item.reason, item.line, item.key, item.next_step)
    if isinstance(item, Agent):
        values = [getattr(item, name) for name in _AGENT]
        for place in _PARTS:
            values[place] = tuple(map(astuple, values[place]))
        return "Agent", tuple(values)
    if isinstance(item, Goal):
        made = item.created.isoformat() if item.created else None
        return "Goal", (item.id, item.title, item.path, item.status.value, item.assignee, made)
    if not isinstance(item, Task):
        return type(item).__name__, tuple(getattr(item, each.name) for each in fields(item))
    values = list(_values_of(item))
    values[_STATUS] = item.status.value
    values[_PURPOSE] = item.purpose and item.purpose.value
    for place in _TIME_PLACES:
        if values[place] is not None:
            values[place] = values[place].isoformat()
    return "Task", tuple(values)


def _unpack(kind: str, values: tuple[Any, ...]) -> Item:
    if kind == "!":
        path, reason, line, key, next_step = values
        return InvalidFileError(path, reason, line=line, key=key, next_step=next_step)
    return _UNPACK[kind](*values)


def _agent(*values: Any) -> Agent:
    made = list(values)
    for place, kind in _PARTS.items():
        made[place] = tuple(kind(*each) for each in made[place])
    return Agent(*made)


def _goal(*values: Any) -> Goal:
    identifier, title, path, status, assignee, made = values
    created = datetime.fromisoformat(made) if made else None
    return Goal(identifier, title, path, goal.Status(status), assignee, created)


def _task(*values: Any) -> Task:
    made = list(values)
    made[_STATUS] = _STATUSES[made[_STATUS]]
    made[_PURPOSE] = made[_PURPOSE] and Purpose(made[_PURPOSE])
    for place in _TIME_PLACES:
        if made[place] is not None:
            made[place] = datetime.fromisoformat(made[place])
    return Task(*made)


_values_of = attrgetter(*(each.name for each in fields(Task)))
_PLACES = {each.name: place for place, each in enumerate(fields(Task))}
_STATUS, _PURPOSE = _PLACES["status"], _PLACES["purpose"]
_STATUSES = {each.value: each for each in Status}
_TIME_PLACES = tuple(_PLACES[name] for name in _TIMES)
_AGENT = tuple(each.name for each in fields(Agent))
_PARTS = {_AGENT.index("mcp_servers"): Server, _AGENT.index("events"): Rule}
_KINDS = (Task, Agent, Server, Rule, Goal, Team, Config, Plain)
_FORMAT = (__version__, *(each.name for kind in _KINDS for each in fields(kind)))
_UNPACK: dict[str, Callable[..., Item]] = {
    "Task": _task,
    "Agent": _agent,
    "Goal": _goal,
    "Team": Team,
    "Config": partial(Config),
    "Plain": Plain,
}
