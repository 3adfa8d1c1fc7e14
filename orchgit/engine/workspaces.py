"""All workspaces of a project: whose they are, what is kept of them, and which of them nobody needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.engine import clearing, workspace
from orchgit.engine import users as opened
from orchgit.model import actor, checkout, ids
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import NotFoundError, OrchgitError
from orchgit.model.task import CLOSED, Task
from orchgit.repository import git, isolated, store, worktrees

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.model.actor import Actor
    from orchgit.model.task import Status
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State


@dataclass(frozen=True, slots=True)
class Place:
    """The workspace of one task. `status` is None where the task was deleted, `kept`: nothing is in it alone."""

    task: str
    path: Path
    branch: str | None
    status: Status | None
    kept: bool


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of a workspace; `why` it was left, or "" where it is gone."""

    task: str
    path: Path
    why: str


def listed(layout: Layout, state: State) -> list[Place]:
    """Return the workspaces that are there, by task."""
    folder = worktrees.workspaces(layout, state.config)
    found = []
    for each in (*worktrees.listed(layout), *_clones(folder)):
        if each.path.parent == folder and ids.is_id(each.path.name, ids.TASK) and each.path.is_dir():
            task = state.tasks.get(each.path.name) or store.in_archive(layout, state.tip, each.path.name)
            status = task.status if task is not None else None
            found.append(Place(each.path.name, each.path, each.branch, status, _is_kept(layout, each)))
    return sorted(found, key=lambda place: place.task)


def of(layout: Layout, state: State, task: Task) -> Path:
    """Return where the task's workspace is; NotFoundError where it has none."""
    agent = state.agents.get(task.agent or task.assignee or "")
    if checkout.is_shared(task, agent, state.config):
        return layout.root
    path = worktrees.workspaces(layout, state.config) / task.id
    if workspace.git_dir(layout, path) is None or not path.is_dir():
        raise NotFoundError(f"{task.id} has no workspace.", "It gets one when an agent starts on it.")
    return path


def clean(layout: Layout, state: State, by: Actor, *, dry_run: bool = False) -> list[Cleaned]:
    """Remove the workspaces of closed and deleted tasks, once all in them is kept; say why the others were left."""
    actor.refuse_agent(by, "remove workspaces")
    places = listed(layout, state)
    users = opened.of([place.path for place in places])
    return [Cleaned(place.task, place.path, _clean(layout, state, place, users, dry_run=dry_run)) for place in places]


def _clean(layout: Layout, state: State, place: Place, users: dict[Path, str], *, dry_run: bool) -> str:
    if place.status is not None and place.status not in CLOSED:
        return f"its task is {place.status}"
    if any(place.task in broken.path for broken in state.broken):
        return "its task's file can't be read"
    if place.path in users:
        return users[place.path]
    if dry_run:
        return ""
    task = state.tasks.get(place.task) or Task(id=place.task, title=place.task, path="", branch=place.branch)
    try:
        clearing.clear_away(layout, state.config, task)
    except (OrchgitError, OSError) as error:
        return str(error)
    return "not all that lies in it could be kept" if place.path.exists() else ""


def _clones(folder: Path) -> list[worktrees.Worktree]:
    """Return the workspaces that are clones of their own, which git knows nothing of."""
    found = [path for path in folder.iterdir() if isolated.git_dir(path)] if folder.is_dir() else []
    return [
        worktrees.Worktree(
            path,
            git.commit_of("HEAD", cwd=path),
            git.call("symbolic-ref", "--quiet", "--short", "HEAD", cwd=path).text or None,
            missing=False,
        )
        for path in found
    ]


def _is_kept(layout: Layout, worktree: worktrees.Worktree) -> bool:
    """Has some ref the worktree's commit, and does git see nothing else in it?"""
    if worktree.head is None:
        return False
    refs = ("refs/heads", "refs/orchgit/attempts")
    named = git.call("for-each-ref", "--count=1", f"--contains={worktree.head}", *refs, cwd=layout.common)
    changed = git.call("status", "--porcelain", "-z", cwd=worktree.path)
    return bool(named.out) and changed.code == 0 and not changed.out
