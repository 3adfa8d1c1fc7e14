"""An open project: all that its nouns can be asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.api.agents import Agents
from orchgit.api.context import Context
from orchgit.api.doubts import Doubts
from orchgit.api.history import History
from orchgit.api.hooks import Hooked
from orchgit.api.messages import Messages
from orchgit.api.settings import Configuration
from orchgit.api.teams import Teams
from orchgit.api.workspaces import Workspaces
from orchgit.repository import entry, index, judged, settled, sought, store

if TYPE_CHECKING:
    from orchgit.engine.orch.bring import Brought


def open_project(path: str | Path = ".", *, at: str | None = None, edits: bool = True, merged: bool = True) -> Project:
    """Open the initialised project that `path` lies in: a folder of it, of any worktree of it, an agent's too.

    NotFoundError where it isn't one; whatever a writer that died left half done is finished first. With `edits` what
    was typed in the state folder is judged, as `Project.take_in_edits` does. So are tasks whose
    work somebody merged by git alone, but for the one who looks after `merged` work anyway. With `at`, a revision of
    the state branch or a date, the state is the one of that time, to be read.
    """
    located = entry.open(Path(path))
    assert located.tip is not None
    if index.is_left(located.layout):
        from orchgit.repository import ledger

        ledger.mend(located.layout)
        located = entry.open(Path(path))
    assert located.tip is not None
    if at is not None:
        from orchgit.engine import moment

        commit = moment.commit_at(located.layout, located.tip, at)
        return Project(located.layout, commit, store.at(located.layout, commit), _is_past=True)
    project = Project(located.layout, located.tip)
    if edits and (settled.is_behind(project.layout, located.tip) or judged.unjudged(project.layout, project.state)):
        project.take_in_edits()
    if edits and merged and sought.is_new(project.layout, project.state):
        project.take_in_merges()
    return project


class Project(History, Context, Messages, Agents, Teams, Workspaces, Configuration, Hooked, Doubts):
    """One initialised project. Every method reads the state afresh unless it says otherwise."""

    __slots__ = ()

    def import_orch(self, place: str | Path, *, dry_run: bool = False) -> Brought:
        """Bring the ORCH project over whose `.orchestry/` is `place`, or lies in it: in one write, or nothing of it.

        `notes` say what can't be here as it was there, or has no place. With `dry_run` nothing is written.
        """
        from orchgit.engine.orch import bring

        return bring.over(self.layout, self.state, self._decider(), Path(place), dry_run=dry_run)
