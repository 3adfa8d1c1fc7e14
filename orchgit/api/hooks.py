"""Git's hooks of an open project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.api.opened import Opened

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.engine.githooks import Report as Hooks
    from orchgit.model.task import Task


class Hooked(Opened):
    """Git's hooks, and what they ask for."""

    __slots__ = ()

    def install_hooks(self, *, shared: bool = False) -> Hooks:
        """Put Git's hooks beside those that are there; `shared` allows a folder that other repositories use too."""
        from orchgit.engine import githooks

        return githooks.install(self.layout, shared=shared)

    def uninstall_hooks(self) -> tuple[str, ...]:
        """Take Git's hooks away; return what another tool's later hook keeps from being put back."""
        from orchgit.engine import githooks

        return githooks.uninstall(self.layout)

    def hooks(self) -> Hooks:
        """Return how Git's hooks stand, and what keeps them from running."""
        from orchgit.engine import githooks

        return githooks.status(self.layout)

    def write_message(self, place: Path, *, typed: bool = False) -> None:
        """Put a message into the file `place`, as what is staged in the state folder tells it."""
        from orchgit.engine import message

        message.write(self.layout, place, typed=typed)

    def take_in_merges(self) -> None:
        """Close the tasks whose work a person has merged by git alone, and say so; nothing on behalf of an agent."""
        from orchgit.model.actor import Kind

        if self._decider().kind is Kind.PERSON and (closed := self.close_merged()):
            from orchgit.repository import ledger

            ledger.tell(f"{task.id} is done: the work is in the base branch." for task in closed)
            self.refresh()

    def close_merged(self) -> list[Task]:
        """Close the tasks in review whose work came into the base branch outside orchgit, and return them."""
        from orchgit.engine import outside

        closed = outside.close_merged(self.layout)
        if closed:
            outside.sweep_later(self.layout)
        return closed
