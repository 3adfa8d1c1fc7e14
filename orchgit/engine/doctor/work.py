"""What work leaves: runs, processes, worktrees, branches and refs, and whether a task still has them."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, assert_never

from orchgit.engine import clearing, descendants, history, workspaces
from orchgit.engine.doctor.finding import Finding, Level
from orchgit.engine.environment import MARKER
from orchgit.model import ids
from orchgit.model.errors import RefusedError
from orchgit.model.run import Alive, Finished, Gone, Stop
from orchgit.model.task import CLOSED, Status, Task
from orchgit.repository import attempts, git, locks, machine, runs, store, worktrees
from orchgit.repository.layout import WORK_BRANCHES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from orchgit.engine.doctor.finding import Scene
    from orchgit.repository.layout import Layout
    from orchgit.repository.runs import Folder
    from orchgit.repository.worktrees import Worktree

_KEPT = re.compile(r"refs/orchgit/(?:attempts|edits)/(?P<task>[^/]+)/")
_OWNER = re.compile(rf"{WORK_BRANCHES}/(?P<task>{ids.TASK}_[0-9A-Za-z]+)")


def runs_owned(scene: Scene) -> Iterator[Finding]:
    here = machine.known_id(scene.layout)
    team = locks.is_held(scene.layout.orchestrator_lock)
    for task in sorted(scene.state.tasks.values(), key=lambda each: each.id):
        if task.status is not Status.IN_PROGRESS or task.run is None:
            continue
        if task.machine != here:
            what = f"{task.id} is being worked on in another clone, which is called {task.machine}."
            yield Finding(Level.INFO, what, "Only that one may say that its run is gone.")
        elif not team:
            yield _unattended(scene.layout, task)
    yield from _forgotten(scene, team=team)


def clone_named(scene: Scene) -> Iterator[Finding]:
    """Can this clone's name be read, by which it knows its runs? Of a run whose folder is here it is known still."""
    if machine.is_damaged(scene.layout):
        tasks = scene.state.tasks.values()
        owned = {task.machine for task in tasks if task.run and runs.folder(scene.layout, task.run).spec.is_file()}
        names = [name for name in owned if name]
        yield Finding(
            Level.ERROR,
            f"{machine.place(scene.layout)} is damaged: this clone has no name that can be read.",
            "It takes its own runs for another clone's.",
            "The next run gives it another name.",
            partial(_name_again, scene.layout, names[0] if len(names) == 1 else None),
        )


def _name_again(layout: Layout, name: str | None) -> str:
    if name:
        machine.put_back(layout, name)
    return f"this clone is called {machine.machine_id(layout)}{', as before' if name else ' now'}"


def _unattended(layout: Layout, task: Task) -> Finding:
    """Return how a run stands that no team looks after."""
    trouble = _trouble(layout, task)
    if trouble is None:
        what = f"{task.run} works on {task.id}, and no team is running."
        fix = "`orchgit run --all` looks after it, and goes on."
        return Finding(Level.INFO, what, "When it has ended, nobody takes note of it.", fix)
    fix = "`orchgit run --all` finds out what became of it, and goes on."
    return Finding(Level.WARNING, trouble, "The task stays in progress until then.", fix)


def _trouble(layout: Layout, task: Task) -> str | None:
    place = runs.folder(layout, str(task.run))
    if not place.spec.is_file():
        return f"The folder of {task.run}, which works on {task.id}, is gone."
    match runs.observe(place):
        case Alive():
            return None
        case Finished():
            return f"{task.run} of {task.id} has ended, and no team has taken note of it."
        case Gone():
            return f"{task.run} of {task.id} has no runner any more."
        case other:
            assert_never(other)


def _forgotten(scene: Scene, *, team: bool) -> Iterator[Finding]:
    """Yield the runs that live and belong to no task: a team that is starting one is given the time to say so."""
    alive = [place for place in runs.all_of(scene.layout) if locks.is_held(place.runner_lock)]
    if not alive or team:
        return
    tip = store.tip(scene.layout)
    now = replace(scene, state=store.read(scene.layout, tip))
    for place in alive:
        if not _is_owned(now, place) and not runs.stop_asked(place):
            what = f"{place.id} is at work on {runs.read_spec(place).task}, and that task doesn't know of it."
            fix = "Let it end by itself, or have it asked to."
            meaning = "What it does is kept under a ref, and reviewed by nobody."
            yield Finding(Level.WARNING, what, meaning, fix, partial(_ask_to_stop, place, scene.by.name))


def _is_owned(scene: Scene, place: Folder) -> bool:
    """Has its task that run, or may it have, since its file can't be read?"""
    name = runs.read_spec(place).task
    task = scene.state.tasks.get(name)
    return task.run == place.id if task is not None else not scene.is_gone(name)


def _ask_to_stop(place: Folder, by: str) -> str:
    runs.ask_to_stop(place, Stop.RELEASE, by=by)
    return f"asked {place.id} to end; what it did is kept"


def survivors(scene: Scene) -> Iterator[Finding]:
    """Yield what lives of runs that ended; of one that a task still has, the next team ends it."""
    marked = _marked()
    for place in runs.all_of(scene.layout):
        lives = place.id in marked or locks.is_held(place.agent_lock)
        if lives and not locks.is_held(place.runner_lock) and not _is_owned(scene, place):
            who = ", ".join(marked.get(place.id, ("a process without its mark",)))
            what = f"{place.id} of {runs.read_spec(place).agent} has ended, and {who} of it still lives."
            meaning = "It may go on changing files."
            fix = "See what it is, and end it."
            yield Finding(Level.WARNING, what, meaning, fix, partial(_end, place))


def _marked() -> Mapping[str, list[str]]:
    """Return the processes that carry a run's mark in their environment, by the run; not ourselves."""
    import psutil

    found: defaultdict[str, list[str]] = defaultdict(list)
    for each in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            run = each.environ().get(MARKER)
            if run and each.pid != os.getpid() and each.status() != psutil.STATUS_ZOMBIE:
                found[run].append(f"process {each.pid} ({each.name()})")
    return found


def _end(place: Folder) -> str:
    left = descendants.end(place.id, lock=place.agent_lock)
    if left:
        raise RefusedError(f"{', '.join(left)} can't be ended.")
    return f"ended what lived of {place.id}"


def worktrees_left(scene: Scene) -> Iterator[Finding]:
    folder = worktrees.workspaces(scene.layout, scene.state.config)
    for each in worktrees.listed(scene.layout):
        if each.path.parent == folder and ids.is_id(each.path.name, ids.TASK) and not os.path.lexists(each.path):
            what = f"Git has a worktree {each.path} on record, and that folder is gone."
            mend = None if _is_locked(scene.layout, each.path) else partial(_forget, scene.layout, each)
            fix = "`git worktree list` shows it; a further run of its task makes it anew."
            yield Finding(Level.INFO, what, f"{each.branch or 'Its commit'} counts as checked out there.", fix, mend)
    places = workspaces.listed(scene.layout, scene.state)
    left = [each for each in places if (scene.is_gone(each.task) if each.status is None else each.status in CLOSED)]
    if left:
        named = ", ".join(f"{place.task} ({place.status or 'deleted'})" for place in left)
        fix = "`orchgit workspace clean` removes them, once all in them is kept."
        what = f"Worktrees are left of tasks that are closed or gone: {named}."
        yield Finding(Level.WARNING, what, "They take room.", fix, partial(_clean, scene))


def _is_locked(layout: Layout, path: Path) -> bool:
    own = worktrees.git_dir(layout, path)
    return own is not None and (own / "locked").exists()


def _forget(layout: Layout, worktree: Worktree) -> str:
    """Take it off git's record; a commit that only it named gets a ref first."""
    if worktree.head is not None:
        named = git.call("for-each-ref", "--count=1", f"--contains={worktree.head}", cwd=layout.common)
        if not named.out:
            attempts.record(layout, worktree.path.name, worktree.head)
    worktrees.remove(layout, worktree.path)
    return "took it off the record"


def _clean(scene: Scene) -> str:
    done = workspaces.clean(scene.layout, scene.state, scene.by)
    open_ = {task.id for task in scene.state.tasks.values() if task.status not in CLOSED}
    left = [f"left that of {each.task}: {each.why}" for each in done if each.why and each.task not in open_]
    gone = [each.task for each in done if not each.why]
    if not gone:
        raise RefusedError("; ".join(left) or "nothing was left to remove")
    return "; ".join([f"removed those of {', '.join(gone)}", *left])


def branches_left(scene: Scene) -> Iterator[Finding]:
    listing = git.text(
        "for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", f"refs/heads/{WORK_BRANCHES}/",
        cwd=scene.layout.common,
    )  # fmt: skip
    for tip, branch in (line.split(" ", 1) for line in listing.splitlines()):
        task = next((task for task in scene.state.tasks.values() if ids.is_work_branch(branch, task.id)), None)
        if task is None:
            yield _of_no_task(scene, branch)
        elif task.status is Status.DONE and tip != task.review_commit:
            what = f"{branch} of {task.id}, which is done, has other commits than those that were approved."
            yield Finding(
                Level.INFO, what, "Nobody has decided about them.", f"`git log {task.review_commit}..{branch}`"
            )
        elif task.status in CLOSED and task.branch == branch:
            what = f"{branch} is left of {task.id}, which is {task.status}."
            fix = "The next team clears it away."
            yield Finding(Level.WARNING, what, "", fix, partial(_clear_away, scene, task))


def branches_lost(scene: Scene) -> Iterator[Finding]:
    """Yield which tasks in review have a branch no more, neither here nor at a remote, though their commit is here."""
    named = git.text("for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes", cwd=scene.layout.common)
    known = named.split()
    for task in sorted(scene.state.tasks.values(), key=lambda each: each.id):
        if task.status is not Status.REVIEW or not task.branch or not ids.is_work_branch(task.branch, task.id):
            continue
        lost = not any(ref.endswith(f"/{task.branch}") for ref in known)
        if lost and task.review_commit and git.commit_of(task.review_commit, cwd=scene.layout.common):
            what = f"{task.branch} of {task.id}, which is in review, is gone."
            meaning = "Its commit is kept, and can be approved all the same."
            fix = f"`git branch {task.branch} {task.review_commit[:12]}` sets it there anew."
            yield Finding(Level.WARNING, what, meaning, fix, partial(_set_anew, scene, task))


def _set_anew(scene: Scene, task: Task) -> str:
    assert task.review_commit
    made = ("update-ref", f"refs/heads/{task.branch}", task.review_commit, "")
    git.run(*git.NO_HOOKS, *made, cwd=scene.layout.common)
    return f"set {task.branch} at {task.review_commit[:12]}"


def _of_no_task(scene: Scene, branch: str) -> Finding:
    found = _OWNER.match(branch)
    owner = found["task"] if found else ""
    gone = owner and scene.is_gone(owner)
    told = gone and next(history.entries(scene.layout, scene.state.tip, task=owner, limit=1), None)
    if not told:
        what = f"{branch} is of no task that is known here."
        return Finding(Level.INFO, what, "It may be another clone's.", f"`git log {branch}` shows what is on it.")
    what = f"{branch} is left of {owner}, which was deleted."
    task = Task(id=owner, title=branch, path="", branch=branch)
    return Finding(
        Level.WARNING, what, "", f"`git log {branch}` shows what is on it.", partial(_clear_away, scene, task)
    )


def _clear_away(scene: Scene, task: Task) -> str:
    clearing.clear_away(scene.layout, scene.state.config, task)
    if git.branch_exists(str(task.branch), cwd=scene.layout.common):
        raise RefusedError(f"{task.branch} is in use, or not all in its worktree could be kept.")
    return f"removed {task.branch}; its commits are under refs/orchgit/attempts/{task.id}"


def refs_kept(scene: Scene) -> Iterator[Finding]:
    kept = git.text("for-each-ref", "--format=%(refname)", "refs/orchgit/", cwd=scene.layout.common).splitlines()
    owners = Counter(found["task"] for ref in kept if (found := _KEPT.match(ref)))
    gone = sorted(filter(scene.is_gone, owners))
    if gone:
        count = sum(owners[task] for task in gone)
        refs = "1 ref under refs/orchgit/ keeps" if count == 1 else f"{count} refs under refs/orchgit/ keep"
        tasks = "1 task that is" if len(gone) == 1 else f"{len(gone)} tasks that are"
        what = f"{refs} work of {tasks} gone: {', '.join(gone[:5])}"
        fix = "`git for-each-ref refs/orchgit/` lists them. They are never removed by orchgit."
        yield Finding(Level.INFO, f"{what}{', ...' if gone[5:] else '.'}", "They take room, and lose nothing.", fix)
