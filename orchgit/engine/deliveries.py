"""Messages and the runs of agents: told with a prompt or at work, and given back where nobody got them."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.model import document, letter
from orchgit.model.actor import ENGINE
from orchgit.model.errors import InvalidFileError
from orchgit.model.run import Alive, Outcome
from orchgit.model.task import Status
from orchgit.repository import ledger, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchgit.model.letter import Letter
    from orchgit.model.run import Result
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.runs import Folder, Mail
    from orchgit.repository.states import State

_WITHDRAWN, _LOOK = 2.0, 0.02  # seconds to wait at most for a runner to see that a message was read, and between looks
_MOMENT = 0.5  # seconds that a runner waits for other writers: its agent is heard after that, and it asks again
AT_ONCE = 64 << 10  # bytes of messages that one prompt carries; the rest waits for the next


def waiting(book: Book, name: str, now: datetime) -> list[Letter]:
    """Return what the prompt of the agent `name` carries: unread messages, oldest first; expired ones are archived."""
    found = _free(book, name)
    _archive(book, [each for each in found if each.is_over(now)], now)
    return carried(each for each in found if not each.is_over(now))


def _free(book: Book, name: str) -> list[Letter]:
    """Return the unread messages of the agent `name` that are not on their way to it."""
    busy = on_their_way(book.layout, book.state, name)
    found: list[Letter] = []
    for path in filter(letter.belongs, book.listed(f"{letter.folder(name)}/{letter.NEW}")):
        with suppress(InvalidFileError):
            if path not in busy:
                found.append(letter.read(path, document.encode(book.text(path))))
    return found


def carried(found: Iterable[Letter], *, besides: int = 0, most: int = AT_ONCE) -> list[Letter]:
    """Return as many of these as one prompt carries, oldest first, with that many bytes of others; any one alone."""
    total = besides
    fits: list[Letter] = []
    for each in sorted(found, key=lambda each: each.age_key):
        total += each.size
        if total > each.size and total > most:
            break
        fits.append(each)
    return fits


def _archive(book: Book, over: Sequence[Letter], now: datetime) -> None:
    if over:
        moves = {each.path: letter.archived_path(each, now) for each in over}
        book.move_all(moves, f"message({letter.named([*moves])}): expired unread")


def on_their_way(layout: Layout, state: State, name: str) -> frozenset[str]:
    """Return the unread messages that a run of the agent `name` is being told, or was without their being marked yet.

    What a run was given that has ended is on no way any more: only what its model took counts.
    """
    found: set[str] = set()
    for place in runs_of(layout, state, name):
        mail = runs.read_mail(place)
        found.update(mail.taken)
        if mail.given and _lives(place):
            found.update(mail.given)
    return frozenset(found)


def deliver(book: Book, place: Folder, told: Sequence[Letter]) -> None:
    """Note that the prompt of a run carries these messages: they are read now, unless its agent never gets it."""
    if told:
        moves = {each.path: letter.read_path(each.path) for each in told}
        what = f"message({letter.named([*moves])}): with the prompt of {place.id}"
        book.move_all(moves, what, details={"Run": place.id})


def claim(
    layout: Layout, place: Folder, name: str, mail: Mail, *, on_its_way: int = 0, count: int | None = None
) -> tuple[list[Letter], Mail]:
    """Return the messages that a run of the agent `name` tells it now, and the run's mail with them, noted already.

    There are `count` of them at most; `on_its_way` are the bytes of those that it told before and that its model has
    yet to take. Nobody else tells of these for as long as the run's runner lives, or once they are noted as taken.
    """
    now = datetime.now(UTC)
    with ledger.writing(layout, ENGINE, wait=_MOMENT) as book:
        able = [each for each in _free(book, name) if each.size <= mail.most and not each.is_over(now)]
        found = carried(able, besides=on_its_way, most=mail.most)[:count]
        if found:
            mail = replace(mail, given=(*mail.given, *(each.path for each in found)))
            runs.write_mail(place, mail)
    return found, mail


def mark_taken(layout: Layout, place: Folder) -> None:
    """Have what the agent of a run took at its work count as read."""
    with ledger.writing(layout, ENGINE, wait=_MOMENT) as book:
        count_as_read(book, place)


def count_as_read(book: Book, place: Folder) -> None:
    """Have what the agent of a run took at its work count as read, as far as it doesn't yet."""
    moves = {path: letter.read_path(path) for path in runs.read_mail(place).taken if book.exists(path)}
    moves = {path: to for path, to in moves.items() if not book.exists(to)}
    if moves:
        what = f"message({letter.named([*moves])}): told to {place.id} at its work"
        book.move_all(moves, what, details={"Run": place.id})


def give_back(book: Book, place: Folder, result: Result | None) -> None:
    """Let what the prompt of a run carried be unread again, where no agent has got that prompt.

    What its agent took at its work counts as read now, where its runner died before it could say so.
    """
    count_as_read(book, place)
    if not place.spec.exists() or was_heard(place, result):
        return
    told = runs.read_spec(place).messages
    moves = {path: letter.unread_path(path) for path in told if book.exists(path)}
    moves = {path: to for path, to in moves.items() if not book.exists(to)}
    if moves:
        what = f"message({letter.named([*moves])}): unread, since {place.id} never began"
        book.move_all(moves, what, details={"Run": place.id})


def was_heard(place: Folder, result: Result | None) -> bool:
    """Did an agent get the prompt of the run? A CLI that found no model to ask, or no session, passed it to nobody."""
    if not place.heard.exists():
        return False
    if result is None or result.outcome not in (Outcome.FATAL, Outcome.LIMITED):
        return result is None or not result.is_void
    return result.usage is not None and result.usage.tokens > 0


def delivery(layout: Layout, state: State, made: Letter) -> str:
    """Return when a message gets to whom it is for, one of `letter.DELIVERIES`."""
    agent = state.agents.get(made.to)
    if agent is None:
        return "inbox"
    at_work = runs_of(layout, state, made.to)
    mails = [runs.read_mail(place) for place in at_work if _lives(place)]
    able = [each for each in mails if made.size <= each.most]
    if able:
        return "at-once" if any(each.at_end for each in able) else "after-tool"
    if at_work:
        return "at-work"
    return "next-attempt" if agent.enabled else "disabled"


def runs_of(layout: Layout, state: State, name: str) -> list[Folder]:
    """Return the folders of the runs in which the agent `name` is at work; those of other clones are not here."""
    found = (each for each in state.tasks.values() if each.status is Status.IN_PROGRESS and each.agent == name)
    return [runs.folder(layout, each.run) for each in found if each.run]


def _lives(place: Folder) -> bool:
    return isinstance(runs.observe(place), Alive)


def told_to(places: Sequence[Folder]) -> set[str]:
    """Return the messages that the models of these runs have, or will have whatever comes."""
    mails = [(place, runs.read_mail(place)) for place in places]
    handed = {path for place, mail in mails if mail.handed and _lives(place) for path in mail.handed}
    return handed | {path for _, mail in mails for path in mail.taken}


def wait_until_withdrawn(places: Sequence[Folder], paths: frozenset[str]) -> None:
    """Return when no runner is about to tell of these any more: each sees soon that they don't lie there."""
    until = time.monotonic() + _WITHDRAWN
    while time.monotonic() < until and any(
        paths & {*runs.read_mail(place).given} and _lives(place) for place in places
    ):
        time.sleep(_LOOK)
