"""Clears away what closed tasks leave: their worktrees and branches."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from orchgit.engine import shared, users, workspace
from orchgit.engine.workspace import Workspace
from orchgit.model import actor
from orchgit.model.errors import GitError, OrchgitError
from orchgit.model.task import CLOSED, Status, Task
from orchgit.repository import attempts, git, refs, runs, store, worktrees
from orchgit.repository.layout import WORK_BRANCHES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orchgit.model.config import Config
    from orchgit.repository.layout import Layout
    from orchgit.repository.runs import Folder
    from orchgit.repository.states import State

_NAME = "clear away"


def clear_away(layout: Layout, config: Config, task: Task) -> None:
    """Remove a closed task's worktree and branch, once all that is in them is kept under a ref.

    What can't be kept stays where it is, and so does everything of a task that was started over meanwhile.
    """
    with workspace.clearing(layout, task.id):
        now = _state(layout).tasks.get(task.id)
        if (now is None or now.status in CLOSED) and free_branch(layout, config, task):
            _remove_branch(layout, now or task)
            shared.forget(layout, task.id)


def free_branch(layout: Layout, config: Config, task: Task) -> bool:
    """Remove the task's worktree, once what lies in it is kept; is it gone, or was there none?

    One that somebody has open stays, until the next one who clears up finds it left.
    """
    path = worktrees.workspaces(layout, config) / task.id
    if workspace.git_dir(layout, path) is None or not path.is_dir():
        return True
    if users.of([path]) or _is_at_work(layout, path):
        return False
    title = f"{task.title} (left in its worktree)"
    space = Workspace(layout, path, task.id, title, task.branch or "", task.review_base, config.bring)
    _run_hook(layout, path)
    try:
        kept = workspace.keep(space, by=actor.ENGINE)
    except (GitError, OSError):
        return False
    if kept.complete:
        worktrees.remove(layout, path)
    return kept.complete


def clear_after(layout: Layout, run: Folder) -> None:
    """Clear away what the task of a run leaves that went astray, where the task is closed or deleted."""
    spec, state = runs.read_spec(run), _state(layout)
    task = state.tasks.get(spec.task)
    if task is None or task.status in CLOSED:
        gone = Task(id=spec.task, title=spec.title, path="", branch=spec.branch, review_base=spec.base)
        clear_away(layout, state.config, task or gone)


def in_background(work: Callable[..., None], *args: object) -> None:
    """Clear away while the loop goes on with other tasks; what fails, or dies with us, is swept up by the next loop."""

    def quietly() -> None:
        with suppress(OrchgitError, OSError):
            work(*args)

    threading.Thread(target=quietly, daemon=True, name=_NAME).start()


def wait() -> None:
    """Return when nothing is being cleared away in the background any more."""
    for thread in threading.enumerate():
        if thread.name == _NAME:
            thread.join()


def _is_at_work(layout: Layout, path: Path) -> bool:
    """Has the last run here not ended yet? Where its task was moved on without it, it may write there still."""
    last = workspace.last_run(layout, path)
    place = runs.folder(layout, last) if last is not None else None
    return place is not None and place.path.exists() and runs.read_result(place) is None


def _run_hook(layout: Layout, path: Path) -> None:
    """Run `before_remove` as the workspace's last run was told it, in a process of its own: it ends what it started."""
    last = workspace.last_run(layout, path)
    place = runs.folder(layout, last) if last is not None else None
    if place is None or not place.spec.exists() or not dict(runs.read_spec(place).hooks).get("before_remove"):
        return
    with place.runner_log.open("ab") as log:
        subprocess.run(
            [sys.executable, "-m", "orchgit.engine.hooks", os.fspath(place.path)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, check=False,
        )  # fmt: skip


def sweep(layout: Layout) -> None:
    """Clear away what belongs to closed tasks: whoever closed them may have died before doing so."""
    state = _state(layout)
    folder = worktrees.workspaces(layout, state.config)
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    own = f"refs/heads/{WORK_BRANCHES}/"
    branches = set(git.text("for-each-ref", "--format=%(refname:lstrip=2)", own, cwd=layout.common).split())
    for task in state.tasks.values():
        if task.status in CLOSED and (task.id in there or task.branch in branches):
            clear_away(layout, state.config, task)
    still_open = {task.id for task in state.tasks.values() if task.status not in CLOSED}
    for each in shared.remembered(layout):
        if each not in still_open:
            shared.forget(layout, each)


def _state(layout: Layout) -> State:
    return store.newest(layout)


def _remove_branch(layout: Layout, task: Task) -> None:
    """Delete the branch; one that has more than was approved stays, since nobody has decided about that."""
    tip = refs.branch(task.branch, common=layout.common) if task.branch else None
    if not task.branch or tip is None or (task.status is Status.DONE and tip != task.review_commit):
        return
    from orchgit.repository import project

    attempts.record(layout, task.id, tip)
    project.delete_branch(layout, task.branch, at=tip)
