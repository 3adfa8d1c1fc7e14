"""Git's hooks: are they there, and what keeps one from running?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.engine import githooks
from orchgit.engine.doctor.finding import Finding, Level
from orchgit.repository.githooks import How

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.engine.doctor.finding import Scene

_COURTESY = "The ledger and `orchgit verify` hold all the same: hooks only tell sooner."


def git_hooks(scene: Scene) -> Iterator[Finding]:
    report = githooks.status(scene.layout)
    if all(each.how is How.MISSING for each in report.hooks):
        fix = "`orchgit hooks install` puts them beside yours."
        yield Finding(Level.INFO, "Git's hooks of orchgit are not installed.", _COURTESY, fix)
        return
    for each in report.hooks:
        for fault in each.faults:
            what = f"The hook {each.hook} doesn't run as it should: {fault}."
            yield Finding(Level.WARNING, what, _COURTESY, "`orchgit hooks install` mends what can be mended.")
