"""What a skill's file may say."""

from __future__ import annotations

import pytest

from orchgit.model import skill
from orchgit.model.errors import InvalidFileError
from orchgit.model.skill import Skill


def test_front_matter_is_not_for_the_agent() -> None:
    assert skill.read("skills/sql.md", "---\nname: x\n---\n\nUse keys.\n") == Skill("sql", "Use keys.")
    assert skill.read("skills/sql.md", "Use keys.") == Skill("sql", "Use keys.")


def test_a_description_says_when_it_is_wanted() -> None:
    text = "---\ndescription: >-\n  For queries,\n  and tables.\n---\nUse keys.\n"
    found = skill.read("skills/sql.md", text)
    assert found == Skill("sql", "Use keys.", "For queries, and tables.")
    assert found.digest != skill.read("skills/sql.md", "Use keys.").digest
    assert found.digest == skill.read("skills/sql.md", text + "\n").digest


@pytest.mark.parametrize(
    ("path", "text", "line", "reason"),
    [
        ("skills/sql.md", "", 1, "says nothing"),
        ("skills/sql.md", "---\na: 1\n---\n \n", 1, "says nothing"),
        ("skills/sql.md", "---\na: [\n---\nUse keys.\n", 2, ""),
        ("skills/sql.md", "---\ndescription: [a]\n---\nUse keys.\n", 2, "is not text"),
        ("skills/a b.md", "Use keys.", 1, "'a b' is not a name"),
        ("skills/sql.md", "x" * (skill.MOST + 1), 1, "which is more than 65536"),
    ],
)
def test_what_nobody_could_use_is_named(path: str, text: str, line: int, reason: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        skill.read(path, text)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("word", "path"),
    [("sql", "skills/sql.md"), ("Code review", None), ("../agents/bot", None), (".hidden", None), ("", None)],
)
def test_a_word_that_can_be_no_files_name_has_no_file(word: str, path: str | None) -> None:
    assert skill.path_of(word) == path
