"""Where things live: the one place that spells its paths and refs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import config, ids
from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from pathlib import Path

STATE_BRANCH = config.STATE_BRANCH
STATE_REF = f"refs/heads/{STATE_BRANCH}"
STATE_FOLDER = ".orchestry"
WORK_BRANCHES = ids.WORK_BRANCHES


@dataclass(frozen=True, slots=True)
class Layout:
    """One project. `root` is the person's checkout, `common` the Git directory that all of its worktrees share."""

    root: Path
    common: Path

    @property
    def state(self) -> Path:
        """The linked worktree that holds the state branch."""
        return self.root / STATE_FOLDER

    @property
    def local(self) -> Path:
        """What belongs to this clone alone: locks, journal, runs, caches, logs."""
        return self.common / "orchgit"

    @property
    def runs(self) -> Path:
        return self.local / "runs"

    @property
    def lock(self) -> Path:
        return self.local / "lock"

    @property
    def journal(self) -> Path:
        return self.local / "journal"

    @property
    def cache(self) -> Path:
        return self.local / "cache"

    @property
    def settled(self) -> Path:
        """The tip of the state branch up to which its commits are the ledger's, or were judged."""
        return self.local / "settled"

    @property
    def looks(self) -> Path:
        """How the files of the state folder looked when they were read last: a cache."""
        return self.local / "looks"

    @property
    def sought(self) -> Path:
        """Which work in review a command sought last in the base branch, and at which commit of it."""
        return self.local / "sought"

    @property
    def judged(self) -> Path:
        """What was typed in the state folder and judged already."""
        return self.local / "judged.json"

    @property
    def orchestrator_lock(self) -> Path:
        """Held by the loop for as long as it runs: there is one a clone."""
        return self.local / "orchestrator.lock"

    def approval(self, task: str) -> Path:
        """The lock that is held while the task is approved: its work is in the base branch before it is done."""
        return self.local / "approving" / f"{task}.lock"

    @property
    def orders(self) -> Path:
        """Where the loop is spoken to: a folder of its own, so that it can be watched."""
        return self.local / "orders"

    @property
    def log(self) -> Path:
        """Where a defect's traceback is written."""
        return self.local / "orchgit.log"
