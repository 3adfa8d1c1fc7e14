"""Brings a project of ORCH over: in one write, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, assert_never

from orchgit.engine import whereabouts
from orchgit.engine.orch import folder, plan
from orchgit.engine.orch.plan import Here, Plan
from orchgit.engine.orch.work import Ground, Then
from orchgit.model import actor, config, document, fields
from orchgit.model.dataclass import dataclass
from orchgit.model.lifecycle import Ask
from orchgit.repository import attachments, git, ledger, store

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.engine.orch.work import Work
    from orchgit.model.actor import Actor
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.states import State


@dataclass(frozen=True, slots=True)
class Brought:
    """How many files of each kind were made, all of their paths, and what a person should be told."""

    counts: dict[str, int]
    paths: list[str]
    notes: list[str]


def over(layout: Layout, state: State, by: Actor, place: Path, *, dry_run: bool) -> Brought:
    """Bring over what lies at `place`; with `dry_run` only say what that would come to."""
    actor.refuse_agent(by, "bring a project over")
    found = folder.read(place)
    base = whereabouts.check_base(layout, state.settings)
    ground = Ground(found.root, layout.root, base, state.config.project_base)
    if dry_run:
        planned = plan.of(found, _as_read(layout, state, by), ground)
    else:
        with ledger.writing(layout, by) as book:
            planned = plan.of(found, _as_written(book, by), ground)
            _carry_out(book, by, planned, base, str(found.root))
    return Brought(planned.counts, plan.paths(planned), planned.notes)


def _as_read(layout: Layout, state: State, by: Actor) -> Here:
    lying = set(git.run("ls-tree", "-r", "-z", "--name-only", state.tip, cwd=layout.common).fields)
    settings = store.text(layout, state.tip, config.PATH)
    return Here(lying.__contains__, state.tasks.__contains__, state, settings, by.name)


def _as_written(book: Book, by: Actor) -> Here:
    return Here(book.exists, book.is_taken, book.state, book.text(config.PATH), by.name)


def _carry_out(book: Book, by: Actor, planned: Plan, base: str, source: str) -> None:
    if planned.settings:
        book.put(config.PATH, planned.settings, "config: brought over from ORCH")
    for path, text in planned.files.items():
        book.put(path, text, f"{_subject(path)}: brought over from ORCH")
    for each in planned.work:
        _make(book, by, each, base)
    if planned.kept:
        words = "\n".join(planned.notes)
        book.change(planned.kept, "attachments: kept from ORCH", body=f"From {source}.\n\n{words}")


def _subject(path: str) -> str:
    kind, _, rest = path.removesuffix(".md").partition("/")
    match kind:
        case "agents" | "teams" | "goals":
            return f"{kind.removesuffix('s')}({rest})"
        case "context":
            return f"context({rest})"
        case "messages":
            return f"message({rest.rpartition('/')[2]})"
        case _:
            return path


def _make(book: Book, by: Actor, each: Work, base: str) -> None:
    """Make a task, and take the steps to where it stood."""
    along = attachments.placed(each.id, each.attached)
    details = {"Task": each.id}
    subject = f"task({each.id}): brought over from ORCH"
    book.change({each.path: document.encode(each.text), **along}, subject, body=each.title, details=details)
    reason = {"Reason": "as it stood in ORCH"}
    match each.then:
        case Then.NOTHING:
            pass
        case Then.CANCEL:
            book.transition(each.id, Ask.CANCEL, sets={"closed": _closed(each)}, details=reason)
        case Then.TAKE:
            book.transition(each.id, Ask.TAKE, sets={"agent": by.name})
        case Then.FINISH:
            made = book.transition(each.id, Ask.TAKE, sets={"agent": by.name})
            handed_in: ledger.Sets = {
                "review_base": base,
                "review_commit": each.tip,
                "branch": whereabouts.branch_of(made),
            }
            book.transition(each.id, Ask.SUBMIT, sets=handed_in, details={"Base-Commit": base})
            sets: ledger.Sets = {"review_commit": each.tip, "closed": _closed(each)}
            book.transition(each.id, Ask.APPROVE, sets=sets, details=reason)
        case _:
            assert_never(each.then)


def _closed(each: Work) -> datetime:
    """Return when the task was last touched there, as far as anyone knows."""
    try:
        return fields.moment(each.closed).replace(microsecond=0)
    except ValueError:
        return datetime.now(UTC).replace(microsecond=0)
