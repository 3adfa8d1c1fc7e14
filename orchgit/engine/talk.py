"""Context and messages as somebody typed them in the state folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.model import context, document, fields, letter
from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from orchgit.model import yamltext
    from orchgit.repository.ledger import Book
    from orchgit.repository.lying import Typed


def take_over(book: Book, each: Typed) -> None:
    """Commit what was typed, where it may be; InvalidFileError where not."""
    is_value = each.path.startswith(f"{context.FOLDER}/")
    if each.data is None:
        if book.exists(each.path):  # else it has another name by now
            what = f"context({context.key_at(each.path)})" if is_value else f"message({letter.id_at(each.path)})"
            book.remove(each.path, f"{what}: deleted")
    elif is_value:
        _value(book, each.path, each.data)
    else:
        _letter(book, each.path, each.data)


def _value(book: Book, path: str, data: bytes) -> None:
    found = context.parse(path, data)
    book.typed[path] = data
    book.put(path, document.decode(path, data), f"context({found.key}): set")


def _letter(book: Book, path: str, data: bytes) -> None:
    """A message is written once: a new file is one, a known one may only move to where the read ones are, or back."""
    if book.exists(path):
        reason, next_step = "was changed, and a message is written once", "Put it back, and send another."
        raise InvalidFileError(path, reason, next_step=next_step)
    other = letter.unread_path(path) if path != letter.unread_path(path) else letter.read_path(path)
    if book.exists(other) and not (book.layout.state / other).exists():
        if document.encode(book.text(other)) != data:
            raise InvalidFileError(path, "was changed when it was moved", next_step="A message is written once.")
        book.typed[path] = data
        how = "read" if path == letter.read_path(path) else "unread"
        book.move(other, path, f"message({letter.id_at(path)}): {how}")
        return
    _refuse_misnamed(path)
    text = _filled(book, document.decode(path, data))
    made = letter.read(path, document.encode(text))
    book.typed[path] = data
    book.put(path, text, f"message({made.id}): to {made.to}")


def _filled(book: Book, text: str) -> str:
    """Return a new message with what it lacks: who wrote it, and when."""
    values = document.parse(text).values
    missing: dict[str, yamltext.Value | yamltext.Remove] = {}
    if values.get("from") is None:
        missing |= {"from": book.actor.name, "sender": "person"}
    if values.get("created") is None:
        missing["created"] = datetime.now(UTC)
    return document.edit(text, missing)


def _refuse_misnamed(path: str) -> None:
    try:
        fields.name(letter.id_at(path))
        right = letter.folder(letter.mailbox_at(path))
    except ValueError as error:
        raise InvalidFileError(path, str(error), next_step="Give the file, or its folder, another name.") from None
    if right != letter.mailbox_of(path):
        raise InvalidFileError(path, "lies in nobody's mailbox", next_step=f"Move it to {right}/{letter.NEW}/.")
