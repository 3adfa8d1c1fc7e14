"""From lines of a file to the tasks, runs and prompts behind them: blame, then trailers, then the state branch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.engine import history, lines, story
from orchgit.model import ids
from orchgit.model.dataclass import dataclass
from orchgit.repository import blame, files, git, refs
from orchgit.repository.layout import WORK_BRANCHES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from orchgit.engine.lines import Lines, Target
    from orchgit.engine.story import Story
    from orchgit.repository.blame import Span
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State

Source = tuple[str | None, str]  # a commit, and what the file was called there
Behind = tuple[str, str | None]  # a task, and the run of it

_FORMAT = (
    "%H%x1f%at%x1f%an%x1f%ae%x1f%s%x1f%P"
    "%x1f%(trailers:key=Task,valueonly,unfold,separator=%x20)%x1f%(trailers:key=Run,valueonly,unfold,separator=%x20)"
)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the project. `task` and `run` are what its trailers say; `parents` those beside the first."""

    id: str
    at: datetime
    author: str
    email: str
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


def of(layout: Layout, state: State, asked: Target) -> tuple[Origin, ...]:
    """Return where the lines come from, each past once, by its first line; no lines, no origins."""
    if not lines.count(asked):
        return ()
    found = blame.spans(asked.top, asked.path, lines=asked.lines, revision=asked.revision)
    return tuple(_told(layout, state, asked, _gathered(found)))


def _gathered(found: Iterable[Span]) -> dict[Source, tuple[Lines, ...]]:
    gathered: dict[Source, tuple[Lines, ...]] = {}
    for each in found:
        source = each.commit, each.path
        gathered[source] = (*gathered.get(source, ()), (each.first, each.last))
    return gathered


def _told(layout: Layout, state: State, asked: Target, found: Mapping[Source, tuple[Lines, ...]]) -> Iterator[Origin]:
    """Yield what history says of the commits that the lines are from."""
    wanted = {commit for commit, _ in found if commit is not None}
    base = refs.branch(state.config.project_base, common=layout.common)
    brought = blame.bringers(layout, wanted, into=base) if base and wanted else {}
    commits = _commits(layout, wanted | set(brought.values()))
    merges = {each: commits[merge] for each, merge in brought.items()}
    behind = _all_behind(layout, state, asked.top, [(commits[each], merges.get(each)) for each in wanted], base)
    stories = _stories(layout, state, behind.values())
    shallow = set((files.read(layout.common / "shallow") or b"").decode().split())
    for (commit, path), stretches in found.items():
        if commit is None:
            yield Origin(stretches, path)
        else:
            past = stories.get(behind[commit]) if commit in behind else None
            yield Origin(stretches, path, commits[commit], merges.get(commit), past, cut=commit in shallow)


def _all_behind(
    layout: Layout, state: State, top: Path, found: Sequence[tuple[Commit, Commit | None]], base: str | None
) -> dict[str, Behind]:
    """Return the task and the run behind each commit, with the merge that brought it; those without one are left out.

    What the commit itself says counts, then what the merge says, then what the state branch says of either.
    """
    behind = {own.id: told for own, merge in found if (told := _trailers(own, merge))}
    left = [each for each in found if each[0].id not in behind]
    if left:
        behind |= _in_review(layout, state, left)
    here = _of_branch(top, state) if base else None
    if here is not None:
        fresh = git.text("rev-list", "HEAD", f"^{base}", "--", cwd=top).split()
        behind |= {own.id: (here, None) for own, _ in left if own.id in fresh and own.id not in behind}
    return behind


def _trailers(own: Commit, merge: Commit | None) -> Behind | None:
    told = (each for each in (own, merge) if each is not None)
    return next(((each.task, each.run) for each in told if each.task is not None), None)


def _in_review(layout: Layout, state: State, left: Sequence[tuple[Commit, Commit | None]]) -> dict[str, Behind]:
    """Return what was in review, itself or as the tip that its merge brought, or as an agent's commit below such a tip.

    So work is known that was merged by hand, or on a forge, without trailers.
    """
    reviews = history.reviews(layout, state.tip)
    found: dict[str, Behind] = {}
    for own, merge in left:
        tips = (own.id, *(merge.parents if merge else ()))
        known = next((tip for tip in tips if tip in reviews), None) or _tip_above(layout, state, own)
        if known in reviews:
            found[own.id] = reviews[known]
    return found


def _tip_above(layout: Layout, state: State, own: Commit) -> str | None:
    """Return the reviewed commit of the task that an agent's own commit was made for."""
    if not own.email.endswith("@orchgit"):
        return None
    for task in state.tasks.values():
        if task.review_base and task.review_commit and task.agent == own.author:
            work = git.call("rev-list", task.review_commit, f"^{task.review_base}", "--", cwd=layout.common)
            if own.id in work.text.split():
                return task.review_commit
    return None


def _stories(layout: Layout, state: State, wanted: Iterable[Behind]) -> dict[Behind, Story]:
    asked = set(wanted)
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
    commit, seconds, author, email, subject, parents, tasks, run = record.split("\x1f")
    task = next((word for word in tasks.split() if ids.is_id(word, ids.TASK)), None)
    at = datetime.fromtimestamp(int(seconds), UTC)
    return Commit(commit, at, author, email, subject, tuple(parents.split()[1:]), task, next(iter(run.split()), None))
