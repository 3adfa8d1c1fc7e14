"""The state branch, read as the audit trail that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.engine import graph, history, pasts, tasks
from orchgit.engine.tasks import Wish
from orchgit.model.errors import GitError
from tests.engine.team import ADA
from tests.support import repos

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


def test_what_is_wanted(team: Team) -> None:
    team.agent("true")
    team.agent("exit 1", name="other", max_retries=0)
    one = team.add("One", goal="speed", assignee="bot")
    team.add("Two", assignee="other")
    team.run()
    tip = team.state

    def picked(**wanted: object) -> list[str]:
        found = history.picked(team.layout, tip, history.Wanted(**wanted))  # type: ignore[arg-type]
        return [entry.message.subject.rpartition(": ")[2] for entry in found]

    assert picked(agent="bot") == ["in_progress -> review", "todo -> in_progress", "created"]
    assert picked(agent="other", status="failed") == ["in_progress -> failed"]
    assert picked(actor="orchgit") == ["todo -> in_progress"] * 2
    assert picked(actor="ada lovelace", goal="speed") == ["created"]
    assert picked(since=1_900_000_000) == []
    assert picked(until=1_000_000_000) == []
    assert len(picked(since=1_000_000_000)) == len(story(team))
    limited = history.picked(team.layout, tip, history.Wanted(actor="Ada Lovelace"), task=one, limit=1)
    assert [entry.message.get("Task") for entry in limited] == [one]


def test_a_graph_shows_transitions_and_work(team: Team) -> None:
    team.agent("echo fixed >> fixed.txt")
    one, two = team.add("One"), team.add("Two")
    team.run()
    merge = team.approve(one).merge
    assert merge is not None
    drawn = graph.of(team.layout, team.state, one).splitlines()
    work = team.git("rev-parse", f"{merge}^2")
    state = team.git("log", "--format=%H", f"--grep=Task: {one}", "orchestry").split()
    shown = {word for line in drawn for word in line.replace("|", " ").replace("*", " ").split()[:1]}
    assert shown >= {each[:7] for each in (merge, work, *state)}
    assert not any(two in line or "first" in line for line in drawn)
    assert graph.of(team.layout, team.state, one, limit=1).count("\n") == 0
    assert repos.is_sound(team.root)


def test_an_entry_says_who_and_when(team: Team) -> None:
    team.add("Do it")
    entry = next(history.entries(team.layout, team.git("rev-parse", "orchestry")))
    assert (entry.author, entry.message.body, entry.message.get("Actor")) == ("Ada Lovelace", "Do it", "Ada Lovelace")
    assert entry.at.tzinfo is not None


def test_the_history_is_read_no_further_than_to_the_last_work(team: Team) -> None:
    team.agent("echo $ORCHGIT_TASK")
    one, two = team.add("One"), team.add("Two")
    team.run()
    team.reject(one, "No.")
    fresh = team.add("Fresh")
    tip = team.git("rev-parse", "orchestry")
    found = history.until_worked_on(team.layout, tip, [one, two, fresh, "tsk_nope"])
    many = history.until_worked_on(team.layout, tip, [one, two, fresh, *(f"tsk_nope{number}" for number in range(20))])
    assert {task: many[task] for task in (one, two, fresh)} == {task: found[task] for task in (one, two, fresh)}
    said = {task: [each.message.subject.rpartition(": ")[2] for each in told] for task, told in found.items()}
    assert said == {
        one: ["review -> todo", "in_progress -> review"], two: ["in_progress -> review"], fresh: ["created"],
        "tsk_nope": [],
    }  # fmt: skip
    assert {task: past.summary for task, past in pasts.of(team.layout, tip, said).items()} == {one: one, two: two}


def test_a_history_that_cannot_be_read_is_no_short_one(team: Team) -> None:
    team.add("One")
    lost = team.git("rev-parse", "orchestry~1")
    (team.root / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(GitError, match="can't be read to its beginning"):
        history.until_worked_on(team.layout, team.git("rev-parse", "orchestry"), ["tsk_nope"])
