"""The project's own repository, by GitPython: what a merge gives, where a branch is in use, moving it forward."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import git as gitpython

from orchgit.model.dataclass import dataclass
from orchgit.model.errors import GitError, RefusedError
from orchgit.repository import git, worktrees
from orchgit.repository import layout as places

if TYPE_CHECKING:
    from orchgit.repository.layout import Layout

_MARKERS = ("rebase-merge/head-name", "rebase-merge/update-refs", "rebase-apply/head-name", "BISECT_START")


@dataclass(frozen=True, slots=True)
class Merge:
    """What merging would give: a tree, or the files that conflict."""

    tree: str
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed file; `added` and `removed` count lines and are None for binary files."""

    path: str
    added: int | None
    removed: int | None


def open_(layout: Layout) -> gitpython.Repo:
    git.forget_other_repositories()  # GitPython hands the whole environment on
    return gitpython.Repo(layout.common)


def _git_in(folder: str) -> gitpython.Git:
    git.forget_other_repositories()
    return gitpython.Git(folder)


def tip(layout: Layout, branch: str) -> str:
    with open_(layout) as repo:
        if branch not in {head.name for head in repo.heads}:
            raise RefusedError(f"The branch {branch!r} doesn't exist.", "`git branch` shows those that do.")
        return repo.heads[branch].commit.hexsha


def merge_base(layout: Layout, one: str, other: str) -> str:
    """Return where two commits parted; RefusedError where they share no history."""
    with open_(layout) as repo:
        found = repo.merge_base(one, other)
        if not found:
            raise RefusedError(
                f"{one[:12]} and {other[:12]} share no history.", "Only work that grew from the base can be merged."
            )
        return str(found[0].hexsha)


def changed_files(layout: Layout, base: str, commit: str) -> tuple[FileChange, ...]:
    """Return what differs between two commits, with git's own line counts."""
    with open_(layout) as repo:
        said = repo.git.diff("--numstat", "-z", "--no-renames", base, commit, "--")
    entries = (entry.split("\t", 2) for entry in said.split("\0") if entry)
    return tuple(FileChange(path, _count(added), _count(removed)) for added, removed, path in entries)


def try_merge(layout: Layout, base: str, commit: str) -> Merge:
    """Merge two commits in memory, under the attributes that `base` has, whatever is checked out anywhere."""
    with tempfile.TemporaryDirectory(prefix="orchgit-merge-") as folder:
        _write_attributes(layout, base, Path(folder))
        tool = _git_in(folder)
        code, out, err = tool.merge_tree(
            "--write-tree", "-z", "--name-only", "--no-messages", base, commit,
            env={"GIT_DIR": str(layout.common), "GIT_WORK_TREE": folder},
            with_extended_output=True, with_exceptions=False,
        )  # fmt: skip
    if code not in (0, 1):
        raise GitError(f"git merge-tree failed: {err.strip()}")
    tree, *conflicts = [part for part in out.split("\0") if part]
    if code == 1 and not conflicts:
        conflicts = ["files that git doesn't name"]
    return Merge(tree, tuple(dict.fromkeys(conflicts)))


def commit_merge(layout: Layout, tree: str, parents: tuple[str, str], message: str) -> str:
    """Make a merge commit, by this machine's Git identity, signed where Git is set to sign; no branch moves."""
    with open_(layout) as repo:
        signs = repo.git.config("--type=bool", "--default=false", "--get", "commit.gpgsign") == "true"
        sign = ("-S",) if signs else ()
        ancestry = [word for parent in parents for word in ("-p", parent)]
        try:
            return str(repo.git.commit_tree(tree, *ancestry, *sign, "-m", message))
        except gitpython.GitCommandError as error:
            if "tell me who you are" in str(error.stderr):
                raise RefusedError(
                    "Git doesn't know who approves: it has no user.name and user.email.",
                    "Set them with `git config`, then approve again.",
                ) from error
            raise GitError(f"The merge commit could not be made: {_words(error)}") from error


def refuse_if_in_use(layout: Layout, branch: str, *, workspaces: Path) -> None:
    """RefusedError where `branch` may not move: a rebase or bisect is on it, or a task's worktree has it."""
    for git_dir in (layout.common, *sorted((layout.common / "worktrees").glob("*"))):
        for marker in _MARKERS:
            if _names(git_dir / marker, branch):
                what = "bisect" if marker == "BISECT_START" else "rebase"
                raise RefusedError(
                    f"{branch} is in the middle of a {what} ({git_dir}).", f"Finish the {what}, then approve again."
                )
    holder = worktrees.of_branch(layout, branch)
    if holder is not None and holder.path.is_relative_to(workspaces):
        raise RefusedError(
            f"{branch} is checked out in the task's worktree {holder.path}.", "Check out the task's branch there."
        )


def move_forward(layout: Layout, branch: str, *, old: str, new: str) -> None:
    """Move `branch` to `new`, a descendant of `old`: by a fast-forward where it is checked out, else the ref alone.

    RefusedError, and nothing moved, where that would overwrite anything that isn't committed, ignored files included.
    """
    holder = worktrees.of_branch(layout, branch)
    if holder is None or holder.missing:
        _move_ref(layout, branch, old, new)
        return
    tool = _git_in(str(holder.path))
    try:
        # What post-merge would do, whoever merges here does, and better: it knows who approved.
        tool.merge("--ff-only", "--no-autostash", "--no-overwrite-ignore", "--quiet", new, env={"ORCHGIT_MERGES": "1"})
    except gitpython.GitCommandError as error:
        _take_back(holder.path, old=old, new=new)
        raise _in_the_way(branch, holder.path, error) from error


def _take_back(path: Path, *, old: str, new: str) -> None:
    """Undo what a fast-forward wrote before its ref was refused: git writes index and files first.

    Only entries that stand as `new` has them go back to `old`; what a person staged or changed stays.
    """
    if git.commit_of("HEAD", cwd=path) == old:
        git.call("read-tree", "-m", "-u", new, old, cwd=path)


def delete_branch(layout: Layout, branch: str, *, at: str) -> None:
    """Delete a task's branch where it still stands at `at` and nobody has it checked out; else leave it."""
    if branch.startswith(f"{places.WORK_BRANCHES}/") and worktrees.of_branch(layout, branch) is None:
        git.call(*git.NO_HOOKS, "update-ref", "-d", f"refs/heads/{branch}", at, cwd=layout.common)


def _move_ref(layout: Layout, branch: str, old: str, new: str) -> None:
    with open_(layout) as repo:
        try:
            repo.git.update_ref("-m", "orchgit: approve", f"refs/heads/{branch}", new, old)
        except gitpython.GitCommandError as error:
            raise RefusedError(f"{branch} moved meanwhile: {_words(error)}", "Approve again.") from error


def _in_the_way(branch: str, path: Path, error: gitpython.GitCommandError) -> RefusedError:
    files = [line.strip() for line in str(error.stderr).splitlines() if line.startswith("\t")]
    if files:
        what = f"{branch} is checked out in {path}, and these files there would be overwritten: {', '.join(files)}."
        return RefusedError(what, "Commit them or move them away, then approve again. Nothing was changed.")
    if git.commit_of("MERGE_HEAD", cwd=path):
        what = (
            f"{branch} is checked out in {path}, where a merge is under way: it can't move forward before that is over."
        )
        there = f"git -C {shlex.quote(str(path))} merge"
        return RefusedError(
            what, f"`{there} --continue` or `{there} --abort`, then approve again. Nothing was changed."
        )
    what = f"{branch} is checked out in {path} and can't move forward there: {_words(error)}"
    return RefusedError(what, "See to that, then approve again. Nothing was changed.")


def _write_attributes(layout: Layout, commit: str, folder: Path) -> None:
    with open_(layout) as repo:
        listing = repo.git.ls_tree("-r", "-z", "--name-only", commit).split("\0")
        for path in listing:
            place = folder / path
            if place.name != ".gitattributes" or ".." in place.parts:
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(repo.commit(commit).tree.join(path).data_stream.read())


def _names(marker: Path, branch: str) -> bool:
    try:
        lines = marker.read_text(errors="replace").splitlines()
        return any(line.removeprefix("refs/heads/") == branch for line in lines)
    except OSError:
        return False


def _count(word: str) -> int | None:
    return None if word == "-" else int(word)


def _words(error: gitpython.GitCommandError) -> str:
    """Return git's own words, without its hints: the next step is ours to say."""
    said = str(error.stderr).strip().removeprefix("stderr: '").removesuffix("'")
    chatter = ("hint:", "Another git process")
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith(chatter)]
    return "; ".join(line.removesuffix(".") for line in lines[:2]) or f"exit code {error.status}"
