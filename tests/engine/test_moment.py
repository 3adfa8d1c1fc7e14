"""The state as it was at a commit, or at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit import api
from orchgit.engine import moment
from orchgit.model.errors import NotFoundError, UsageError
from tests.support import repos

if TYPE_CHECKING:
    from tests.engine.team import Team


def titles(team: Team, at: str | None) -> list[str]:
    return sorted(task.title for task in api.open_project(team.root, at=at).tasks())


def test_at_a_commit(team: Team) -> None:
    one = team.add("One")
    team.add("Two")
    assert titles(team, "orchestry~1") == ["One"]
    assert titles(team, "HEAD~1") == ["One"]
    assert titles(team, team.git("rev-parse", "orchestry")[:9]) == ["One", "Two"]
    assert titles(team, None) == ["One", "Two"]
    team.cancel(one)
    assert api.open_project(team.root, at="orchestry~1").task(one).status == "todo"
    assert api.open_project(team.root).task(one).status == "cancelled"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-02", ["One"]),
        ("2026-01-02T11:59:59+00:00", []),
        ("2026-01-02T12:00:00+00:00", ["One"]),
        ("Jan 2 2026 18:00", ["One"]),
        ("now", ["One", "Two"]),
    ],
)
def test_at_a_time(team: Team, monkeypatch: pytest.MonkeyPatch, at: str, expected: list[str]) -> None:
    tip = team.git("rev-parse", "orchestry~1")
    assert tip
    text = "---\nid: {0}\ntitle: {1}\n---\n"
    state = team.layout.state
    repos.git(state, "checkout", "--quiet", "--orphan", "fresh")
    for date, name, files in (
        ("2026-01-01T12:00:00+0000", "config", {"config.yaml": "project:\n  base: main\n"}),
        ("2026-01-02T12:00:00+0000", "One", {"tasks/tsk_aa.md": text.format("tsk_aa", "One")}),
        ("2026-01-03T12:00:00+0000", "Two", {"tasks/tsk_bb.md": text.format("tsk_bb", "Two")}),
    ):
        monkeypatch.setenv("GIT_COMMITTER_DATE", date)
        repos.commit(state, files, name)
    repos.git(state, "branch", "--force", "orchestry", "fresh")
    repos.git(state, "checkout", "--quiet", "orchestry")
    assert titles(team, at) == expected
    with pytest.raises(NotFoundError, match="the state begins at 2026-01-01 12:00:00"):
        titles(team, "2025-12-31")


def test_words_that_are_neither(team: Team) -> None:
    for word in ("banana", "", "--all", "2026-13-45", "2026-02-30 10:00", "HEAD~99", "orchestry@{5}"):
        with pytest.raises(UsageError, match="neither a commit of the state branch nor a date"):
            titles(team, word)
    with pytest.raises(NotFoundError, match="'main' is no commit of the branch orchestry"):
        titles(team, "main")


def test_a_day_begins_and_ends(team: Team) -> None:
    day = moment.seconds(team.layout, "2026-01-02", end=False)
    assert moment.seconds(team.layout, "2026-01-02", end=True) - day == 24 * 60 * 60 - 1
