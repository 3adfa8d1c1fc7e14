"""Tells which new files of a history have an id or a name, at its end, that another file has too."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from orchgit.model.agent import Agent
from orchgit.model.audit import Finding, Offence
from orchgit.model.dataclass import dataclass
from orchgit.model.goal import Goal
from orchgit.model.task import Task
from orchgit.model.team import Team
from orchgit.repository import trail

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from orchgit.repository.trail import Recorded


@dataclass(slots=True)
class Claims:
    """The files that came to an id or a name, each with the last commit that did it."""

    _by: dict[str, Recorded] = field(default_factory=dict)

    def note(self, each: Recorded) -> None:
        for change in each.commit.parents[0]:
            before, after = (_name(file.item) if file else None for file in (change.before, change.after))
            if after and after != before:
                self._by[change.path] = each

    def found(self, directory: Path, tip: str, *, env: Mapping[str, str]) -> Iterator[tuple[Recorded, Finding]]:
        """Yield which of them have one at `tip` that another has too, each with the commit that did it."""
        if not self._by:
            return
        names: dict[tuple[str, str], list[str]] = {}
        for path, item in trail.items(directory, tip, env=env):
            if claim := _name(item):
                names.setdefault(claim, []).append(path)
        for (_, name), paths in names.items():
            for path in paths if len(paths) > 1 else ():
                if path in self._by:
                    others = " and ".join(each for each in paths if each != path)
                    yield self._by[path], Finding(Offence.INVALID_FILE, path, f"{name} is taken by {others}")


def _name(item: object) -> tuple[str, str] | None:
    """Return what no two files of the state may share; a task in the archive, which nobody acts on, shares nothing."""
    match item:
        case Task(is_archived=False) | Goal():
            return "id", item.id
        case Agent() | Team():
            return "name", item.name
        case _:
            return None
