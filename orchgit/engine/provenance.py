"""From lines of a file to the tasks, runs and prompts behind them: blame, then trailers, then the state branch."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.engine import history, story
from orchgit.model import ids
from orchgit.model.errors import NotFoundError, RefusedError, UsageError
from orchgit.repository import blame, files, git
from orchgit.repository.layout import WORK_BRANCHES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orchgit.engine.story import Story
    from orchgit.repository.blame import Span
    from orchgit.repository.layout import Layout
    from orchgit.repository.store import State

Lines = tuple[int, int]
Behind = tuple[str | None, str | None]  # a task, and the run of it

_NUMBERS = re.compile(r"(\d+)(?:-(\d+))?")
_LOOKED_AT = 8000  # bytes: by these git tells a binary file
_FORMAT = (
    "%H%x1f%at%x1f%an%x1f%s%x1f%P"
    "%x1f%(trailers:key=Task,valueonly,unfold,separator=%x20)%x1f%(trailers:key=Run,valueonly,unfold,separator=%x20)"
)


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked about: a file of the worktree at `top`, and lines of it, counted from 1; None: all of them.

    `revision` is what the file is read from where it doesn't lie in the worktree any more.
    """

    top: Path
    path: str
    lines: Lines | None
    revision: str | None


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the project. `task` and `run` are what its trailers say; `parents` those beside the first."""

    id: str
    at: datetime
    author: str
    subject: str
    parents: tuple[str, ...]
    task: str | None
    run: str | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Lines that have one past. `commit` is None where they aren't committed, `story` where no task made them.

    `merge` brought the commit into the base branch; `path` is what the file was called then. `cut`: the commit is where
    a shallow clone begins, so that the lines may be older.
    """

    lines: tuple[Lines, ...]
    path: str
    commit: Commit | None = None
    merge: Commit | None = None
    story: Story | None = None
    cut: bool = False


def target(layout: Layout, word: str, *, start: Path) -> Target:
    """Return what `word` asks about, seen from `start`: FILE, FILE:LINE or FILE:A-B; a file of that whole name wins."""
    top, path = _placed(layout, word, start)
    if not path or _exists(top, path):
        return Target(top, path, None, _revision(top, path))
    name, _, numbers = word.rpartition(":")
    found = _NUMBERS.fullmatch(numbers) if name else None
    if found is None:
        return Target(top, path, None, _revision(top, path))
    top, path = _placed(layout, name, start)
    return Target(top, path, _lines(found), _revision(top, path))


def of(layout: Layout, state: State, asked: Target) -> tuple[Origin, ...]:
    """Return where the lines come from, each past once, by its first line; no lines, no origins."""
    count = _count(asked)
    if asked.lines and asked.lines[1] > count:
        raise NotFoundError(f"{asked.path} has {_many(count, 'line')}, and no line {asked.lines[1]}.")
    if not count:
        return ()
    found = blame.spans(asked.top, asked.path, lines=asked.lines, revision=asked.revision)
    return tuple(_told(layout, state, asked, _gathered(found)))


def _gathered(found: Iterable[Span]) -> list[Origin]:
    origins: dict[tuple[str | None, str], Origin] = {}
    for each in found:
        key = each.commit, each.path
        lines = (*(origins[key].lines if key in origins else ()), (each.first, each.last))
        origins[key] = Origin(lines, each.path, None if each.commit is None else _bare(each.commit))
    return list(origins.values())


def _bare(commit: str) -> Commit:
    return Commit(commit, datetime.fromtimestamp(0, UTC), "", "", (), None, None)


def _told(layout: Layout, state: State, asked: Target, origins: Sequence[Origin]) -> list[Origin]:
    """Fill in what history says of the commits."""
    base = git.commit_of(f"refs/heads/{state.config.project_base}", cwd=layout.common)
    wanted = {each.commit.id for each in origins if each.commit}
    brought = blame.bringers(layout, wanted, into=base) if base and wanted else {}
    commits = _commits(layout, wanted | set(brought.values()))
    merges = {each: commits[merge] for each, merge in brought.items()}
    behind = {each: _behind(commits[each], merges.get(each)) for each in wanted}
    unknown = {each for each, (task, _) in behind.items() if task is None}
    behind |= _in_review(layout, state, [commits[each] for each in unknown], merges)
    if base and (here := _of_branch(asked.top, state)):
        fresh = set(git.text("rev-list", "HEAD", f"^{base}", "--", cwd=asked.top).split())
        behind |= {each: (here, None) for each in unknown & fresh if behind[each][0] is None}
    stories = _stories(layout, state, behind.values())
    cut = set((files.read(layout.common / "shallow") or b"").decode().split())
    return [
        replace(
            each,
            commit=commits[each.commit.id],
            merge=merges.get(each.commit.id),
            story=stories.get(behind[each.commit.id]),
            cut=each.commit.id in cut,
        )
        if each.commit
        else each
        for each in origins
    ]


def _behind(own: Commit, merge: Commit | None) -> Behind:
    """Return task and run as the line's own commit says, else as its merge does."""
    told = (each for each in (own, merge) if each is not None and each.task is not None)
    return next(((each.task, each.run) for each in told), (None, None))


def _in_review(
    layout: Layout, state: State, commits: Sequence[Commit], merges: Mapping[str, Commit]
) -> dict[str, Behind]:
    """Return task and run of the commits that were in review themselves, or as the tip of what their merge brought.

    So work is known that was merged by hand, or on a forge, without trailers.
    """
    reviews = history.reviews(layout, state.tip) if commits else {}
    found: dict[str, Behind] = {}
    for own in commits:
        merge = merges.get(own.id)
        tips = (own.id, *(merge.parents if merge else ()))
        known = next((reviews[tip] for tip in tips if tip in reviews), None)
        if known is not None:
            found[own.id] = known
    return found


def _stories(layout: Layout, state: State, wanted: Iterable[Behind]) -> dict[Behind, Story]:
    asked = {(task, run) for task, run in wanted if task is not None}
    told = history.of_tasks(layout, state.tip, {task for task, _ in asked})
    return {(task, run): story.of(layout, state, task, told[task], run=run) for task, run in asked}


def _of_branch(top: Path, state: State) -> str | None:
    """Return the task whose branch is checked out at `top`, if it is one's."""
    branch = git.call("symbolic-ref", "--quiet", "--short", "HEAD", cwd=top).text
    if not branch.startswith(f"{WORK_BRANCHES}/"):
        return None
    return next((each for each in state.tasks if ids.is_work_branch(branch, each)), None)


def _commits(layout: Layout, wanted: set[str]) -> dict[str, Commit]:
    if not wanted:
        return {}
    said = git.run(
        "log", "--no-walk=unsorted", "--stdin", "-z", f"--format={_FORMAT}",
        cwd=layout.common, stdin="\n".join(sorted(wanted)).encode() + b"\n",
    )  # fmt: skip
    return {each.id: each for each in map(_commit, said.fields)}


def _commit(record: str) -> Commit:
    commit, seconds, author, subject, parents, tasks, run = record.split("\x1f")
    task = next((word for word in tasks.split() if ids.is_id(word, ids.TASK)), None)
    at = datetime.fromtimestamp(int(seconds), UTC)
    return Commit(commit, at, author, subject, tuple(parents.split()[1:]), task, next(iter(run.split()), None))


def _placed(layout: Layout, word: str, start: Path) -> tuple[Path, str]:
    """Return the worktree of the project that `word` lies in, and its path there."""
    place = Path(os.path.abspath(start / word))  # noqa: PTH100 - a link is a file of its own to git
    around = (place, *place.parents) if not place.is_symlink() else place.parents
    folder = next(each for each in around if each.is_dir())
    said = git.call("rev-parse", "--path-format=absolute", "--git-common-dir", "--show-toplevel", cwd=folder)
    common, _, top = os.fsdecode(said.out).removesuffix("\n").partition("\n")
    if said.code != 0 or Path(common) != layout.common:
        raise RefusedError(f"{word} is not in a worktree of {layout.root}.", "Name a file of the project.")
    real = folder.resolve() / os.path.relpath(place, folder)
    path = Path(os.path.normpath(real)).relative_to(top).as_posix()
    return Path(top), "" if path == "." else path


def _exists(top: Path, path: str) -> bool:
    return os.path.lexists(top / path) or git.call("cat-file", "-e", f"HEAD:{path}", cwd=top).code == 0


def _revision(top: Path, path: str) -> str | None:
    return None if os.path.lexists(top / path) else "HEAD"


def _lines(found: re.Match[str]) -> Lines:
    first, last = int(found[1]), int(found[2] or found[1])
    if first < 1 or last < first:
        raise UsageError(f"There are no lines {found[0]}.", "Lines count from 1: FILE:12 is one, FILE:12-20 are some.")
    return first, last


def _count(asked: Target) -> int:
    """Return how many lines the file has; an error where it is nothing that has lines which git knows."""
    place = asked.top / asked.path
    if place.is_dir() and not place.is_symlink():
        raise RefusedError(f"{asked.path or place} is a folder.", "Name a file in it.")
    if asked.revision and git.call("cat-file", "-e", f"HEAD:{asked.path}", cwd=asked.top).code != 0:
        raise NotFoundError(f"There is no file {asked.path}.", f"Looked in {asked.top}, and in its newest commit.")
    if not asked.revision and not _is_tracked(asked):
        what = f"{asked.path} is not known to Git yet, so nothing says where it is from."
        raise RefusedError(what, "What is committed has a past; `git status` names what is not.")
    data = _bytes(asked, place)
    if b"\0" in data[:_LOOKED_AT]:
        raise RefusedError(f"{asked.path} is a binary file: it has no lines.", _history(asked.path))
    return data.count(b"\n") + (not data.endswith(b"\n") if data else 0)


def _is_tracked(asked: Target) -> bool:
    return bool(git.call("ls-files", "-z", "--", f":(top,literal){asked.path}", cwd=asked.top).out)


def _bytes(asked: Target, place: Path) -> bytes:
    if asked.revision:
        return git.run("cat-file", "blob", f"{asked.revision}:{asked.path}", cwd=asked.top).out
    return os.fsencode(place.readlink()) if place.is_symlink() else place.read_bytes()


def _history(path: str) -> str:
    import shlex

    return f"`git log -- {shlex.quote(path)}` shows the commits that changed it, with their trailers."


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
