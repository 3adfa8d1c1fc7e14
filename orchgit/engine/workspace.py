"""A task's workspace: made ready for a run, and what lies in it kept."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from orchgit.model import trailers
from orchgit.model.errors import GitError, RefusedError
from orchgit.model.trailers import Message
from orchgit.repository import attempts, files, find, git, identity, locks, worktrees

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.model.actor import Actor
    from orchgit.repository.attempts import Kept
    from orchgit.repository.layout import Layout

_WAIT = 120.0
_UNFINISHED: Final = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "sequencer": "a sequence of picks",
    "BISECT_LOG": "a bisect",
    "BISECT_START": "a bisect",
}
_STASHES = ("MERGE_AUTOSTASH", "rebase-merge/autostash", "rebase-apply/autostash")


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where one task is worked on: the worktree at `path`, which has `branch` checked out, made from `base`."""

    layout: Layout
    path: Path
    task: str
    title: str
    branch: str
    base: str | None

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
    own = worktrees.git_dir(space.layout, space.path)
    if own is not None and space.path.is_dir() and _is_astray(space, own):
        kept = keep(space, by=by)
        if not kept.complete:
            what = f"{space.path} can't be worked in, nor can all that lies there be kept: {'; '.join(kept.notes)}"
            raise RefusedError(what, "Look into it by hand.")
        _set_right(space, own)
    worktrees.ensure(space.layout, space.path, branch=space.branch, base=space.base)


def keep(space: Workspace, *, by: Actor, run: str | None = None, lands: bool = False) -> Kept:
    """Commit what lies in the workspace and name the commit by a ref; where it `lands`, the branch moves there.

    Nothing of the run lives any more. GitError where it can't be kept; what is uncommitted stays in the workspace then.
    """
    own = worktrees.git_dir(space.layout, space.path)
    if own is None:
        return _without_worktree(space)
    _unlock(space, own)
    notes = (*_unfinished(own), *_secure(space, own))
    if not space.path.is_dir():
        attempts.record(space.layout, space.task, git.text("rev-parse", "HEAD", cwd=own))
        raise GitError(f"{space.path} was deleted; only what had been committed there is kept")
    message = Message(space.title, trailers=trailers.given({"Task": space.task, "Run": run}))
    kept = attempts.keep(
        attempts.Worktree(space.path, own),
        trailers.render(message),
        author=by,
        committer=identity.machine(space.layout.common),
        branch=space.branch if lands else None,
    )
    attempts.record(space.layout, space.task, kept.commit)
    return replace(kept, notes=(*notes, *kept.notes))


@contextmanager
def clearing(layout: Layout, task: str) -> Iterator[None]:
    """Keep others from clearing the task's workspace away, for the length of a `with`."""
    with locks.held(layout.local / "clearing" / f"{task}.lock", wait=_WAIT, doing="clear a workspace away"):
        yield


def _without_worktree(space: Workspace) -> Kept:
    if space.path.is_dir() and any(space.path.iterdir()):
        raise GitError(f"{space.path} is no worktree any more, so that git can't tell what was done there")
    tip = git.commit_of(space.ref, cwd=space.layout.common) or space.base
    assert tip is not None
    return attempts.Kept(tip)


def _is_astray(space: Workspace, own: Path) -> bool:
    if find.git_directory(space.path) != own or _unfinished(own) or any(map(os.path.lexists, _locks(space, own))):
        return True
    head = git.call("symbolic-ref", "--quiet", "HEAD", cwd=own)
    unmerged = git.call("ls-files", "--unmerged", "-z", cwd=space.path)
    return head.text != space.ref or not (own / "index").exists() or unmerged.code != 0 or bool(unmerged.out)


def _unfinished(own: Path) -> tuple[str, ...]:
    found = dict.fromkeys(what for name, what in _UNFINISHED.items() if (own / name).exists())
    return (f"it left {' and '.join(found)} unfinished",) if found else ()


def _locks(space: Workspace, own: Path) -> tuple[Path, ...]:
    """Return the files by which a git that was killed would keep every later one out."""
    return own / "index.lock", own / "HEAD.lock", space.layout.common / f"{space.ref}.lock"


def _unlock(space: Workspace, own: Path) -> None:
    for lock in _locks(space, own):
        lock.unlink(missing_ok=True)


def _secure(space: Workspace, own: Path) -> list[str]:
    """Have HEAD and the branch name commits, and keep what HEAD lacks; return what a person should know."""
    for name in _STASHES:
        stashed = files.read(own / name)
        if stashed and (commit := git.commit_of(stashed.decode(errors="replace").strip(), cwd=own)):
            attempts.record(space.layout, space.task, commit)
    notes = []
    where = git.call("symbolic-ref", "--quiet", "HEAD", cwd=own).text
    if where != space.ref:
        left = where.removeprefix("refs/heads/") or "no branch"
        notes.append(f"it left its worktree on {left}, not on {space.branch}")
    head, tip = git.commit_of("HEAD", cwd=own), git.commit_of(space.ref, cwd=own)
    if tip is None and (known := head or space.base):
        git.run(*git.NO_HOOKS, "update-ref", space.ref, known, cwd=own)
        tip = known
    if head is None and where != space.ref and tip is not None:
        git.run(*git.NO_HOOKS, "update-ref", "--no-deref", "HEAD", tip, cwd=own)
    elif tip is not None and not git.is_ancestor(tip, "HEAD", cwd=own):
        ref = attempts.record(space.layout, space.task, tip)
        notes.append(f"{space.branch} was at {tip[:12]}, which its result leaves out; {ref} keeps it")
    return notes


def _set_right(space: Workspace, own: Path) -> None:
    """Put HEAD, index and files back to the branch; files that git doesn't know stay. All of it is kept by now."""
    for name in _UNFINISHED:
        _delete(own / name)
    if find.git_directory(space.path) != own:
        _link(space, own)
    if git.call("ls-files", "-z", "--unmerged", cwd=space.path).code != 0:
        (own / "index").unlink(missing_ok=True)
    git.run(*git.NO_HOOKS, "symbolic-ref", "HEAD", space.ref, cwd=own)
    git.run(*git.NO_HOOKS, "reset", "--quiet", "--hard", cwd=space.path)


def _link(space: Workspace, own: Path) -> None:
    """Let the worktree's `.git` be the pointer that git made it; a repository in its place is put by, not deleted."""
    pointer = space.path / ".git"
    if os.path.lexists(pointer):
        pointer.rename(own / f"found-{os.urandom(3).hex()}.git")
    files.replace(pointer, f"gitdir: {own}\n".encode())


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError):
            path.unlink()
