"""Git's hooks of one project: installed, taken away, and told of, with what keeps them from running."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, assert_never

from orchgit.model.dataclass import dataclass
from orchgit.model.errors import RefusedError
from orchgit.repository import git, githooks
from orchgit.repository.githooks import How

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.githooks import Folder, Hook
    from orchgit.repository.layout import Layout

_OF_STATE = ("pre-commit", "prepare-commit-msg")  # what concerns commits in .orchestry/ only


@dataclass(frozen=True, slots=True)
class Standing:
    """How one hook stands. `chained` is what else runs with it; `faults` say why it doesn't run, or not everywhere."""

    hook: str
    how: How
    runs: bool
    chained: str | None
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The hooks in `folder`, where Git looks for them. `notes` are about all of them."""

    folder: Path
    hooks: tuple[Standing, ...]
    notes: tuple[str, ...] = ()


def install(layout: Layout, *, shared: bool = False) -> Report:
    """Put the hooks in front of what is there; done again, it mends what another tool has changed since."""
    where = githooks.folder(layout)
    githooks.refuse_unfit(where, shared=shared)
    try:
        left = githooks.install(layout, where)
    except OSError as error:
        raise RefusedError(
            f"The hooks can't be written in {where.path}: {error.strerror or error}.", "See to that, and install again."
        ) from error
    kept = (f"an older hook is kept as {each}" for each in left)
    return _report(layout, where, notes=(*kept, *_shows(layout, where)))


def uninstall(layout: Layout) -> tuple[str, ...]:
    """Take the hooks away; return what could not be put back where it was."""
    left = githooks.uninstall(layout, githooks.folder(layout))
    return tuple(f"{each} stays: another tool has written its own hook there since." for each in left)


def status(layout: Layout) -> Report:
    return _report(layout, githooks.folder(layout))


def _report(layout: Layout, where: Folder, *, notes: tuple[str, ...] = ()) -> Report:
    known = githooks.noted(layout)
    found = (githooks.look(where.path, name, expected=where.path in known) for name in githooks.NAMES)
    away = [f"hooks were installed in {each}, where Git doesn't look" for each in known if each != where.path]
    reason = f"core.hooksPath is {where.setting}" if where.setting else "core.hooksPath is not set"
    elsewhere = tuple(f"{words}: {reason}" for words in away)
    everywhere = (*elsewhere, *_about_all(where), *notes)
    return Report(where.path, tuple(_standing(layout, where, hook) for hook in found), everywhere)


def _standing(layout: Layout, where: Folder, hook: Hook) -> Standing:
    nowhere = _missing_where(layout, where, hook)
    faults = [*_why_not(hook), *nowhere]
    if hook.chained and hook.chained.endswith("not executable"):
        faults.append("the hook that was here before is not executable: Git would not run it either")
    runs = hook.how in (How.INSTALLED, How.OUTDATED) or githooks.runs_aside(hook)
    usable = runs and not nowhere and os.access(where.path / hook.name, os.X_OK) and shutil.which("orchgit") is not None
    return Standing(hook.name, hook.how, usable, hook.chained, tuple(faults))


def _why_not(hook: Hook) -> list[str]:
    mend = "`orchgit hooks install` mends that"
    match hook.how:
        case How.INSTALLED:
            return []
        case How.OUTDATED:
            return [f"it is another version's, or not executable: {mend}"]
        case How.ASIDE if githooks.runs_aside(hook):
            return []
        case How.ASIDE | How.REPLACED:
            return [f"{hook.chained or 'another tool'} was installed over it: {mend}"]
        case How.MISSING:
            return []
        case _:
            assert_never(hook.how)


def _missing_where(layout: Layout, where: Folder, hook: Hook) -> list[str]:
    """Tell of worktrees in which a relative `core.hooksPath` leads nowhere."""
    if not where.relative or hook.how is How.MISSING or hook.name not in _OF_STATE:
        return []
    place = layout.state / where.setting
    if (place / hook.name).exists():
        return []
    return [f"core.hooksPath is {where.setting}, which {layout.state.name}/ doesn't have: commits there run no hooks"]


def _about_all(where: Folder) -> list[str]:
    found = []
    if where.path.exists() and not where.path.is_dir():
        found.append(f"core.hooksPath is {where.setting}, which is not a folder: Git runs no hooks")
    if shutil.which("orchgit") is None:
        found.append("orchgit is not on the PATH: the hooks let everything pass")
    if git.version()[:2] < git.MINIMUM:
        found.append(f"git is {'.'.join(map(str, git.version()))}: orchgit needs {'.'.join(map(str, git.MINIMUM))}")
    return found


def _shows(layout: Layout, where: Folder) -> list[str]:
    """Say where what was installed is seen by the project, and so by others."""
    inside = where.path.is_relative_to(layout.root) and not where.path.is_relative_to(layout.common)
    if not inside or git.call("check-ignore", "--quiet", where.path / "pre-push", cwd=layout.root).code == 0:
        return []
    return [
        f"{where.path.relative_to(layout.root)} is the project's own folder: what was put there shows in git status"
    ]
