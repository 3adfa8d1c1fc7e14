"""Keys that nobody knows and that are close to one that counts: people keep keys of their own, and mistype ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchgit.model import agent, document, goal, task, team, yamltext
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from collections.abc import Collection

_OWN = re.compile(r"x[_-]", re.IGNORECASE)  # what begins so is meant to be nobody else's
_NEAR = 0.8


@dataclass(frozen=True, slots=True)
class Misspelt:
    """The unknown `key` on a line (from 1) of the file at `path`, and the known one that may be `meant`."""

    path: str
    line: int
    key: str
    meant: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: unknown key {self.key!r}: did you mean {self.meant}?"


def known(path: str) -> tuple[str, ...]:
    """Return the keys that a person may write into the file at `path`; () where that is free."""
    if path.startswith(f"{task.FOLDER}/"):
        return tuple(key for key in task.READERS if key not in task.ENGINE_KEYS)
    if agent.belongs(path):
        return (*agent.READERS, *agent.OTHER_NAMES, *(() if path.endswith(".md") else ("role",)))
    if path.startswith(f"{goal.FOLDER}/"):
        return tuple(goal.READERS)
    return tuple(team.READERS) if path.startswith(f"{team.FOLDER}/") else ()


def keys(path: str, text: str) -> list[Misspelt]:
    """Return the misspelt keys of a task's, agent's, goal's or team's file; none where it can't be read."""
    wanted = known(path)
    if not wanted:
        return []
    try:
        if path.endswith(".md"):
            found = document.parse(text)
            values, line = found.values, found.line
        else:
            loaded = yamltext.load(text)
            values, line = loaded.values, lambda key: loaded.line((key,))
    except InvalidFileError:
        return []
    # The engine's own keys are no typos, whatever they stand beside.
    unknown = [key for key in values if key not in wanted and key not in task.ENGINE_KEYS]
    return [Misspelt(path, line(key), key, meant) for key in unknown if (meant := _meant(key, wanted))]


def _meant(key: str, wanted: Collection[str]) -> str:
    """Return the key that `key` may stand for, "" for none: `created_by` has all of `created`, and says more."""
    if _OWN.match(key):
        return ""
    import difflib

    spelt = key.lower().replace("-", "_")
    near = difflib.get_close_matches(spelt, wanted, n=1, cutoff=_NEAR)
    return near[0] if near and not set(near[0].split("_")) < set(spelt.split("_")) else ""
