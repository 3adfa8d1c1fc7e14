"""Draws a task's transitions and the commits of its work as one graph, by git's own hand."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from orchgit.engine import history
from orchgit.model import ids
from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchgit.engine.history import Entry
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State

_FORMAT = "%C(auto)%h%C(reset)  %cd  %an  %s"


def of(layout: Layout, state: State, task: str, *, color: bool = False, limit: int | None = None) -> str:
    """Return the graph, newest first: what happened to the task on the state branch, and its work beside it.

    Git is told, for this one call, that the commits about the task follow one another: those of other tasks between
    them would be all that there is to see.
    """
    story = list(history.entries(layout, state.tip, task=task))
    named = (each.message.get("Merge-Commit") for each in story)
    merges = [commit for name in named if name and (commit := git.commit_of(name, cwd=layout.common))]
    tips = [*_work(layout, task), *merges]
    without = _excluded(layout, state, story, merges) if tips else []
    with tempfile.NamedTemporaryFile("w", prefix="orchgit-", suffix=".grafts") as grafts:
        grafts.write(_chain([each.commit for each in story]))
        grafts.flush()
        said = git.run(
            "-c", "advice.graftFileDeprecated=false", "-c", "log.showSignature=false", "log", "--graph", "--date-order",
            "--date=format-local:%Y-%m-%d %H:%M:%S", f"--color={'always' if color else 'never'}", f"--format={_FORMAT}",
            *([f"--max-count={limit}"] if limit else []),
            *(each.commit for each in story[:1]), *tips, *(f"^{each}" for each in without), "--",
            cwd=layout.common, env={"GIT_GRAFT_FILE": grafts.name},
        )  # fmt: skip
    return said.out.decode(errors="replace").rstrip("\n")


def _chain(commits: Sequence[str]) -> str:
    """Return the lines of a graft file: each commit and its only parent, the last one without any."""
    parents = [*commits[1:], ""]
    return "".join(f"{commit} {parent}".rstrip() + "\n" for commit, parent in zip(commits, parents, strict=True))


def _work(layout: Layout, task: str) -> Iterator[str]:
    """Yield the commits that branches and refs of the task name."""
    refs = ("--format=%(objectname) %(refname)", f"refs/heads/{ids.WORK_BRANCHES}", f"refs/orchgit/attempts/{task}/")
    for line in git.text("for-each-ref", *refs, cwd=layout.common).splitlines():
        commit, ref = line.split(" ", 1)
        branch = ref.removeprefix("refs/heads/")
        if branch == ref or ids.is_work_branch(branch, task):
            yield commit


def _excluded(layout: Layout, state: State, story: Sequence[Entry], merges: Sequence[str]) -> Iterator[str]:
    """Yield what comes before the work: what it was merged into, else where its review begins, else the base."""
    if merges:
        yield from (f"{merge}^1" for merge in merges)
        return
    task = state.tasks.get(next((each.message.get("Task") or "" for each in story), ""))
    base = task.review_base if task else None
    for name in (base, f"refs/heads/{state.config.project_base}"):
        if name and (commit := git.commit_of(name, cwd=layout.common)):
            yield commit
            return
