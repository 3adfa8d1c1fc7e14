"""What a run may leave a workspace in: found, kept, and put back to the branch."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from orchgit.repository import attempts, files, find, git

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.engine.workspace import Workspace

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


def is_astray(space: Workspace, own: Path) -> bool:
    if find.git_directory(space.path) != own or unfinished(own) or any(map(os.path.lexists, _locks(space, own))):
        return True
    head = git.call("symbolic-ref", "--quiet", "HEAD", cwd=own)
    unmerged = git.call("ls-files", "--unmerged", "-z", cwd=space.path)
    return head.text != space.ref or not (own / "index").exists() or unmerged.code != 0 or bool(unmerged.out)


def unfinished(own: Path) -> tuple[str, ...]:
    found = halfway(own)
    return (f"it left {found} unfinished",) if found else ()


def halfway(own: Path) -> str:
    """Return what is under way in the worktree with this Git directory, in a person's words, or ""."""
    return " and ".join(dict.fromkeys(what for name, what in _UNFINISHED.items() if (own / name).exists()))


def _locks(space: Workspace, own: Path) -> tuple[Path, ...]:
    """Return the files by which a git that was killed would keep every later one out."""
    return own / "index.lock", own / "HEAD.lock", space.layout.common / f"{space.ref}.lock"


def unlock(space: Workspace, own: Path) -> None:
    for lock in _locks(space, own):
        lock.unlink(missing_ok=True)


def secure(space: Workspace, own: Path) -> list[str]:
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


def set_right(space: Workspace, own: Path) -> None:
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
        pointer.rename(own / f"found-{secrets.token_hex(3)}.git")
    files.replace(pointer, f"gitdir: {own}\n".encode())


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError):
            path.unlink()
