"""Untracked files of the person's checkout, brought along into a workspace, and never out of either."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def into(workspace: Path, paths: Iterable[str], *, root: Path, link: bool) -> tuple[str, ...]:
    """Put what is missing of `paths` into `workspace`, a copy or a link; return what a person should be told."""
    notes = (_bring(workspace, path, root, link=link) for path in paths if not os.path.lexists(workspace / path))
    return tuple(filter(None, notes))


def untracked(git_dir: Path, paths: Iterable[str]) -> list[str]:
    """Return those of `paths` that the HEAD of the workspace doesn't have: the ones that were only brought along."""
    return [path for path in paths if not git.call("ls-tree", "-z", "HEAD", "--", path, cwd=git_dir).out]


def _bring(workspace: Path, path: str, root: Path, *, link: bool) -> str:
    source, place = root / path, workspace / path
    if not source.exists():
        return f"{path} was to be brought along, and is not in {root}"
    if not _is_within(source, root) or ".git" in source.resolve().relative_to(root.resolve()).parts:
        return f"{path} was not brought along: it leads out of {root}"
    if not _is_within(place.parent, workspace):
        return f"{path} was not brought along: a link in the workspace leads out of it"
    place.parent.mkdir(parents=True, exist_ok=True)
    if link:
        place.symlink_to(source)
    elif source.is_dir():
        shutil.copytree(source, place, symlinks=True)
    else:
        shutil.copy2(source, place)
    if git.call("check-ignore", "--quiet", "--", path, cwd=workspace).code == 1:
        return f"{path} was brought along and is not ignored: what an agent commits by itself may hold it"
    return ""


def _is_within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
