"""What is known at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.engine.snapshot import Observer
from orchgit.model.run import Alive, Finished
from orchgit.repository import locks
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


def test_hand_made_commits_are_seen_at_once(team: Team) -> None:
    observer = Observer(team.layout)
    observer.take()
    repos.commit(team.layout.state, {"tasks/tsk_a.md": "---\nid: tsk_a\ntitle: x\n---\n"}, "by hand")
    assert list(observer.take().tasks) == ["tsk_a"]
