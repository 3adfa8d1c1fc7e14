"""`orchgit doctor`: what keeps a team from working, and what can be done about it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import show
from orchgit.engine.doctor.finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_COLORS = {Level.OK: "green", Level.INFO: "cyan", Level.WARNING: "yellow", Level.ERROR: "red"}
_LEVEL, _CHECK = 9, 13  # columns


@click.command()
@click.option("--fix", is_flag=True, help="Mend what can be mended safely, and say what was done.")
@show.as_json
@click.pass_obj
def doctor(directory: Path, *, fix: bool, wants_json: bool) -> int:
    """Look over Git, agents, state, locks, runs and what they leave: what is wrong, what it means, the next step.

    It works anywhere, changes nothing without --fix, and asks no network. Exit code 1: an error is left.
    """
    found: list[Finding] = []
    for finding in api.doctor(directory, fix=fix):
        found.append(finding)
        if not wants_json:
            click.echo("\n".join(_lines(finding)))
    if wants_json:
        show.dump([_data(each) for each in found])
    else:
        click.echo(f"\n{_summary(found, fix=fix)}")
    return 1 if any(each.level is Level.ERROR and not each.fixed for each in found) else 0


def _lines(finding: Finding) -> Iterator[str]:
    level = "fixed" if finding.fixed else finding.level.value
    color = "green" if finding.fixed else _COLORS[finding.level]
    yield f"{show.style(level.ljust(_LEVEL), fg=color)}{finding.check.ljust(_CHECK)}{show.one_line(finding.what)}"
    further = (f"Done: {finding.fixed}.",) if finding.fixed else (finding.meaning, finding.fix)
    yield from (f"{'':{_LEVEL + _CHECK}}{show.one_line(words)}" for words in further if words)


def _summary(found: Sequence[Finding], *, fix: bool) -> str:
    left = Counter(each.level for each in found if not each.fixed)
    parts = [_many(left[level], level.value) for level in (Level.ERROR, Level.WARNING) if left[level]]
    fixed = sum(1 for each in found if each.fixed)
    mendable = 0 if fix else sum(1 for each in found if each.mend is not None)
    words = (
        f"{' and '.join(parts)} left." if fix and parts else f"{' and '.join(parts)}." if parts else "Nothing is wrong."
    )
    more = f" `orchgit doctor --fix` mends {mendable} of what is said above." if mendable else ""
    return words + (f" {fixed} fixed." if fixed else "") + more


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _data(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.check, "level": finding.level, "what": finding.what, "meaning": finding.meaning,
        "fix": finding.fix, "fixable": finding.mend is not None, "fixed": finding.fixed,
    }  # fmt: skip
