from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from orchgit.model.errors import GitError
from orchgit.repository import refs
from tests.support.repos import git
from tests.support.states import make_project

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.layout import Layout

FOLDER = "refs/orchgit/attempts/tsk_1"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_project(tmp_path / "project")


def blob(layout: Layout, text: str) -> str:
    return git(layout.common, "hash-object", "-w", "--stdin", stdin=text.encode())


def test_objects_are_numbered_and_an_object_keeps_its_number(layout: Layout) -> None:
    ids = [blob(layout, str(each)) for each in range(11)]
    assert [refs.name_next(layout, FOLDER, oid) for oid in ids] == [f"{FOLDER}/{each}" for each in range(1, 12)]
    assert refs.name_next(layout, FOLDER, ids[4]) == f"{FOLDER}/5"
    git(layout.common, "update-ref", f"{FOLDER}/mine", blob(layout, "mine"))
    assert refs.name_next(layout, FOLDER, blob(layout, "next")) == f"{FOLDER}/12"
    assert refs.name_next(layout, f"{FOLDER}0", ids[0]) == f"{FOLDER}0/1"


def test_many_at_once_each_get_a_number(layout: Layout) -> None:
    ids = [blob(layout, str(each)) for each in range(8)]
    with ThreadPoolExecutor(8) as pool:
        named = list(pool.map(lambda oid: refs.name_next(layout, FOLDER, oid), ids))
    assert sorted(named) == [f"{FOLDER}/{each}" for each in range(1, 9)]


def test_a_name_that_git_refuses_is_an_error(layout: Layout) -> None:
    with pytest.raises(GitError, match="update-ref"):
        refs.name_next(layout, "refs/orchgit/edits/a..b", blob(layout, "x"))
