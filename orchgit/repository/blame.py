"""Where lines of the project's files come from, by GitPython: their commits, and the merges that brought these."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import git as gitpython

from orchgit.model.dataclass import dataclass
from orchgit.repository import git, project

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from orchgit.repository.layout import Layout

_HEADER = re.compile(r"(?P<commit>[0-9a-f]{40,64}) \d+ (?P<first>\d+) (?P<count>\d+)")


@dataclass(frozen=True, slots=True)
class Span:
    """Lines `first` to `last` of a file: the commit that they are from, and what the file was called there.

    `commit` is None where they are not committed yet.
    """

    first: int
    last: int
    commit: str | None
    path: str


def spans(
    top: Path, path: str, *, lines: tuple[int, int] | None = None, revision: str | None = None
) -> tuple[Span, ...]:
    """Return who wrote what of `path` in the worktree at `top`, in order: as it lies there, else at `revision`.

    Lines that were moved within the file, or from another one that the same commit changed, count as their first
    writer's. The caller knows that git knows the file, and that it has these lines.
    """
    span = (f"-L{lines[0]},{lines[1]}",) if lines else ()
    at = (revision,) if revision else ()
    blame = ("blame", "--incremental", "--no-textconv", "-M", "-C", *span, *at, "--", path)
    git.forget_other_repositories()  # GitPython hands the whole environment on
    code, out, err = gitpython.Git(str(top)).execute(
        ["git", "-c", "core.quotePath=false", *blame],
        with_extended_output=True, with_exceptions=False, stdout_as_string=False,
    )  # fmt: skip
    if code != 0:
        raise git.failure(blame, git.Result(code, b"", str(err)))
    assert isinstance(out, bytes)
    return _joined(sorted(_spans(out), key=lambda each: each.first))


def bringers(layout: Layout, commits: Iterable[str], *, into: str) -> Mapping[str, str]:
    """Return for each commit that a merge brought into `into` that merge: the one on the line of first parents.

    A commit that stands on that line itself, or isn't in `into`, has none.
    """
    wanted = set(commits)
    with project.open_(layout) as repo:
        parents = _parents(repo, wanted, into)
    line, here = [], into
    while here in parents:
        line.append(here)
        here = next(iter(parents[here]), "")
    found: dict[str, str] = {}
    seen = set(line)
    for merge in reversed(line):
        ahead = [each for each in parents[merge][1:] if each not in seen]
        while ahead and len(found) < len(wanted):
            each = ahead.pop()
            seen.add(each)
            if each in wanted:
                found[each] = merge
            ahead.extend(parent for parent in parents.get(each, ()) if parent not in seen)
    return found


def _parents(repo: gitpython.Repo, commits: set[str], into: str) -> dict[str, list[str]]:
    """Return the parents of what lies between the commits and `into`, both among it."""
    common = repo.git.merge_base("--octopus", *sorted(commits), with_exceptions=False).split() if commits else []
    bound = [f"^{each}^@" for each in common]
    listing = repo.git.rev_list("--parents", into, *bound, "--")
    return {line.split()[0]: line.split()[1:] for line in listing.splitlines()}


def _spans(said: bytes) -> Iterator[Span]:
    found = None
    for line in said.split(b"\n"):
        if header := _HEADER.fullmatch(line.decode(errors="replace")):
            found = header
        elif line.startswith(b"filename ") and found is not None:
            first, commit = int(found["first"]), found["commit"]
            committed = commit if commit.strip("0") else None
            yield Span(first, first + int(found["count"]) - 1, committed, _name(line.removeprefix(b"filename ")))
            found = None


def _name(said: bytes) -> str:
    """Return a path as git prints it, unquoted: one with control characters or quotes in it is quoted like C's."""
    if said.startswith(b'"'):
        said = said[1:-1].decode("unicode_escape").encode("latin-1")
    return said.decode(errors="surrogateescape")


def _joined(found: list[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for each in found:
        last = joined[-1] if joined else None
        if last and (last.commit, last.path, last.last + 1) == (each.commit, each.path, each.first):
            joined[-1] = replace(last, last=each.last)
        else:
            joined.append(each)
    return tuple(joined)
