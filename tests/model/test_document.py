from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import frontmatter
import pytest
from frontmatter.default_handlers import YAMLHandler
from hypothesis import given, settings
from hypothesis import strategies as st

from orchgit.model import document, yamlnode, yamltext
from orchgit.model.errors import InvalidFileError
from orchgit.model.yamltext import BOM, REMOVE
from tests.support import yaml_texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchgit.model.yamltext import Remove, Value

FEW = settings(max_examples=100, deadline=None, derandomize=True)

TASK = """\
---
id: tsk_7k3m9q
title: 'Add OAuth2'   # for all
status: todo
labels: [auth]
depends_on:
  - tsk_2hd8xw # first
mine: {kept: yes}
---
What to do.

## Feedback

Not yet.

## Notes
"""


@pytest.mark.parametrize(
    ("text", "values", "body"),
    [
        ("", {}, ""),
        ("# Title\nwords\n", {}, "# Title\nwords\n"),
        ("\n---\na: 1\n---\n", {}, "\n---\na: 1\n---\n"),
        ("--- words\n---\n", {}, "--- words\n---\n"),
        ("---\n---\n", {}, ""),
        ("---\n---", {}, ""),
        ("---\n\n\n---\n\nbody", {}, "\nbody"),
        ("---\n# c\n---\nbody", {}, "body"),
        ("---\na: 1\n---\n\n\n  body\n\n", {"a": 1}, "\n\n  body\n\n"),
        ("---\na: 1\n---", {"a": 1}, ""),
        ("-----  \na: 1\n---- \t\nbody", {"a": 1}, "body"),
        ("---\r\na: 1\r\n---\r\nbody\r\n", {"a": 1}, "body\r\n"),
        ("---\n\na: |\n  x\n  ---\n\n---\n---\n", {"a": "x\n---\n"}, "---\n"),
        (f"{BOM}---\na: 1\n---\nbody", {"a": 1}, "body"),
        (f"{BOM}body", {}, "body"),
    ],
)
def test_a_file_falls_into_front_matter_and_body(text: str, values: dict[str, Any], body: str) -> None:
    found = document.parse(text)
    assert (found.text, found.values, found.body) == (text, values, body)
    assert found.has_front_matter == (document.parse(text).body != text.removeprefix(BOM))


def test_a_key_has_a_line_of_the_file() -> None:
    found = document.parse(TASK)
    assert [found.line(key) for key in ("id", "labels", "mine", "missing")] == [2, 5, 8, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("---\na: 1\n", ":1: opens a front matter that is never closed; end it with a line `---`"),
        ("---\na: 1\nb: [\n---\n", ":3: opens a `[` that is never closed"),
        ("---\na: 1\nb: 2\na: 3\n---\n", ":4: a: stands twice; keep one of them"),
        ("---\n- a\n---\n", ":2: is not made of `key: value` lines"),
    ],
)
def test_front_matter_that_can_not_be_read_says_where(text: str, message: str) -> None:
    for read in (document.parse, lambda text: document.edit(text, {"a": 1})):
        with pytest.raises(InvalidFileError) as refused:
            read(text)
        assert str(refused.value) == message


def test_an_edit_changes_its_lines_alone() -> None:
    changes: dict[str, Value | Remove] = {
        "title": "Add OAuth2, really",
        "labels": REMOVE,
        "depends_on": ["tsk_2hd8xw", "tsk_3"],
        "retry_at": datetime(2026, 11, 22, 10, 5, tzinfo=UTC),
    }
    assert document.edit(TASK, changes) == (
        TASK.replace("'Add OAuth2' ", "'Add OAuth2, really' ")
        .replace("labels: [auth]\n", "")
        .replace("# first\n", "# first\n  - tsk_3\n")
        .replace("yes}\n", "yes}\nretry_at: 2026-11-22T10:05:00Z\n")
    )


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", "---\na: 1\n---\n"),
        ("# Title\n", "---\na: 1\n---\n# Title\n"),
        (f"{BOM}words\r\nmore", f"{BOM}---\r\na: 1\r\n---\r\nwords\r\nmore"),
        ("---\n---", "---\na: 1\n---"),
        ("---\r\n---\r\nbody", "---\r\na: 1\r\n---\r\nbody"),
        ("---\n# c\n---\n---\n", "---\n# c\na: 1\n---\n---\n"),
    ],
)
def test_a_file_gets_the_front_matter_that_it_lacks(text: str, result: str) -> None:
    assert document.edit(text, {"a": 1}) == result


@pytest.mark.parametrize("text", ["", "words", "---\n---\nwords", TASK])
def test_no_change_is_no_change(text: str) -> None:
    assert document.edit(text, {}) == document.edit(text, {"missing": REMOVE}) == text


@pytest.mark.parametrize(
    ("text", "body", "result"),
    [
        ("---\na: 1 # c\n---\nold", "new\n", "---\na: 1 # c\n---\nnew\n"),
        ("---\r\na: 1\r\n---", "new", "---\r\na: 1\r\n---\r\nnew"),
        ("---\na: 1\n---", "", "---\na: 1\n---"),
        (f"{BOM}old", "new", f"{BOM}new"),
        ("old", "---\na: 1\n---\nnew", "---\n---\n---\na: 1\n---\nnew"),
    ],
)
def test_a_body_can_be_replaced(text: str, body: str, result: str) -> None:
    assert document.replace_body(text, body) == result
    assert document.parse(result).body == body


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", "## Feedback\n\nNo.\n"),
        ("words", "words\n\n## Feedback\n\nNo.\n"),
        ("words\n\n", "words\n\n## Feedback\n\nNo.\n"),
        ("---\na: 1\n---\n", "---\na: 1\n---\n\n## Feedback\n\nNo.\n"),
        ("---\r\na: 1\r\n---", "---\r\na: 1\r\n---\r\n\r\n## Feedback\r\n\r\nNo.\r\n"),
        ("---\n## Feedback\n---\nx\n", "---\n## Feedback\n---\nx\n\n## Feedback\n\nNo.\n"),
        ("## Feedback", "## Feedback\n\nNo.\n"),
        ("## Feedback ##\n\nOld.", "## Feedback ##\n\nOld.\n\nNo.\n"),
        ("## Feedback\r\n\r\nOld.\r\n", "## Feedback\r\n\r\nOld.\r\n\r\nNo.\r\n"),
        ("## Feedback\nOld.\n### More\nx\n# Next\n", "## Feedback\nOld.\n### More\nx\n\nNo.\n\n# Next\n"),
        ("## Feedback\n\n\n## Next", "## Feedback\n\n\nNo.\n\n## Next"),
        ("## Feedback\n```\n## Code\n```\n## Next\n", "## Feedback\n```\n## Code\n```\n\nNo.\n\n## Next\n"),
        ("~~~ md\n## Feedback\n```\n~~~\nx\n", "~~~ md\n## Feedback\n```\n~~~\nx\n\n## Feedback\n\nNo.\n"),
        ("    ## Feedback\n", "    ## Feedback\n\n## Feedback\n\nNo.\n"),
        ("---\nnever closed\n", "---\nnever closed\n\n## Feedback\n\nNo.\n"),
    ],
)
def test_an_entry_goes_to_the_end_of_its_section(text: str, result: str) -> None:
    assert document.append_to_section(text, "## Feedback", "No.\n") == result


def test_entries_follow_each_other() -> None:
    text = document.append_to_section(TASK, "## Feedback", "Not so.\r\n\r\n- again\n")
    assert text == TASK.replace("Not yet.\n", "Not yet.\n\nNot so.\n\n- again\n")
    assert document.section(text, "## Feedback") == "Not yet.\n\nNot so.\n\n- again"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (TASK, "Not yet."),
        (document.parse(TASK).body, "Not yet."),
        ("## Feedback\n\n    code\n\n### Deeper\nx\n## Next\ny", "    code\n\n### Deeper\nx"),
        ("# Feedback\nx", ""),
        ("## Feedbacks\nx", ""),
        ("## Feedback", ""),
        ("", ""),
    ],
)
def test_a_section_is_what_stands_under_its_heading(text: str, found: str) -> None:
    assert document.section(text, "## Feedback") == found


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (TASK, "What to do.\n\n## Notes\n"),
        ("a\r\n\r\n## Feedback\r\nx\r\n", "a\r\n\r\n"),
        ("## Feedback\nx\n# Next\n", "# Next\n"),
        ("a\n## Feedback", "a\n"),
        ("a\n", "a\n"),
    ],
)
def test_a_body_can_be_read_without_a_section(text: str, rest: str) -> None:
    assert document.without_section(text, "## Feedback") == rest


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("# Title\n", "Title"),
        ("\nwords\n### A *b* ##\r\n", "A *b*"),
        ("```\n# code\n```\n## C#\n", "C#"),
        ("````\n```\n# code\n", None),
        ("Title\n=====\n# Other\n", "Title"),
        ("#hash\n#\n##   \n", None),
        ("\n===\n", None),
        ("", None),
    ],
)
def test_a_title_is_the_first_heading(body: str, title: str | None) -> None:
    assert document.title_of(body) == title


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda: document.decode("a.md", b"\xc3\xa9\r\n\n\xe9\n"), "a.md:3: has the byte 0xe9, which is no UTF-8"),
        (lambda: document.encode("a\nb\udc80"), ":2: has half a character, U+DC80, which no file can hold"),
    ],
)
def test_what_is_not_utf_8_says_where(read: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidFileError) as refused:
        read()
    assert str(refused.value).splitlines()[0] == message


def test_bytes_go_round() -> None:
    data = "\ufeffa\r\nb\rc\n\u2028é😀\0".encode()
    assert document.encode(document.decode("a.md", data)) == data


BODY = st.lists(
    st.sampled_from(
        [
            "words\n",
            "\n",
            "---\n",
            "# One\n",
            "## Feedback\n",
            "### Deep\n",
            "```\n",
            "~~~ x\n",
            "é😀\r\n",
            "last",
            "===\n",
        ]
    ),
    max_size=8,
).map("".join)


@st.composite
def matters(draw: Any) -> tuple[list[yaml_texts.Piece], str]:
    pieces = [piece for piece in draw(yaml_texts.texts(aliases=True)) if piece.words != BOM]
    matter = "".join(piece.words for piece in pieces)
    newline = yamltext.newline_of(matter)
    return pieces, matter + newline if matter and not matter.endswith("\n") else matter


@given(matters(), BODY, st.sampled_from(["", BOM]), st.data())
@FEW
def test_any_series_of_edits_gives_what_was_asked(
    matter: tuple[list[yaml_texts.Piece], str], body: str, mark: str, data: st.DataObject
) -> None:
    newline = yamltext.newline_of(matter[1])
    text = f"{mark}---{newline}{matter[1]}---{newline}{body}"
    expected = document.parse(text).values
    keys = {piece.path[0] for piece in matter[0] if piece.path}
    changes = st.dictionaries(st.sampled_from([*sorted(keys), "new", "---"]), yaml_texts.values, max_size=3)
    for change in data.draw(st.lists(changes, max_size=4)):
        text = document.edit(text, change)
        for key, value in change.items():
            expected = yaml_texts.applied(expected, (key,), value)
        found = document.parse(text)
        assert (found.values, found.body, text[: len(mark)]) == (expected, body, mark)


@given(matters(), BODY)
@FEW
def test_python_frontmatter_reads_the_same(matter: tuple[list[yaml_texts.Piece], str], body: str) -> None:
    newline = yamltext.newline_of(matter[1])
    text = f"---{newline}{matter[1]}---{newline}{body}"
    found = document.parse(text)
    handler = YAMLHandler()
    boundary, content = handler.split(text)
    assert found.values == (handler.load(boundary, Loader=yamlnode.Loader) or {})
    assert found.body.strip() == content.strip()
    assert frontmatter.parse(text.replace("\r\n", "\n"))[1] == found.body.replace("\r\n", "\n").strip()


@given(
    BODY,
    st.sampled_from(["", "---\n---\n", "---\na: 1\n---\n"]),
    st.sampled_from(["one.", "- two\n- three", "a.\n\nb."]),
)
@FEW
def test_an_entry_takes_nothing_away(body: str, matter: str, entry: str) -> None:
    text = matter + body if matter else f"words\n{body}"
    longer = document.append_to_section(text, "## Feedback", entry)
    newline = yamltext.newline_of(text)
    written = entry.replace("\n", newline)
    same = next((n for n, (old, new) in enumerate(zip(text, longer, strict=False)) if old != new), len(text))
    assert longer.endswith(text[same:])
    assert longer.count(written) == text.count(written) + 1


@given(BODY, st.sampled_from(["", "words", "---\n---", "---\na: 1 # c\n---\nwords", f"{BOM}---\n---\n"]))
@FEW
def test_a_replaced_body_is_the_body(body: str, text: str) -> None:
    replaced = document.parse(document.replace_body(text, body))
    assert replaced.body == body
    assert replaced.values == document.parse(text).values
