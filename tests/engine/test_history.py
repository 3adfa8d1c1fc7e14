"""The state branch, read as the audit trail that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.engine import history, tasks
from orchgit.engine.tasks import Wish
from tests.engine.team import ADA

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.team import Team


def story(team: Team, **options: object) -> list[str]:
    found = history.entries(team.layout, team.git("rev-parse", "orchestry"), **options)  # type: ignore[arg-type]
    return [entry.message.subject.rpartition(": ")[2] for entry in found]


@pytest.fixture(params=["", "[grep]\n\tpatternType = fixed\n", "[grep]\n\tpatternType = perl\n"])
def grep(request: pytest.FixtureRequest, world: Path) -> None:
    with (world / "gitconfig").open("a") as config:
        config.write(request.param)


@pytest.mark.usefixtures("grep")
def test_of_one_task(team: Team) -> None:
    team.agent("true")
    for name in ("tsk_aa", "tsk_aab"):
        tasks.add(team.layout, ADA, Wish(title=name), text=f"---\nid: {name}\n---\n")
    team.run(only="tsk_aa")
    assert story(team, task="tsk_aab") == ["created"]
    assert story(team, task="tsk_aa") == ["in_progress -> review", "todo -> in_progress", "created"]
    assert story(team, task="tsk_aa", limit=1) == ["in_progress -> review"]
    assert len(story(team)) == len(team.git("log", "--format=%H", "orchestry").split())
    tip = team.git("rev-parse", "orchestry")
    into_review = history.last_transition(team.layout, tip, "tsk_aa", to="review")
    assert into_review is not None
    assert into_review.message.get("Run") == team.runs()[0].id
    assert history.last_transition(team.layout, tip, "tsk_aab", to="review") is None


def test_an_entry_says_who_and_when(team: Team) -> None:
    team.add("Do it")
    entry = next(history.entries(team.layout, team.git("rev-parse", "orchestry")))
    assert (entry.author, entry.message.body, entry.message.get("Actor")) == ("Ada Lovelace", "Do it", "Ada Lovelace")
    assert entry.at.tzinfo is not None
