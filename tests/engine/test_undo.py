"""A change is taken back by a new commit, where the lifecycle bears it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchgit.engine import agents, moves, tasks, undo, verify
from orchgit.engine.tasks import Wish
from orchgit.model import actor
from orchgit.model.errors import NotFoundError, RefusedError
from tests.engine.team import ADA
from tests.support import repos

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchgit.engine.undo import Undone
    from tests.engine.team import Team


def take_back(team: Team, word: str | None = None) -> Undone:
    return undo.undo(team.layout, team.state, ADA, word)


def tree(team: Team, revision: str = "orchestry") -> str:
    return team.git("rev-parse", f"{revision}^{{tree}}")


def do(team: Team, task: str, what: str) -> None:
    asked: dict[str, Callable[[], Any]] = {
        "edit": lambda: tasks.edit(team.layout, ADA, team.task(task), Wish(title="Other", priority=1)),
        "assign": lambda: tasks.edit(team.layout, ADA, team.task(task), Wish(assignee="somebody")),
        "cancel": lambda: team.cancel(task),
        "take": lambda: moves.take(team.layout, ADA, team.task(task)),
        "delete": lambda: moves.delete(team.layout, team.state, ADA, team.task(task)),
    }
    asked[what]()


@pytest.mark.parametrize("what", ["edit", "assign", "cancel", "take", "delete"])
def test_what_a_person_did_and_did_again(team: Team, what: str) -> None:
    task = team.add("One", description="Be nice.")
    before = tree(team)
    do(team, task, what)
    after, commit = tree(team), team.git("rev-parse", "orchestry")
    done = take_back(team)
    assert (done.commit, done.restored, done.tasks) == (commit, team.git("rev-parse", f"{commit}~1"), (task,))
    assert tree(team) == before
    assert team.trailers("orchestry") == {
        "Task": task, "Actor": "Ada Lovelace", "Undoes": commit, "Restores": done.restored,
    }  # fmt: skip
    take_back(team, task)
    assert tree(team) == after
    subjects = team.git("log", "-3", "--format=%s", "orchestry").splitlines()
    did = subjects[2].partition(": ")[2]
    assert [each.partition(": ")[2] for each in subjects[:2]] == [f"redo {did}", f"undo {did}"]
    assert verify.check(team.layout.common).is_clean
    assert repos.is_clean(team.layout.state)


def test_a_creation_a_rejection_and_settings(team: Team) -> None:
    team.agent("echo fixed >> fixed.txt")
    task = team.add("One")
    team.run()
    team.reject(task, "More.")
    take_back(team, task)
    assert team.task(task).status == "review"
    assert "More." not in team.show("orchestry", team.task(task).path)
    assert team.approve(task).merge
    team.set("scheduling.max_concurrent_agents", 2)
    take_back(team)
    assert team.state.config.max_concurrent_agents == 6
    other = team.add("Two")
    take_back(team)
    assert other not in team.state.tasks
    assert verify.check(team.layout.common).is_clean


def test_an_agent_that_was_removed_comes_back(team: Team) -> None:
    team.agent("true")
    agents.remove(team.layout, ADA, "bot")
    assert take_back(team).paths == ("agents/bot.md",)
    assert "bot" in team.state.agents


def test_files_that_were_made_together_go_together(team: Team) -> None:
    text = "---\nid: {0}\ntitle: Do\n---\n"
    made = {f"tasks/tsk_{name}.md": text.format(f"tsk_{name}") for name in ("aa", "bb")}
    repos.commit(team.layout.state, made, "Two more")
    assert take_back(team).tasks == ("tsk_aa", "tsk_bb")
    assert team.state.tasks == {}


def test_a_file_that_was_broken_is_whole_again(team: Team) -> None:
    task = team.add("One")
    path = team.task(task).path
    repos.commit(team.layout.state, {path: b"---\nid: \xff\n---\n"}, "Break it")
    assert task not in team.state.tasks
    assert take_back(team).paths == (path,)
    assert team.task(task).title == "One"


def test_an_undone_state_is_one_that_others_agree_to(team: Team) -> None:
    team.agent("echo fixed >> fixed.txt")
    task = team.add("One")
    team.run()
    team.cancel(task)
    assert take_back(team, "orchestry").tasks == (task,)
    assert team.task(task).status == "review"
    assert team.approve(task).merge
    assert verify.check(team.layout.common).is_clean


def test_what_was_merged_stays(team: Team) -> None:
    team.agent("echo fixed >> fixed.txt")
    task = team.add("One")
    team.run()
    team.approve(task)
    tip = team.git("rev-parse", "orchestry")
    with pytest.raises(RefusedError, match="its work is in the base branch"):
        take_back(team)
    assert team.git("rev-parse", "orchestry") == tip


def test_an_ended_run_does_not_come_back(team: Team) -> None:
    team.agent("true")
    task = team.add("One")
    team.run()
    run = rf"{task} was being worked on by \w+ before it, and that run has ended"
    what = rf"\(task\({task}\): in_progress -> review\) can't be undone: {run}"
    with pytest.raises(RefusedError, match=what):
        take_back(team, task)


def test_what_was_built_upon_stays(team: Team) -> None:
    task = team.add("One")
    do(team, task, "edit")
    edited = team.git("rev-parse", "orchestry")
    do(team, task, "assign")
    with pytest.raises(RefusedError, match=r"has changed since .* \(task\(.*edit assignee\)"):
        take_back(team, edited)


def test_what_can_not_be_meant(team: Team) -> None:
    first = team.git("rev-list", "--max-parents=0", "orchestry")
    with pytest.raises(RefusedError, match="the first commit"):
        take_back(team, first)
    with pytest.raises(NotFoundError, match="no commit of the state branch"):
        take_back(team, "main")
    with pytest.raises(NotFoundError, match="tsk_zz"):
        take_back(team, "tsk_zz")
    with pytest.raises(RefusedError, match="An agent may not"):
        undo.undo(team.layout, team.state, actor.agent("bot"))


def test_a_circle_is_not_brought_back(team: Team) -> None:
    one = team.add("One")
    two = team.add("Two", depends_on=(one,))
    tasks.edit(team.layout, ADA, team.task(two), Wish(depends_on=()))
    tasks.edit(team.layout, ADA, team.task(one), Wish(depends_on=(two,)))
    with pytest.raises(RefusedError, match="wait for each other"):
        take_back(team, two)
