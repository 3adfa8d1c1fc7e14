"""`orchgit import`: bring a project of ORCH over."""

from __future__ import annotations

from pathlib import Path

import click

from orchgit import api
from orchgit.cli import nearest, show


@click.group("import", cls=nearest.Group)
def importing() -> None:
    """Bring over what another tool has kept."""


@importing.command()
@click.argument("dir", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be made.")
@show.as_json
@click.pass_obj
def orch(directory: Path, dir: Path, *, dry_run: bool, wants_json: bool) -> None:  # noqa: A002
    """Bring over the ORCH project whose .orchestry folder is DIR, or lies in it: all of it, or nothing.

    What is here already stays. What can't be as it was, or has no place here, is kept and told.
    """
    brought = api.open_project(directory).import_orch(dir, dry_run=dry_run)
    if wants_json:
        show.dump({"dry_run": dry_run, "made": brought.counts, "paths": brought.paths, "notes": brought.notes})
        return
    for note in brought.notes:
        click.echo(note)
    made = ", ".join(_counted(kind, count) for kind, count in brought.counts.items() if count) or "nothing"
    show.say(f"{'Would bring' if dry_run else 'Brought'} over {made}.")


def _counted(kind: str, count: int) -> str:
    """Return how many of a kind there are: `1 task`."""
    words = {"context": "values of the context"}.get(kind, kind)
    return f"{count} {words}" if count > 1 else f"1 {words.replace('values', 'value').removesuffix('s')}"
