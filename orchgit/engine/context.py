"""The team's shared memory: set, read, listed and deleted by key."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

from orchgit.engine import history
from orchgit.model import context, document
from orchgit.model.actor import Kind
from orchgit.model.errors import InvalidFileError, NotFoundError, RefusedError, UsageError
from orchgit.repository import ledger, loose, objects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from orchgit.engine.history import Entry
    from orchgit.model.actor import Actor
    from orchgit.model.context import Value
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State


def set_(layout: Layout, by: Actor, key: str, value: bytes, *, ttl: timedelta | None = None) -> Value:
    """Let `key` hold the text `value`, until `ttl` from now; where it does already, nothing is committed."""
    path = context.path_of(checked(key))
    try:
        text = document.decode(key, value)
        expires = datetime.now(UTC).replace(microsecond=0) + ttl if ttl else None
        whole = context.compose(text, expires)
        made = context.parse(path, document.encode(whole))
    except InvalidFileError as error:
        raise RefusedError(f"{key} can't be set: its value {error.reason}.", error.next_step) from None
    with ledger.writing(layout, by, wait=ledger.LONG) as book:
        _refuse_others(book.state, by, key)
        if not (book.exists(path) and book.text(path) == whole):
            book.put(path, whole, f"context({key}): set")
    return made


def get(layout: Layout, tip: str, key: str, *, now: datetime | None) -> Value:
    """Return what `key` holds; NotFoundError where that is nothing, or `now` nothing any more."""
    path = context.path_of(checked(key))
    with objects.reader(layout.common) as reader:
        data = reader.file(tip, path)
        if data is None:
            when = " at that time" if now is None else ""
            raise NotFoundError(f"The context has no {key!r}{when}.", _near(layout, tip, key))
    found = context.parse(path, data)
    if now is not None and found.expires is not None and found.is_over(now):
        until = f"{found.expires.astimezone():%Y-%m-%d %H:%M:%S}"
        raise NotFoundError(f"{key} held its value until {until}.", f"`orchgit context log {key}` has it.")
    return found


def all_of(layout: Layout, tip: str, prefix: str = "", *, now: datetime | None) -> list[Value]:
    """Return what every key holds that begins with `prefix`; what is over `now` is left out."""
    with objects.reader(layout.common) as reader:
        entries = [each for each in loose.below(reader, tip, context.FOLDER) if _fits(each[0], prefix)]
    contents = objects.blobs((entry.id for _, entry in entries), cwd=layout.common)
    found: list[Value] = []
    for (path, _), data in zip(entries, contents, strict=True):
        try:
            value = context.parse(path, data)
        except InvalidFileError:
            continue  # `orchgit check` names it
        found += [] if now is not None and value.is_over(now) else [value]
    return sorted(found, key=lambda value: value.key)


def delete(layout: Layout, by: Actor, key: str) -> None:
    path = context.path_of(checked(key))
    with ledger.writing(layout, by, wait=ledger.LONG) as book:
        _refuse_others(book.state, by, key)
        if not book.exists(path):
            raise NotFoundError(f"The context has no {key!r}.", _near(layout, book.state.tip, key))
        book.remove(path, f"context({key}): deleted")


def log(layout: Layout, tip: str, key: str) -> Iterator[Entry]:
    """Return the commits that set or deleted `key`, newest first; NotFoundError where none ever did."""
    found = history.of_file(layout, tip, context.path_of(checked(key)))
    newest = next(found, None)
    if newest is None:
        raise NotFoundError(f"The context never had {key!r}.", _near(layout, tip, key))
    return chain([newest], found)


def checked(key: str) -> str:
    """Return `key`; UsageError where it is none."""
    try:
        return context.key(key)
    except ValueError as error:
        raise UsageError(f"{error}.", "A key is a name, or several with `/` between: auth/findings.") from None


def _refuse_others(state: State, by: Actor, key: str) -> None:
    owner = context.owner(key)
    if by.kind is Kind.AGENT and owner in state.agents and owner != by.name:
        raise RefusedError(
            f"{key} is {owner}'s own to write.", f"Write to {by.name}/..., or to a key that is nobody's."
        )


def _fits(path: str, prefix: str) -> bool:
    key = context.key_at(path)
    return key is not None and key.startswith(prefix)


def _near(layout: Layout, tip: str, key: str) -> str:
    import difflib

    near = difflib.get_close_matches(key, loose.keys(layout, tip), n=1)
    return f"Did you mean {near[0]}?" if near else "`orchgit context list` shows what there is."
