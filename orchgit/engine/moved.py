"""How far the base branch has gone on since a task's branch left it, and what merging the two would give."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from orchgit.model import setup
from orchgit.model.dataclass import dataclass
from orchgit.repository import git, refs

if TYPE_CHECKING:
    from orchgit.engine.whereabouts import Where
    from orchgit.repository.layout import Layout


@dataclass(frozen=True, slots=True)
class Moved:
    """The base branch has `commits` that the task's lacks; `merge` is the command that brings them in.

    `conflicts` are the files that git can't merge by itself.
    """

    commits: int
    conflicts: tuple[str, ...]
    merge: str


def of(layout: Layout, where: Where, *, base: str) -> Moved | None:
    """Return how far the branch `base` has moved on; None where it has not, or the task has no branch yet.

    In a person's own checkout nobody merges, so there it is always None.
    """
    own = refs.branch(where.own_branch, common=layout.common) if where.own_branch else None
    if own is None or where.mode == setup.SHARED or own == where.base:
        return None
    commits = int(git.text("rev-list", "--count", f"{own}..{where.base}", cwd=layout.common))
    if not commits:
        return None
    from orchgit.repository import project

    conflicts = project.try_merge(layout, where.base, own).conflicts
    return Moved(commits, tuple(map(_shown, conflicts)), _command(layout, where, base))


def _shown(path: str) -> str:
    """Return the path on one line, whatever it is made of: it stands among what an agent is told."""
    return path if path.isprintable() else ascii(path)


def _command(layout: Layout, where: Where, base: str) -> str:
    if where.mode == setup.ISOLATED:  # its clone has no branch but the task's
        return f"git pull --no-rebase {shlex.quote(str(layout.common))} {shlex.quote(base)}"
    return f"git merge {shlex.quote(base)}"
