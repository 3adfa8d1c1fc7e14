"""What has to be true of a repository before it can hold a state branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model.errors import GitError, NotFoundError, RefusedError
from orchgit.repository import find, git, lost
from orchgit.repository.layout import STATE_BRANCH, STATE_FOLDER, WORK_BRANCHES

if TYPE_CHECKING:
    from orchgit.repository.layout import Layout

_ORCH = ("state.json", "config.yml")


def check_version() -> None:
    found = git.version()
    if found < git.MINIMUM:
        raise GitError(f"Git {_dotted(found)} is too old.", f"Install Git {_dotted(git.MINIMUM)} or later.")


def check(layout: Layout) -> None:
    """RefusedError where something stands in the way of a new state branch or of its folder."""
    _check_untracked(layout)
    check_place(layout)
    check_empty(layout)
    _check_names(layout)
    if git.commit_of("HEAD", cwd=layout.root) is None:
        raise RefusedError(
            f"{layout.root} has no commits yet.",
            "Make the first one: git commit --allow-empty -m 'First commit'",
        )


def check_place(layout: Layout) -> None:
    """RefusedError where `.orchestry` is something that a state branch can't be mounted on."""
    place = layout.state
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        kind = "a symbolic link" if place.is_symlink() else "a file"
        raise RefusedError(f"{place} is {kind}, and orchgit keeps its state there.", "Move it elsewhere.")
    own = find.git_directory(place)
    if own is None or not own.exists() or (find.on_state_branch(own) and own.parent.name == "worktrees"):
        return
    if own.parent == layout.common / "worktrees":
        hint = f"Finish the rebase or bisect that runs there, or run `git switch {STATE_BRANCH}` in it."
        raise RefusedError(f"{place} is not on the branch {STATE_BRANCH}.", hint)
    raise RefusedError(f"{place} is a checkout of another repository, {own}.", "Move it elsewhere.")


def base_branch(layout: Layout, asked: str | None) -> str:
    """Return the branch that approved work will be merged into: the one asked for, else the one checked out."""
    base = asked if asked is not None else _current_branch(layout)
    if base in (STATE_BRANCH, WORK_BRANCHES) or base.startswith(f"{WORK_BRANCHES}/"):
        raise RefusedError(
            f"Work can't be merged into {base}: that name is orchgit's own.", "Name another with --base."
        )
    if not git.branch_exists(base, cwd=layout.root):
        known = git.text("for-each-ref", "--count=8", "--format=%(refname:lstrip=2)", "refs/heads/", cwd=layout.root)
        hint = f"Name an existing branch with --base, such as {', '.join(known.splitlines())}." if known else ""
        raise NotFoundError(f"{layout.root} has no branch {base!r}.", hint or "Make the branch first.")
    if not base.isprintable():
        raise RefusedError(f"The name of the branch {base!r} can't be written down.", "Name another with --base.")
    return base


def _current_branch(layout: Layout) -> str:
    said = git.call("symbolic-ref", "--quiet", "HEAD", cwd=layout.root)
    if said.code != 0:
        what = f"{layout.root} has no branch checked out (its HEAD is detached), so approved work has nowhere to go."
        raise RefusedError(what, "Name the branch to merge into: `orchgit init --base BRANCH`.")
    return said.text.removeprefix("refs/heads/")


def _check_untracked(layout: Layout) -> None:
    tracked = git.run("ls-files", "-z", "--", STATE_FOLDER, cwd=layout.root).fields
    committed = git.call("ls-tree", "-r", "-z", "--name-only", "HEAD", "--", STATE_FOLDER, cwd=layout.root).fields
    if tracked or committed:
        what = f"{layout.root} tracks {(tracked or committed)[0]}, and orchgit keeps its state on a branch of its own."
        raise RefusedError(what, f"Move {STATE_FOLDER} elsewhere in the project and commit that.{_of_orch(layout)}")


def check_empty(layout: Layout) -> None:
    """RefusedError where `.orchestry/` holds anything at all."""
    try:
        content = sorted(each.name for each in layout.state.iterdir())
    except FileNotFoundError:
        return
    own = find.git_directory(layout.state)
    if own is not None and own.parent == layout.common / "worktrees" and find.on_state_branch(own):
        raise lost.refusal(layout)
    if content:
        what = f"{layout.state} holds something else already: {', '.join(content[:3])}{', ...' if content[3:] else '.'}"
        raise RefusedError(what, f"Move that folder elsewhere.{_of_orch(layout)}")


def _of_orch(layout: Layout) -> str:
    found = next((name for name in _ORCH if (layout.state / name).exists()), None)
    return f" It looks like ORCH's: it has {found}; `orchgit import orch` brings it over then." if found else ""


def _check_names(layout: Layout) -> None:
    """Git keeps branches like files: where `a` is one, `a/b` can't be."""
    heads = (f"refs/heads/{WORK_BRANCHES}", f"refs/heads/{STATE_BRANCH}")
    found = git.text("for-each-ref", "--format=%(refname)", *heads, cwd=layout.root).splitlines()
    for ref in found:
        name = ref.removeprefix("refs/heads/")
        if name == WORK_BRANCHES or name.startswith(f"{STATE_BRANCH}/"):
            wanted = f"{WORK_BRANCHES}/..." if name == WORK_BRANCHES else STATE_BRANCH
            what = f"{layout.root} has a branch {name}, and beside it git can't have {wanted}, which orchgit needs."
            raise RefusedError(what, f"Rename it: `git branch -m {name} NEW-NAME`.")


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
