"""Closed tasks that were moved out of the way: which files hold them, by their names, without reading any."""

from __future__ import annotations

import marshal
from contextlib import suppress
from typing import TYPE_CHECKING

from orchgit.model import task as task_file
from orchgit.repository import files

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.layout import Layout
    from orchgit.repository.objects import Entry, Reader

# An id's first word (all of it, but for ids that hold a `-`) -> the files that begin with it: path, mode, blob.
Month = dict[str, list[tuple[str, str, str]]]
_FORMAT = 1
_known: dict[Path, dict[str, tuple[str, Month]]] = {}  # what this process knows: by clone and month, its tree's id


class Files:
    """The archive of one commit; what an id names is looked up month by month, newest first."""

    def __init__(self, months: list[Month]) -> None:
        self._months = months

    def of(self, task: str) -> list[tuple[str, str, str]]:
        """Return path, mode and blob of the files that are named by the id `task`."""
        head = task.partition("-")[0]
        return [each for month in self._months for each in month.get(head, ()) if _is_named(each[0], task)]

    def heads(self) -> list[str]:
        return [head for month in self._months for head in month]

    def paths(self) -> list[tuple[str, str, str]]:
        return [each for month in self._months for files in month.values() for each in files]


def read(layout: Layout, tree: str, reader: Reader) -> Files:
    """Return what the archive with the id `tree` holds; only months that changed are looked into again."""
    known = _known.get(layout.common) or _load(layout)
    months, fresh = {}, False
    for name, entry in sorted(reader.tree(tree).items(), reverse=True):
        if name not in known or known[name][0] != entry.id:
            fresh = True
        there = known.get(name)
        months[name] = there if there and there[0] == entry.id else (entry.id, _month(name, reader.tree(entry.id)))
    _known[layout.common] = months
    if fresh:
        with suppress(OSError):  # without it the next one only has to look again
            files.replace(_place(layout), marshal.dumps((_FORMAT, months)))
    return Files([month for _, month in months.values()])


def _month(name: str, entries: dict[str, Entry]) -> Month:
    found: Month = {}
    for file, entry in entries.items():
        if file.endswith(".md"):
            head = file.removesuffix(".md").partition("-")[0]
            found.setdefault(head, []).append((f"{task_file.ARCHIVE}/{name}/{file}", entry.mode, entry.id))
    return found


def _is_named(path: str, task: str) -> bool:
    name = path.rpartition("/")[2]
    return name == f"{task}.md" or name.startswith(f"{task}-")


def _place(layout: Layout) -> Path:
    return layout.local / "archive"


def _load(layout: Layout) -> dict[str, tuple[str, Month]]:
    with suppress(ValueError, EOFError, TypeError):
        version, months = marshal.loads(files.read(_place(layout)) or b"")  # noqa: S302 - our own file
        if version == _FORMAT:
            return dict(months)
    return {}
