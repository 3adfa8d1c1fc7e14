"""Takes back what the plan of a goal made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.engine import goals, history, moves
from orchgit.model import actor, trailers
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import RefusedError
from orchgit.model.lifecycle import Ask
from orchgit.model.task import CLOSED, Status
from orchgit.model.trailers import Message
from orchgit.repository import ledger, store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchgit.model.actor import Actor
    from orchgit.model.goal import Goal
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What became of a plan's tasks: `removed`, as they were, `cancelled`, and `kept`, which were closed before."""

    removed: tuple[Task, ...] = ()
    cancelled: tuple[Task, ...] = ()
    kept: tuple[Task, ...] = ()


def undo(layout: Layout, by: Actor, word: str, *, plan: str | None = None, stop: bool = False) -> TakenBack:
    """Take back what a plan of the goal made: what nobody began is removed, in one commit, what was begun is cancelled.

    `plan` is the id of the task that made it; else it is the last one that made any which are still open.
    RefusedError, and nothing changed, where one of them is being worked on, unless `stop`: that ends there. What is
    done stays. `orchgit undo` of the commit has those back that were removed.
    """
    actor.refuse_agent(by, "undo a plan")
    with ledger.writing(layout, by) as book:
        goal = book.state.goal(word)
        asked, made = _last(book, goal, plan)
        if asked.run is not None:
            raise RefusedError(f"{asked.agent} is planning it.", f"`orchgit task release {asked.id}` stops that first.")
        at_work = [each for each in made if each.status is Status.IN_PROGRESS]
        if at_work and not stop:
            raise _busy(goal, at_work)
        untouched = [each for each in made if _is_untouched(each)]
        begun = [each for each in made if each.status not in CLOSED and each not in (*at_work, *untouched)]
        details = {"Goal": goal.id, "Plan": asked.id}
        closed = {"closed": datetime.now(UTC).replace(microsecond=0)}
        cancelled = [book.transition(each.id, Ask.CANCEL, sets=closed, details=details) for each in begun]
        if untouched:
            subject = f"goal({goal.id}): undo the plan, {_counted(len(untouched))}"
            said = trailers.given({**details, "Actor": by.name, "Via": by.via})
            book.restore({each.path: None for each in untouched}, Message(subject, goal.title, said))
        state = book.state
    for each in cancelled:
        moves.clear_away(layout, state, each)
    cancelled += [moves.cancel(layout, state, by, each) for each in at_work]
    return TakenBack(tuple(untouched), tuple(cancelled), tuple(each for each in made if each.status in CLOSED))


def _counted(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


def _last(book: Book, goal: Goal, plan: str | None) -> tuple[Task, list[Task]]:
    """Return the plan that is meant, and all tasks that it made and that have a file, archived ones too."""
    plans = [each for each in goals.asked(book.state, goal) if plan in (None, each.id)]
    if not plans:
        what = f"No agent has planned {goal.id}."
        raise RefusedError(what, f"`orchgit log --goal {goal.id}` lists the commits for `orchgit undo COMMIT`.")
    made = [(each, _made(book, each)) for each in plans]
    return next(((each, some) for each, some in made if any(one.status not in CLOSED for one in some)), made[0])


def _made(book: Book, plan: Task) -> list[Task]:
    made = history.planned(book.layout, book.state.tip, plan.id)
    found = (book.state.tasks.get(each) or store.in_archive(book.layout, book.state.tip, each) for each in made)
    return [each for each in found if each is not None]


def _is_untouched(task: Task) -> bool:
    """Has nobody ever begun it? One that was sent or given back has its branch."""
    return task.status is Status.TODO and not task.attempts and task.branch is None


def _busy(goal: Goal, at_work: Sequence[Task]) -> RefusedError:
    named = ", ".join(f"{each.id} ({each.agent})" for each in at_work[:5])
    more = f" and {len(at_work) - 5} others" if at_work[5:] else ""
    what = f"{named}{more} of this plan {'is' if len(at_work) == 1 else 'are'} being worked on: nothing was changed."
    it = "it" if len(at_work) == 1 else "them"
    return RefusedError(what, f"`orchgit goal undo {goal.id} --stop` ends {it} too, and keeps the work under a ref.")
