"""Finds the project that a folder belongs to, with one git call where the project is in order."""

from __future__ import annotations

import os
import re
from pathlib import Path

from orchgit.model.dataclass import dataclass
from orchgit.model.errors import GitError, NotFoundError, OrchgitError, RefusedError
from orchgit.repository import files, git
from orchgit.repository.layout import STATE_FOLDER, STATE_REF, Layout

# The paths that git prints may hold line ends, so it is read from its end. A branch that is missing is echoed or fails.
_SAID = re.compile(rb"(?P<common>/.*)\n(?P<bare>true|false)\n(?:(?P<tip>[0-9a-f]{40,64})\n|refs/[^\n]*\n)?", re.DOTALL)

ISOLATED = "orchgit.isolated"  # a file in the Git directory of a clone made for a task, which names its project

_DUBIOUS = re.compile(r"detected dubious ownership in repository at '(.*)'")

# What HEAD says on the state branch; the second is all that a repository with reftables says in that file.
_ON_STATE_BRANCH = (f"ref: {STATE_REF}".encode(), b"ref: refs/heads/.invalid")


@dataclass(frozen=True, slots=True)
class Located:
    """A project, and the tip of its state branch: None where it is not initialised."""

    layout: Layout
    tip: str | None


def locate(start: Path) -> Located:
    """Return the project that `start` lies in, initialised or not: any folder of it, of a worktree, or of `.git`.

    From a clone that was made for a task it is the project that the task is of.
    """
    start = start.absolute()
    asked = _outside_state(start)
    said = _ask(asked)
    if asked != start and not _SAID.fullmatch(said.out):
        asked, said = start, _ask(start)
    found = _SAID.fullmatch(said.out)
    if found is None:
        raise _refusal(start, said)
    common = Path(os.fsdecode(found["common"]))
    usual = found["tip"] is not None and (common / "index").exists()  # a bare repository has no index
    tip = found["tip"].decode() if found["tip"] else None
    home = None if tip else home_of(common)
    return locate(home) if home else Located(Layout(_root(common, asked, usual=usual), common), tip)


def common(start: Path) -> Path:
    """Return the Git directory that all worktrees of the repository at `start` share, a bare repository's too."""
    said = git.call("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=start)
    if said.code != 0:
        raise _refusal(start, said)
    return Path(os.fsdecode(said.out.removesuffix(b"\n")))


def mounted(layout: Layout) -> bool:
    """Is `.orchestry/` this project's linked worktree, on the state branch, and complete? Asks no git."""
    own = git_directory(layout.state)
    return (
        own is not None
        and own.parent == layout.common / "worktrees"
        and place_of(own) == layout.state
        and on_state_branch(own)
        and (own / "index").exists()
        and not layout.state.is_symlink()
    )


def git_directory(folder: Path) -> Path | None:
    """Return the Git directory that the `.git` of `folder` is or names, whether it exists or not."""
    pointer = files.read(folder / ".git")
    if pointer is not None and pointer.startswith(b"gitdir: "):
        named = os.fsdecode(pointer.removeprefix(b"gitdir: ").rstrip(b"\r\n"))
        return Path(os.path.normpath(folder / named))
    return folder / ".git" if (folder / ".git").is_dir() else None


def place_of(own: Path) -> Path | None:
    """Return the folder of the linked worktree whose Git directory is `own`, whether it still lies there or not."""
    pointer = files.read(own / "gitdir")
    if pointer is None:
        return None
    return Path(os.path.normpath(own / os.fsdecode(pointer.rstrip(b"\r\n")))).parent


def on_state_branch(own: Path) -> bool:
    """Is the state branch checked out in the worktree whose Git directory is `own`?"""
    return (files.read(own / "HEAD") or b"").strip() in _ON_STATE_BRANCH


def home_of(common: Path) -> Path | None:
    """Return the project whose task the repository was made for; None where it is no such, or that is gone."""
    note = files.read(common / ISOLATED)
    home = Path(os.fsdecode(note)) if note else None
    return home if home and home.is_dir() and home != common.parent else None


def root_note(common: Path) -> Path:
    """Return the file that names the project's root where the Git directory alone doesn't tell it."""
    return common / "orchgit" / "root"


def _ask(folder: Path) -> git.Result:
    what = ("--path-format=absolute", "--git-common-dir", "--is-bare-repository", STATE_REF)
    return git.call("rev-parse", *what, cwd=folder)


def _outside_state(start: Path) -> Path:
    """Return where to ask: beside `.orchestry/`, not in it, since its link may be broken or a copied project's."""
    for folder in (start, *start.parents):
        if folder.name == STATE_FOLDER:
            return folder.parent
        if os.path.lexists(folder / ".git"):
            break
    return start


def _refusal(start: Path, said: git.Result) -> OrchgitError:
    if "not a git repository (or any" in said.err:
        return NotFoundError(
            f"{start} is not in a Git repository.", "Go to your project, or run `git init` there first."
        )
    if owned := _DUBIOUS.search(said.err):
        import shlex  # hardly ever needed

        trust = f"`git config --global --add safe.directory {shlex.quote(owned[1])}` tells it that you do."
        return GitError(f"{owned[1]} belongs to another user, and Git doesn't trust it.", trust)
    return git.failure(("rev-parse",), said)


def _root(common: Path, asked: Path, *, usual: bool) -> Path:
    note = files.read(root_note(common))
    if note is None and usual and common.name == ".git":
        return common.parent
    noted = Path(os.fsdecode(note)) if note else None
    return noted if noted and _belongs(noted, common) else _working_root(common, asked)


def _belongs(folder: Path, common: Path) -> bool:
    own = git_directory(folder)
    return own is not None and common in (own.resolve(), own.resolve().parent.parent)


def _working_root(common: Path, asked: Path) -> Path:
    """Ask git for the main worktree, or in a bare repository for the linked one that we are in."""
    settings = f"--git-dir={common}"
    bare = git.call(settings, "config", "--type=bool", "core.bare", cwd=common).text == "true"
    named = git.call(settings, "config", "core.worktree", cwd=common).out.removesuffix(b"\n")
    if named and not bare:
        return Path(os.path.normpath(common / os.fsdecode(named)))
    said = git.call("rev-parse", "--path-format=absolute", "--show-toplevel", cwd=asked)
    top = Path(os.fsdecode(said.out.removesuffix(b"\n"))) if said.code == 0 else None
    if top and (bare or git_directory(top) == common):
        return top
    if bare:
        what = f"{common} is a bare repository: it has no working folder to put {STATE_FOLDER} in."
        raise RefusedError(what, "Run orchgit in a worktree of it; `git worktree add` makes one.")
    if common.name == ".git":
        return common.parent
    raise RefusedError(f"{common} doesn't say where its main checkout is.", "Run orchgit in the main checkout once.")
