"""The linked worktree at `.orchestry/`: how git knows it, and how its files come there byte for byte."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from orchgit.model.errors import RefusedError
from orchgit.repository import files, find, git, locks, remote
from orchgit.repository.layout import STATE_BRANCH, STATE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.layout import Layout

# Only what the state branch says about its files holds: no autocrlf, no filters, no info/attributes of the project.
_PLAIN_CONFIG = "[core]\n\trepositoryformatversion = 1\n\tbare = false\n\tattributesFile = /dev/null\n"
_SHA256 = "[extensions]\n\tobjectFormat = sha256\n"


def attach(layout: Layout, commit: str) -> None:
    """Make `.orchestry/` the worktree of the state branch, at `commit`; files that lie there stay as they are.

    The index is put in place last, so that a mount that was cut short is seen as none (see find.mounted).
    """
    shutil.rmtree(_scratch(layout), ignore_errors=True)
    was_linked = (layout.state / ".git").is_file()
    own = _registered(layout) or _register(layout)
    moved = _has_moved(layout, find.place_of(own))
    if not was_linked:
        (own / "index").unlink(missing_ok=True)
    _show_everything(layout, own)
    _link(layout, own)
    if not (own / "index").exists():
        _fill(layout, own, commit)
    if moved:
        git.call(*git.NO_HOOKS, "worktree", "repair", cwd=layout.root)
    shutil.rmtree(_scratch(layout), ignore_errors=True)


def forget(layout: Layout) -> None:
    """Undo `attach` where there was nothing before it."""
    own = _registered(layout)
    if own is not None:
        shutil.rmtree(own, ignore_errors=True)
    shutil.rmtree(layout.state, ignore_errors=True)
    shutil.rmtree(_scratch(layout), ignore_errors=True)
    with suppress(OSError):  # other worktrees are registered there
        (layout.common / "worktrees").rmdir()


def _registered(layout: Layout) -> Path | None:
    """Return the Git directory that this repository keeps for `.orchestry/`, wherever that lay before."""
    known = [own for own in sorted((layout.common / "worktrees").glob("*")) if find.on_state_branch(own)]
    exact = [own for own in known if find.place_of(own) == layout.state]
    return next(iter(exact or [own for own in known if _lost_ours(layout, own)]), None)


def _lost_ours(layout: Layout, own: Path) -> bool:
    """Was it our `.orchestry/`, and is it no more where it says? In a copied project that place is the original's."""
    place = find.place_of(own)
    if place is None:
        return False
    return place == _scratch(layout) / STATE_BRANCH or (place.name == STATE_FOLDER and find.git_directory(place) != own)


def _has_moved(layout: Layout, place: Path | None) -> bool:
    return place is not None and place != layout.state and not place.exists()


def _register(layout: Layout) -> Path:
    """Have git make the worktree in a place of its own: it refuses a folder that holds files, and ours may."""
    place = _scratch(layout) / STATE_BRANCH
    place.parent.mkdir(parents=True, exist_ok=True)
    plain = (*git.NO_HOOKS, "-c", "worktree.useRelativePaths=false")  # or git adds an extension to the person's config
    add = ("worktree", "add", "--force", "--quiet", "--no-checkout", str(place), STATE_BRANCH)
    with locks.held(layout.local / "worktrees.lock", wait=30, doing="add a worktree"):
        git.run(*plain, *add, cwd=layout.root)
    own = find.git_directory(place)
    assert own is not None
    return own


def _scratch(layout: Layout) -> Path:
    return layout.local / "mounting"


def _link(layout: Layout, own: Path) -> None:
    """Let both point at each other; `git worktree repair` would take a copied project's worktrees from the original."""
    layout.state.mkdir(exist_ok=True)
    files.replace(own / "gitdir", os.fsencode(layout.state / ".git") + b"\n")
    files.replace(layout.state / ".git", b"gitdir: " + os.fsencode(own) + b"\n")


def _show_everything(layout: Layout, own: Path) -> None:
    """Switch a sparse checkout off, which `git worktree add` takes over from the main worktree."""
    (own / "info" / "sparse-checkout").unlink(missing_ok=True)
    settings = own / "config.worktree"
    if settings.exists():
        git.run("config", "--file", settings, "core.sparseCheckout", "false", cwd=layout.root)


def _fill(layout: Layout, own: Path, commit: str) -> None:
    remote.fetch_missing(layout, commit)
    env = _plain(layout, own, commit)
    git.run(*git.NO_HOOKS, "read-tree", commit, cwd=layout.state, env=env)
    git.call(*git.NO_HOOKS, "update-index", "-q", "--refresh", cwd=layout.state, env=env)  # not 0: a file was typed in
    missing = git.run("ls-files", "-z", "--deleted", cwd=layout.state, env=env)
    _check_way(layout, missing.fields)
    git.run(*git.NO_HOOKS, "checkout-index", "-u", "-z", "--stdin", cwd=layout.state, env=env, stdin=missing.out)
    (_scratch(layout) / "index").replace(own / "index")


def _plain(layout: Layout, own: Path, commit: str) -> dict[str, str]:
    """Return the environment in which git takes nothing from the project or the person but the objects."""
    common = _scratch(layout) / "plain"
    for folder in ("objects", "refs"):
        (common / folder).mkdir(parents=True, exist_ok=True)
    (common / "config").write_text(_PLAIN_CONFIG + (_SHA256 if len(commit) == 64 else ""))
    return {
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_COMMON_DIR": str(common),
        "GIT_CONFIG_COUNT": "0",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_DIR": str(own),
        "GIT_INDEX_FILE": str(_scratch(layout) / "index"),
        "GIT_OBJECT_DIRECTORY": str(layout.common / "objects"),
        "GIT_WORK_TREE": str(layout.state),
    }


def _check_way(layout: Layout, missing: list[str]) -> None:
    for folder in sorted({parent for path in missing for parent in (layout.state / path).parents}):
        inside = folder != layout.state and folder.is_relative_to(layout.state)
        if inside and os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir()):
            raise RefusedError(f"{folder} is in the way of the state's own folder.", "Move it elsewhere.")
