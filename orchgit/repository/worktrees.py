"""Worktrees of tasks: made outside the project, found again by their branch, removed only when their work is kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model import ids
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import RefusedError
from orchgit.repository import find, git, locks

if TYPE_CHECKING:
    from orchgit.model.config import Config
    from orchgit.repository.layout import Layout

_WAIT = 120.0
_ASIDE = ".removed-"


@dataclass(frozen=True, slots=True)
class Worktree:
    """One entry of `git worktree list`. `branch` is None where HEAD is detached, `head` where it has no commit yet."""

    path: Path
    head: str | None
    branch: str | None
    missing: bool


def workspaces(layout: Layout, config: Config) -> Path:
    """Return the folder that holds the worktrees: the setting's, relative to the project, else one beside it.

    Links are resolved, as git resolves them.
    """
    if config.workspaces_dir:
        return (layout.root / Path(config.workspaces_dir).expanduser()).resolve()
    if (settled := _settled(layout)) is not None:
        return settled
    beside = layout.root.with_name(f"{layout.root.name}.orchgit")
    if beside.is_dir() or os.access(layout.root.parent, os.W_OK):
        return beside.resolve()
    state_home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return (Path(state_home) / "orchgit" / beside.name).resolve()


def _settled(layout: Layout) -> Path | None:
    """Return the folder that holds tasks' worktrees already: a project that was moved goes on where they are.

    What a copied project's Git directory knows are the worktrees of the one it was copied from, and not ours.
    """
    for entry in sorted((layout.common / "worktrees").glob("*/gitdir")):
        place = find.place_of(entry.parent)
        if place is None or not ids.is_id(place.name, ids.TASK) or not place.is_dir():
            continue
        named = find.git_directory(place)
        if named is not None and (named == entry.parent or not named.exists()):
            return place.parent
    return None


def listed(layout: Layout) -> list[Worktree]:
    """Return every worktree that git knows, the main one first."""
    said = git.run("worktree", "list", "--porcelain", "-z", cwd=layout.common)
    blocks = os.fsdecode(said.out).split("\0\0")
    return [_parsed(block.strip("\0").split("\0")) for block in blocks if block.strip("\0")]


def of_branch(layout: Layout, branch: str) -> Worktree | None:
    """Return the worktree that has `branch` checked out, or None."""
    return next((each for each in listed(layout) if each.branch == branch), None)


def ensure(layout: Layout, path: Path, *, branch: str, base: str) -> None:
    """Have `branch` checked out at `path`: as it was left, else made anew, the branch from `base` where it is new.

    Registering is serialised, since git's own parallel adds race; files are checked out outside the lock.
    """
    with locks.held(layout.local / "worktrees.lock", wait=_WAIT, doing="add a worktree"):
        if not _registered(layout, path, branch):
            _register(layout, path, branch, base)
    own = git_dir(layout, path)
    assert own is not None
    with locks.held(own / "orchgit.lock", wait=_WAIT, doing="check out a worktree"):
        if not (own / "index").exists():  # it is new, or who checked it out died on the way
            (own / "index.lock").unlink(missing_ok=True)
            git.run(*git.NO_HOOKS, "reset", "--quiet", "--hard", cwd=path)


def git_dir(layout: Layout, path: Path) -> Path | None:
    """Return the worktree's own Git directory, found from our side: what lies in the worktree may have been changed."""
    known = (layout.common / "worktrees").glob("*/gitdir")
    return next((entry.parent for entry in known if find.place_of(entry.parent) == path), None)


def remove(layout: Layout, path: Path) -> None:
    """Take the worktree away: aside in one step, forgotten by git, then deleted. Whoever calls has kept its work."""
    aside = path.with_name(f"{_ASIDE}{path.name}-{os.urandom(3).hex()}")
    with locks.held(layout.local / "worktrees.lock", wait=_WAIT, doing="remove a worktree"):
        if path.exists():
            path.rename(aside)
        _forget(layout, path)
    for left in path.parent.glob(f"{_ASIDE}*"):  # one who died while deleting leaves some
        shutil.rmtree(left, ignore_errors=True)


def _registered(layout: Layout, path: Path, branch: str) -> bool:
    found = of_branch(layout, branch)
    if found is None:
        return False
    if not os.path.lexists(found.path):
        _forget(layout, found.path)
        return False
    if found.path != path:
        raise RefusedError(
            f"{branch} is checked out in {found.path}, not in {path}.", "Check out another branch there."
        )
    return True


def _forget(layout: Layout, path: Path) -> None:
    """Have git forget this worktree; `git worktree prune` would forget others too, whose `.git` an agent deleted."""
    own = git_dir(layout, path)
    if own is not None:
        shutil.rmtree(own)


def _register(layout: Layout, path: Path, branch: str, base: str) -> None:
    if os.path.lexists(path) and not (path.is_dir() and not any(path.iterdir())):
        raise RefusedError(f"{path} is not a worktree of {branch}, and not empty.", "Move what is there elsewhere.")
    path.parent.mkdir(parents=True, exist_ok=True)
    there = git.branch_exists(branch, cwd=layout.common)
    what = (str(path), branch) if there else ("--no-track", "-b", branch, str(path), base)
    plain = (*git.NO_HOOKS, "-c", "worktree.useRelativePaths=false")  # or git adds an extension to the person's config
    git.run(*plain, "worktree", "add", "--force", "--quiet", "--no-checkout", *what, cwd=layout.common)


def _parsed(lines: list[str]) -> Worktree:
    values = dict(line.partition(" ")[::2] for line in lines)
    branch = values.get("branch")
    path = Path(values["worktree"])
    head = values.get("HEAD")
    return Worktree(
        path=path,
        head=head if head and head.strip("0") else None,
        branch=branch.removeprefix("refs/heads/") if branch else None,
        missing=not (path / ".git").exists() and "bare" not in values,
    )
