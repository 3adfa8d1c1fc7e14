from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from orchgit.model import yamlnode, yamlvalue
from orchgit.model.errors import InvalidFileError
from orchgit.model.yamltext import REMOVE, edit, load
from tests.support import yaml_texts

if TYPE_CHECKING:
    from yaml.nodes import Node

    from orchgit.model.yamltext import Remove, Value

FEW = settings(max_examples=150, deadline=None, derandomize=True)


def one(text: str, key: str, value: Any) -> str:
    return edit(text, {(key,): value})


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("off", "off"),
        ("~", None),
        ("null", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("0123", "0123"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("9" * 40, "9" * 40),
        ("1.5", 1.5),
        ("-1.5e3", -1500.0),
        ("12e4567", "12e4567"),
        (".inf", ".inf"),
        ("2026-11-22", "2026-11-22"),
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("<<", "<<"),
        ("=", "="),
        ("[1, a, 'true']", [1, "a", "true"]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
    ],
)
def test_values_are_read_as_yaml_1_2_does(written: str, value: Any) -> None:
    read = load(f"key: {written}\n").values["key"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize("text", ["", "\ufeff", "\n", "# only a comment", "---\n", "--- # x\n"])
def test_a_text_that_says_nothing_is_an_empty_mapping(text: str) -> None:
    assert load(text).values == {}


def test_many_brackets_are_not_deep_ones() -> None:
    assert load(f"a: [{'[], ' * 600}]\n").values == {"a": [[]] * 600}


def test_merge_keys_work() -> None:
    text = "base: &b {x: 1, y: 1}\nmore: &m {z: 3}\ntask:\n  <<: [*b, *m]\n  y: 2\n"
    assert load(text).values["task"] == {"x": 1, "y": 2, "z": 3}


def test_a_key_has_a_line() -> None:
    loaded = load("# one\r\n\r\na:\r\n  b: 😀\r\n  c: |\r\n    x\r\nd: 1\r\n")
    paths = [("a",), ("a", "b"), ("a", "c"), ("d",), ("a", "missing"), ("missing",), ("d", "missing")]
    assert [loaded.line(path) for path in paths] == [3, 4, 5, 7, 3, 1, 7]


ALIASES = "a: &a [" + "x, " * 10 + "x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [1\n", ":2: opens a `[` that is never closed"),
        ("a: [x, y\nb: [1]\n", ":1: opens a `[` that is never closed"),
        ("a: 1\nb: {x: 1\nc: 2\n", ":2: opens a `{` that is never closed"),
        ("a: 1\nb: {\n", ":2: opens a `{` that is never closed"),
        ("a: [b: c: d]\n", ":1: did not find expected ',' or ']'"),
        ('a: 1\nb: "x\nc: 2\nd: 3\n', ":2: opens a quote that is never closed"),
        ("a: 1\nb: [x,\n  'y]\nc: 2\n", ":3: opens a quote that is never closed"),
        ("a: 1\ntitle: fix: it\n", ":2: has a second `: `; put the value in quotes"),
        ("a:\n\tb: 1\n", ":2: is indented with a tab; use spaces"),
        ("a: *x\n", ":1: found undefined alias"),
        ("a: &x 1\nb: &x 2\n", ":2: gives the same anchor a second time"),
        ("words\n", ":1: is not made of `key: value` lines"),
        ("\n- a\n", ":2: is not made of `key: value` lines"),
        ("{a: 1}\n", ":1: stands in braces; write one key per line"),
        ("a: 1\nb: 2\na: 3\n", ":3: a: stands twice; keep one of them"),
        ("a:\n  b: 1\n  b: 2\n", ":3: b: stands twice; keep one of them"),
        ("a: [{b: 1, 'b': 2}]\n", ":1: b: stands twice; keep one of them"),
        ("a: 1\n1: 2\n", ":2: 1: is a key that is not text; put it in quotes"),
        ("true: 2\n", ":1: true: is a key that is not text; put it in quotes"),
        ("? [a]\n: 1\n", ":1: a key must be one word, or text in quotes"),
        ("a: 1\nb: \x07\n", ":2: has the character U+0007, which YAML does not allow; take it out"),
        ("a: \ud800\n", ":1: has the character U+D800, which YAML does not allow; take it out"),
        ("a: 1\n---\nb: 1\n", ":2: holds more than one YAML document; keep one of them"),
        ("a: !!binary aGk=\n", ":1: has the tag !!binary, which means nothing here; leave it out"),
        ("a: !mine x\n", ":1: has the tag !mine, which means nothing here; leave it out"),
        ("a: !!set {x}\n", ":1: has the tag !!set, which means nothing here; leave it out"),
        ("a: !!int x\n", ":1: 'x' is not what its tag !!int says"),
        ("a: &a [*a]\n", ":1: holds an alias of itself"),
        (ALIASES, ":5: grows beyond all bounds by its aliases"),
        ("a: " + "[" * 100_000, ":1: is nested too deeply"),
        ("".join(f"{' ' * depth}a:\n" for depth in range(700)), ":1: is nested too deeply"),
    ],
)
def test_what_can_not_be_read_says_where_and_why(text: str, message: str) -> None:
    with pytest.raises(InvalidFileError) as refused:
        load(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "value", "result"),
    [
        ("a: 1\n", 2, "a: 2\n"),
        ("a: 1 # why\nb: 2", 3, "a: 3 # why\nb: 2"),
        ("a :   1\r\n", "x", "a :   x\r\n"),
        ("a: 'x'\n", "it's", "a: 'it''s'\n"),
        ('a: "x" # y\n', 'q"', 'a: "q\\"" # y\n'),
        ('a: "x"\n', 5, "a: 5\n"),
        ("a: plain\n", "two words, and more", "a: two words, and more\n"),
        ("a: plain\n", "a: b", "a: 'a: b'\n"),
        ("a:\n", "x", "a: x\n"),
        ("a: \n", "x", "a: x\n"),
        ("a:", "x", "a: x"),
        ("a:   # why\nb: 1\n", "x", "a: x   # why\nb: 1\n"),
        ("a:\n  word\nb: 1\n", 5, "a:\n  5\nb: 1\n"),
        ("a: one\n  two\n\n  three # why\nb: 1\n", "x", "a: x # why\nb: 1\n"),
        ("a: |\n  x\n\n\n# c\nb: 1\n", "y", "a: y\n\n\n# c\nb: 1\n"),
        ("a: |+\n  x\n\nb: 1\n", "y", "a: y\nb: 1\n"),
        ("a: >-\n  x", "y\nz", 'a: "y\\nz"'),
        ("a: [x] # why\n", ["x", "y"], "a: [x, y] # why\n"),
        ("a: [x,\n  y] # why\n", [], "a: [] # why\n"),
        ("a: 1\n", ["a, b", "yes", "src/**"], "a: ['a, b', 'yes', src/**]\n"),
        ("a: 1\n", {"K": "v", "yes": "1"}, "a: {K: v, 'yes': '1'}\n"),
        ("a: {x: 1} # why\n", {"x": "2"}, "a: {x: '2'} # why\n"),
        ("a: ~\n", datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=2))), "a: 2026-11-22T10:00:00Z\n"),
        ("a: 😀 # 😀\nb: 1\n", "😁", "a: '😁' # 😀\nb: 1\n"),
        ("\ufeffa: 1\n", 2, "\ufeffa: 2\n"),
        ("a: x\x85b: 1\u2028c: 2\n", "y", "a: y\x85b: 1\u2028c: 2\n"),
        ("'a': &n x\n", "y", "'a': y\n"),
        ("? a\n: b\n", "c", "? a\n: c\n"),
    ],
)
def test_setting_a_value_changes_its_bytes_alone(text: str, value: Any, result: str) -> None:
    assert one(text, "a", value) == result


@pytest.mark.parametrize(
    ("text", "value", "result"),
    [
        ("a:\n  - x # 1\n  - y # 2\nb: 1\n", ["x", "y", "z"], "a:\n  - x # 1\n  - y # 2\n  - z\nb: 1\n"),
        ("a:\n- x\n- y", ["x", "y", "z"], "a:\n- x\n- y\n- z"),
        ("a:\n- x # 1\n- y # 2\n- z # 3\n", ["x", "z"], "a:\n- x # 1\n- z # 3\n"),
        ("a:\n- x # 1\n# c\n- y # 2\n", ["w", "x", "y"], "a:\n- w\n- x # 1\n# c\n- y # 2\n"),
        ("a:\n-\n  x\n- - in\n- 'z'\n", ["one", "z"], "a:\n- one\n- 'z'\n"),
        ("a: # why\n  # c\n  - x # 1\n  - y\n  # d\nb: 1\n", [], "a: [] # why\n  # c\n  # d\nb: 1\n"),
        ("a: # why\n  - x\nb: 1\n", 5, "a: 5 # why\nb: 1\n"),
        ("a: !!seq\n  # c\n  - x\nb: 1\n", ["y"], "a: [y]\n  # c\nb: 1\n"),
        ("a:\n  b: 1 # c\n  d:\n    - 1\n\nb: 1\n", None, "a: null\n\nb: 1\n"),
        ("a:\n  b: 1 # c\n  d: 2 # e\nb: 1\n", {"d": "2", "e": "3"}, "a:\n  d: '2' # e\n  e: '3'\nb: 1\n"),
        ("a: {}\nb: 1\n", {"d": "x"}, "a:\n  d: x\nb: 1\n"),
        ("a: # why\nb: 1\n", {"d": "x"}, "a: # why\n  d: x\nb: 1\n"),
    ],
)
def test_a_block_keeps_what_stays_of_it(text: str, value: Any, result: str) -> None:
    assert one(text, "a", value) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", "n: 1\n"),
        ("# c", "# c\nn: 1"),
        ("---\n", "---\nn: 1\n"),
        ("a: 1\n# last\n\n", "a: 1\n# last\n\nn: 1\n"),
        ("a: 1", "a: 1\nn: 1"),
        ("a: 1\r\nb: 2\r\n", "a: 1\r\nb: 2\r\nn: 1\r\n"),
        ("  a: 1\n  b: 2\n", "  a: 1\n  b: 2\n  n: 1\n"),
        ("a: 1\n...\n", "a: 1\nn: 1\n...\n"),
        ("a: |+\n  x\n\n", "a: |+\n  x\n\nn: 1\n"),
        ("a: 1\n# c\nb: |\n  x", "a: 1\n# c\nn: 1\nb: |\n  x"),
        ("a: &n {x: 1}\nb: *n", "a: &n {x: 1}\nb: *n\nn: 1"),
    ],
)
def test_a_new_key_goes_to_the_end(text: str, result: str) -> None:
    assert one(text, "n", 1) == result


@pytest.mark.parametrize(
    ("text", "path", "result"),
    [
        ("d:\n  t:\n    p: 1 # c\n\n# end\n", "d.t.n", "d:\n  t:\n    p: 1 # c\n    n: 1\n\n# end\n"),
        ("d:\n    t: 1\ne: 1\n", "d.n", "d:\n    t: 1\n    n: 1\ne: 1\n"),
        ("d: # c\ne: 1\n", "d.t.n", "d: # c\n  t:\n    n: 1\ne: 1\n"),
        ("d: {}\n", "d.n", "d:\n  n: 1\n"),
        ("e: 1", "d.t.n", "e: 1\nd:\n  t:\n    n: 1"),
        ("d:\r\n  n: 2 # c\r\n", "d.n", "d:\r\n  n: 1 # c\r\n"),
        ("b: &b {x: 2}\nd:\n  <<: *b\n", "d.x", "b: &b {x: 2}\nd:\n  <<: *b\n  x: 1\n"),
    ],
)
def test_a_nested_key_goes_into_its_block(text: str, path: str, result: str) -> None:
    assert edit(text, {tuple(path.split(".")): 1}) == result


@pytest.mark.parametrize("value", ["1", "word", "[a]", "{a: 1}", "\n  - a", "|\n  x", "*n"])
def test_a_key_is_not_put_into_what_is_no_block(value: Any) -> None:
    with pytest.raises(InvalidFileError, match=r"^:2: d: is no block of `key: value` lines, so it can't hold 'n'"):
        edit(f"a: &n {{x: 1}}\nd: {value}\n", {("d", "n"): 1})


@pytest.mark.parametrize(
    ("text", "path", "result"),
    [
        ("a: 1 # c\nb: 2\n", "a", "b: 2\n"),
        ("# c\nb: 2\n\na: [1,\n  2] # d", "a", "# c\nb: 2\n\n"),
        ("a:\n  - x\n  - y # c\n# d\nb: 1\n", "a", "# d\nb: 1\n"),
        ("a: |\n  x\n\n# d\nb: 1\n", "a", "\n# d\nb: 1\n"),
        ("a: 1\n", "a", ""),
        ("b: 1\n", "a", "b: 1\n"),
        ("b: 1\n", "b.a", "b: 1\n"),
        ("a:\n  b: 1\n  c: 2 # x\nd: 1\n", "a.b", "a:\n  c: 2 # x\nd: 1\n"),
        ("a:\n  b:\n    c: 2 # x\nd: 1\n", "a.b.c", "d: 1\n"),
    ],
)
def test_removing_takes_the_lines_of_the_key(text: str, path: str, result: str) -> None:
    assert edit(text, {tuple(path.split(".")): REMOVE}) == result


@pytest.mark.parametrize(
    ("text", "value", "result"),
    [
        ("a: &n [1, x]\nb: *n # c\nc: *n\n", REMOVE, "b: &n [1, x] # c\nc: *n\n"),
        ("a: &n x\nb: [*n, *n]\n", "y", "a: y\nb: [&n x, *n]\n"),
        ("a:\n  k: &n '1'\nb:\n- *n\n", 5, "a: 5\nb:\n- &n '1'\n"),
        ("a: &m\n  k: &n {x: y}\nb: *n\nc: *m\n", REMOVE, "b: &n {x: y}\nc: &m {k: {x: y}}\n"),
        ("a: &n {x: 1}\nb:\n  <<: *n\n  y: 2\n", REMOVE, "b:\n  <<: &n {x: 1}\n  y: 2\n"),
        ("a: [&n x, *n]\nb: 1\n", "y", "a: y\nb: 1\n"),
        ("b: &n x\na: *n # c\n", "y", "b: &n x\na: y # c\n"),
        ("b: &n x\na: *n # c\n", "x", "b: &n x\na: *n # c\n"),
    ],
)
def test_an_anchor_that_goes_moves_to_its_first_alias(text: str, value: Any, result: str) -> None:
    assert one(text, "a", value) == result


@pytest.mark.parametrize(
    ("text", "changes", "key"),
    [
        ("a: &n {x: 1}\nb:\n  <<: *n\n  y: 2\n", {("b", "x"): REMOVE}, "b.x"),
        ("a: &n\n  x: 1\nb: *n\n", {("c",): 1, ("a", "x"): 2}, "a.x"),
        ("a: |+\n  x\nb: 1\n\nc: 2\n", {("b",): REMOVE}, "b"),
        ("? a\n: - 1\n", {("a",): 2}, "a"),
        ("a: 1\n", {("a",): float("nan")}, "a"),
        ("a: 1\n", {("a",): 10**30}, "a"),
        ("a: 1\n", {("a",): "\ud800"}, "a"),
    ],
)
def test_what_can_not_be_done_in_place_is_refused(text: str, changes: Any, key: str) -> None:
    with pytest.raises(InvalidFileError) as refused:
        edit(text, changes)
    assert (refused.value.key, refused.value.reason) == (key, "can't be changed in place; change it by hand")


def test_several_changes_are_made_at_once() -> None:
    text = "a: 1 # a\nb:\n  c: 2\nd: [x]\n"
    changes: dict[tuple[str, ...], Value | Remove] = {
        ("a",): REMOVE,
        ("b", "c"): 3,
        ("b", "e"): 4,
        ("d",): ["y"],
        ("f",): "z",
        ("g", "h"): True,
    }
    assert edit(text, changes) == "b:\n  c: 3\n  e: 4\nd: [y]\nf: z\ng:\n  h: true\n"


def test_all_keys_of_a_block_can_be_exchanged() -> None:
    assert edit("a:\n  b: 1\nc: 1\n", {("a", "b"): REMOVE, ("a", "d"): 2}) == "a:\n  d: 2\nc: 1\n"


def test_what_is_so_already_changes_nothing() -> None:
    text = "a: [ 'x' ]\nb: 0x10\nc: \"yes\"\nd: 2026-11-22T10:00:00Z"
    time = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert edit(text, {("a",): ["x"], ("c",): "yes", ("d",): time, ("e",): REMOVE, ("a", "x"): REMOVE}) == text


def test_the_line_end_can_be_given() -> None:
    assert edit("", {("a",): 1, ("b",): 2}, newline="\r\n") == "a: 1\r\nb: 2\r\n"


def test_an_alias_as_a_key_is_read_and_not_edited() -> None:
    text = "a: &n x\nb:\n  *n : 1\n"
    assert load(text).values["b"] == {"x": 1}
    with pytest.raises(InvalidFileError, match=r"^:3: is an alias as a key; write the key out"):
        one(text, "a", "y")


@given(st.data())
@settings(FEW, max_examples=200)
def test_an_edit_does_what_was_asked_and_nothing_else(data: st.DataObject) -> None:
    pieces = data.draw(yaml_texts.texts())
    text = "".join(piece.words for piece in pieces)
    changes = data.draw(yaml_texts.changes(piece.path for piece in pieces if piece.path))
    before = after = load(text).values
    for path, value in changes.items():
        after = yaml_texts.applied(after, path, value)
    try:
        edited = edit(text, changes)
    except InvalidFileError as refused:
        assert "so it can't hold" in refused.reason  # noqa: PT017 - the only reason there is
        return
    assert repr_of(load(edited).values) == repr_of(after)
    assert edit(edited, changes) == edited
    assert "\r\n" not in text or "\n" not in edited.replace("\r\n", "")
    at = 0
    for piece in pieces:
        if yaml_texts.is_kept(piece, before, after):
            at = edited.index(piece.words.rstrip("\r\n"), at) + len(piece.words.rstrip("\r\n"))


@given(st.data())
@FEW
def test_other_keys_keep_their_values_where_anchors_go(data: st.DataObject) -> None:
    pieces = data.draw(yaml_texts.texts(aliases=True))
    text = "".join(piece.words for piece in pieces)
    changes = data.draw(yaml_texts.changes(piece.path for piece in pieces if piece.path))
    after = load(text).values
    for path, value in changes.items():
        after = yaml_texts.applied(after, path, value)
    try:
        edited = edit(text, changes)
    except InvalidFileError as refused:
        assert "so it can't hold" in refused.reason  # noqa: PT017 - the only reason there is
        return
    assert repr_of(load(edited).values) == repr_of(after)


@given(
    yaml_texts.values.filter(lambda value: value not in (REMOVE, yaml_texts.TIME)),
    st.sampled_from(["a: x", "a: 'x'", 'a: "x"', "a:"]),
)
@FEW
def test_every_loader_reads_the_same(value: Any, text: str) -> None:
    edited = one(text, "a", value)
    assert "\n" not in edited or isinstance(value, dict)
    assert yaml.safe_load(edited)["a"] == value


@given(
    st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
@FEW
def test_any_text_and_any_key_can_be_written(key: str, value: Any) -> None:
    edited = edit("a: 1\n", {(f"_{key}",): value, ("m",): {key: value}, ("l",): [value]})
    assert load(edited).values == {"a": 1, f"_{key}": value, "m": {key: value}, "l": [value]}
    assert yaml.safe_load(edited)["l"] == [value]


LINE_ENDS = ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"]


@given(
    st.lists(
        st.tuples(st.text("😀é\u2003\U0010fffdab", min_size=1), st.text("😀é\xa0\u3000'cd"), st.sampled_from(LINE_ENDS))
    )
)
@FEW
def test_the_parser_counts_characters_not_bytes(lines: list[tuple[str, str, str]]) -> None:
    keys = [f"{number}{key}" for number, (key, _, _) in enumerate(lines)]
    spans = [(f"'{key}'", f'"{value}"') for key, (_, value, _) in zip(keys, lines, strict=True)]
    text = "".join(f"{key}: {value} # 😀{end}" for (key, value), (*_, end) in zip(spans, lines, strict=True))
    root = yamlnode.tree(text).root
    found = [] if root is None else [(where(text, key), where(text, value)) for key, value in root.value]
    assert found == spans


def test_without_libyaml_all_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &n\n  - 😀 # c\nb: *n # d\ne: |\n  x\n\nf:\n  g: 1\n"
    changes: dict[tuple[str, ...], Value | Remove] = {("a",): REMOVE, ("e",): "y", ("f", "h"): 2}
    expected = edit(text, changes)
    with monkeypatch.context() as patch:
        patch.delattr(yaml, "CSafeLoader")
        importlib.reload(yamlnode)
        assert issubclass(yamlnode.Loader, yaml.SafeLoader)
        assert edit(text, changes) == expected
        with pytest.raises(InvalidFileError, match=r"^:2: has the character U\+0007"):
            load("a: 1\nb: \x07")
    importlib.reload(yamlnode)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x"])
def test_what_has_no_form_is_a_defect(value: Any) -> None:
    with pytest.raises(TypeError, match="has no form in YAML"):
        one("a: 1\n", "a", value)
    with pytest.raises(TypeError, match="has no form in YAML"):
        yamlvalue.written(value if value != b"x" else object())


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("Add OAuth2 (again), now", "Add OAuth2 (again), now"),
        ("https://x/y#z", "https://x/y#z"),
        ("3f9c2e1", "3f9c2e1"),
        ("src/auth/**", "src/auth/**"),
        ("**/*.py", "'**/*.py'"),
        ("yes", "'yes'"),
        ("NULL", "'NULL'"),
        ("0123", "'0123'"),
        ("12:30", "'12:30'"),
        ("1e3", "'1e3'"),
        ("0x1f", "'0x1f'"),
        ("2026-01-01", "'2026-01-01'"),
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
        ("a #b", "'a #b'"),
        ("a:", "'a:'"),
        ("", "''"),
        (" x", "' x'"),
        ("a\tb\n\x85\x7f", '"a\\tb\\n\\u0085\\u007f"'),
    ],
)
def test_a_string_is_quoted_where_it_must_be(words: str, written: str) -> None:
    assert yamlvalue.written(words) == written


def where(text: str, node: Node) -> str:
    return text[yamlnode.start_of(node) : yamlnode.end_of(node)]


def repr_of(values: Any) -> Any:
    """Tell 1 from 1.0 and true, whatever the order of keys."""
    if isinstance(values, dict):
        return {key: repr_of(value) for key, value in values.items()}
    return [repr_of(value) for value in values] if isinstance(values, list) else repr(values)
