"""Asks the project's remote for a state branch, and brings it here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass
from orchgit.model.errors import GitError, RefusedError
from orchgit.repository import git
from orchgit.repository.layout import STATE_BRANCH, STATE_REF

if TYPE_CHECKING:
    from orchgit.repository.layout import Layout

ANSWER_WITHIN = 30.0
_FETCH_WITHIN = 600.0
_FETCH = (*git.NO_HOOKS, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")


@dataclass(frozen=True, slots=True)
class Shared:
    """The state branch as a remote has it. `commit` is here already."""

    remote: str
    commit: str

    @property
    def name(self) -> str:
        return f"{self.remote}/{STATE_BRANCH}"


def shared(layout: Layout, *, offline: bool) -> Shared | None:
    """Return the remote's state branch, fetched; None where there is no remote or it has none.

    RefusedError where the remote doesn't answer. With `offline`, what was fetched before counts.
    """
    remote = _chosen(layout)
    if remote is None:
        return None
    tracked = f"refs/remotes/{remote}/{STATE_BRANCH}"
    if not offline:
        if not _has_state_branch(layout, remote):
            return None
        _fetch(layout, remote, f"+{STATE_REF}:{tracked}")
    commit = git.commit_of(tracked, cwd=layout.root)
    return Shared(remote, commit) if commit else None


def fetch_missing(layout: Layout, commit: str) -> None:
    """Bring the files of `commit` that a partial clone left behind, all at once; without it git asks one at a time."""
    promisor = _promisor(layout)
    if promisor is None:
        return
    listing = git.run("rev-list", "--objects", "--no-walk", "--missing=print", commit, cwd=layout.root).out
    missing = b"".join(line[1:] + b"\n" for line in listing.splitlines() if line.startswith(b"?"))
    if missing:
        plain = ("-c", "fetch.negotiationAlgorithm=noop", *_FETCH, "--filter=blob:none", "--stdin", "--", promisor)
        git.run(*plain, cwd=layout.root, stdin=missing, timeout=_FETCH_WITHIN)


def _promisor(layout: Layout) -> str | None:
    """Return the remote that a partial clone gets the rest from."""
    said = git.call("config", "-z", "--name-only", "--get-regexp", r"^remote\..*\.promisor$", cwd=layout.root)
    names = [key.removeprefix("remote.").removesuffix(".promisor") for key in said.fields]
    older = git.call("config", "extensions.partialClone", cwd=layout.root).text
    return next(iter(names), older or None)


def _chosen(layout: Layout) -> str | None:
    """Return the remote of the branch that is checked out, else origin, else the only one there is."""
    known = git.text("remote", cwd=layout.root).splitlines()
    branch = git.call("symbolic-ref", "--quiet", "--short", "HEAD", cwd=layout.root).text
    tracked = git.call("config", f"branch.{branch}.remote", cwd=layout.root).text if branch else ""
    wished = [each for each in (tracked, "origin") if each in known]
    return next(iter(wished or (known if len(known) == 1 else [])), None)


def _has_state_branch(layout: Layout, remote: str) -> bool:
    try:
        said = git.call("ls-remote", "--quiet", "--", remote, STATE_REF, cwd=layout.root, timeout=ANSWER_WITHIN)
    except GitError:
        raise _unreachable(remote, f"no answer within {ANSWER_WITHIN:g} s") from None
    if said.code != 0:
        raise _unreachable(remote, _reason(said.err))
    refs = (line.partition("\t")[2] for line in os.fsdecode(said.out).splitlines())
    return STATE_REF in refs  # a pattern matches the ends of names, refs/heads/x/refs/heads/orchestry too


def _fetch(layout: Layout, remote: str, refspec: str) -> None:
    said = git.call(*_FETCH, "--no-auto-maintenance", "--", remote, refspec, cwd=layout.root, timeout=_FETCH_WITHIN)
    if said.code != 0:
        raise GitError(f"{STATE_BRANCH} can't be fetched from {remote}: {_reason(said.err)}", "Run the command again.")


def _unreachable(remote: str, reason: str) -> RefusedError:
    return RefusedError(
        f"The remote {remote} can't be asked whether the team has a state branch already: {reason}",
        "Try again when it can be reached, or run `orchgit init --offline` if you are the first.",
    )


def _reason(words: str) -> str:
    """Return the line that says why, without what a URL may hold to log in with."""
    lines = words.splitlines() or ["git did not say why"]
    line = next((each for each in lines if each.startswith(("fatal:", "ssh:", "error:"))), lines[-1])
    return git.without_credentials(line.partition(": ")[2] or line)
