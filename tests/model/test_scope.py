"""May two sets of path patterns name the same path? Held against trying every short path."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchgit.model import scope

_NAMES = ["".join(chars) for length in (1, 2) for chars in product("abc", repeat=length)]
_PATHS = ["/".join(names) for depth in (1, 2, 3) for names in product(_NAMES, repeat=depth)]
_TOKENS = ["a", "b", "*", "?", "[ab]", "[!a]", "[a-b]", "\\a"]

_segments = st.one_of(st.just("**"), st.lists(st.sampled_from(_TOKENS), min_size=1, max_size=2).map("".join))
_patterns = st.builds(
    lambda slash, segments: slash + "/".join(segments),
    st.sampled_from(["", "/"]), st.lists(_segments, min_size=1, max_size=2),
)  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("src", "src", True),
        ("src", "lib", False),
        ("README.md", "docs/README.md", False),
        ("[R]EADME.md", "docs/README.md", True),
        ("src/a.py", "src/b.py", False),
        ("src/auth", "src/auth/login.py", True),
        ("src/auth/", "src/auth/login.py", True),
        ("src/auth/**", "src/auth/login.py", True),
        ("src/auth/**", "src/author/login.py", False),
        ("src/auth", "src/author", False),
        ("src/*", "src/auth/login.py", True),
        ("src/*.py", "src/auth/login.py", False),
        ("src/*.py", "src/*_test.*", True),
        ("src/*.py", "src/*.js", False),
        ("src/**/x.py", "src/x.py", True),
        ("src/**/x.py", "src/a/b/x.py", True),
        ("**/x.py", "lib/**", True),
        ("a/**/b", "a/c/**", True),
        ("a/**/b", "c/**", False),
        ("*.md", "docs/api.md", True),
        ("/*.md", "docs/api.md", False),
        ("/*.md", "README.md", True),
        ("./src/a", "src/a", True),
        ("src//a", "src/a", True),
        ("**", "anything/at/all", True),
        ("", "anything", True),
        ("a**b", "axyb", True),
        ("/a**b", "/a/b", False),
        ("/?", "/ab", False),
        ("/[a-m]", "/k", True),
        ("/[a-m]", "/z", False),
        ("/[!a-m]", "/k", False),
        ("/[^a-m]", "/z", True),
        ("/[a-m]", "/[n-z]", False),
        ("/[a-m]", "/[m-z]", True),
        ("/[!a]", "/[!b]", True),
        ("/[!b-z]", "/[a-y]", True),
        ("/[]]", "/]", True),
        ("/[a-]", "/-", True),
        ("/\\*", "/a", False),
        ("/\\*", "/[*]", True),
        ("/a\\", "/a\\", True),
        ("/ü?", "/[ä-ü]x", True),
        # Unsure is yes.
        ("/[a", "/z", True),
        ("/[[:alpha:]]", "/1", True),
        ("/[\\]]", "/1", True),
        ("!src", "lib", True),
    ],
)
def test_patterns_meet_where_a_path_fits_both(one: str, other: str, expected: bool) -> None:  # noqa: FBT001 - a parameter
    assert scope.meet(one, other) is expected
    assert scope.meet(other, one) is expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ((), (), False),
        ((), ("**",), False),
        (("src/**",), (), False),
        (("src/**", "docs/**"), ("lib/**", "docs/api.md"), True),
        (("src/**", "docs/**"), ("lib/**", "tests/**"), False),
    ],
)
def test_sets_overlap_where_any_two_meet(ours: tuple[str, ...], theirs: tuple[str, ...], expected: bool) -> None:  # noqa: FBT001 - a parameter
    assert scope.overlap(ours, theirs) is expected


def test_long_patterns_take_no_time_to_speak_of() -> None:
    assert scope.meet("/" + "*a" * 300, "/" + "a*" * 300)
    assert not scope.meet("/" + "*a" * 300 + "b", "/" + "a*" * 300 + "c")


def _regex(pattern: str) -> re.Pattern[str]:
    """Return what fits the paths that `pattern` names, each name in them with a slash behind it."""
    words = ["**"] if "/" not in pattern and set(pattern) & set("*?[") else []
    words += [*filter(None, pattern.split("/")), "**"]
    return re.compile("".join("(?:[^/]+/)*" if word == "**" else f"{_name(word)}/" for word in words))


def _name(word: str) -> str:
    plain = {"*": "[^/]*", "?": "[^/]"}
    tokens = re.findall(r"\[.*?\]|\\.|.", word)
    return "".join(plain.get(each, each.replace("[!", "[^").lstrip("\\")) for each in tokens)


@lru_cache(maxsize=1000)
def _named(pattern: str) -> frozenset[str]:
    fits = _regex(pattern)
    return frozenset(path for path in _PATHS if fits.fullmatch(f"{path}/"))


@given(_patterns, _patterns)
@settings(max_examples=400, deadline=None, derandomize=True)
def test_patterns_meet_exactly_where_some_path_is_named_by_both(one: str, other: str) -> None:
    assert scope.meet(one, other) is bool(_named(one) & _named(other))


@given(st.text("ab/*?[]!-\\", max_size=8), st.text("ab/*?[]!-\\", max_size=8))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_whatever_was_typed_has_an_answer_and_the_same_from_both_sides(one: str, other: str) -> None:
    assert scope.meet(one, other) is scope.meet(other, one)
    assert scope.meet(one, one)
