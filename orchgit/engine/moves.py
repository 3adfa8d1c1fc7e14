"""What a person does with a task: takes it, hands it in, gives it back, cancels it, starts it over, deletes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.engine import deliveries, whereabouts
from orchgit.model import actor, lifecycle, scheduling, yamltext
from orchgit.model.errors import RefusedError
from orchgit.model.lifecycle import Ask
from orchgit.model.run import Stop
from orchgit.model.task import CLOSED, Status
from orchgit.repository import attempts, git, ledger, refs, runs, worktrees

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from orchgit.model.actor import Actor
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State


def take(layout: Layout, by: Actor, task: Task, *, branch: bool = False) -> Task:
    """Give the task to the person who asks; with `branch`, make its work branch, checked out nowhere."""
    with ledger.writing(layout, by) as book:
        sets: dict[str, yamltext.Value] = {"agent": by.name}
        if branch:
            sets["branch"] = whereabouts.branch_of(task)
            base = whereabouts.check_base(layout, book.state.settings)
        taken = book.transition(task.id, Ask.TAKE, sets=sets)
    if branch:
        from orchgit.engine import clearing

        _make_branch(layout, whereabouts.branch_of(task), base)
        clearing.free_branch(layout, book.state.config, taken)
    return taken


def submit(
    layout: Layout,
    state: State,
    by: Actor,
    task: Task,
    *,
    commit: str | None,
    start: Path,
    allow_empty: bool = True,
) -> Task:
    """Hand in what a person did: `commit`, else the tip of the task's branch, else what is checked out at `start`.

    RefusedError where nobody named a commit and this one changes no file, unless `allow_empty`.
    """
    lifecycle.judge(task, Ask.SUBMIT, by)
    branch = task.branch or whereabouts.branch_of(task)
    branch_tip = refs.branch(branch, common=layout.common)
    own = branch_tip if task.branch else None
    wanted = git.commit_of(commit, cwd=start) if commit else own or git.commit_of("HEAD", cwd=start)
    if wanted is None:
        raise RefusedError(
            f"There is no commit {commit or 'to hand in'!r}.", "Name one: orchgit task submit ID --commit REV."
        )
    base = whereabouts.check_base(layout, state.settings)
    parted = git.call("merge-base", base, wanted, cwd=layout.common)
    if parted.code != 0:
        raise RefusedError(
            f"{wanted[:12]} shares no history with {state.config.project_base}.",
            "Only work that grew from it can be merged.",
        )
    is_meant = allow_empty or commit is not None
    if not is_meant and git.call("diff", "--quiet", parted.text, wanted, "--", cwd=layout.common).code == 0:
        raise RefusedError(
            f"{wanted[:12]} changes no file of {state.config.project_base}.",
            f"Did you mean --commit BRANCH? `orchgit task submit {task.id} --allow-empty` hands it in all the same.",
        )
    if branch_tip != wanted:
        _move_branch(layout, task.id, branch, old=branch_tip, new=wanted)
    sets = {"review_base": parted.text, "review_commit": wanted, "branch": branch}
    with ledger.writing(layout, by) as book:
        return book.transition(task.id, Ask.SUBMIT, sets=sets, details={"Base-Commit": base})


def release(layout: Layout, by: Actor, task: Task) -> Task:
    """Give the task back; a run of it is stopped first."""
    lifecycle.judge(task, Ask.RELEASE, by)
    return _stopped(layout, by, task, Stop.RELEASE)


def cancel(layout: Layout, state: State, by: Actor, task: Task) -> Task:
    """Close the task without its work; a run of it is stopped first, and what it did is kept under a ref."""
    lifecycle.judge(task, Ask.CANCEL, by)
    done = _stopped(layout, by, task, Stop.CANCEL)
    clear_away(layout, state, done)
    return done


def retry(layout: Layout, by: Actor, task: Task) -> Task:
    """Start over a task that failed or was cancelled; let one that waits for its retry go at once."""
    actor.refuse_agent(by, f"start {task.id} over")
    if task.is_archived:
        lifecycle.judge(task, Ask.REOPEN, by)
    with ledger.writing(layout, by) as book:
        if task.is_archived:
            book.unarchive(task)
        if book.state.task(task.id).status is Status.RETRYING:
            return book.edit(task.id, {"retry_at": datetime.now(UTC).replace(microsecond=0)})
        return book.transition(task.id, Ask.REOPEN)


def give_up(layout: Layout, by: Actor, task: Task) -> Task:
    """Let a task that waits for its retry fail at once."""
    actor.refuse_agent(by, f"give up {task.id}")
    with ledger.writing(layout, by) as book:
        return book.transition(task.id, Ask.GIVE_UP)


def archive(layout: Layout, by: Actor, tasks: Sequence[Task] | None) -> list[Task]:
    """Move closed tasks to the archive: these, or where None are named all that are due; return the moved ones."""
    actor.refuse_agent(by, "archive tasks")
    now = datetime.now(UTC)
    for each in tasks or ():
        if each.status not in CLOSED:
            raise RefusedError(f"{each.id} is {each.status}: only what is done or cancelled is archived.")
    with ledger.writing(layout, by) as book:
        due = (
            scheduling.to_archive(book.state.tasks.values(), book.state.goals, book.state.config, now)
            if tasks is None
            else tasks
        )
        moved = book.archive(due, now=now)
    left = [each.path for each in due if each.id not in {one.id for one in moved}]
    if left and tasks is not None:
        raise RefusedError(f"{', '.join(left)} is being edited in .orchestry.", "Commit or restore it there first.")
    return moved


def delete(layout: Layout, state: State, by: Actor, task: Task) -> Task:
    """Remove the task's file; its text stays in the history, its work under its refs."""
    actor.refuse_agent(by, f"delete {task.id}")
    if task.run is not None:
        raise RefusedError(
            f"{task.id} is being worked on by {task.agent}.", f"`orchgit task cancel {task.id}` stops it first."
        )
    with ledger.writing(layout, by) as book:
        found = book.state.task(task.id)
        if found.run is not None:
            raise RefusedError(f"{task.id} was started meanwhile.", f"`orchgit task cancel {task.id}` stops it first.")
        book.remove(found.path, f"task({task.id}): deleted", body=task.title, details={"Task": task.id})
    clear_away(layout, state, task)
    return task


def _stopped(layout: Layout, by: Actor, task: Task, stop: Stop) -> Task:
    words, details = "", dict[str, str | None]()
    place, result = None, None
    if task.run is not None:
        from orchgit.engine import halt  # psutil, for the one command in ten that needs it

        halt.stop(layout, task, stop, by=by)
        place = runs.folder(layout, task.run)
        details, result = runs.trailers(place, runs.read_usage(place)), runs.read_result(place)
        words = result.summary if result else ""
    with ledger.writing(layout, by) as book:
        now = book.state.task(task.id)
        wanted = Status.CANCELLED if stop is Stop.CANCEL else Status.TODO
        if now.status is wanted:  # the loop was faster
            return now
        if now.run not in (None, task.run):
            raise RefusedError(f"{task.id} was started again meanwhile ({now.run}).", "Ask again.")
        if place is not None and now.run is not None:
            deliveries.give_back(book, place, result)
        if stop is Stop.CANCEL:
            closed = datetime.now(UTC).replace(microsecond=0)
            return book.transition(task.id, Ask.CANCEL, sets={"closed": closed}, words=words, details=details)
        return book.transition(task.id, Ask.RELEASE, words=words, details=details)


def clear_away(layout: Layout, state: State, task: Task) -> None:
    """Remove the worktree of a task that is over; what it held is kept under a ref."""
    if task.branch or task.agent:
        from orchgit.engine import clearing

        clearing.clear_away(layout, state.config, task)


def _move_branch(layout: Layout, task: str, branch: str, *, old: str | None, new: str) -> None:
    """Let the task's branch be what was handed in; what it had besides is kept under a ref."""
    place = worktrees.of_branch(layout, branch)
    if place is not None:
        raise RefusedError(
            f"{branch} is checked out in {place.path}, at another commit.", "Commit there, or hand that in."
        )
    if old is not None and not git.is_ancestor(old, new, cwd=layout.common):
        attempts.record(layout, task, old)
    git.run(*git.NO_HOOKS, "update-ref", f"refs/heads/{branch}", new, old or "", cwd=layout.common)


def _make_branch(layout: Layout, branch: str, base: str) -> None:
    if not git.branch_exists(branch, cwd=layout.common):
        git.run(*git.NO_HOOKS, "branch", "--no-track", "--", branch, base, cwd=layout.common)
