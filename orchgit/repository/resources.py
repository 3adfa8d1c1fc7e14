"""Finds what ships with orchgit beside its code: the folders hooks/ and templates/."""

from __future__ import annotations

from pathlib import Path

import orchgit

_PACKAGE = Path(orchgit.__file__).parent


def folder(name: str) -> Path:
    """Return the folder `hooks` or `templates`: within an installed wheel, else of the checkout that this runs from."""
    installed = _PACKAGE / "data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def template(name: str) -> str:
    return (folder("templates") / name).read_text(encoding="utf-8")
