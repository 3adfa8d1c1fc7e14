"""`orchgit update`: how this orchgit is brought up to date."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlparse

import click

from orchgit import __version__
from orchgit.cli import show


@click.command()
@click.option("--check", is_flag=True, help="Say what is installed, and from where.")
@show.as_json
def update(*, check: bool, wants_json: bool) -> None:
    """Say which command brings this orchgit up to date: what installed it does that, and not orchgit itself."""
    source, command = _origin()
    if wants_json:
        show.dump({"version": __version__, "source": source, "command": command})
        return
    if not check:
        click.echo(f"What installed orchgit updates it: {command}")
        return
    click.echo(f"orchgit {__version__}, from {source}. To update it: {command}")


def to_add(package: str) -> str:
    """Return the command that puts a further package beside this orchgit, as what installed it does that."""
    where = Path(sys.prefix).parts
    if "pipx" in where:
        return f"pipx inject orchgit '{package}'"
    if "uv" in where and "tools" in where:
        return f"uv tool install --with '{package}' {_origin()[1].removeprefix('uv tool upgrade ')}"
    return f"{sys.executable} -m pip install '{package}'"


def _origin() -> tuple[str, str]:
    """Return where this orchgit comes from, and the command that brings it up to date."""
    try:
        installed = metadata.distribution("orchgit")
    except metadata.PackageNotFoundError:
        return "a checkout that isn't installed", "git pull, there"
    direct = json.loads(installed.read_text("direct_url.json") or "{}")
    url = str(direct.get("url", ""))
    place = unquote(urlparse(url).path) if url.startswith("file:") else url
    if direct.get("dir_info", {}).get("editable"):
        return f"the checkout {place}", f"git -C {place} pull"
    where = Path(sys.prefix).parts
    if "pipx" in where:
        return place or "an index", "pipx upgrade orchgit"
    if "uv" in where and "tools" in where:
        return place or "an index", "uv tool upgrade orchgit"
    return place or "an index", f"{Path(sys.executable).name} -m pip install --upgrade {place or 'orchgit'}"
