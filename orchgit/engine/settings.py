"""Changes to config.yaml, one line at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import actor, fields, yamltext
from orchgit.model import config as settings
from orchgit.model.errors import InvalidFileError, RefusedError, UsageError
from orchgit.repository import git, ledger

if TYPE_CHECKING:
    from orchgit.model.actor import Actor
    from orchgit.model.config import Config
    from orchgit.repository.layout import Layout


def change(layout: Layout, by: Actor, key: str, value: str) -> Config:
    """Set one key, given as text; UsageError where it can't hold that."""
    actor.refuse_agent(by, "change settings")
    try:
        wanted = settings.setting(key)
        typed = wanted.read(_flag(value) if wanted.read is fields.flag else _scalar(value))
    except ValueError as error:
        raise UsageError(f"{key}: {error}.") from None
    if key == "project.base" and not git.branch_exists(str(typed), cwd=layout.common):
        raise RefusedError(f"There is no branch {typed!r}.", "`git branch` shows those that there are.")
    with ledger.writing(layout, by) as book:
        old = book.text(settings.PATH)
        try:
            text = yamltext.edit(old, {tuple(key.split(".")): typed})
        except InvalidFileError as error:
            raise error.at(settings.PATH) from None
        if text != old:
            book.put(settings.PATH, text, f"config: set {key}")
        return book.state.config


def rewrite(layout: Layout, by: Actor, *, base: str, typed: str) -> Config:
    """Take over config.yaml as somebody typed it, starting from `base`."""
    actor.refuse_agent(by, "change settings")
    if not settings.read(typed).project_base:
        raise InvalidFileError(settings.PATH, "is missing", key="project.base")
    with ledger.writing(layout, by) as book:
        if book.text(settings.PATH) != base:
            raise RefusedError(f"{settings.PATH} was changed by somebody else meanwhile.", "Edit it again.")
        if typed != base:
            book.put(settings.PATH, typed, "config: edit")
        return book.state.config


def _flag(value: str) -> object:
    return {"true": True, "false": False}.get(value.strip().lower(), value)


def _scalar(value: str) -> object:
    """Read a word of the command line as YAML reads it: `6` is a number, `main` is text."""
    return yamltext.load(f"value: {value}").values["value"] if value.strip().isdigit() else value
