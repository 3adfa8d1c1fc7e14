from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchgit.model import fields
from orchgit.model.errors import InvalidFileError
from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FEW = settings(max_examples=200, deadline=None, derandomize=True)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_quarter = fields.number(least=1, most=4)
_count = fields.number(least=0)

# Each of these may be part of a branch's name, or may not: git itself is asked below.
BRANCHES = (
    "main", "a/b", "feature/x.y", "été", "日本", "a-b", "a@b", "a#b", "a;b", "a$(b)", "@a", "a.lock.b", "heads/main",
    "HEAD/x", "a=b", "x/HEAD", "%", "a'b", '"', "{a}", "@/b",
    "", "-", "-a", "--help", "/", "/a", "a/", "a//b", ".", "..", ".a", "a.", "a/.b", "a/b.", "a..b", "../a", "a/../b",
    "a.lock", "a.lock/b", "a/b.lock", ".lock", "a@{1}", "@{-1}", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[b]",
    "a\\b", "a\tb", "a\x7fb", "HEAD", "a\nb", "main\n", "a./b", "a/-b",
)  # fmt: skip


@pytest.mark.parametrize(
    ("read", "value", "typed"),
    [
        (fields.text, "two\nlines\t", "two\nlines\t"),
        (fields.text, "", ""),
        (fields.text, 12, "12"),
        (fields.line, "  Add it ", "Add it"),
        (fields.line, 2026, "2026"),
        (fields.line, "0123", "0123"),
        (fields.line, "👩\u200d💻 no\u00a0break", "👩\u200d💻 no\u00a0break"),
        (fields.name, "backend", "backend"),
        (fields.name, "a.b-c_D9", "a.b-c_D9"),
        (fields.name, 7, "7"),
        (fields.name, "a" * 64, "a" * 64),
        (fields.branch, "feature/été", "feature/été"),
        (fields.commit, "a" * 40, "a" * 40),
        (fields.commit, "0" * 64, "0" * 64),
        (fields.words, "a, b ,,a", ("a", "b")),
        (fields.words, "", ()),
        (fields.words, " , ", ()),
        (fields.words, 12, ("12",)),
        (fields.words, [], ()),
        (fields.words, ["a, b", 1, " c ", "c"], ("a, b", "1", "c")),
        (fields.flag, False, False),
        (_quarter, 4, 4),
        (_count, 10**17, 10**17),
        (fields.milliseconds(), 0, 0),
        (fields.dollars, 0, 0),
        (fields.dollars, 2.5, 2.5),
        (fields.dollars, "2.50", 2.5),
        (fields.moment, "2026-11-22T12:00:00Z", NOON),
        (fields.moment, "2026-11-22T13:00:00+01:00", NOON),
        (fields.moment, "2026-11-22 12:00", NOON),
        (fields.moment, "2026-11-22", NOON.replace(hour=0)),
        (fields.environment, {}, ()),
        (fields.environment, {"A": "x", "_b1": 2, "C": "$HOME"}, (("A", "x"), ("_b1", "2"), ("C", "$HOME"))),
    ],
)
def test_values_are_typed(read: Callable[[object], Any], value: object, typed: object) -> None:
    assert read(value) == typed


@pytest.mark.parametrize(
    ("read", "value", "reason"),
    [
        (fields.text, True, "true is not text; put it in quotes"),
        (fields.text, 1.5, "1.5 is not text; put it in quotes"),
        (fields.text, ["a"], "['a'] is not text; put it in quotes"),
        (fields.text, {}, "{} is not text; put it in quotes"),
        (fields.text, None, "nothing is not text; put it in quotes"),
        (fields.text, "a\0b", "holds a NUL character, which no process can be given"),
        (fields.line, "  ", "is empty"),
        (fields.line, "a\nb", "must be one line without control characters"),
        (fields.line, "a\x1b[31mb", "must be one line without control characters"),
        (fields.line, "a\x85b", "must be one line without control characters"),
        (fields.line, "a\u2028b", "must be one line without control characters"),
        (fields.line, "a\udc80", "must be one line without control characters"),
        (fields.commit, "91ab03c", "'91ab03c' is not a full commit id"),
        (fields.commit, "A" * 40, f"'{'A' * 36}... is not a full commit id"),
        (fields.commit, f"{'a' * 40}\n", f"'{'a' * 36}... is not a full commit id"),
        (fields.commit, "--all", "'--all' is not a full commit id"),
        (fields.words, True, "true is not a list"),
        (fields.words, {"a": 1}, "{'a': 1} is not a list"),
        (fields.words, 1.5, "1.5 is not a list"),
        (fields.words, "a\x1b,b", "must be one line without control characters"),
        (fields.words, ["a", ""], "is empty"),
        (fields.words, [None], "nothing is not text; put it in quotes"),
        (fields.words, [["a"]], "['a'] is not text; put it in quotes"),
        (fields.flag, "yes", "'yes' is not true or false"),
        (fields.flag, 1, "1 is not true or false"),
        (_quarter, 0, "0 is not a whole number from 1 to 4"),
        (_quarter, 5, "5 is not a whole number from 1 to 4"),
        (_quarter, 2.0, "2.0 is not a whole number from 1 to 4"),
        (_quarter, True, "true is not a whole number from 1 to 4"),
        (_quarter, "high", "'high' is not a whole number from 1 to 4"),
        (_quarter, "1e3", "'1e3' is not a whole number from 1 to 4"),
        (_count, -1, "-1 is not a whole number, 0 or more"),
        (_count, math.inf, "inf is not a whole number, 0 or more"),
        (fields.milliseconds(least=1), 10**17, "100000000000000000 is not a whole number from 1 to 31622400000"),
        (fields.dollars, -1, "-1 is not an amount of US dollars such as 2.50, 0 or more"),
        (fields.dollars, True, "true is not an amount of US dollars such as 2.50, 0 or more"),
        (fields.dollars, math.nan, "nan is not an amount of US dollars such as 2.50, 0 or more"),
        (fields.dollars, math.inf, "inf is not an amount of US dollars such as 2.50, 0 or more"),
        (fields.dollars, "$2", "'$2' is not an amount of US dollars such as 2.50, 0 or more"),
        (fields.dollars, "1e3", "'1e3' is not an amount of US dollars such as 2.50, 0 or more"),
        (fields.moment, "tomorrow", "'tomorrow' is not a time such as 2026-11-22T10:00:00Z"),
        (fields.moment, "12:30", "'12:30' is not a time such as 2026-11-22T10:00:00Z"),
        (fields.moment, True, "true is not a time such as 2026-11-22T10:00:00Z"),
        (fields.moment, 12, "12 is not a time such as 2026-11-22T10:00:00Z"),
        (fields.moment, "0001-01-01T00:00:00+23:00",
         "'0001-01-01T00:00:00+23:00' is not a time such as 2026-11-22T10:00:00Z"),
        (fields.moment, "9999-12-31", "'9999-12-31' is not a time such as 2026-11-22T10:00:00Z"),
        (fields.environment, "A=1", "'A=1' is not a mapping of names to values"),
        (fields.environment, {"A B": "x"}, "'A B' is not the name of an environment variable"),
        (fields.environment, {"A=": "x"}, "'A=' is not the name of an environment variable"),
        (fields.environment, {"1A": "x"}, "'1A' is not the name of an environment variable"),
        (fields.environment, {"": "x"}, "'' is not the name of an environment variable"),
        (fields.environment, {"DEBUG": True}, "DEBUG: true is not text; put it in quotes"),
        (fields.environment, {"A": None}, "A: nothing is not text; put it in quotes"),
        (fields.environment, {"A": "\0"}, "A: holds a NUL character, which no process can be given"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_a_reason(read: Callable[[object], Any], value: object, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        read(value)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "word",
    ["", ".", "..", "../x", "a/b", "/etc", "-a", "--help", ".hidden", "_a", "a.", "a..b", "a.lock", "x.y.lock", "a b",
     "a\n", "a\0", "a\x1b", "a@{1}", "a~", "a:b", "a\\b", "a;b", "$a", "é", "a" * 65],
)  # fmt: skip
def test_what_is_no_name(word: str) -> None:
    with pytest.raises(ValueError, match=r"use letters, digits, '_', '-' and single dots, 64 at most|NUL"):
        fields.name(word)


@given(st.text(st.sampled_from("aZ0._-/ ~@{\n\0é\\"), max_size=8))
@FEW
def test_a_name_is_safe_in_paths_refs_and_options(word: str) -> None:
    try:
        fields.name(word)
    except ValueError:
        return
    assert word == fields.branch(word)
    assert word.replace(".", "").replace("_", "").replace("-", "").isalnum()
    assert word.isascii()
    assert "/" not in word


@pytest.mark.parametrize("word", BRANCHES)
def test_a_branch_is_named_as_git_allows(word: str, tmp_path: Path) -> None:
    allowed = git.call("check-ref-format", "--branch", word, cwd=tmp_path).code == 0
    if allowed:
        assert fields.branch(word) == word
    else:
        with pytest.raises(ValueError, match=r"is not the name of a branch$"):
            fields.branch(word)


@pytest.mark.parametrize("word", ["@", "a\x9bb", "a\u2028b"])
def test_a_branch_that_git_allows_and_we_do_not(word: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a branch"):
        fields.branch(word)


def test_typed_names_the_line_and_leaves_out_what_is_empty_or_unknown() -> None:
    readers = {"a": fields.text, "b": fields.flag, "c": fields.text}
    assert fields.typed("x.md", {"a": 1, "b": None, "z": object()}, readers, line={"a": 2}.__getitem__) == {"a": "1"}
    with pytest.raises(InvalidFileError) as caught:
        fields.typed("x.md", {"a": 1, "b": "no"}, readers, line={"b": 7}.__getitem__)
    assert str(caught.value) == "x.md:7: b: 'no' is not true or false"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "nothing"), (True, "true"), (1.0, "1.0"), ("a\nb", r"'a\nb'"), ("x" * 38, f"'{'x' * 38}'"),
     ("x" * 39, f"'{'x' * 36}..."), (list(range(99)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11...")],
)  # fmt: skip
def test_a_value_is_quoted_short_and_on_one_line(value: object, shown: str) -> None:
    assert fields.shown(value) == shown
    assert len(shown) <= 40


def test_what_does_not_say_when_it_was_made_sorts_last() -> None:
    day = datetime(2026, 11, 22, tzinfo=UTC)
    keys = [fields.age_key(None, "tsk_a"), fields.age_key(day, "tsk_c"), fields.age_key(day, "tsk_b")]
    assert [key[1] for key in sorted(keys)] == ["tsk_b", "tsk_c", "tsk_a"]
