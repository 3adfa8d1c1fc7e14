"""Which unknown keys are told as typing errors."""

from __future__ import annotations

import pytest

from orchgit.model import misspelt


def said(path: str, *keys: str) -> list[str]:
    lines = "".join(f"{key}: 1\n" for key in keys)
    text = f"---\n{lines}---\nText.\n" if path.endswith(".md") else lines
    return [str(each) for each in misspelt.keys(path, text)]


def test_a_key_that_is_close_to_one_that_counts_is_told_with_its_line() -> None:
    assert said("tasks/typo.md", "title", "priorty", "assigne", "depends-on") == [
        "tasks/typo.md:3: unknown key 'priorty': did you mean priority?",
        "tasks/typo.md:4: unknown key 'assigne': did you mean assignee?",
        "tasks/typo.md:5: unknown key 'depends-on': did you mean depends_on?",
    ]


@pytest.mark.parametrize(
    ("path", "key", "meant"),
    [
        ("agents/fmt.md", "comand", "command"),
        ("agents/fmt.yaml", "roles", "role"),
        ("goals/ship.md", "asignee", "assignee"),
        ("teams/web.md", "member", "members"),
    ],
)
def test_each_kind_of_file_has_keys_of_its_own(path: str, key: str, meant: str) -> None:
    line = 2 if path.endswith(".md") else 1
    assert said(path, key) == [f"{path}:{line}: unknown key {key!r}: did you mean {meant}?"]


@pytest.mark.parametrize("key", ["x_priorty", "X-titel", "created_by", "estimate", "branch", "sprint", "titles_of"])
def test_a_key_of_somebody_s_own_is_none(key: str) -> None:
    assert said("tasks/own.md", key) == []


def test_other_files_and_those_that_cannot_be_read_have_none() -> None:
    assert said("skills/sql.md", "descripton") == []
    assert misspelt.keys("tasks/broken.md", "---\npriorty: [\n---\n") == []
