"""Mounts the state branch at `.orchestry/`: a new one, a remote's, or the one that was there before."""

from __future__ import annotations

import os
import re
import shlex
import time
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from orchgit.model import config, trailers
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError, NotFoundError, RefusedError
from orchgit.repository import (
    exclude,
    files,
    find,
    git,
    identity,
    linked,
    locks,
    personal,
    preflight,
    remote,
    seed,
    stream,
)
from orchgit.repository.layout import STATE_BRANCH, STATE_REF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.model.config import Config
    from orchgit.repository.find import Located
    from orchgit.repository.layout import Layout
    from orchgit.repository.remote import Shared

_WAIT = 30.0
_VERSION = re.compile(rb"^version\s*:", re.MULTILINE)
_FOLDERS = ("tasks", "agents", "goals", "teams")


class Did(StrEnum):
    CREATED = "created"
    ATTACHED = "attached"
    MOUNTED = "mounted"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What init did. `base` is what approved work is merged into, `source` the remote's branch that was attached."""

    did: Did
    layout: Layout
    base: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where the state branch will come from: `shared`, else a first commit that says `name` and `base`."""

    shared: Shared | None
    name: str
    base: str


def init(start: Path, *, base: str | None = None, name: str | None = None, offline: bool = False) -> Outcome:
    """Give the project around `start` its state branch, or say that it has one; a failure leaves nothing behind."""
    preflight.check_version()
    located = find.locate(start)
    layout, plan = located.layout, None
    if located.tip is None:
        try:
            plan = _plan(layout, base=base, name=name, offline=offline)
        except RefusedError:  # what is in the way may be another init, half done
            located = _after_others(start, layout)
            if located.tip is None:
                raise
    if located.tip is not None:
        _check_agrees(layout, located.tip, STATE_BRANCH, base=base, name=name)
    with _holding(layout):
        begins = plan is not None and git.commit_of(STATE_REF, cwd=layout.root) is None
        did = _begin(layout, plan) if plan and begins else _again(layout)
        settings = _settings(layout, _tip(layout))
    source = plan.shared.name if plan and plan.shared and did is Did.ATTACHED else ""
    return Outcome(did, layout, settings.project_base, source)


def _after_others(start: Path, layout: Layout) -> Located:
    if locks.is_held(_lock(layout)):
        with _holding(layout):
            pass
    return find.locate(start)


def mount(layout: Layout) -> None:
    """Bring `.orchestry/` back where it is missing, broken or moved; files that were typed there stay as they are."""
    with _holding(layout):
        if not find.mounted(layout):
            _mount(layout, _tip(layout))


def _plan(layout: Layout, *, base: str | None, name: str | None, offline: bool) -> _Plan:
    preflight.check(layout)
    shared = remote.shared(layout, offline=offline)
    if shared is None:
        return _Plan(None, _one_line(name or layout.root.name), preflight.base_branch(layout, base))
    _check_agrees(layout, shared.commit, shared.name, base=base, name=name)
    return _Plan(shared, "", "")


def _one_line(name: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in name).split()) or "project"


def _begin(layout: Layout, plan: _Plan) -> Did:
    preflight.check_empty(layout)  # again, under the lock: what is undone below is what was made here
    with ExitStack() as undo:
        undo.callback(exclude.restore, layout, files.read(exclude.path(layout)))
        undo.callback(_restore_note, layout, files.read(find.root_note(layout.common)))
        undo.callback(linked.forget, layout)
        layout.state.mkdir(exist_ok=True)
        commit = _make_branch(layout, plan)
        undo.callback(git.call, *git.NO_HOOKS, "update-ref", "-d", STATE_REF, commit, cwd=layout.root)
        _mount(layout, commit, chosen=True)
        undo.pop_all()
    return Did.ATTACHED if plan.shared else Did.CREATED


def _again(layout: Layout) -> Did:
    mounted, added = find.mounted(layout), exclude.add(layout)
    if not mounted:
        _mount(layout, _tip(layout), chosen=True)
    return Did.MOUNTED if added or not mounted else Did.UNCHANGED


def _make_branch(layout: Layout, plan: _Plan) -> str:
    if plan.shared is None:
        return _create(layout, plan)
    log = f"orchgit: attached to {plan.shared.name}"
    git.run(*git.NO_HOOKS, "update-ref", "-m", log, STATE_REF, plan.shared.commit, "", cwd=layout.root)
    return plan.shared.commit


def _create(layout: Layout, plan: _Plan) -> str:
    own = personal.given()
    actor, machine = identity.caller(layout.root), identity.machine(layout.root)
    seconds = int(time.time())
    author, committer = (stream.Signature(each.name, each.email, seconds) for each in (actor, machine))
    body = f"The tasks, agents and settings of {plan.name} are kept on this branch; approved work goes to {plan.base}."
    message = trailers.render(trailers.Message("state: created", body, (("Actor", actor.name),)))
    commit = stream.Commit(message, author, committer, seed.files(plan.name, plan.base, own=own))
    return stream.write(layout.common, STATE_REF, None, [commit]).tip


def _mount(layout: Layout, commit: str, *, chosen: bool = False) -> None:
    """`chosen` says that a person asked for it here, which settles where a bare repository's state lies."""
    _check_ours(layout, commit, STATE_BRANCH)
    preflight.check_place(layout)
    _note_root(layout, chosen=chosen)
    exclude.add(layout)
    linked.attach(layout, commit)
    for folder in _FOLDERS:
        (layout.state / folder).mkdir(exist_ok=True)


def _note_root(layout: Layout, *, chosen: bool) -> None:
    """Write down where the root is, unless the Git directory says it by lying there."""
    if layout.common == layout.root / ".git":
        return
    note, root = find.root_note(layout.common), os.fsencode(layout.root)
    said = files.read(note)
    if said != root and not chosen and find.git_directory(layout.root) != layout.common:
        lost = f"the one that held .orchestry is gone: {os.fsdecode(said)}" if said else "none holds .orchestry yet"
        what = f"{layout.common} is bare, and of its worktrees {lost}."
        raise RefusedError(what, "Run `orchgit init` in the worktree that shall hold it.")
    files.replace(note, root)


def _restore_note(layout: Layout, before: bytes | None) -> None:
    note = find.root_note(layout.common)
    if before is None:
        note.unlink(missing_ok=True)
    else:
        files.replace(note, before)


def _tip(layout: Layout) -> str:
    tip = git.commit_of(STATE_REF, cwd=layout.root)
    if tip is None:
        raise NotFoundError(f"The branch {STATE_BRANCH} of {layout.root} is gone.", "Run `orchgit init` to set it up.")
    return tip


def _check_ours(layout: Layout, commit: str, branch: str) -> None:
    if (
        _VERSION.search(_file(layout, commit, config.PATH))
        or _file(layout, commit, ".gitattributes") == seed.ATTRIBUTES
    ):
        return
    what = f"The branch {branch} of {layout.root} is not orchgit's: it has no {config.PATH} that says `version:`."
    rename = f"Rename it: `git branch -m {branch} NEW-NAME`." if branch == STATE_BRANCH else "Rename it at the remote."
    raise RefusedError(what, rename)


def _check_agrees(layout: Layout, commit: str, branch: str, *, base: str | None, name: str | None) -> None:
    """Settings that are there already stay: asking for others is refused, not ignored."""
    _check_ours(layout, commit, branch)
    settings = _settings(layout, commit)
    for key, said, asked in (("base", settings.project_base, base), ("name", settings.project_name, name)):
        if asked is not None and asked != said:
            what = f"{branch} is there already, and its project.{key} is {said!r}, not {asked!r}."
            raise RefusedError(what, f"`orchgit config set project.{key} {shlex.quote(asked)}` changes it.")


def _settings(layout: Layout, commit: str) -> Config:
    settings = config.read(_file(layout, commit, config.PATH).decode(errors="replace"))
    if not settings.project_base:
        raise InvalidFileError(config.PATH, "is missing", key="project.base", next_step="Add it, and commit that.")
    return settings


def _file(layout: Layout, commit: str, path: str) -> bytes:
    return git.call("cat-file", "blob", f"{commit}:{path}", cwd=layout.root).out


def _lock(layout: Layout) -> Path:
    return layout.local / "mount.lock"


@contextmanager
def _holding(layout: Layout) -> Iterator[None]:
    """Keep other mounts out; what the disk refuses comes out as an error that a person can act on."""
    try:
        with locks.held(_lock(layout), wait=_WAIT, doing="mount the state"):
            yield
    except OSError as error:
        what = f"{layout.state} can't be set up: {error.filename or layout.common}: {error.strerror}."
        raise RefusedError(what, "Make sure that it can be written to, and run the command again.") from error
