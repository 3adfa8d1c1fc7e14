"""Reads the folder of an ORCH project: what its files say, and which of them say nothing that is known."""

from __future__ import annotations

import json
import os
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from orchgit.model import config, document, yamltext
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError, NotFoundError, RefusedError
from orchgit.repository import attachments

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS: Final = ("agents", "teams", "goals", "tasks", "context", "messages")
CONFIG: Final = ("config.yml", "config.yaml")
MOST: Final = 5 << 20  # bytes of a file that is kept as it is
_YAML, _JSON = (".yml", ".yaml"), (".json",)
_READ: Final = {**dict.fromkeys(KINDS, _YAML), "context": _JSON, "messages": _JSON}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file that says something: `path` is relative to the folder."""

    path: str
    values: dict[str, Any]
    data: bytes = field(repr=False)

    @property
    def stem(self) -> str:
        return Path(self.path).stem


@dataclass(frozen=True, slots=True)
class Orch:
    """All of a folder. `rest` are the files that say nothing which is known, `notes` why some of them don't."""

    root: Path
    found: dict[str, list[Entry]]
    config: Entry | None
    rest: dict[str, bytes]
    notes: list[str]


def read(place: Path) -> Orch:
    """Read the `.orchestry/` that `place` is, or holds; NotFoundError where it is neither."""
    root = _root(place)
    found: dict[str, list[Entry]] = {kind: [] for kind in KINDS}
    rest: dict[str, bytes] = {}
    notes: list[str] = []
    settings = None
    for name, data in _files(root, notes):
        kind, suffix = name.partition("/")[0], Path(name).suffix
        if name in CONFIG or (suffix in _READ.get(kind, ()) and name.count("/") == 1):
            try:
                entry = Entry(name, _values(name, data), data)
            except ValueError as error:
                notes.append(f"{name} can't be read: {error}")
            else:
                if name not in CONFIG:
                    found[kind].append(entry)
                    continue
                if settings is not None:  # config.yml comes last, and is the one that ORCH reads
                    rest[settings.path] = settings.data
                settings = entry
                continue
        rest[name] = data
    return Orch(root, found, settings, rest, notes)


def _root(place: Path) -> Path:
    for root in (place, place / ".orchestry"):
        if (root / config.PATH).is_file() and (root / ".git").is_file():
            raise RefusedError(f"{root} is orchgit's own state, not a folder of ORCH.", "Name the one to bring over.")
        if any((root / name).exists() for name in (*CONFIG, "state.json")) or any(
            next((root / kind).glob("*.y*ml"), None) for kind in ("tasks", "agents", "goals")
        ):
            return root
    raise NotFoundError(f"{place} is no folder of ORCH: it has no config.yml, no tasks/ and no agents/.")


def _files(root: Path, notes: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the files below `root` by name; tell of each that is left where it is, and why."""
    for place in _lying(root, notes):
        name = place.relative_to(root).as_posix()
        source = _source(place, root) if place.is_symlink() else place
        if source is None:
            notes.append(f"{name} is a link to no file of this folder: left where it is")
        elif not source.is_file():
            notes.append(f"{name} is no file that could be kept (a pipe, a socket, a device): left where it is")
        elif source.stat().st_size > MOST:
            notes.append(f"{name} is larger than {MOST >> 20} MiB: left where it is")
        else:
            if source != place:
                notes.append(
                    f"{name} is a link to {source.relative_to(root.resolve())}: what that says is brought over"
                )
            try:
                data = source.read_bytes()
            except OSError as error:
                notes.append(f"{name} can't be read: {error.strerror}: left where it is")
            else:
                yield name, data


def _lying(root: Path, notes: list[str]) -> list[Path]:
    """Return all that is no folder, sorted; tell of what is git's own, of folders that are empty or can't be read."""
    found: list[Path] = []
    empty: list[str] = []

    def unread(error: OSError) -> None:
        notes.append(f"{Path(error.filename).relative_to(root)} can't be read: {error.strerror}: left where it is")

    for above, folders, names in os.walk(root, onerror=unread):
        here = Path(above)
        if not folders and not names and here != root:
            empty.append(here.relative_to(root).as_posix())
        for name in [name for name in (*folders, *names) if attachments.is_gits(name)]:
            where = (here / name).relative_to(root)
            notes.append(f"{where} would be git's own, and no clone might have it: left where it is")
        folders[:] = sorted(name for name in folders if not attachments.is_gits(name))
        found += [here / name for name in folders if (here / name).is_symlink()]
        found += [here / name for name in names if not attachments.is_gits(name)]
    if empty:
        notes.append(f"{', '.join(sorted(empty))}: empty, and Git keeps no empty folder")
    return sorted(found)


def _source(link: Path, root: Path) -> Path | None:
    """Return the file in the folder that a link leads to, None where it leads elsewhere."""
    try:
        source = link.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return None
    if not source.is_file() or not source.is_relative_to(root.resolve()):
        return None
    return None if any(map(attachments.is_gits, source.relative_to(root.resolve()).parts)) else source


def _values(name: str, data: bytes) -> dict[str, Any]:
    try:
        text = document.decode(name, data)
        values = json.loads(text) if name.endswith(_JSON) else yamltext.load(text).values
    except InvalidFileError as error:
        raise ValueError(f"line {error.line}: {error.reason}") from None
    if not isinstance(values, dict):
        raise ValueError("it is no mapping")
    return values
