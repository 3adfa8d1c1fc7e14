"""Messages: sent, listed, read, and archived where nobody read them in time."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.engine import deliveries
from orchgit.model import document, fields, ids, letter
from orchgit.model.actor import ENGINE, Kind
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import BusyError, InvalidFileError, NotFoundError, RefusedError
from orchgit.repository import git, identity, ledger, loose, objects

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from orchgit.model.actor import Actor
    from orchgit.model.letter import Letter
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.objects import Reader
    from orchgit.repository.states import State


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to say. `sender` is who says it, where that is not who asks; `ttl` how long it counts."""

    text: str
    subject: str = ""
    sender: str | None = None
    reply_to: str | None = None
    ttl: timedelta | None = None


def send(layout: Layout, by: Actor, to: str, draft: Draft) -> Letter:
    """Put a message into the mailbox of an agent or a person, and return it."""
    with ledger.writing(layout, by, wait=ledger.LONG) as book:
        name = recipient(layout, book.state, to)
        (made,) = _put(book, draft, [name], letter.DIRECT)
        return made


def broadcast(layout: Layout, by: Actor, draft: Draft, *, team: str | None = None) -> list[Letter]:
    """Put a message into the mailbox of each agent, or of each of `team`, but for the one who sends it."""
    with ledger.writing(layout, by, wait=ledger.LONG) as book:
        everyone = book.state.agents if team is None else book.state.team(team).everyone
        names = sorted({*everyone} - {_sender(book, draft)})
        if not names:
            raise RefusedError("There is nobody to send it to.", "`orchgit agent list` shows the team.")
        return _put(book, draft, names, letter.BROADCAST)


def _put(book: Book, draft: Draft, names: Sequence[str], channel: str) -> list[Letter]:
    by, sender = book.actor, _sender(book, draft)
    if not draft.text.strip() and not draft.subject:
        raise RefusedError("The message says nothing.", "Give it words, or a subject.")
    now = datetime.now(UTC)
    keys = {
        "from": sender,
        "sender": "agent" if by.kind is Kind.AGENT or sender in book.state.agents else "person",
        "subject": draft.subject or None,
        "channel": channel if channel != letter.DIRECT else None,
        "reply_to": _answered(book, draft.reply_to) if draft.reply_to else None,
        "created": now,
        "expires": now + draft.ttl if draft.ttl else None,
    }
    body = draft.text if draft.text.endswith("\n") else f"{draft.text}\n"
    text = document.edit(f"---\n---\n{body}", {key: value for key, value in keys.items() if value is not None})
    files = {_free_path(book, name): document.encode(text) for name in names}
    try:
        made = [letter.read(path, data) for path, data in files.items()]
    except InvalidFileError as error:
        raise RefusedError(f"The message can't be sent: {error.key} {error.reason}.", error.next_step) from None
    to = names[0] if len(names) == 1 else f"{len(names)} agents"
    book.change(files, f"message({made[0].id}): to {to}")
    return made


def _sender(book: Book, draft: Draft) -> str:
    """Return who says it; NotFoundError where nobody is called so, RefusedError where an agent speaks for another."""
    by = book.actor
    if by.kind is Kind.AGENT and draft.sender not in (None, by.name):
        raise RefusedError(f"{by.name} may not write in the name of {draft.sender}.", "Leave --from out.")
    return recipient(book.layout, book.state, draft.sender) if draft.sender not in (None, by.name) else by.name


def _answered(book: Book, word: str) -> str:
    """Return the id of the message, a read or an expired one too, that `word` is or begins; NotFoundError: of none."""
    with objects.reader(book.layout.common) as reader:
        known = {letter.id_at(path) for path, _ in loose.below(reader, book.state.tip, letter.FOLDER)}
    return ids.resolve(word, known, kind="message")


def _free_path(book: Book, name: str) -> str:
    """Return where a new message for `name` is put: under an id that no other of its has."""
    while True:
        path = letter.new_path(name, ids.make(ids.MESSAGE, int.from_bytes(os.urandom(8)) % ids.SPACE))
        if not (book.exists(path) or book.exists(letter.read_path(path))):
            return path


def recipient(layout: Layout, state: State, word: str) -> str:
    """Return the agent, or the person, that `word` names; NotFoundError where nobody is known by that name."""
    word = state.who(word)
    if word in state.agents:
        return word
    people = _people(layout, state)
    found = {each.casefold(): each for each in reversed(people)}.get(word.casefold().strip())
    if found is None and word in state.teams:
        tells = f"`orchgit msg broadcast TEXT --team {word}` tells each of its members."
        raise NotFoundError(f"{word} is a team, and has no mailbox of its own.", tells)
    if found is None:
        agents, known = ", ".join(sorted(state.agents)) or "none yet", ", ".join(people)
        raise NotFoundError(f"There is nobody called {word!r}.", f"Agents: {agents}. People: {known}.")
    return found


def own_mailbox(state: State, by: Actor) -> str:
    """Return whose mailbox is that of `by`; RefusedError for a person who is called what an agent is."""
    if by.kind is Kind.PERSON and by.name in state.agents:
        raise RefusedError(
            f"Git calls you {by.name}, and so an agent is called here: these are its messages, and not yours.",
            f"`orchgit msg inbox {by.name}` lists them, `orchgit msg read ID` prints one: they stay unread.",
        )
    return by.name


def _people(layout: Layout, state: State) -> list[str]:
    """Return the people that messages can be sent to: this machine's, who have a mailbox, and who wrote the state."""
    said = git.text("log", "--format=%an%x00%ae", "--max-count=1000", state.tip, "--", cwd=layout.common)
    authors = (line.split("\0") for line in dict.fromkeys(said.splitlines()))
    wrote = [name for name, email in authors if email != f"{name}@orchgit"]
    with objects.reader(layout.common) as reader:
        boxes = [letter.mailbox_at(f"{letter.FOLDER}/{name}") for name in reader.tree(f"{state.tip}:{letter.FOLDER}")]
    return [
        name
        for name in dict.fromkeys((identity.machine(layout.common).name, *boxes, *wrote))
        if name not in state.agents and _is_mailbox(name)
    ]


def _is_mailbox(name: str) -> bool:
    try:
        letter.folder(name)
        return bool(fields.line(name))
    except ValueError:
        return False


def unread(layout: Layout, tip: str, name: str, *, now: datetime | None) -> list[Letter]:
    """Return what waits for an agent or a person, oldest first; what has expired by `now` is left out."""
    with objects.reader(layout.common) as reader:
        found = _in(reader, tip, f"{letter.folder(name)}/{letter.NEW}")
    return sorted((each for each in found if now is None or not each.is_over(now)), key=lambda each: each.age_key)


def all_of(layout: Layout, tip: str, name: str | None = None) -> list[Letter]:
    """Return every message that is or was for `name`, or for anybody, oldest first, read and expired ones too."""
    with objects.reader(layout.common) as reader:
        found = _in(reader, tip, letter.folder(name) if name else letter.FOLDER)
    return sorted(found, key=lambda each: each.age_key)


def _in(reader: Reader, tip: str, folder: str) -> list[Letter]:
    """Return the messages below `folder`; those that can't be read are for `orchgit check` to name."""
    found: list[Letter] = []
    for path, entry in loose.below(reader, tip, folder):
        said = reader.object(entry.id) if entry.mode.startswith("100") else None
        with suppress(InvalidFileError):
            found += [letter.read(path, said[1])] if said else []
    return found


def named(layout: Layout, tip: str, word: str, *, owner: str) -> Letter:
    """Return the message whose id is, or begins with, `word`; one for `owner` comes before the same one for others."""
    with objects.reader(layout.common) as reader:
        paths = dict(loose.below(reader, tip, letter.FOLDER))
        known: dict[str, str] = {}
        for path in sorted(paths, key=lambda each: letter.mailbox_at(each) != owner):
            known.setdefault(letter.id_at(path), path)
        path = known[ids.resolve(word, known, kind="message")]
        said = reader.object(paths[path].id)
    assert said is not None
    return letter.read(path, said[1])


def read(layout: Layout, by: Actor, wanted: Sequence[Letter]) -> list[Letter]:
    """Mark as read what is for `by` among `wanted`, and return those that nobody has read meanwhile, or are others'.

    Each unread message is returned to one of several processes that ask at once. One that is on its way to `by` at its
    work is withdrawn there; one that was handed to its model already is not returned.
    """
    if not any(each.to == by.name and each.box == letter.NEW for each in wanted):
        return list(wanted)
    with ledger.writing(layout, by, wait=ledger.LONG) as book:
        if by.kind is Kind.PERSON and by.name in book.state.agents:
            return list(wanted)  # they are the agent's
        own = [each for each in wanted if each.to == by.name and each.box == letter.NEW]
        places = deliveries.runs_of(layout, book.state, by.name)
        told = deliveries.told_to(places)
        left = {each.path: letter.read_path(each.path) for each in own if book.exists(each.path)}
        left = {path: to for path, to in left.items() if path not in told}
        if left:
            book.move_all(left, f"message({letter.named([*left])}): read by {by.name}")
    deliveries.wait_until_withdrawn(places, frozenset(left))
    return [
        replace(each, path=left.get(each.path, each.path)) for each in wanted if each not in own or each.path in left
    ]


@dataclass(frozen=True, slots=True)
class Due:
    """When the next unread message expires, as long as the mailboxes are those with the id `tree`; None: never."""

    tree: str
    at: datetime | None


NOTHING_DUE = Due("", None)


def tidy(layout: Layout, tip: str, known: Due) -> Due:
    """Move what nobody read in time out of the mailboxes; return when that is to be done again."""
    now = datetime.now(UTC)
    with objects.reader(layout.common) as reader:
        tree = (reader.object(f"{tip}:{letter.FOLDER}") or ("", b""))[0]
        if not tree or (tree == known.tree and (known.at is None or known.at > now)):
            return known
        boxes = [f"{letter.FOLDER}/{name}/{letter.NEW}" for name in reader.tree(tree)]
        found = [each for box in boxes for each in _in(reader, tip, box) if each.expires is not None]
    over = {each.to for each in found if each.is_over(now)}
    if over:
        with suppress(BusyError, OSError), ledger.writing(layout, ENGINE) as book:
            for name in sorted(over):
                deliveries.waiting(book, name, now)
        return NOTHING_DUE
    return Due(tree, min((each.expires for each in found if each.expires), default=None))
