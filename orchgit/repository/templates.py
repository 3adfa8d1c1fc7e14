"""Finds templates: those of the person's own folder, which win, and those that ship with orchgit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model import document, fields
from orchgit.repository import files, resources

if TYPE_CHECKING:
    from collections.abc import Iterable


def own() -> Path:
    """Return the person's folder of templates, there or not: XDG says where."""
    named = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(named) if named.startswith("/") else Path.home() / ".config"
    return base / "orchgit" / "templates"


def all_of(kind: str, suffixes: Iterable[str]) -> dict[str, Path]:
    """Return the files of a `kind`, as "agents", by the name that each template goes by, sorted."""
    found: dict[str, Path] = {}
    for folder in (resources.folder("templates") / kind, own() / kind):
        for suffix in suffixes:
            found.update({path.name.removesuffix(suffix): path for path in folder.glob(f"*{suffix}") if _is_one(path)})
    return dict(sorted(found.items()))


def find(kind: str, name: str, suffixes: Iterable[str]) -> Path | None:
    """Return the file of the template `name`; None where there is none, also for what could be no file's name."""
    try:
        fields.name(name)
    except ValueError:
        return None
    folders = (own() / kind, resources.folder("templates") / kind)
    places = (folder / f"{name}{suffix}" for folder in folders for suffix in suffixes)
    return next((place for place in places if place.is_file()), None)


def is_own(path: Path) -> bool:
    """Is it one of the person's own?"""
    return path.is_relative_to(own())


def hides_ours(path: Path, suffixes: Iterable[str]) -> bool:
    """Is it one of the person's own by whose name one that ships with orchgit goes too?"""
    ours = resources.folder("templates") / path.parent.name
    names = (path.name.removesuffix(suffix) for suffix in suffixes if path.name.endswith(suffix))
    return is_own(path) and any((ours / f"{name}{suffix}").is_file() for name in names for suffix in suffixes)


def text(path: Path) -> str:
    """Return what a template says; InvalidFileError where that is no UTF-8."""
    return document.decode(str(path), files.read(path) or b"")


def _is_one(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")
