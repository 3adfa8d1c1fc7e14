"""Keeps work: what lies in a worktree becomes a commit, without its index, hooks or signing, under a ref of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model.errors import GitError
from orchgit.repository import git, refs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orchgit.model.actor import Actor
    from orchgit.repository.layout import Layout

_QUIET = (
    "-c",
    "core.safecrlf=false",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.checkStat=default",
    "-c",
    "core.trustCtime=true",
    "-c",
    "advice.addEmbeddedRepo=false",
)
_LOST = "could be kept"


@dataclass(frozen=True, slots=True)
class Worktree:
    """A work tree with its own Git directory, whatever a `.git` in it claims."""

    path: Path
    git_dir: Path

    def environment(self, index: Path) -> Mapping[str, str]:
        return {"GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.path), "GIT_INDEX_FILE": str(index)}


@dataclass(frozen=True, slots=True)
class Kept:
    """`commit` holds the work, HEAD itself where nothing was left uncommitted; `notes` say what was kept otherwise.

    `complete` is False where something could not be kept, and is in the worktree alone.
    """

    commit: str
    notes: tuple[str, ...] = ()
    complete: bool = True


def keep(
    worktree: Worktree,
    message: str,
    *,
    author: Actor,
    committer: Actor,
    branch: str | None = None,
    but: Sequence[str] = (),
) -> Kept:
    """Commit everything in `worktree` on top of its HEAD, but for ignored files and the paths `but`.

    With `branch`, that branch and the worktree's own HEAD and index move to the commit, so that git sees it as clean.
    """
    with tempfile.TemporaryDirectory(prefix="orchgit-keep-", dir=worktree.git_dir) as folder:
        index = Path(folder) / "index"
        env = worktree.environment(index)
        head = git.text("rev-parse", "HEAD", cwd=worktree.path, env=env)
        notes = tuple(_stage(worktree, index, but))
        complete = not any(_LOST in note for note in notes)
        tree = git.text("write-tree", cwd=worktree.path, env=env)
        if tree == git.text("rev-parse", "HEAD^{tree}", cwd=worktree.path, env=env):
            commit = head
        else:
            people = _people(author, committer)
            commit = git.text("commit-tree", tree, "-p", head, "-m", message, cwd=worktree.path, env={**env, **people})
        if branch is not None:
            _settle(worktree, index, branch, commit)
    return Kept(commit, notes, complete)


def record(layout: Layout, task: str, commit: str) -> str:
    """Name what an attempt left by a ref and return the ref: `refs/orchgit/attempts/<task>/<n>`."""
    return refs.name_next(layout, f"refs/orchgit/attempts/{task}", commit)


def _stage(worktree: Worktree, index: Path, but: Sequence[str]) -> Iterator[str]:
    """Put all files into `index`, `but` some; yield what could not be."""
    env = worktree.environment(index)
    _start(worktree, index)
    _look_at_everything(worktree, env)
    for path in but:
        git.run(
            "rm", "-rq", "--cached", "-f", "--ignore-unmatch", "--", f":(top,literal){path}", cwd=worktree.path, env=env
        )
    nested = [path for path in _nested(worktree, env) if path not in but]
    others = [f":(exclude,top,literal){path}" for path in (*nested, *but)]
    added = git.call(
        *_QUIET, "add", "--all", "--sparse", "--ignore-errors", "--", ":/", *others, cwd=worktree.path, env=env
    )
    if added.code != 0:
        yield f"not all files {_LOST}: {'; '.join(added.err.splitlines()[:3])}"
    for path in nested:
        yield from _stage_nested(worktree, index, path)


def _start(worktree: Worktree, index: Path) -> None:
    """Begin with the worktree's own index, which knows what is unchanged; where it is damaged, with HEAD's files."""
    own = worktree.git_dir / "index"
    env = worktree.environment(index)
    if own.is_file():
        shutil.copy2(own, index)  # its time too: by that git knows what was changed right after it was written
        if git.call("ls-files", "-z", cwd=worktree.path, env=env).code == 0:
            return
        index.unlink()
    git.run("read-tree", "HEAD", cwd=worktree.path, env=env)


def _look_at_everything(worktree: Worktree, env: Mapping[str, str]) -> None:
    """Take back what tells git to believe that a file is unchanged; what a sparse checkout left out stays left out."""
    believed, skipped = [], []
    for entry in git.run("ls-files", "-v", "-z", cwd=worktree.path, env=env).fields:
        tag, path = entry[0], entry[2:]
        if tag.islower():
            believed.append(path)
        if tag in "Ss" and os.path.lexists(worktree.path / path):
            skipped.append(path)
    for option, paths in (("--no-assume-unchanged", believed), ("--no-skip-worktree", skipped)):
        if paths:
            listed = b"".join(os.fsencode(path) + b"\0" for path in paths)
            git.run("update-index", option, "-z", "--stdin", cwd=worktree.path, env=env, stdin=listed)


def _nested(worktree: Worktree, env: Mapping[str, str]) -> list[str]:
    """Return the folders that are repositories of their own and no submodules: git would keep only a link to them."""
    untracked = git.run("ls-files", "--others", "--exclude-standard", "-z", cwd=worktree.path, env=env).fields
    staged = git.run("ls-files", "--stage", "-z", cwd=worktree.path, env=env).fields
    links = {entry.partition("\t")[2] for entry in staged if entry.startswith("160000 ")}
    said = git.call("config", "-z", "--file", ".gitmodules", "--get-regexp", r"\.path$", cwd=worktree.path, env=env)
    submodules = {entry.partition("\n")[2] for entry in said.fields}
    found = [path.rstrip("/") for path in untracked if path.endswith("/")]
    return [*found, *sorted(link for link in links - submodules if (worktree.path / link / ".git").exists())]


def _stage_nested(worktree: Worktree, index: Path, path: str) -> Iterator[str]:
    inner = Worktree(worktree.path / path, worktree.git_dir)
    inner_index = index.with_name(f"{index.name}-nested")
    env = inner.environment(inner_index)
    try:
        git.run("read-tree", "--empty", cwd=inner.path, env=env)
        deeper = _nested(inner, env)
        others = [f":(exclude,top,literal){each}" for each in deeper]
        git.run(*_QUIET, "add", "--all", "--", ":/", *others, cwd=inner.path, env=env)
        for each in deeper:
            yield from _stage_nested(inner, inner_index, each)
        tree = git.text("write-tree", cwd=inner.path, env=env)
        outer = worktree.environment(index)
        git.run("update-index", "--force-remove", "--", path, cwd=worktree.path, env=outer)
        git.run("read-tree", f"--prefix={path}/", tree, cwd=worktree.path, env=outer)
        yield f"{path} is a repository of its own: its files were kept, its history was not"
    except GitError as error:
        yield f"{path} is a repository of its own; not all of it {_LOST}: {error.what}"
    finally:
        inner_index.unlink(missing_ok=True)


def _settle(worktree: Worktree, index: Path, branch: str, commit: str) -> None:
    ref = f"refs/heads/{branch}"
    env = worktree.environment(index)
    git.run(*git.NO_HOOKS, "update-ref", ref, commit, cwd=worktree.path, env=env)
    git.run(*git.NO_HOOKS, "symbolic-ref", "HEAD", ref, cwd=worktree.path, env=env)
    index.replace(worktree.git_dir / "index")


def _people(author: Actor, committer: Actor) -> dict[str, str]:
    return {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_COMMITTER_NAME": committer.name,
        "GIT_COMMITTER_EMAIL": committer.email,
    }
