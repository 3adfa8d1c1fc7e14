"""Changes to config.yaml, one line at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchgit.model import actor, fields, yamltext
from orchgit.model import config as settings
from orchgit.model.errors import InvalidFileError, RefusedError, UsageError
from orchgit.repository import git, ledger, personal

if TYPE_CHECKING:
    from orchgit.model.actor import Actor
    from orchgit.model.config import Config
    from orchgit.repository.layout import Layout


def change(layout: Layout, by: Actor, key: str, value: str) -> Config:
    """Set one key, given as text; UsageError where it can't hold that."""
    actor.refuse_agent(by, "change settings")
    typed = _typed(key, value)
    if key == "project.base":
        _refuse_unknown(layout, str(typed))
    with ledger.writing(layout, by) as book:
        old = book.text(settings.PATH)
        try:
            text = yamltext.edit(old, {tuple(key.split(".")): typed})
        except InvalidFileError as error:
            raise error.at(settings.PATH) from None
        if text != old:
            book.put(settings.PATH, text, f"config: set {key}")
        return book.state.config


def change_own(key: str, value: str) -> Config:
    """Set one key of the person's own settings, which their new projects begin with; return those."""
    typed = _typed(key, value)
    if personal.is_a_projects(key):
        raise UsageError(f"{key} is one project's own.", "`orchgit init --name NAME --base BRANCH` sets it.")
    try:
        text = yamltext.edit(personal.text(), {tuple(key.split(".")): typed})
    except InvalidFileError as error:
        raise error.at(str(personal.path())) from None
    found = settings.read(text)
    personal.put(text)
    return found


def _typed(key: str, value: str) -> Any:
    wanted = settings.setting(key)
    try:
        return wanted.read(_flag(value) if wanted.read is fields.flag else _scalar(value))
    except ValueError as error:
        raise UsageError(f"{key}: {error}.") from None


def rewrite(layout: Layout, by: Actor, *, base: str, typed: str) -> Config:
    """Take over config.yaml as somebody typed it, starting from `base`."""
    actor.refuse_agent(by, "change settings")
    refuse_unusable(layout, settings.read(typed))
    with ledger.writing(layout, by) as book:
        if book.text(settings.PATH) != base:
            raise RefusedError(f"{settings.PATH} was changed by somebody else meanwhile.", "Edit it again.")
        if typed != base:
            book.put(settings.PATH, typed, "config: edit")
        return book.state.config


def refuse_unusable(layout: Layout, config: Config) -> None:
    """RefusedError where the team could do nothing with these settings, though each of them can be read."""
    if not config.project_base:
        raise InvalidFileError(settings.PATH, "is missing", key="project.base")
    _refuse_unknown(layout, config.project_base)


def _refuse_unknown(layout: Layout, branch: str) -> None:
    if not git.branch_exists(branch, cwd=layout.common):
        raise RefusedError(f"There is no branch {branch!r}.", "`git branch` shows those that there are.")


def _flag(value: str) -> object:
    return {"true": True, "false": False}.get(value.strip().lower(), value)


def _scalar(value: str) -> object:
    """Read a word of the command line as YAML reads it: `6` is a number, `main` is text."""
    return yamltext.load(f"value: {value}").values["value"] if value.strip().isdigit() else value
