"""Files of the state branch that are read one by one, when somebody asks for them: shared context and messages."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from orchgit.model import context, letter
from orchgit.model.errors import InvalidFileError
from orchgit.repository import files, git, objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchgit.repository.layout import Layout
    from orchgit.repository.objects import Entry, Reader

FOLDERS = (context.FOLDER, letter.FOLDER)
# What was read is in force no more: that somebody edits it is for `git status` to say.
_LOOKED_AT = (
    *FOLDERS,
    *(f":(exclude,glob){letter.FOLDER}/*/{box}/**" for box in (letter.READ, letter.ARCHIVE)),
)


def belongs(path: str) -> bool:
    """Is `path` a value of the context or a message?"""
    return path.startswith(FOLDERS) and (context.belongs(path) or letter.belongs(path))


def fault(path: str, data: bytes) -> InvalidFileError | None:
    """Return why the file at `path` can't be read; None where it can."""
    try:
        context.parse(path, data) if path.startswith(f"{context.FOLDER}/") else letter.read(path, data)
    except InvalidFileError as error:
        return error
    return None


def below(reader: Reader, tip: str, folder: str) -> Iterator[tuple[str, Entry]]:
    """Yield every file in `folder` and in the folders in it, as the commit `tip` has them: path and entry."""
    for name, entry in reader.tree(f"{tip}:{folder}").items():
        path = f"{folder}/{name}"
        if entry.mode in ("40000", "040000"):
            yield from below(reader, tip, path)
        elif belongs(path):
            yield path, entry


def keys(layout: Layout, tip: str) -> frozenset[str]:
    """Return the keys that the context has."""
    with objects.reader(layout.common) as reader:
        return frozenset(filter(None, (context.key_at(path) for path, _ in below(reader, tip, context.FOLDER))))


def faults(layout: Layout, tip: str) -> list[InvalidFileError]:
    """Return why files of the context, and unread messages, can't be read: this reads them all."""
    with objects.reader(layout.common) as reader:
        boxes = [f"{letter.FOLDER}/{name}/{letter.NEW}" for name in reader.tree(f"{tip}:{letter.FOLDER}")]
        entries = [each for folder in (context.FOLDER, *boxes) for each in below(reader, tip, folder)]
        found = [(path, entry, reader.object(entry.id)) for path, entry in entries]
    wrong = (
        fault(path, said[1])
        if said and entry.mode.startswith("100")
        else InvalidFileError(path, "is not a file of its own in the state branch")
        for path, entry, said in found
    )
    return [error for error in wrong if error is not None]


def candidates(layout: Layout) -> set[str]:
    """Return the files that lie there otherwise than the index has them: git compares, by their times."""
    if not any((layout.state / folder).is_dir() for folder in FOLDERS):
        return set()
    how = ("--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *_LOOKED_AT)
    said = git.call("status", *how, cwd=layout.state).fields
    found = {entry[3:] for entry in said if belongs(entry[3:])}
    moved = {letter.read_path(path) for path in found if letter.belongs(path)}
    return found | {path for path in moved if (layout.state / path).exists()}


def differing(layout: Layout, tip: str, paths: Iterable[str]) -> Iterator[tuple[str, bytes | None, bool]]:
    """Yield what of `paths` lies there not as `tip` has it: path, bytes (None: deleted), and whether it is a file."""
    wanted = sorted(filter(belongs, paths))
    if not wanted:
        return
    with objects.reader(layout.common) as reader:
        for path in wanted:
            committed = reader.object(f"{tip}:{path}")
            with suppress(FileNotFoundError, NotADirectoryError):
                if not stat.S_ISREG((layout.state / path).lstat().st_mode):
                    yield path, None, False
                    continue
            data = files.read(layout.state / path)
            if (committed[1] if committed else None) != data:
                yield path, data, True


def unread(layout: Layout) -> dict[str, int]:
    """Return how many unread messages lie in whose mailbox, by name."""
    found = {}
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(layout.state / letter.FOLDER) as boxes:
        for box in sorted(boxes, key=lambda each: each.name):
            with suppress(FileNotFoundError, NotADirectoryError):
                names = os.listdir(layout.state / letter.FOLDER / box.name / letter.NEW)  # noqa: PTH208 - no pathlib here
                folder = f"{letter.FOLDER}/{box.name}"
                count = sum(letter.belongs(f"{folder}/{letter.NEW}/{name}") for name in names)
                found.update({letter.mailbox_at(folder): count} if count else {})
    return found
