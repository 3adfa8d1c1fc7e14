"""Reads the folder of an ORCH project: what its files say, and which of them say nothing that is known."""

from __future__ import annotations

import json
import os
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from orchgit.model import config, document, yamltext
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError, NotFoundError, RefusedError

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
    settings, rest, notes = None, {}, []
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        if path.stat().st_size > MOST:
            notes.append(f"{name} is larger than {MOST >> 20} MiB: left where it is")
            continue
        data, kind = path.read_bytes(), name.partition("/")[0]
        if name in CONFIG or (path.suffix in _READ.get(kind, ()) and path.parent.parent == root):
            try:
                entry = Entry(name, _values(name, data), data)
            except ValueError as error:
                notes.append(f"{name} can't be read: {error}")
            else:
                if name in CONFIG:
                    settings = entry
                else:
                    found[kind].append(entry)
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


def _files(root: Path) -> list[Path]:
    """Return the files below `root`; what a link leads to is none of them."""
    return sorted(
        Path(folder) / name
        for folder, _, names in os.walk(root)
        for name in names
        if not (Path(folder) / name).is_symlink() and (Path(folder) / name).is_file()
    )


def _values(name: str, data: bytes) -> dict[str, Any]:
    try:
        text = document.decode(name, data)
        values = json.loads(text) if name.endswith(_JSON) else yamltext.load(text).values
    except InvalidFileError as error:
        raise ValueError(f"line {error.line}: {error.reason}") from None
    if not isinstance(values, dict):
        raise ValueError("it is no mapping")
    return values
