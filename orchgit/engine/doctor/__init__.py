"""Looks a project over: a table of checks, and what they find."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchgit.engine.doctor import hooking, lying, machine, names, places, repository, work
from orchgit.engine.doctor.finding import Finding, Level, Scene, of_error
from orchgit.model import actor
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import OrchgitError
from orchgit.repository import find, identity, store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orchgit.repository.find import Located

    Look = Callable[[], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """`well` is what is said where it finds nothing."""

    name: str
    well: str


# Each stage needs what the one before it found: git, a repository, a state branch.
ANYWHERE: Final = {
    Check("git", "Git is there"): machine.git_version,
    Check("python", "Python is there"): machine.python,
    Check("identity", "Git knows who you are"): machine.identity,
    Check("templates", "every template can be read"): machine.templates,
}
IN_A_REPOSITORY: Final = {
    Check("project", "the state branch is there"): repository.project,
    Check("permissions", "everything can be written to"): places.permissions,
    Check("disk", "there is room"): places.disk,
    Check("locks", "no lock is left behind"): repository.locks_left,
    Check("copy", "no other clone has this one's name"): repository.copied,
}
IN_A_PROJECT: Final = {
    Check("mount", ".orchestry/ is the state branch's worktree"): lying.mounted,
    Check("journal", "no write is left half done"): lying.journal,
    Check("files", "every committed file can be read"): lying.files_read,
    Check("keys", "no key looks misspelt"): lying.keys,
    Check("edits", "all that lies in .orchestry/ is committed"): lying.edits,
    Check("hooks", "Git's hooks run"): hooking.git_hooks,
    Check("remote", "no remote's state differs, as far as it was fetched"): lying.remotes,
    Check("clock", "the clock agrees with the history"): lying.clock,
    Check("watch", "files can be watched"): places.watching,
    Check("base", "the base branch is there"): names.base,
    Check("agents", "every agent can be started"): names.agents,
    Check("tasks", "tasks name only what exists"): names.tasks,
    Check("goals", "goals name only who exists"): names.goals,
    Check("teams", "teams have only members that exist"): names.teams,
    Check("name", "this clone has its name"): work.clone_named,
    Check("runs", "every run has its runner"): work.runs_owned,
    Check("survivors", "nothing of an ended run lives"): work.survivors,
    Check("worktrees", "every worktree has an open task"): work.worktrees_left,
    Check("branches", "every work branch has an open task"): work.branches_left,
    Check("review", "every task in review has its branch"): work.branches_lost,
    Check("refs", "kept work is of tasks that exist"): work.refs_kept,
}
CHECKS: Final = (*ANYWHERE, *IN_A_REPOSITORY, *IN_A_PROJECT)


def examine(start: Path, *, mend: bool = False) -> Iterator[Finding]:
    """Yield what each check finds, `ok` where that is nothing; with `mend`, what is safe is mended on the way.

    It changes nothing otherwise. RefusedError where an agent asks for mending.
    """
    if mend:
        actor.refuse_agent(identity.caller(start if start.is_dir() else Path("/")), "mend the project")
    for check, look in ANYWHERE.items():
        found = list(_looked(check, partial(look, start), mend=mend))
        yield from found
        if any(each.level is Level.ERROR for each in found):
            return
    try:
        located = find.locate(start)
    except (OrchgitError, OSError) as error:
        yield replace(of_error(error, "No orchgit command works here."), check="project")
        return
    for check, see in IN_A_REPOSITORY.items():
        yield from _looked(check, partial(see, located), mend=mend)
    if located.tip is not None:
        yield from _in_project(located, located.tip, mend=mend)


def _in_project(located: Located, tip: str, *, mend: bool) -> Iterator[Finding]:
    by = identity.caller(located.layout.common)
    for check, inspect in IN_A_PROJECT.items():
        try:
            scene = Scene(located.layout, store.read(located.layout, tip), by)
        except (OrchgitError, OSError) as error:
            yield replace(of_error(error, "The state branch can't be read."), check="files")
            return
        yield from _looked(check, partial(inspect, scene), mend=mend)


def _looked(check: Check, look: Look, *, mend: bool) -> Iterator[Finding]:
    """Yield what the check finds; where it can't look, that is what it found."""
    try:
        found = [replace(each, check=check.name) for each in look()]
    except (OrchgitError, OSError) as error:
        found = [replace(of_error(error, "This could not be looked at."), check=check.name)]
    except (ValueError, TypeError, KeyError) as error:  # a file of our own that isn't as we wrote it
        what = f"A file in .git/orchgit can't be read: {type(error).__name__}: {error}"
        found = [Finding(Level.ERROR, what, "This could not be looked at.", check=check.name)]
    yield from (_mended(each) if mend else each for each in found)
    if not found:
        yield Finding(Level.OK, check.well, check=check.name)


def _mended(finding: Finding) -> Finding:
    if finding.mend is None:
        return finding
    try:
        return replace(finding, fixed=finding.mend())
    except (OrchgitError, OSError) as error:
        return replace(finding, meaning=f"It could not be mended: {error}", mend=None)
