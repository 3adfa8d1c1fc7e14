"""What is known at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit import api
from orchgit.engine import moves
from orchgit.engine.snapshot import Observer
from orchgit.model.errors import StaleError
from orchgit.model.run import Alive, Finished
from orchgit.repository import locks
from tests.engine.team import ADA
from tests.support import repos

if TYPE_CHECKING:
    from tests.engine.team import Team


def test_how_runs_stand(team: Team) -> None:
    team.agent("sleep 300", "a")
    team.agent("true", "b")
    slow, quick = team.add("slow", assignee="a"), team.add("quick", assignee="b")
    observer = Observer(team.layout)
    assert observer.take().runs == {}
    team.tick()
    locks.wait_until_free(team.place(quick).runner_lock)
    found = observer.take().runs
    assert found[team.place(slow).id] == Alive()
    assert isinstance(found[team.place(quick).id], Finished)


def test_what_is_merged_follows_the_base_branch(team: Team) -> None:
    team.agent("echo x > x.txt")
    task = team.add()
    team.run()
    observer = Observer(team.layout)
    assert observer.take().merged == frozenset()
    team.git("merge", "--quiet", f"orchgit/{task}-do-it")
    assert observer.take().merged == {task}
    team.lose_base()
    assert observer.take().merged == frozenset()
    team.set("project.base", "main")
    team.git("reset", "--quiet", "--hard", "HEAD~1")
    assert observer.take().merged == frozenset()


def test_hand_made_commits_are_seen_once_they_are_judged(team: Team) -> None:
    observer = Observer(team.layout)
    observer.take()
    repos.commit(team.layout.state, {"tasks/tsk_a.md": "---\nid: tsk_a\ntitle: x\n---\n"}, "by hand")
    with pytest.raises(StaleError):
        observer.take()
    api.open_project(team.root)
    assert list(observer.take().tasks) == ["tsk_a"]


def test_what_was_squashed_or_rebased_is_merged_too(team: Team) -> None:
    team.agent("echo a > a.txt; git add a.txt; git commit -qm a; echo b >> a.txt", "one")
    team.agent("echo c > c.txt", "two")
    rebased, squashed = team.add("r", assignee="one"), team.add("s", assignee="two")
    team.run()
    observer = Observer(team.layout)
    assert observer.take().brought == {}
    repos.commit(team.root, {"b.txt": "b\n"}, "meanwhile")
    team.git("cherry-pick", f"main..{team.task(rebased).branch}")
    row = team.git("rev-parse", "HEAD")
    assert observer.take().brought == {rebased: row}
    team.git("merge", "--quiet", "--squash", str(team.task(squashed).branch))
    team.git("commit", "--quiet", "--message=squashed")
    found = observer.take()
    assert found.merged == {rebased, squashed}
    assert found.brought == {rebased: row, squashed: team.git("rev-parse", "HEAD")}


def test_what_was_squashed_before_the_review_began_needs_a_person(team: Team) -> None:
    task = team.add()
    moves.take(team.layout, ADA, team.task(task), branch=True)
    branch = str(team.task(task).branch)
    team.git("switch", "--quiet", branch)
    repos.commit(team.root, {"a.txt": "a\n"}, "mine")
    team.git("switch", "--quiet", "main")
    team.git("merge", "--quiet", "--squash", branch)
    team.git("commit", "--quiet", "--message=squashed")
    moves.submit(team.layout, team.state, ADA, team.task(task), commit=None, start=team.root)
    assert team.trailers("orchestry")["Base-Commit"] == team.git("rev-parse", "main")
    assert Observer(team.layout).take().merged == frozenset()
    assert team.approve(task).task.status == "done"
