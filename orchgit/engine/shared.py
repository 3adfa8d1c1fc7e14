"""Runs in the person's own checkout: what they leave is kept, and nothing there is ever reset, staged or switched."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchgit.engine import mending
from orchgit.model import trailers
from orchgit.model.errors import GitError, RefusedError
from orchgit.model.trailers import Message
from orchgit.repository import attempts, find, git, identity, isolated, locks, store, worktrees
from orchgit.repository.layout import STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchgit.engine.workspace import Workspace
    from orchgit.model.actor import Actor
    from orchgit.repository.attempts import Kept
    from orchgit.repository.layout import Layout

_NAMED = 5  # files, before a count stands for the rest


def check(layout: Layout) -> tuple[str, str | None]:
    """Return the branch, or "", and the commit that the checkout stands on; RefusedError where there is no checkout."""
    inside = git.call("rev-parse", "--is-inside-work-tree", cwd=layout.root)
    if find.git_directory(layout.root) is None or inside.text != "true":
        what = f"{layout.root} is not a checkout, and the task is to be done in one (workspace_mode: shared)."
        raise RefusedError(what, "Give it another workspace_mode: worktree or isolated.")
    branch = git.call("symbolic-ref", "--quiet", "--short", "HEAD", cwd=layout.root).text
    return branch, git.commit_of("HEAD", cwd=layout.root)


@contextmanager
def holding(layout: Layout) -> Iterator[None]:
    """Have the checkout to ourselves, as far as runs go, for the length of a `with`; BusyError where a run has it."""
    with locks.held(layout.local / "checkout.lock", wait=0, doing="work in the checkout"):
        yield


def begin(space: Workspace) -> tuple[str, ...]:
    """Keep what lies uncommitted in the checkout, which the agent may change; return what a person should know.

    RefusedError where no branch is checked out, or something is half done there. What was there before the task's first
    run is remembered until the task is closed: what differs from it is the task's.
    """
    branch, head = check(space.layout)
    if not branch or head is None:
        what = f"{space.path} has no branch checked out" if head else f"{branch}, checked out in {space.path}, is empty"
        raise RefusedError(f"{what}: a task can't be begun on it.", "Check out a branch with a commit there.")
    worktree = _worktree(space)
    halfway = mending.halfway(worktree.git_dir)
    if halfway or git.run("ls-files", "--unmerged", "-z", cwd=space.path).out:
        raise RefusedError(f"{space.path} is in the middle of {halfway or 'a merge'}.", "Finish that first.")
    tree, notes = attempts.look(worktree, but=_foreign(space))
    message = trailers.render(Message(f"{space.title} (the checkout before)", trailers=(("Task", space.task),)))
    person = identity.machine(space.layout.common)
    before = attempts.make(worktree.git_dir, tree, head, message, author=person, committer=person)
    if tree != _tree_of(space, head):
        attempts.record(space.layout, space.task, before)
    if _before(space) is None:
        git.run(*git.NO_HOOKS, "update-ref", _ref(space.task), before, "", cwd=space.layout.common)
    return tuple(note.words for note in notes)


def started_at(space: Workspace) -> str | None:
    """Return the commit that was checked out when the task was first begun here."""
    return git.commit_of(f"{_ref(space.task)}^", cwd=space.layout.common)


def keep(space: Workspace, *, by: Actor, run: str | None, lands: bool) -> Kept:
    """Commit what the task has left in the checkout, on top of its HEAD, and name the commit by a ref; it all stays.

    What lay there before and was not touched is left out. With a branch of the task's own, that moves to the commit
    where it `lands`; it is always a new one then, since what is checked out may be in the base branch already.
    """
    worktree, before = _worktree(space), _before(space)
    head = git.text("rev-parse", "HEAD", cwd=space.path)
    if before is None:  # it died before its agent was started
        return attempts.Kept(head)
    after, found = attempts.look(worktree, but=_foreign(space))
    tree = attempts.replayed(worktree, f"{before}^{{tree}}", after, onto=head)
    loose = git.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", head, tree, cwd=space.path).fields
    commit, own = head, space.branch if lands else ""
    if loose or own:
        message = trailers.render(Message(space.title, trailers=trailers.given({"Task": space.task, "Run": run})))
        committer = identity.machine(space.layout.common)
        commit = attempts.make(worktree.git_dir, tree, head, message, author=by, committer=committer)
    attempts.record(space.layout, space.task, commit)
    if own:
        isolated.land(space.layout, own, commit)
    notes = (*(note.words for note in found), *_notes(worktree, loose))
    return attempts.Kept(commit, notes, complete=not any(note.lost for note in found))


def forget(layout: Layout, task: str) -> None:
    """Let go of how the checkout stood before the task: it is closed."""
    git.call(*git.NO_HOOKS, "update-ref", "-d", _ref(task), cwd=layout.common)


def remembered(layout: Layout) -> list[str]:
    """Return the tasks of which it is remembered how the checkout stood before."""
    return git.text("for-each-ref", "--format=%(refname:lstrip=3)", _ref(""), cwd=layout.common).split()


def _notes(worktree: attempts.Worktree, loose: Sequence[str]) -> Iterator[str]:
    yield from mending.unfinished(worktree.git_dir)
    if git.call("symbolic-ref", "--quiet", "HEAD", cwd=worktree.path).code != 0:
        yield "it left no branch checked out"
    if (worktree.git_dir / "index.lock").exists():
        yield f"a git that was ended has left {worktree.git_dir / 'index.lock'}, which keeps every other out"
    if loose:
        more = f" and {len(loose) - _NAMED} more" if len(loose) > _NAMED else ""
        yield f"not committed in {worktree.path}: {', '.join(loose[:_NAMED])}{more}"


def _worktree(space: Workspace) -> attempts.Worktree:
    own = find.git_directory(space.path)
    if own is None:
        raise GitError(f"{space.path} is no checkout any more")
    return attempts.Worktree(space.path, own)


def _foreign(space: Workspace) -> list[str]:
    """Return what lies in the checkout and is not the project's: the state, and workspaces that were put there."""
    state = store.newest(space.layout)
    places = worktrees.workspaces(space.layout, state.config)
    root = space.path.resolve()
    return [STATE_FOLDER, *([str(places.relative_to(root))] if places.is_relative_to(root) else [])]


def _before(space: Workspace) -> str | None:
    return git.commit_of(_ref(space.task), cwd=space.layout.common)


def _ref(task: str) -> str:
    return f"refs/orchgit/shared/{task}"


def _tree_of(space: Workspace, commit: str) -> str:
    return git.text("rev-parse", f"{commit}^{{tree}}", cwd=space.path)
