"""Keys of the shared context, and what their files hold."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchgit.model import context
from orchgit.model.errors import InvalidFileError

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize("word", ["a", "current-pr", "auth/findings", "backend/a.b/c_1", "x/" * 7 + "x"])
def test_a_key_is_names_with_slashes_between(word: str) -> None:
    assert context.key(word) == word
    assert context.path_of(word) == f"context/{word}.md"
    assert context.key_at(context.path_of(word)) == word


@pytest.mark.parametrize(
    "word",
    [
        "", "/", "a/", "/a", "a//b", "..", "../a", "a/../b", ".git/config", "a b", "a\nb", "-a", "x.md", "x.md/y", "ä",
        "x/" * 8 + "x", "a.lock", "a" * 65, "/".join(letter * 64 for letter in "abcd"),
    ],
)  # fmt: skip
def test_what_could_lead_elsewhere_is_no_key(word: str) -> None:
    with pytest.raises(ValueError):
        context.key(word)
    assert not context.belongs(f"context/{word}.md")


@pytest.mark.parametrize("path", ["context/a.txt", "contexts/a.md", "context/.a.md", "tasks/a.md", "context.md"])
def test_other_files_are_no_values(path: str) -> None:
    assert not context.belongs(path)


@given(st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8")), st.sampled_from([NOON, None]))
def test_a_value_comes_back_as_it_was(text: str, expires: datetime | None) -> None:
    found = context.parse("context/a.md", context.compose(text, expires).encode())
    assert (found.text, found.expires) == (text, expires)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "---\nexpires: 2026-11-26T12:00:00Z\n---\n",
        "---\nexpires: never\n---\nx",
        "---\r\nexpires:\r\n---\r\n",
        "---\n",
    ],
)
def test_a_value_that_looks_as_if_it_ended_does_not(text: str) -> None:
    found = context.parse("context/a.md", context.compose(text, None).encode())
    assert (found.text, found.expires) == (text, None)


def test_a_plain_value_is_the_file() -> None:
    text = "title: x\n---\nno front matter\n"
    assert context.compose(text, None) == text


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"a\n\xff", 2, "UTF-8"),
        (b"a\nb\0", 2, "NUL"),
        (b"---\nexpires: soon\n---\nx", 2, "not a time"),
        (b"x" * (context.MOST + 1), 1, "at most"),
    ],
)
def test_what_is_no_text_is_refused_with_its_line(data: bytes, line: int, reason: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        context.parse("context/a.md", data)
    assert caught.value.line == line
    assert reason in caught.value.reason


@pytest.mark.parametrize(("key", "owner"), [("a", ""), ("backend/a", "backend"), ("a/b/c", "a")])
def test_the_first_name_of_several_says_whose_it_is(key: str, owner: str) -> None:
    assert context.owner(key) == owner


def test_a_value_is_over_from_its_moment_on() -> None:
    assert context.Value("a", "x", NOON).is_over(NOON)
    assert not context.Value("a", "x", NOON).is_over(NOON.replace(hour=11))
    assert not context.Value("a", "x").is_over(NOON)
