"""Tells whether work is in the base branch: merged, squashed into one commit, or rebased onto it.

Merged is an ancestor of base. Squashed or rebased is told by trees, exactly: somewhere in base a commit, or an
unbroken row of no more commits than the work has, makes of its parent what merging the work into that parent gives.
Patch ids are not asked: they take no notice of white space, which a reviewer does. What came there for another task, as
its trailer or its merge says, is that task's, however alike the two are.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass
from orchgit.repository import brought, git

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMITS, MERGES = 1000, 100  # the newest commits of base that are looked at, and how many merges are tried among them
_LONGEST = 50  # commits of work whose row is looked for
_RECORD = "%x01%H%x02%T%x02%P%x02"


class How(StrEnum):
    """How the work came into the base branch."""

    MERGED = "merged"
    SQUASHED = "squashed"
    REBASED = "rebased"


@dataclass(frozen=True, slots=True)
class Work:
    """The commits `base..commit` of `task`. `since` is what the base branch was when their review began, where known.

    What was in the base branch then did not get there by this review, and doesn't count.
    """

    task: str
    base: str
    commit: str
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """`commit` is the one of the base branch that has the work: the work's own where it was merged."""

    how: How
    commit: str


def find(directory: Path, work: Work, tip: str, *, asked: str | None = None) -> Found | None:
    """Return how the base branch at `tip` came to have the work, or None where it doesn't; GitError where git fails.

    `directory` is anywhere in the repository: a worktree of it, or its git directory.

    `asked` is a tip for which the answer was None: what it holds isn't looked at again. Whether there was any work, so
    that its being there says something, is the caller's to ask: `work.base` is another commit than `work.commit` then.
    """
    if git.is_ancestor(work.commit, tip, cwd=directory):
        return Found(How.MERGED, work.commit)
    own = _count(directory, work)
    paths = _paths(directory, work, tip) if own else frozenset()
    if not paths:
        return None
    since = _since(directory, work)
    commits = _commits(directory, since, tip, paths)
    fresh = _own(directory, work, since, tip, _fresh(directory, commits, tip, asked))
    if not fresh:
        return None
    with _merging(directory, work.commit, tip) as merger:
        longest = min(own, _LONGEST)
        for each in fresh:
            if _has_it(each, commits, merger, longest=longest):
                return Found(How.SQUASHED if merger.rows == 1 else How.REBASED, each.id)
    return None


@dataclass(frozen=True, slots=True)
class _Commit:
    id: str
    tree: str
    parent: str
    before: str  # the parent's tree


@dataclass(slots=True)
class _Merger:
    """Merges the work into commits of base, each once, leaving nothing behind; `rows` is the last row's length."""

    commit: str
    folder: Path
    env: dict[str, str]
    known: dict[str, str | None] = field(default_factory=dict)
    rows: int = 0

    def tree(self, into: str) -> str | None:
        """Return the tree that merging the work into `into` gives; None where that conflicts, or enough were tried."""
        if into not in self.known:
            if len(self.known) >= MERGES:
                return None
            what = ("merge-tree", "--write-tree", "--allow-unrelated-histories", "-z", "--name-only", "--no-messages")
            said = git.call(*what, into, self.commit, cwd=self.folder, env=self.env)
            if said.code not in (0, 1):  # 1 is for conflicts
                raise git.failure(what, said)
            self.known[into] = said.fields[0] if said.code == 0 else None
        return self.known[into]


def _has_it(last: _Commit, commits: dict[str, _Commit], merger: _Merger, *, longest: int) -> bool:
    """Does a row of commits that ends with `last` make of the commit before it what merging the work there gives?"""
    each: _Commit | None = last
    for merger.rows in range(1, longest + 1):
        if each is None:
            return False
        if last.tree != each.before and merger.tree(each.parent) == last.tree:
            return True
        each = commits.get(each.parent)
    return False


def _count(directory: Path, work: Work) -> int:
    """Return how many commits the work is; 0 where git doesn't know it."""
    said = git.call("rev-list", "--count", f"{work.base}..{work.commit}", "--", cwd=directory)
    return int(said.text) if said.code == 0 else 0


def _paths(directory: Path, work: Work, tip: str) -> frozenset[str]:
    """Return the files that the work changes, by the names too that base has given them since."""
    said = git.call("diff", "--name-only", "-z", "--no-renames", work.base, work.commit, "--", cwd=directory)
    own = frozenset(said.fields) if said.code == 0 else frozenset()
    if not own:
        return own
    said = git.call("diff", "--name-status", "-z", "-M", "--diff-filter=R", work.base, tip, "--", cwd=directory)
    renames = said.fields
    pairs = zip(renames[1::3], renames[2::3], strict=True)
    return own | {new for old, new in pairs if old in own}


def _since(directory: Path, work: Work) -> str:
    return work.since if work.since and git.commit_of(work.since, cwd=directory) else work.base


def _commits(directory: Path, since: str, tip: str, paths: frozenset[str]) -> dict[str, _Commit]:
    """Return the commits of base after `since` that change files among `paths` and no others, newest first."""
    what = (f"--format={_RECORD}", "-z", "--name-only", "--no-renames", "--no-merges", f"--max-count={COMMITS}")
    said = git.call("log", *what, f"{since}..{tip}", "--", cwd=directory)
    found: list[tuple[str, str, str]] = []
    for record in said.out.decode(errors="surrogateescape").split("\x01")[1:]:
        commit, tree, parent, names = record.split("\x02", 3)
        changed = {name.lstrip("\n") for name in names.split("\0") if name.strip("\n")}
        if parent and changed and changed <= paths:
            found.append((commit, tree, parent))
    trees = _trees(directory, [parent for _, _, parent in found])
    return {commit: _Commit(commit, tree, parent, trees[parent]) for commit, tree, parent in found}


def _trees(directory: Path, commits: list[str]) -> dict[str, str]:
    if not commits:
        return {}
    asked = "".join(f"{each}^{{tree}}\n" for each in commits).encode()
    said = git.run("cat-file", "--batch-check=%(objectname)", cwd=directory, stdin=asked)
    return dict(zip(commits, said.text.splitlines(), strict=True))


def _fresh(directory: Path, commits: dict[str, _Commit], tip: str, asked: str | None) -> list[_Commit]:
    """Return those of `commits` that were not there when it was asked before."""
    if not commits or asked is None or git.commit_of(asked, cwd=directory) is None:
        return list(commits.values())
    new = git.run("rev-list", f"{asked}..{tip}", "--", cwd=directory).text.split()
    return [commits[each] for each in new if each in commits]


def _own(directory: Path, work: Work, since: str, tip: str, fresh: list[_Commit]) -> list[_Commit]:
    """Return those of `fresh` that did not come for other tasks alone."""
    came = brought.tasks(directory, since, tip) if fresh else {}
    return [each for each in fresh if not came.get(each.id) or work.task in came[each.id]]


@contextmanager
def _merging(directory: Path, commit: str, tip: str) -> Iterator[_Merger]:
    """Merge in memory, under the attributes that the base branch has, whatever is checked out anywhere."""
    places = ("--git-common-dir", "--git-path", "objects")
    common, objects = git.text("rev-parse", "--path-format=absolute", *places, cwd=directory).splitlines()
    with tempfile.TemporaryDirectory(prefix="orchgit-inbase-") as name:
        folder = Path(name)
        work, scratch = folder / "tree", folder / "objects"
        work.mkdir()
        scratch.mkdir()
        _write_attributes(directory, tip, work)
        env = {"GIT_DIR": common, "GIT_WORK_TREE": str(work), "GIT_OBJECT_DIRECTORY": str(scratch)}
        others = git.environment().get("GIT_ALTERNATE_OBJECT_DIRECTORIES")  # where a push waits to be accepted
        known = os.pathsep.join(filter(None, (objects, others)))
        yield _Merger(commit, work, {**env, "GIT_ALTERNATE_OBJECT_DIRECTORIES": known})


def _write_attributes(directory: Path, commit: str, folder: Path) -> None:
    for path in git.run("ls-tree", "-r", "-z", "--name-only", commit, cwd=directory).fields:
        place = folder / path
        if place.name == ".gitattributes" and ".." not in place.parts:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(git.run("cat-file", "blob", f"{commit}:{path}", cwd=directory).out)
