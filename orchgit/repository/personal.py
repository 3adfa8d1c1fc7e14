"""A person's own settings, in their home: what their new projects begin with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model import config, document
from orchgit.model.errors import InvalidFileError
from orchgit.repository import files

if TYPE_CHECKING:
    from orchgit.model.yamltext import Value


def path() -> Path:
    """Return where they are, there or not: config.yaml in the folder `orchgit` of $XDG_CONFIG_HOME, or ~/.config."""
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(folder) if Path(folder).is_absolute() else Path.home() / ".config") / "orchgit" / config.PATH


def text() -> str:
    found = files.read(path())
    return document.decode(str(path()), found) if found is not None else ""


def given() -> dict[str, Value]:
    """Return the settings that the file has, by key; InvalidFileError where one of them can't be what it says."""
    from orchgit.model import yamltext

    words = text()
    if not words.strip():
        return {}
    try:
        config.read(words)
        values = yamltext.load(words).values
    except InvalidFileError as error:
        raise error.at(str(path())) from None
    found = {key: config.at_key(values, key) for key in config.SETTINGS if not is_a_projects(key)}
    return {key: value for key, value in found.items() if value is not None}


def is_a_projects(key: str) -> bool:
    """Does the setting say what one project is, so that it can't be that of all?"""
    return key.startswith("project.")


def put(words: str) -> None:
    path().parent.mkdir(parents=True, exist_ok=True)
    files.replace(path(), document.encode(words))
