"""Files that belong to a task: attachments/<task>/<name> on the state branch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchgit.model.errors import NotFoundError, RefusedError
from orchgit.repository import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from orchgit.repository.layout import Layout

FOLDER: Final = "attachments"
MOST: Final = 5 << 20  # bytes of one: it stays in the history for good
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]|\A[.-]")
# What some disk takes for a file that steers git: HFS+ passes over these characters, NTFS over the end of a name.
_PASSED_OVER = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_GITS: Final = frozenset({".git", "git~1", ".gitmodules", "gitmod~1", ".gitattributes", "gitatt~1"})


def load(paths: Iterable[Path]) -> dict[str, bytes]:
    """Return the files by the names that they are attached under; refused where one can't be attached."""
    found: dict[str, bytes] = {}
    for path in paths:
        if not path.is_file():
            step = "Attach files; a folder can be packed into one." if path.exists() else ""
            raise NotFoundError(f"There is no file {path}.", step)
        name = path.name
        if _UNSAFE.search(name) or is_gits(name) or name in found:
            why = "two files are called that" if name in found else "no file here may be called that"
            raise RefusedError(f"{path} can't be attached: {why}.", "Give it another name.")
        if path.stat().st_size > MOST:
            raise RefusedError(
                f"{path} can't be attached: it is larger than {MOST >> 20} MiB, and would stay in the history.",
                "Commit it to the project, and name it in the task.",
            )
        found[name] = path.read_bytes()
    return found


def is_gits(name: str) -> bool:
    """Would a file or folder of that name be git's own, on any disk? A clone refuses it, or obeys it."""
    pieces = _PASSED_OVER.sub("", name).lower().split("\\")
    return any(piece.partition(":")[0].rstrip(" .") in _GITS for piece in pieces)


def placed(task: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files by where they lie on the state branch."""
    return {f"{FOLDER}/{task}/{name}": data for name, data in files.items()}


def of(layout: Layout, tip: str, task: str) -> tuple[str, ...]:
    """Return the paths of a task's attachments, relative to the state folder."""
    with objects.reader(layout.common) as reader:
        found = reader.tree(f"{tip}:{FOLDER}/{task}")
    return tuple(f"{FOLDER}/{task}/{name}" for name, entry in sorted(found.items()) if entry.mode.startswith("100"))


def lying(layout: Layout, task: str) -> list[str]:
    """Return where a task's attachments lie on this disk, for an agent to read."""
    folder = layout.state / FOLDER / task
    return sorted(path.as_posix() for path in folder.iterdir()) if folder.is_dir() else []
