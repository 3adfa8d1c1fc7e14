"""Review: what waits for a person, and the two answers to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.engine import clearing, history
from orchgit.model import feedback, lifecycle, trailers
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import NotFoundError, RefusedError
from orchgit.model.lifecycle import Ask
from orchgit.model.task import Status
from orchgit.model.trailers import Message
from orchgit.repository import git, ledger, locks, project, refs, store, worktrees

if TYPE_CHECKING:
    from orchgit.model.actor import Actor
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State


_WAIT = 30.0  # seconds for somebody else who approves the same task


@dataclass(frozen=True, slots=True)
class Approved:
    """`merge` is the commit that brought the work into `base`; None where nothing was left to merge."""

    task: Task
    base: str
    merge: str | None


def approve(layout: Layout, state: State, task: Task, by: Actor, *, commit: str | None = None) -> Approved:
    """Merge the reviewed commit into the base branch and close the task.

    `commit` is the commit that is approved, where the branch has moved on since its review began. RefusedError, and
    nothing moved, where the lifecycle, the pin, a conflict or the person's own files stand in the way.
    """
    with locks.held(layout.approval(task.id), wait=_WAIT, doing=f"approve {task.id}"):
        approved = _approve(layout, state, task, by, commit=commit)
    clearing.clear_away(layout, state.config, approved.task)
    return approved


def _approve(layout: Layout, state: State, task: Task, by: Actor, *, commit: str | None) -> Approved:
    now = _current(layout, task)
    lifecycle.judge(now, Ask.APPROVE, by)
    if now.review_commit != task.review_commit:
        raise RefusedError(
            f"{task.id} has another commit in review by now: {str(now.review_commit)[:12]}.", "Look at that one first."
        )
    pinned = _pinned(layout, task, commit)
    merge = _merge(layout, state, task, pinned)
    with ledger.writing(layout, by) as book:
        now = book.state.task(task.id)
        if now.status is not Status.DONE:
            sets: ledger.Sets = {"review_commit": pinned, "closed": datetime.now(UTC).replace(microsecond=0)}
            now = book.transition(task.id, Ask.APPROVE, sets=sets, details={"Merge-Commit": merge})
    return Approved(now, state.config.project_base, merge)


def reject(layout: Layout, task: Task, by: Actor, *, reason: str = "") -> Task:
    """Send the task back to be done again, with `reason` as feedback; its branch stays as it is."""
    entry = feedback.entry(by.name, reason.strip(), datetime.now(UTC)) if reason.strip() else ""
    with ledger.writing(layout, by) as book:
        return book.transition(task.id, Ask.REJECT, feedback=entry, details={"Reason": reason})


def _current(layout: Layout, task: Task) -> Task:
    """Return the task as it stands now: what the caller saw may be hours old."""
    return store.newest(layout).task(task.id)


def _pinned(layout: Layout, task: Task, commit: str | None) -> str:
    """Return the commit that is approved; RefusedError where it isn't the one that stands for the task now."""
    tip = refs.branch(task.branch, common=layout.common) if task.branch else None
    current = tip or task.review_commit
    wanted = git.commit_of(commit, cwd=layout.common) if commit else task.review_commit
    if commit and wanted is None:
        raise NotFoundError(f"There is no commit {commit!r}.")
    if wanted is None or git.commit_of(wanted, cwd=layout.common) is None:
        raise RefusedError(
            f"The commit in review of {task.id} is not in this repository.", "Fetch it, then approve again."
        )
    if wanted != current and not (commit and _stands_for(layout, task, wanted)):
        raise RefusedError(
            f"{task.branch} is at {str(current)[:12]}, the approval is of {wanted[:12]}: a newer commit needs its own.",
            f"Look at it, then `orchgit task approve {task.id} --commit {str(current)[:12]}`.",
        )
    return wanted


def _stands_for(layout: Layout, task: Task, commit: str) -> bool:
    """May a person take `commit` for the work of a task that was done in the checkout, and has no branch of its own?"""
    start = task.review_base
    if task.branch is not None or start is None or start == commit:
        return False
    return git.is_ancestor(start, commit, cwd=layout.common)


def _merge(layout: Layout, state: State, task: Task, commit: str) -> str | None:
    base = state.settings.project_base
    tip = project.tip(layout, base)
    if commit == task.review_base or git.is_ancestor(commit, tip, cwd=layout.common):
        return None
    project.merge_base(layout, tip, commit)
    _refuse_more_than_the_task(layout, task, base, tip)
    project.refuse_if_in_use(layout, base, workspaces=worktrees.workspaces(layout, state.config))
    tried = project.try_merge(layout, tip, commit)
    if tried.conflicts:
        raise RefusedError(
            f"{task.id} conflicts with {base} in: {', '.join(tried.conflicts)}. Nothing was changed.",
            f"`orchgit task reject {task.id} -r ...` sends it back, or {_by_hand(task, base)}.",
        )
    into_review = history.last_transition(layout, state.tip, task.id, to=Status.REVIEW)
    run = into_review.message.get("Run") if into_review else None
    merge = project.commit_merge(layout, tried.tree, (tip, commit), _message(task, base, commit, run))
    project.move_forward(layout, base, old=tip, new=merge)
    return merge


def _refuse_more_than_the_task(layout: Layout, task: Task, base: str, tip: str) -> None:
    """RefusedError where the task was begun on commits that base lacks: nobody has reviewed those."""
    start = task.review_base
    if start is None or git.is_ancestor(start, tip, cwd=layout.common):
        return
    raise RefusedError(
        f"{task.id} was begun at {start[:12]}, which {base} doesn't have: approving it would merge that as well.",
        f"Merge {start[:12]} into {base} first, then approve again.",
    )


def _by_hand(task: Task, base: str) -> str:
    if task.branch:
        return f'merge {base} into {task.branch} by hand: `git -C "$(orchgit workspace path {task.id})" merge {base}`'
    return f"where {base} has its work otherwise, name that commit: `orchgit task approve {task.id} --commit REV`"


def _message(task: Task, base: str, commit: str, run: str | None) -> str:
    named = {"Task": task.id, "Run": run, "Agent": task.agent, "Review-Commit": commit}
    subject = f"Merge {task.branch} into {base}" if task.branch else f"Merge {task.id} into {base}"
    return trailers.render(Message(subject, task.title, trailers.given(named)))
