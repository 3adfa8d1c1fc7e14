"""Tells for which task each commit of the base branch came there, as the trailers `Task:` say.

A commit's own trailer counts; where it has none, that of the merge that brought it in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import ids
from orchgit.model.dataclass import dataclass
from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FORMAT = "%H %P%x00%(trailers:key=Task,valueonly,unfold,separator=%x20)"

Tasks = frozenset[str]


@dataclass(frozen=True, slots=True)
class _Commit:
    parents: tuple[str, ...]
    tasks: Tasks


def tasks(directory: Path, since: str, tip: str) -> Mapping[str, Tasks]:
    """Return for each commit of `since..tip` the tasks for which it came; none where nothing says so."""
    said = git.call("log", f"--format={_FORMAT}", f"{since}..{tip}", "--", cwd=directory)
    return _spread(dict(map(_read, filter(None, said.text.split("\n")))), tip)


def _read(line: str) -> tuple[str, _Commit]:
    names, _, words = line.partition("\0")
    commit, *parents = names.split()
    return commit, _Commit(tuple(parents), frozenset(word for word in words.split() if ids.is_id(word, ids.TASK)))


def _spread(commits: Mapping[str, _Commit], tip: str) -> dict[str, Tasks]:
    """Give what a merge says to the commits that it brought: those that were not there before it."""
    found: dict[str, Tasks] = {}
    waiting = [(tip, Tasks())]
    while waiting:
        each, inherited = waiting.pop()
        line = []
        while each in commits and each not in found:
            found[each] = commits[each].tasks or inherited
            line.append(each)
            each = next(iter(commits[each].parents), "")
        waiting += [(parent, found[one]) for one in line for parent in commits[one].parents[1:]]  # the oldest is next
    return found
