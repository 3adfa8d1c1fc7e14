"""Keeps work: what lies in a worktree becomes a commit, without its index, hooks or signing, under a ref of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass
from orchgit.model.errors import GitError
from orchgit.repository import git, refs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orchgit.model.actor import Actor
    from orchgit.repository.layout import Layout

_QUIET = ("-c", "core.safecrlf=false", "-c", "core.fsmonitor=false", "-c", "advice.addEmbeddedRepo=false")


@dataclass(frozen=True, slots=True)
class Worktree:
    """A work tree with its own Git directory, whatever a `.git` in it claims."""

    path: Path
    git_dir: Path

    def environment(self, index: Path) -> Mapping[str, str]:
        return {"GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.path), "GIT_INDEX_FILE": str(index)}


@dataclass(frozen=True, slots=True)
class Note:
    """What a person should know of how work was kept; `lost` is what could not be, and is in the worktree alone."""

    words: str
    lost: bool = False


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
        tree = git.text("write-tree", cwd=worktree.path, env=env)
        if tree == git.text("rev-parse", "HEAD^{tree}", cwd=worktree.path, env=env):
            commit = head
        else:
            commit = make(worktree.git_dir, tree, head, message, author=author, committer=committer)
        if branch is not None:
            _settle(worktree, index, branch, commit)
    return Kept(commit, tuple(note.words for note in notes), complete=not any(note.lost for note in notes))


def look(worktree: Worktree, *, but: Sequence[str] = ()) -> tuple[str, tuple[Note, ...]]:
    """Return the tree of all that lies in `worktree`, as `keep` commits it, and what a person should know of that."""
    with tempfile.TemporaryDirectory(prefix="orchgit-keep-", dir=worktree.git_dir) as folder:
        index = Path(folder) / "index"
        notes = tuple(_stage(worktree, index, but))
        return git.text("write-tree", cwd=worktree.path, env=worktree.environment(index)), notes


def replayed(worktree: Worktree, before: str, after: str, *, onto: str) -> str:
    """Return the tree of `onto` with what changed from the tree `before` to `after`, whole files at a time."""
    changes = git.run("diff-tree", "-r", "-z", "--no-renames", before, after, cwd=worktree.git_dir).fields
    entries = [(words.split(), path) for words, path in zip(changes[::2], changes[1::2], strict=True)]
    gone = [f"0 {new}\t{path}" for (_, _, _, new, how), path in entries if how == "D"]
    there = [f"{mode} {new}\t{path}" for (_, mode, _, new, how), path in entries if how != "D"]
    with tempfile.TemporaryDirectory(prefix="orchgit-keep-", dir=worktree.git_dir) as folder:
        env = worktree.environment(Path(folder) / "index")
        git.run("read-tree", onto, cwd=worktree.path, env=env)
        lines = b"".join(os.fsencode(line) + b"\0" for line in (*gone, *there))
        git.run("update-index", "--replace", "-z", "--index-info", cwd=worktree.path, env=env, stdin=lines)
        return git.text("write-tree", cwd=worktree.path, env=env)


def make(where: Path, tree: str, parent: str, message: str, *, author: Actor, committer: Actor) -> str:
    """Make a commit, which no ref names yet."""
    people = _people(author, committer)
    return git.text("commit-tree", tree, "-p", parent, "-m", message, cwd=where, env=people)


def record(layout: Layout, task: str, commit: str) -> str:
    """Name what an attempt left by a ref and return the ref: `refs/orchgit/attempts/<task>/<n>`."""
    return refs.name_next(layout, f"refs/orchgit/attempts/{task}", commit)


def recorded(layout: Layout, task: str, commit: str) -> str | None:
    """Return the ref that names `commit` as what an attempt at the task left; None where none does."""
    own = f"refs/orchgit/attempts/{task}/"
    named = git.text("for-each-ref", f"--points-at={commit}", "--format=%(refname)", own, cwd=layout.common).split()
    return named[-1] if named else None


def _stage(worktree: Worktree, index: Path, but: Sequence[str]) -> Iterator[Note]:
    """Put all files into `index`, `but` some; yield what is not there as it lies in the worktree."""
    env = worktree.environment(index)
    _start(worktree, index)
    _unhide(worktree, env)
    for path in but:
        forgotten = ("rm", "-rq", "--cached", "-f", "--ignore-unmatch", "--", f":(top,literal){path}")
        git.run(*forgotten, cwd=worktree.path, env=env)
    found, submodules = _nested(worktree, env)
    nested = [path for path in found if path not in but]
    left_out = _but([*nested, *_unignored(worktree, env, but)])
    added = git.call(*_QUIET, "add", "--all", "--sparse", "--", ":/", *left_out, cwd=worktree.path, env=env)
    if added.code != 0:
        left = [path for path in _changed(worktree, env) if path.rstrip("/") not in (*nested, *but)]
        lost = list(_add_one_by_one(worktree, env, left))
        yield Note(f"{', '.join(lost) or 'what git complains of'} could not be kept: {added.err[:200]}", lost=True)
    for path in nested:
        yield from _stage_nested(worktree, index, path)
    for path in submodules:
        if _has_work(worktree.path / path):
            yield Note(f"what was changed in the submodule {path} could not be kept", lost=True)


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


def _unhide(worktree: Worktree, env: Mapping[str, str]) -> None:
    """Have git look at the files that it was told not to look at; what a sparse checkout left out stays as in HEAD."""
    entries = [(each[0], each[2:]) for each in git.run("ls-files", "-v", "-z", cwd=worktree.path, env=env).fields]
    assumed = [path for tag, path in entries if tag.islower()]
    skipped = [path for tag, path in entries if tag in "sS" and os.path.lexists(worktree.path / path)]
    for flag, paths in (("--no-assume-unchanged", assumed), ("--no-skip-worktree", skipped)):
        if paths:
            names = b"".join(os.fsencode(path) + b"\0" for path in paths)
            git.run("update-index", flag, "-z", "--stdin", cwd=worktree.path, env=env, stdin=names)


def _changed(worktree: Worktree, env: Mapping[str, str]) -> list[str]:
    """Return the paths that differ from the index, those that are gone and those that git doesn't know among them."""
    what = ("--modified", "--others", "--exclude-standard", "-z")
    return list(dict.fromkeys(git.run("ls-files", *what, cwd=worktree.path, env=env).fields))


def _add_one_by_one(worktree: Worktree, env: Mapping[str, str], paths: list[str]) -> Iterator[str]:
    """Add what can be added, though git stops at the first path that can't; yield the others."""
    literally = {**env, "GIT_LITERAL_PATHSPECS": "1"}
    names = b"".join(os.fsencode(path) + b"\0" for path in paths)
    what = ("add", "--all", "--sparse", "--pathspec-from-file=-", "--pathspec-file-nul")
    if not paths or git.call(*_QUIET, *what, cwd=worktree.path, env=literally, stdin=names).code == 0:
        return
    if len(paths) == 1:
        yield paths[0]
        return
    middle = len(paths) // 2
    yield from _add_one_by_one(worktree, env, paths[:middle])
    yield from _add_one_by_one(worktree, env, paths[middle:])


def _has_work(submodule: Path) -> bool:
    """Does it hold anything that is nowhere else: changes, or commits that no remote has?"""
    ahead = git.call("rev-list", "--max-count=1", "HEAD", "--not", "--remotes", cwd=submodule)
    return bool(ahead.out or git.call("status", "--porcelain", cwd=submodule).out)


def _nested(worktree: Worktree, env: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the folders that are repositories of their own, of which git keeps a link only, and the submodules."""
    untracked = git.run("ls-files", "--others", "--exclude-standard", "-z", cwd=worktree.path, env=env).fields
    staged = git.run("ls-files", "--stage", "-z", cwd=worktree.path, env=env).fields
    linked = {entry.partition("\t")[2] for entry in staged if entry.startswith("160000 ")}
    links = sorted(path for path in linked if (worktree.path / path / ".git").exists())
    said = git.call("config", "-z", "--file", ".gitmodules", "--get-regexp", r"\.path$", cwd=worktree.path, env=env)
    known = {entry.partition("\n")[2] for entry in said.fields}
    found = [path.rstrip("/") for path in untracked if path.endswith("/")]
    return [*found, *(path for path in links if path not in known)], [path for path in links if path in known]


def _stage_nested(worktree: Worktree, index: Path, path: str) -> Iterator[Note]:
    inner = Worktree(worktree.path / path, worktree.git_dir)
    inner_index = index.with_name(f"{index.name}-nested")
    env = inner.environment(inner_index)
    try:
        git.run("read-tree", "--empty", cwd=inner.path, env=env)
        deeper, _ = _nested(inner, env)
        git.run(*_QUIET, "add", "--all", "--", ":/", *_but(deeper), cwd=inner.path, env=env)
        for each in deeper:
            yield from _stage_nested(inner, inner_index, each)
        tree = git.text("write-tree", cwd=inner.path, env=env)
        outer = worktree.environment(index)
        git.run("update-index", "--force-remove", "--", path, cwd=worktree.path, env=outer)
        git.run("read-tree", f"--prefix={path}/", tree, cwd=worktree.path, env=outer)
        yield Note(f"{path} is a repository of its own: its files were kept, its history was not")
    except GitError as error:
        yield Note(f"{path} is a repository of its own; not all of it could be kept: {error.what}", lost=True)
    finally:
        inner_index.unlink(missing_ok=True)


def _unignored(worktree: Worktree, env: Mapping[str, str], paths: Sequence[str]) -> list[str]:
    """Return those of `paths` that git doesn't ignore: told to leave out an ignored one by name, it complains of it."""
    names = b"".join(os.fsencode(path) + b"\0" for path in paths)
    ignored = git.call("check-ignore", "-z", "--stdin", cwd=worktree.path, env=env, stdin=names).fields if paths else []
    return [path for path in paths if path not in ignored]


def _but(paths: list[str]) -> list[str]:
    return [f":(exclude,top,literal){path}" for path in paths]


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
