"""What a loop does for the disk: which runs' folders go, and when git packs its objects."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from orchgit.engine import upkeep
from orchgit.model.task import Status
from orchgit.repository import locks, runs
from tests.support import repos
from tests.support.agents import until

if TYPE_CHECKING:
    import pytest

    from tests.engine.team import Team


def ran(team: Team, *titles: str) -> list[str]:
    """Let tasks run one after the other, and return the ids of their runs."""
    team.agent("echo $ORCHGIT_TASK > x.txt")
    for title in titles:
        team.run(only=team.add(title))
    return [place.id for place in team.runs()]


def left(team: Team) -> list[str]:
    return sorted(path.name for path in team.layout.runs.iterdir())


def cancel_all(team: Team) -> None:
    for task in list(team.state.tasks.values()):
        if task.status not in (Status.DONE, Status.CANCELLED):
            team.cancel(task.id)


def test_the_newest_stay_and_those_of_open_tasks(team: Team) -> None:
    team.set("runs.keep", 1)
    first, second, third = ran(team, "One", "Two", "Three")
    upkeep.forget_runs(team.layout)
    assert left(team) == sorted([first, second, third])
    cancel_all(team)
    upkeep.forget_runs(team.layout)
    assert left(team) == [third]


def test_never_one_of_which_something_lives(team: Team) -> None:
    first, second = ran(team, "One", "Two")
    cancel_all(team)
    team.set("runs.keep", 0)
    with (
        locks.held(runs.folder(team.layout, first).runner_lock, wait=0, doing="run"),
        locks.held(runs.folder(team.layout, second).agent_lock, wait=0, doing="work"),
    ):
        upkeep.forget_runs(team.layout)
        assert left(team) == sorted([first, second])
    upkeep.forget_runs(team.layout)
    assert left(team) == []


def test_what_never_became_a_run_goes_after_a_day(team: Team) -> None:
    for name in ("run_new111", "run_old111", ".removed-run_x"):
        (team.layout.runs / name).mkdir(parents=True)
    (team.layout.runs / ".removed-run_x" / "events.jsonl").write_text("x")
    yesterday = time.time() - 90_000
    os.utime(team.layout.runs / "run_old111", (yesterday, yesterday))
    upkeep.forget_runs(team.layout)
    assert left(team) == ["run_new111"]


def test_the_loop_does_it_beside_its_work(team: Team) -> None:
    ran(team, "One")
    cancel_all(team)
    team.set("runs.keep", 0)
    team.run()
    assert left(team) == []
    assert team.is_sound()


def loose(team: Team) -> int:
    return int(team.git("count-objects").split()[0])


def allow(team: Team, *, maintenance: str, gc: str) -> None:
    team.git("config", "maintenance.auto", maintenance)
    team.git("config", "gc.auto", gc)


def make_loose(team: Team) -> None:
    """Leave more loose objects than git wants to have: it guesses by one folder of 256."""
    repos.write(team.root, {f"blobs/{number}": f"{number}\n" for number in range(1500)})
    team.git("add", "blobs")
    team.git("commit", "--quiet", "--message=blobs")
    allow(team, maintenance="true", gc="1")


def test_git_packs_what_lies_loose(team: Team) -> None:
    make_loose(team)
    before = loose(team)
    team.run()
    until(lambda: loose(team) < before / 4)
    until(lambda: not (team.root / ".git" / "gc.pid").exists())
    assert team.is_sound()


def test_git_packs_nothing_where_the_person_says_so(team: Team) -> None:
    make_loose(team)
    before = loose(team)
    for maintenance, gc in (("false", "1"), ("true", "0")):
        allow(team, maintenance=maintenance, gc=gc)
        upkeep.pack(team.layout)
        assert loose(team) == before


def test_it_is_time_at_first_and_every_so_many_commits(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(upkeep, "pack", lambda _: done.append("pack"))
    monkeypatch.setattr(upkeep, "forget_runs", lambda _: done.append("forget"))
    it = upkeep.Upkeep(team.layout)
    for commits, expected in ((0, 1), (0, 1), (199, 1), (1, 2), (0, 2), (500, 3)):
        it.after(commits)
        until(lambda expected=expected: sorted(done) == ["forget"] * expected + ["pack"] * expected)  # type: ignore[misc]
