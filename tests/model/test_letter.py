"""What a message's file says, and where it lies."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchgit.model import letter, span
from orchgit.model.errors import InvalidFileError

PATH = "messages/backend/new/msg_7k3m9q.md"
TEXT = b"""\
---
from: store
sender: agent
subject: Sessions
channel: broadcast
reply_to: msg_4w8zr1
created: 2026-11-26T12:00:00.250Z
expires: 2026-11-27T12:00:00Z
---

They expire now.

"""


def test_every_key_is_read() -> None:
    found = letter.read(PATH, TEXT)
    assert (found.id, found.box, found.sender, found.by_agent) == ("msg_7k3m9q", "new", "store", True)
    assert (found.to, found.subject, found.channel, found.reply_to) == (
        "backend", "Sessions", "broadcast", "msg_4w8zr1",
    )  # fmt: skip
    assert found.text == "They expire now."
    assert found.created == datetime(2026, 11, 26, 12, 0, 0, 250_000, tzinfo=UTC)
    assert found.is_over(datetime(2026, 11, 27, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (b"to: x", "from"), (b"from: ''", "from"), (b"from: a\nsender: robot", "sender"),
        (b"from: a\nchannel: lead", "channel"), (b"from: a\nreply_to: a b", "reply_to"),
        (b"from: a\ncreated: soon", "created"), (b'from: "a\\nb"', "from"),
    ],
)  # fmt: skip
def test_a_fault_names_its_key(line: bytes, key: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        letter.read(PATH, b"---\n" + line + b"\n---\nx\n")
    assert caught.value.key == key


def test_a_message_of_any_length_is_not_a_message() -> None:
    with pytest.raises(InvalidFileError, match="at most"):
        letter.read(PATH, TEXT + b"x" * letter.MOST)


@pytest.mark.parametrize(
    "name", ["backend", "Ada Lovelace", "Jörg", "a/b", "..", ".git", "100%", "%2F", "李", "a\x7fb", "../../x"]
)
def test_a_mailbox_is_one_folder_whatever_the_name(name: str) -> None:
    folder = letter.folder(name)
    assert folder.count("/") == 1
    assert not folder.partition("/")[2].startswith(".")
    assert letter.mailbox_at(f"{folder}/new/x.md") == name


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_what_can_name_no_folder_has_no_mailbox(name: str) -> None:
    with pytest.raises(ValueError):
        letter.folder(name)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (PATH, True), ("messages/a/cur/x.md", True), ("messages/a/archive/2026-11/x.md", True),
        ("messages/a/archive/x.md", False), ("messages/a/x.md", False), ("messages/a/tmp/x.md", False),
        ("messages/a/new/.x.md", False), ("messages/a/new/x.txt", False), ("messages/a/new/b/x.md", False),
        ("messages", False), ("context/a/new/x.md", False),
    ],
)  # fmt: skip
def test_a_message_lies_in_a_box_of_a_mailbox(path: str, expected: object) -> None:
    assert letter.belongs(path) is expected


def test_a_message_goes_from_box_to_box_under_its_name() -> None:
    found = letter.read(PATH, TEXT)
    read = letter.read_path(found.path)
    assert read == "messages/backend/cur/msg_7k3m9q.md"
    assert letter.unread_path(read) == PATH
    assert letter.archived_path(found, datetime.now(UTC)) == "messages/backend/archive/2026-11/msg_7k3m9q.md"


@pytest.mark.parametrize(
    ("word", "milliseconds"),
    [("1500", 1500), ("1500ms", 1500), ("90s", 90_000), ("15m", 900_000), ("2h", 7_200_000), ("1d", 86_400_000)],
)
def test_a_span_of_time(word: str, milliseconds: int) -> None:
    assert span.read(word).total_seconds() * 1000 == milliseconds


@pytest.mark.parametrize("word", ["", "0", "-1", "1.5h", "h", "2 weeks", "9999999d", "1y"])
def test_what_is_no_span_of_time(word: str) -> None:
    with pytest.raises(ValueError):
        span.read(word)
