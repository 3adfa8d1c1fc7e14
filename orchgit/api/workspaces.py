"""The workspaces of an open project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.api.tasks import Tasks

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.engine.workspaces import Cleaned, Place


class Workspaces(Tasks):
    """Where tasks are worked on."""

    __slots__ = ()

    def workspaces(self) -> list[Place]:
        """Return the workspaces of tasks, and whether all in them is kept."""
        from orchgit.engine import workspaces

        return workspaces.listed(self.layout, self.state)

    def workspace(self, word: str) -> Path:
        """Return where the workspace of the task that `word` names is; NotFoundError where it has none."""
        from orchgit.engine import workspaces

        return workspaces.of(self.layout, self.state, self.task(word))

    def clean_workspaces(self, *, dry_run: bool = False) -> list[Cleaned]:
        """Remove the workspaces that belong to closed or deleted tasks, once all in them is kept."""
        from orchgit.engine import workspaces

        return workspaces.clean(self.layout, self.state, self.caller, dry_run=dry_run)
