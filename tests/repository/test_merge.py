from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchgit.model import document, yamltext
from orchgit.repository import merge

BASE = """\
---
# mine
id: tsk_1
title: "Do it"   # quoted
status: todo
labels: [a]
---
One.

Two.

Three.
"""


def merged(base: str, ours: str, typed: str, path: str = "tasks/x.md") -> tuple[str, tuple[str, ...], str]:
    found = merge.three_way(path, base=base.encode(), ours=ours.encode(), typed=typed.encode())
    return found.data.decode(), found.overruled, found.unreadable


def change(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


STATUS, TITLE, LABELS = ("status: todo", "status: done"), ('"Do it"', '"Do this"'), ("[a]", "[a, b]")


@pytest.mark.parametrize(
    ("ours", "typed", "result", "overruled"),
    [
        ([STATUS], [], [STATUS], ()),
        ([STATUS], [TITLE], [STATUS, TITLE], ()),
        ([STATUS], [STATUS], [STATUS], ()),
        ([STATUS], [("status: todo", "status: failed")], [STATUS], ("status",)),
        ([STATUS], [("status: todo\n", "")], [("status: todo\nlabels: [a]", "labels: [a]\nstatus: done")], ("status",)),
        ([("labels: [a]\n", "")], [LABELS], [("labels: [a]\n", "")], ("labels",)),
        ([("labels: [a]\n", "")], [TITLE], [("labels: [a]\n", ""), TITLE], ()),
        ([("labels: [a]\n", "")], [("[a]", "[a]  # why")], [("labels: [a]\n", "")], ("labels",)),
        ([STATUS], [("status: todo", "status: todo # why")], [("status: todo", "status: done # why")], ()),
        ([STATUS], [("# mine", "# my own"), ("One.", "One!")], [STATUS, ("# mine", "# my own"), ("One.", "One!")], ()),
        ([("One.", "1.")], [("Three.", "3.")], [("One.", "1."), ("Three.", "3.")], ()),
        ([("Two.", "2.")], [("Two.", "II.")], [("Two.", "2.\nII.")], ()),
        ([STATUS], [("id: tsk_1", "id: tsk_1\nmine: 1")], [STATUS, ("id: tsk_1", "id: tsk_1\nmine: 1")], ()),
    ],
)  # fmt: skip
def test_key_by_key_and_line_by_line(
    ours: list[tuple[str, str]], typed: list[tuple[str, str]], result: list[tuple[str, str]], overruled: tuple[str, ...]
) -> None:
    assert merged(BASE, change(BASE, *ours), change(BASE, *typed)) == (change(BASE, *result), overruled, "")


def test_line_ends_of_the_typed_file_stay() -> None:
    typed = BASE.replace("\n", "\r\n")
    assert merged(BASE, change(BASE, STATUS), typed)[0] == change(typed, STATUS)


@pytest.mark.parametrize(
    "typed", ["---\nid: [\n---\n", "---\nnever closed\n", "---\na: 1\na: 2\n---\n", change(BASE, ("Two", "T\0"))]
)
def test_what_can_not_be_read_stays(typed: str) -> None:
    data, overruled, unreadable = merged(BASE, change(BASE, STATUS, ("One.", "1.")), typed)
    assert (data, overruled) == (typed, ())
    assert unreadable.startswith("tasks/x.md:")


SETTINGS = "version: 1\nproject:\n  name: a   # mine\n  base: main\nscheduling:\n  tick: 1\n"


@pytest.mark.parametrize(
    ("ours", "typed", "result", "overruled"),
    [
        (
            [("base: main", "base: b")],
            [("name: a", "name: c")],
            [("base: main", "base: b"), ("name: a", "name: c")],
            (),
        ),
        ([("tick: 1", "tick: 2")], [("tick: 1", "tick: 3")], [("tick: 1", "tick: 2")], ("scheduling.tick",)),
        ([("version: 1\n", "")], [("tick: 1", "tick: 3")], [("version: 1\n", ""), ("tick: 1", "tick: 3")], ()),
        ([("tick: 1", "tick: 2")], [("# mine", "# my")], [("tick: 1", "tick: 2"), ("# mine", "# my")], ()),
        ([("  name: a   # mine\n", "")], [("# mine", "# my")], [("  name: a   # mine\n", "")], ("project.name",)),
    ],
)
def test_settings_are_merged_by_their_nested_keys(
    ours: list[tuple[str, str]], typed: list[tuple[str, str]], result: list[tuple[str, str]], overruled: tuple[str, ...]
) -> None:
    found = merged(SETTINGS, change(SETTINGS, *ours), change(SETTINGS, *typed), "config.yaml")
    assert found == (change(SETTINGS, *result), overruled, "")


def test_other_files_are_merged_by_lines() -> None:
    assert merged("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", "notes.txt") == ("A\nb\nC\n", (), "")


values = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 3))


@given(values, values, values)
def test_the_merge_has_what_ours_changed_and_else_what_was_typed(
    base: dict[str, int], ours: dict[str, int], typed: dict[str, int]
) -> None:
    texts = [document.edit("---\n---\nBody.\n", each) if each else "---\n---\nBody.\n" for each in (base, ours, typed)]
    data, overruled, unreadable = merged(*texts)
    changed = {key for key in {*base, *ours} if base.get(key) != ours.get(key)}
    expected = {key: value for key, value in typed.items() if key not in changed}
    expected |= {key: ours[key] for key in changed if key in ours}
    assert document.parse(data).values == expected
    assert set(overruled) <= changed
    assert unreadable == ""
    assert merged(texts[0], texts[1], data)[0] == data


def test_a_loaded_text_is_not_changed_by_a_merge() -> None:
    assert yamltext.load(SETTINGS).values == yamltext.load(SETTINGS).values
