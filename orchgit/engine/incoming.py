"""Commits of the state branch that the ledger did not make: requests, which are carried out or corrected."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchgit.engine import edits, verify
from orchgit.model import document, goal, task
from orchgit.model.actor import ENGINE, Actor
from orchgit.model.audit import Offence
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import BusyError, InvalidFileError
from orchgit.model.task import Task
from orchgit.model.trailers import Message, given
from orchgit.repository import git, index, ledger, settled
from orchgit.repository.layout import STATE_REF
from orchgit.repository.lying import Typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchgit.engine.edits import Taken
    from orchgit.model.audit import Finding
    from orchgit.model.diff import Change
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.trail import Recorded

# Whether a reviewed commit is in the base branch is no clone's to judge that has not fetched that branch yet.
_ELSEWHERE = frozenset({Offence.NOT_MERGED})


@dataclass(frozen=True, slots=True)
class _Case:
    """A file that goes back to what it was in the commit `back`; `reason` is what is wrong with it, "" for nothing.

    Where it `asks` for something that may be, that is done then, as if it had been typed.
    """

    path: str
    back: str
    commits: tuple[str, ...]
    author: Actor
    reason: str
    asks: bool

    @property
    def commit(self) -> str:
        """The last of the commits that are corrected, by its short name."""
        return self.commits[-1][:12]


def settle(layout: Layout, tip: str, taken: Taken, *, patient: bool) -> None:
    """Judge the commits up to `tip` that nobody has judged yet, from the last state that was legal.

    What is illegal is set back by a commit with `Restores:`; a step that somebody may ask for is set back and then
    taken, as if it had been typed. A new file that is no task yet becomes one. The rest stays as it is.
    """
    known = settled.read(layout)
    if known is None or known == tip:
        return
    if not git.is_ancestor(known, tip, cwd=layout.common):
        if git.is_ancestor(known, STATE_REF, cwd=layout.common):
            return  # others have written and judged more since `tip` was the newest
        taken.news.append(f"the history of the state branch was rewritten: {known[:12]} is in it no more")
        settled.note(layout, tip)
        return
    cases = _cases(layout, known, tip)
    if not cases:
        settled.note(layout, tip)
    elif index.is_merging(layout):
        taken.hindered = edits.MERGING
    else:
        _correct(layout, tip, cases, taken, patient=patient)


def _cases(layout: Layout, known: str, tip: str) -> list[_Case]:
    found: dict[str, _Case] = {}
    for each, findings in verify.findings(layout.common, [f"{known}..{tip}"]):
        if each.commit.message.get("Restores") and not findings:
            for change in each.commit.parents[0]:
                found.pop(change.path, None)
        for path, reason, asks in _wrong(each, findings):
            case = _Case(path, each.parents[0], (each.id,), each.commit.author, reason, asks)
            found[path] = _after(found[path], case) if path in found else case
    return list(found.values())


def _after(first: _Case, then: _Case) -> _Case:
    reason, asks = then.reason or first.reason, then.asks and first.asks
    return replace(then, back=first.back, commits=first.commits + then.commits, reason=reason, asks=asks)


def _wrong(each: Recorded, findings: Iterable[Finding]) -> Iterator[tuple[str, str, bool]]:
    """Yield the files that can't stay as the commit has them, why, and whether to ask for it as if it were typed."""
    counting = [finding for finding in findings if finding.offence not in _ELSEWHERE]
    for change in each.commit.parents[0]:
        own = next((finding for finding in counting if finding.path in ("", change.path)), None)
        if own is not None:
            yield change.path, own.reason, own.offence is Offence.INVALID_FILE and change.before is None
        elif _is_step(each, change):
            yield change.path, "", True


def _is_step(each: Recorded, change: Change) -> bool:
    message, before, after = each.commit.message, change.before, change.after
    if len(each.parents) > 1 or message.get("Transition") or message.get("Restores") or before is None or after is None:
        return False
    old, new = before.item, after.item
    return isinstance(old, Task) and isinstance(new, Task) and old.status is not new.status


def _correct(layout: Layout, tip: str, cases: list[_Case], taken: Taken, *, patient: bool) -> None:
    asked: list[tuple[_Case, Typed]] = []
    with ledger.writing(layout, ENGINE) as book:
        if book.state.tip != tip or settled.read(layout) == tip:
            return  # somebody was faster; the next look tells
        book.settle()
        for case in cases:
            now = book.reader.file(tip, case.path)
            if _is_adopted(layout, book, case, now, taken):
                continue
            before = book.reader.file(case.back, case.path)
            if before is None and case.asks:
                book.typed[case.path] = None  # what lies there is not its doing: it stays, to be taken over
            if before != now or case.reason:  # also what was put right since has to be named
                book.restore({case.path: before} if before != now else {}, _message(case))
            if case.asks:
                asked.append((case, Typed(case.path, now)))
            else:
                taken.news.append(f"commit {case.commit} was set back in {case.path}: {case.reason}")
    for case, typed in asked:
        taken.news += [
            f"commit {case.commit} was set back: {why}" for why in _refused(layout, case, typed, taken, patient=patient)
        ]


def _is_adopted(layout: Layout, book: Book, case: _Case, now: bytes | None, taken: Taken) -> bool:
    """Make a task or a goal of a new file that is none yet, where it lies; False where that can't be."""
    if now is None or not case.asks or not case.reason or case.commits[1:] or not _is_draft(case.path, now):
        return False
    try:
        with book.in_the_name_of(replace(case.author, via="commit")):
            edits.take_over(layout, book, Typed(case.path, now), taken)
    except InvalidFileError:
        return False
    return True


def _is_draft(path: str, data: bytes) -> bool:
    """Is it a task's or a goal's file that has no id yet?"""
    try:
        found = document.parse(document.decode(path, data))
    except InvalidFileError:
        return False
    return path.startswith((f"{task.FOLDER}/", f"{goal.FOLDER}/")) and found.values.get("id") is None


def _refused(layout: Layout, case: _Case, typed: Typed, taken: Taken, *, patient: bool) -> list[str]:
    try:
        refused = edits.ask(layout, replace(case.author, via="commit"), typed, taken, patient=patient)
    except BusyError as error:
        return [str(error)]
    return [error.what for error in refused]


def _message(case: _Case) -> Message:
    what = "set back, to be asked for" if case.asks else "set back"
    named = {"Restores": case.back, "Corrects": " ".join(case.commits), "Actor": ENGINE.name, "Reason": case.reason}
    return Message(f"{case.path}: {what}", "", given(named))
