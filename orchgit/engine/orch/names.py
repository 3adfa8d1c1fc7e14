"""What things of ORCH are called here: ids that are valid stay, others are made anew, always the same way."""

from __future__ import annotations

import hashlib
import re
from dataclasses import field
from typing import TYPE_CHECKING, Any

from orchgit.model import fields, ids
from orchgit.model.actor import ENGINE
from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from orchgit.engine.orch.folder import Entry

_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(slots=True)
class Names:
    """What each id of ORCH has become; `notes` tell of those that changed."""

    tasks: dict[str, str] = field(default_factory=dict)
    goals: dict[str, str] = field(default_factory=dict)
    agents: dict[str, str] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def is_lost(self, word: Any) -> bool:
        """Is it the id of an agent or a team that isn't brought over?"""
        return isinstance(word, str) and word.startswith(("agt_", "team_")) and self.who(word) == word

    def who(self, word: Any) -> Any:
        """Return the agent or team that an id or a name means; else the word itself: a person."""
        return self.agents.get(word) or self.teams.get(word) or word if isinstance(word, str) else word


def of(found: dict[str, list[Entry]], agents: Collection[str] = (), teams: Collection[str] = ()) -> Names:
    """Name all that was found; `agents` and `teams` are here already, and no team is called as an agent is."""
    names = Names()
    _identify(names.tasks, ids.TASK, found["tasks"], names.notes)
    _identify(names.goals, ids.GOAL, found["goals"], names.notes)
    _name(names.agents, found["agents"], teams, names.notes)
    _name(names.teams, found["teams"], {*names.agents.values(), *agents}, names.notes)
    return names


def identifier(prefix: str, word: str) -> str:
    """Return `word` where it is an id of that kind, else one that is made from it."""
    return word if ids.is_id(word, prefix) else made(prefix, word)


def made(prefix: str, *words: str) -> str:
    digest = hashlib.sha256("\0".join(words).encode("utf-8", "surrogatepass")).digest()
    return ids.make(prefix, int.from_bytes(digest[:8]) % ids.SPACE)


def key_of(entry: Entry) -> str:
    """Return what the others know it by: its id, else its file's name."""
    return str(entry.values.get("id") or entry.stem)


def _identify(known: dict[str, str], prefix: str, entries: Iterable[Entry], notes: list[str]) -> None:
    for entry in entries:
        word = key_of(entry)
        if word in known:
            continue  # of two with one id, the first has it
        known[word] = identifier(prefix, word)
        if known[word] != word:
            notes.append(f"{entry.path}: the id {fields.shown(word)} is {known[word]} here")


def _name(known: dict[str, str], entries: Iterable[Entry], taken: Collection[str], notes: list[str]) -> None:
    used = {*taken, ENGINE.name}
    for entry in entries:
        word = str(entry.values.get("name") or entry.stem)
        if key_of(entry) in known:
            continue
        name = plain(word) or "agent"
        while name in used:
            name = f"{name[:60]}-2"
        used.add(name)
        known[key_of(entry)] = name
        known.setdefault(word, name)
        if name != word:
            notes.append(f"{entry.path}: {fields.shown(word)} is called {name} here")


def plain(word: str) -> str:
    """Return `word` as the name of a file."""
    try:
        return fields.name(word)
    except ValueError:
        return _NO_NAME.sub("-", word).strip("-_")[:60]
