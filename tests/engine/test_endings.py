"""An agent whose runs die at once rests, says so, and comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from orchgit.engine import agents, endings
from orchgit.model import waiting
from orchgit.model.run import Outcome
from orchgit.repository import runs
from tests.engine.team import ADA
from tests.support import repos

if TYPE_CHECKING:
    from tests.engine.team import Team

DIED = "rests until"


def broken(team: Team, *, tasks: int = 4) -> None:
    """Let an agent that dies at once work, until it rests."""
    team.agent("exit 1", max_retries=0)
    for number in range(tasks):
        team.add(f"{number}", priority=number // 3 + 1)
    team.run()


def test_it_is_given_nothing_more_and_the_loop_says_so_once(team: Team) -> None:
    broken(team)
    assert team.statuses() == {"0": "failed", "1": "failed", "2": "failed", "3": "todo"}
    (told,) = team.rests()
    assert told.startswith("bot rests until ")
    assert len(team.reasons()) == 3
    after = team.run()
    (left,) = [task for task in after.tasks.values() if task.title == "3"]
    assert DIED in str(waiting.obstacle(left, after))
    assert waiting.is_stuck(left, after)
    assert len(team.runs()) == 3


def test_a_change_of_its_file_ends_the_rest(team: Team) -> None:
    broken(team)
    agents.edit(team.layout, ADA, "bot", {"command": "true"})
    team.run()
    assert team.statuses()["3"] == "review"


def test_its_time_ends_the_rest_and_the_next_death_doubles_it(team: Team) -> None:
    broken(team)
    known, now = endings.latest(team.layout), datetime.now(UTC)
    assert endings.rests(known, team.state, now)
    assert not endings.rests(known, team.state, now + timedelta(minutes=1))
    place = dying(team, finished=now)
    endings.note(known, place, runs.read_result(place))
    assert endings.rests(known, team.state, now)["bot"].until == now + timedelta(minutes=2)


def dying(team: Team, *, finished: datetime) -> runs.Folder:
    """Return the folder of the last run, its end moved and its id another."""
    last = team.runs()[-1]
    spec, result = runs.read_spec(last), runs.read_result(last)
    assert result is not None
    place = runs.folder(team.layout, "run_zzzzzz")
    place.path.mkdir()
    runs.write_spec(place, replace(spec, run=place.id))
    runs.write_result(place, replace(result, run=place.id, started=finished, finished=finished))
    return place


def test_a_person_who_names_the_task_is_obeyed(team: Team) -> None:
    broken(team)
    task = next(task.id for task in team.state.tasks.values() if task.title == "3")
    team.run(only=task)
    assert team.task(task).status.value == "failed"


def test_another_agent_takes_over(team: Team) -> None:
    team.agent("true", "zoe", max_retries=0)
    broken(team, tasks=12)
    assert "todo" not in team.statuses().values()
    assert "failed" in team.statuses().values()


def test_attempts_at_one_task_alone_make_nobody_rest(team: Team) -> None:
    team.agent("exit 1", max_retries=4)
    team.add()
    team.run()
    assert team.statuses() == {"Do it": "failed"}
    assert not [reason for reason in team.reasons() if DIED in reason]


def test_what_is_known_of_a_run_is_which_version_of_its_agent_it_was(team: Team) -> None:
    team.agent("exit 1", max_retries=0)
    team.add()
    team.run()
    (known,) = endings.latest(team.layout)["bot"]
    blob = repos.git(team.root, "rev-parse", "orchestry:agents/bot.md")
    assert (known.agent, known.file, known.outcome) == ("bot", blob, Outcome.FAILED)
    assert not endings.rests(endings.latest(team.layout), team.state)


def test_of_a_run_without_a_result_or_a_runner_nothing_is_known(team: Team) -> None:
    team.agent("exit 1")
    team.add()
    team.run()
    for place in team.runs():
        place.result.unlink()
    assert endings.latest(team.layout) == {}
