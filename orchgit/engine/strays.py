"""Runs of this clone that no task names any more: looked for once, when a loop begins, and remembered from then on."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from orchgit.model import task as task_file
from orchgit.model.dataclass import dataclass
from orchgit.model.run import Finished, Stray
from orchgit.repository import runs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State


@dataclass(slots=True)
class Strays:
    """The runs that have not ended, as far as this loop knows; which of them went astray."""

    _open: set[str] = field(default_factory=set)
    _astray: set[str] = field(default_factory=set)

    def look_back(self, layout: Layout) -> None:
        """Take in the runs that earlier loops have left without a result, those that they died in making among them."""
        if layout.runs.is_dir():
            self._open.update(path.name for path in layout.runs.iterdir() if not runs.Folder(path).result.exists())

    def remember(self, run: str) -> None:
        """Take in a run that has just been started."""
        self._open.add(run)

    def among(self, layout: Layout, state: State, *, named: Collection[str]) -> tuple[Stray, ...]:
        """Return the runs that went astray, given those that tasks name; one that has ended is told of once more."""
        self._open.update(named)
        return tuple(self._found(layout, state, sorted(self._open.difference(named))))

    def _found(self, layout: Layout, state: State, unnamed: list[str]) -> Iterator[Stray]:
        unreadable = any(error.path.startswith(f"{task_file.FOLDER}/") for error in state.broken)
        for run in unnamed:
            place = runs.folder(layout, run)
            if not place.path.exists():
                self._open.discard(run)
                continue
            how, task = runs.observe(place), runs.task_of(place)
            if isinstance(how, Finished):
                self._open.discard(run)
                if run not in self._astray:
                    continue  # its task was settled
            elif unreadable and task not in state.tasks:
                continue  # its task may be the one whose file can't be read: that is a slip of the pen, and no order
            self._astray.add(run)
            yield Stray(run, task, how)
