"""`orchgit config`: read and change settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import nearest, show
from orchgit.model import config as settings

if TYPE_CHECKING:
    from pathlib import Path


@click.group(cls=nearest.Group)
def config() -> None:
    """Read and change settings: .orchestry/config.yaml."""


@config.command()
@click.argument("key", required=False)
@show.as_json
@click.pass_obj
def get(directory: Path, key: str | None, *, wants_json: bool) -> None:
    """Print the value of KEY that is in force, or without KEY all of them."""
    found = api.open_project(directory).config()
    if key:
        value = settings.value_of(found, key)
        show.dump(value) if wants_json else click.echo(_shown(value))
        return
    values = {each: settings.value_of(found, each) for each in settings.SETTINGS}
    if wants_json:
        show.dump(values)
        return
    rows = ((each, _shown(value), settings.SETTINGS[each].meaning) for each, value in values.items())
    show.table(("KEY", "VALUE", "MEANING"), rows)


@config.command("set")
@click.argument("key")
@click.argument("value")
@click.pass_obj
def set_(directory: Path, key: str, value: str) -> None:
    """Set KEY to VALUE; one line of the file changes."""
    project = api.open_project(directory)
    after = project.set_config(key, value)
    show.say(f"{key} is {_shown(settings.value_of(after, key))}.")


@config.command()
@click.pass_obj
def edit(directory: Path) -> None:
    """Open config.yaml in your editor."""
    from orchgit.cli import editor

    project = api.open_project(directory)
    base = project.text(settings.PATH)
    typed = editor.edit(project, base, name=settings.PATH)
    editor.keeping(typed, lambda: project.rewrite_config(base=base, typed=typed))
    show.say("Settings are changed." if typed != base else "Nothing was changed.")


@config.group("global", cls=nearest.Group)
def global_() -> None:
    """Your own settings, which your new projects begin with; those that there are stay as they are."""


@global_.command("get")
@click.argument("key")
@show.as_json
def global_get(key: str, *, wants_json: bool) -> None:
    """Print the value that KEY has in a new project of yours."""
    value = settings.value_of(api.own_config(), key)
    show.dump(value) if wants_json else click.echo(_shown(value))


@global_.command("set")
@click.argument("key")
@click.argument("value")
def global_set(key: str, value: str) -> None:
    """Set KEY to VALUE in your new projects."""
    after = api.set_own_config(key, value)
    show.say(f"{key} is {_shown(settings.value_of(after, key))} in new projects.")


@global_.command("show")
@show.as_json
def global_show(*, wants_json: bool) -> None:
    """Print all of your own settings."""
    own = api.own_config()
    values = {key: settings.value_of(own, key) for key in settings.SETTINGS if not key.startswith("project.")}
    if wants_json:
        show.dump(values)
        return
    show.table(("KEY", "VALUE"), ((key, _shown(value)) for key, value in values.items()))


def _shown(value: str | float) -> str:
    """Return a value as the file writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
