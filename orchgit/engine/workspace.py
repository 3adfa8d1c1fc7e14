"""A task's workspace: made ready for a run, and what lies in it kept."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from orchgit.engine import mending, shared
from orchgit.model import setup, trailers
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import GitError, RefusedError
from orchgit.model.trailers import Message
from orchgit.repository import attempts, bring, files, git, identity, isolated, locks, worktrees
from orchgit.repository.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.model.actor import Actor
    from orchgit.repository.attempts import Kept

_WAIT = 120.0
_SET_UP, _LAST_RUN = "orchgit.set-up", "orchgit.run"  # beside the worktree's own HEAD and index: they go with it


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where one task is worked on: the worktree at `path`, which has `branch` checked out, made from `base`."""

    layout: Layout
    path: Path
    task: str
    title: str
    branch: str
    base: str | None
    bring: tuple[str, ...] = ()
    mode: str = "worktree"

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.branch}"


def make_ready(space: Workspace, *, by: Actor) -> None:
    """Have the branch checked out in the workspace, as the last attempt left it.

    Where that can't be worked in (HEAD is elsewhere, a merge is unfinished, `.git` or the index is broken), all of it
    is kept, and then the branch's own files stand there again.
    """
    assert space.base is not None
    with clearing(space.layout, space.task):
        pass  # whoever clears it away began before this run was, and ends first
    own = git_dir(space.layout, space.path)
    if own is not None and space.path.is_dir() and mending.is_astray(_at_work(space, own), own):
        kept = keep(space, by=by)
        if not kept.complete:
            what = f"{space.path} can't be worked in, nor can all that lies there be kept: {'; '.join(kept.notes)}"
            raise RefusedError(what, "Look into it by hand.")
        mending.set_right(_at_work(space, own), own)
    if own is None and space.mode == setup.ISOLATED:
        isolated.ensure(space.layout, space.path, task=space.task, branch=space.branch, base=space.base)
    elif own is None or not _is_isolated(space, own):
        worktrees.ensure(space.layout, space.path, branch=space.branch, base=space.base)
    elif isolated.is_behind(space.layout, space.path, space.branch):
        _make_anew(space, space.base, by)


def keep(space: Workspace, *, by: Actor, run: str | None = None, lands: bool = False) -> Kept:
    """Commit what lies in the workspace and name the commit by a ref; where it `lands`, the branch moves there.

    Nothing of the run lives any more. GitError where it can't be kept; what is uncommitted stays in the workspace then.
    """
    if space.mode == setup.SHARED:
        return shared.keep(space, by=by, run=run, lands=lands)
    own = git_dir(space.layout, space.path)
    if own is None:
        return _without_worktree(space)
    kept = _keep(_at_work(space, own), own, by, identity.machine(space.layout.common), run, lands=lands)
    if _is_isolated(space, own):
        _record_all(_at_work(space, own), kept.commit)
        isolated.fetch_home(space.layout, space.path, task=space.task)
        if lands:
            isolated.land(space.layout, space.branch, kept.commit)
    return kept


def git_dir(layout: Layout, path: Path) -> Path | None:
    """Return the Git directory of the workspace at `path`: the one that we made, whatever its mode."""
    return worktrees.git_dir(layout, path) or isolated.git_dir(path)


def _is_isolated(space: Workspace, own: Path) -> bool:
    return own == space.path / ".git"


def _at_work(space: Workspace, own: Path) -> Workspace:
    """Return the workspace as its own git sees it: a clone is a project of its own, until its work is fetched home."""
    return replace(space, layout=Layout(space.path, own)) if _is_isolated(space, own) else space


def _record_all(space: Workspace, commit: str) -> None:
    """Name what the clone's other branches, tags and stashes have beyond `commit`: they go with it."""
    named = git.text("for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags", "refs/stash", cwd=space.path)
    for ref in named.split():
        tip = git.commit_of(ref, cwd=space.path)
        if tip is not None and not git.is_ancestor(tip, commit, cwd=space.path):
            attempts.record(space.layout, space.task, tip)


def _make_anew(space: Workspace, base: str, by: Actor) -> None:
    """Begin again where the branch at home went on: all that is in the clone is kept, and there, first."""
    kept = keep(space, by=by)
    if not kept.complete:
        raise RefusedError(f"{space.branch} has moved on, and not all in {space.path} could be kept.", "Look into it.")
    worktrees.remove(space.layout, space.path)
    isolated.ensure(space.layout, space.path, task=space.task, branch=space.branch, base=base)


def _keep(space: Workspace, own: Path, by: Actor, committer: Actor, run: str | None, *, lands: bool) -> Kept:
    mending.unlock(space, own)
    notes = (*mending.unfinished(own), *mending.secure(space, own))
    if not space.path.is_dir():
        attempts.record(space.layout, space.task, git.text("rev-parse", "HEAD", cwd=own))
        raise GitError(f"{space.path} was deleted; only what had been committed there is kept")
    message = Message(space.title, trailers=trailers.given({"Task": space.task, "Run": run}))
    kept = attempts.keep(
        attempts.Worktree(space.path, own),
        trailers.render(message),
        author=by,
        committer=committer,
        branch=space.branch if lands else None,
        but=bring.untracked(own, space.bring),
    )
    attempts.record(space.layout, space.task, kept.commit)
    return replace(kept, notes=(*notes, *kept.notes))


@contextmanager
def clearing(layout: Layout, task: str) -> Iterator[None]:
    """Keep others from clearing the task's workspace away, for the length of a `with`."""
    with locks.held(layout.local / "clearing" / f"{task}.lock", wait=_WAIT, doing="clear a workspace away"):
        yield


def is_set_up(space: Workspace) -> bool:
    """Has everything been done that is done once in a new workspace?"""
    own = git_dir(space.layout, space.path)
    return own is not None and (own / _SET_UP).exists()


def note_set_up(space: Workspace) -> None:
    own = git_dir(space.layout, space.path)
    if own is not None:
        files.replace(own / _SET_UP, b"")


def note_run(space: Workspace, run: str) -> None:
    """Remember which run was the last one here."""
    own = git_dir(space.layout, space.path)
    if own is not None:
        files.replace(own / _LAST_RUN, run.encode())


def last_run(layout: Layout, path: Path) -> str | None:
    """Return the id of the run that worked last in the workspace at `path`, if one did."""
    own = git_dir(layout, path)
    found = files.read(own / _LAST_RUN) if own is not None else None
    return found.decode() if found else None


def _without_worktree(space: Workspace) -> Kept:
    if space.path.is_dir() and any(space.path.iterdir()):
        raise GitError(f"{space.path} is no worktree any more, so that git can't tell what was done there")
    if space.mode == setup.ISOLATED:
        raise GitError(f"{space.path} was deleted, and all that was only there with it")
    tip = git.commit_of(space.ref, cwd=space.layout.common) or space.base
    assert tip is not None
    return attempts.Kept(tip)
