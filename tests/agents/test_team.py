"""Four agents of three kinds at work on one repository, for forty tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.agents import bench as benches
from tests.support import clis, repos
from tests.support.model_server.script import Say, Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.model.run import Result
    from tests.agents.bench import Bench

pytestmark = pytest.mark.agents

TEAM = {"ada": (clis.CLAUDE, 12), "cora": (clis.CODEX, 13), "carl": (clis.CODEX, 13), "otto": (clis.OPENCODE, 2)}
WORK = Shell('mkdir -p done && echo "$ORCHGIT_AGENT" > "done/$ORCHGIT_TASK.txt"')


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from benches.make(tmp_path / "team")


def at_once(results: list[Result]) -> int:
    """Return how many of the runs were at work at one time."""
    spans = [(each.started, each.finished) for each in results if each.started and each.finished]
    return max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)


def test_forty_tasks_are_done(bench: Bench) -> None:
    for name, (kind, _) in TEAM.items():
        bench.agent(kind, name, WORK, Say("Done."))
    tasks = {bench.task(name, f"Part {number} of {name}"): name for name, (_, n) in TEAM.items() for number in range(n)}
    assert len(tasks) == 40
    with bench.served():
        benches.until(lambda: {bench.status(task) for task in tasks} == {"review"}, "some were never ended")
        assert [each.outcome for each in bench.ended()] == ["succeeded"] * 40
        assert at_once(bench.ended()) == 4
        for place in (bench.layout.state / "tasks").iterdir():  # typed by hand: forty commands take a while
            place.write_text(place.read_text().replace("status: review", "status: done"))
        benches.until(lambda: {bench.status(task) for task in tasks} == {"done"}, "some were never approved")
    for task, name in tasks.items():
        assert bench.git("show", f"main:done/{task}.txt") == name
    for name in TEAM:
        mine = [task for task, agent in tasks.items() if agent == name]
        assert bench.total(mine) == bench.stats(name) == benches.given(bench.model, name)
    assert (repos.is_sound(bench.project), repos.is_clean(bench.project)) == (True, True)
