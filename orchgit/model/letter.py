"""A message: a file in the mailbox of an agent or a person, written once."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from orchgit.model import fields, ids
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FOLDER: Final = "messages"
NEW, READ, ARCHIVE = "new", "cur", "archive"
DIRECT, BROADCAST = "direct", "broadcast"
MOST: Final = 32 << 10  # bytes of a message's file
DELIVERIES: Final = {  # when a message gets to whom it is for, and how that is said
    "at-once": "it is working now, and gets it at once: after the tool that it uses, or its last words",
    "after-tool": "it is working now, and gets it with the next tool that it uses, else with its next attempt",
    "at-work": "it is working now, and gets it when it looks (orchgit msg read), else with its next attempt",
    "next-attempt": "it gets it with its next attempt",
    "disabled": "it is disabled, and gets it with its next attempt when it is enabled again",
    "inbox": "`orchgit msg inbox` shows it to them",
}
SUFFIX: Final = ".md"
_UNSAFE = re.compile(r"[%/\x00-\x1f\x7f]|\A\.")
_ESCAPED = re.compile(r"%([0-9A-F]{2})")
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Letter:
    """One message. `path` is relative to the state folder; its file's name is its id.

    `by_agent`: an agent sent it, else a person.
    """

    path: str
    sender: str
    to: str
    text: str
    subject: str = ""
    channel: str = DIRECT
    reply_to: str | None = None
    created: datetime | None = None
    expires: datetime | None = None
    by_agent: bool = False

    @property
    def id(self) -> str:
        return id_at(self.path)

    @property
    def box(self) -> str:
        """Where in its mailbox it is: new, cur or archive."""
        return self.path.split("/")[2]

    @property
    def size(self) -> int:
        """The bytes of its words."""
        return len(f"{self.subject}{self.text}".encode("utf-8", "surrogatepass"))

    @property
    def age_key(self) -> tuple[datetime, str]:
        """Older first."""
        return (self.created or datetime.max.replace(tzinfo=UTC), self.path)

    def is_over(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now


def _channel(value: object) -> str:
    word = fields.text(value)
    if word not in (DIRECT, BROADCAST):
        raise ValueError(f"{fields.shown(word)} is not one of {DIRECT}, {BROADCAST}")
    return word


def _kind(value: object) -> bool:
    word = fields.text(value)
    if word not in ("agent", "person"):
        raise ValueError(f"{fields.shown(word)} is not one of agent, person")
    return word == "agent"


READERS: Final[dict[str, Callable[[object], Any]]] = {
    "from": fields.line,
    "sender": _kind,
    "to": fields.line,
    "subject": fields.line,
    "channel": _channel,
    "reply_to": fields.name,
    "created": fields.moment,
    "expires": fields.moment,
}
_FIELDS = {"from": "sender", "sender": "by_agent"}


def read(path: str, data: bytes) -> Letter:
    """Return the message in the file at `path`; InvalidFileError names line and key of the first fault."""
    from orchgit.model import document

    text = document.decode(path, data)
    if len(data) > MOST:
        reason = f"holds {len(data):,} bytes, and a message {MOST:,} at most"
        raise InvalidFileError(path, reason, next_step="Put the text into the shared context, and name its key.")
    try:
        found = document.parse(text)
    except InvalidFileError as error:
        raise error.at(path) from None
    values = fields.typed(path, found.values, READERS, line=found.line)
    if "from" not in values:
        raise InvalidFileError(path, "is missing", line=found.line("from"), key="from", next_step="Say who wrote it.")
    named = {_FIELDS.get(key, key): value for key, value in values.items()}
    return Letter(**{"path": path, "to": mailbox_at(path), **named, "text": found.body.strip("\n")})


def folder(name: str) -> str:
    """Return the mailbox of an agent or a person; what can't stand in a file's name is written as %XX."""
    encoded = _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", name)
    if not name.strip() or len(encoded.encode("utf-8", "surrogatepass")) > _LONGEST_NAME:
        raise ValueError(f"{fields.shown(name)} can't name a mailbox")
    return f"{FOLDER}/{encoded}"


def mailbox_at(path: str) -> str:
    """Return whose mailbox `path` lies in."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), path.split("/")[1])


def id_at(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(SUFFIX)


def named(paths: Sequence[str]) -> str:
    """Return how a commit's subject names messages: by the id of the one, by the number of several."""
    return id_at(paths[0]) if len(paths) == 1 else str(len(paths))


def belongs(path: str) -> bool:
    """Is it the path of a message?"""
    parts = path.split("/")
    deep = {NEW: 4, READ: 4, ARCHIVE: 5}.get(parts[2] if len(parts) > 2 else "", 0)
    return parts[0] == FOLDER and len(parts) == deep and path.endswith(SUFFIX) and not parts[-1].startswith(".")


def new_path(name: str, identifier: str) -> str:
    return f"{folder(name)}/{NEW}/{identifier}{SUFFIX}"


def read_path(path: str) -> str:
    """Return where a message goes when it was delivered."""
    return f"{mailbox_of(path)}/{READ}/{id_at(path)}{SUFFIX}"


def unread_path(path: str) -> str:
    """Return where a message was before it was delivered."""
    return f"{mailbox_of(path)}/{NEW}/{id_at(path)}{SUFFIX}"


def archived_path(letter: Letter, now: datetime) -> str:
    """Return where a message goes that nobody read in time."""
    return f"{mailbox_of(letter.path)}/{ARCHIVE}/{letter.expires or now:%Y-%m}/{letter.id}{SUFFIX}"


def mailbox_of(path: str) -> str:
    return "/".join(path.split("/")[:2])


def is_id(word: str) -> bool:
    return ids.is_id(word, ids.MESSAGE)
