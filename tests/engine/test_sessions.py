"""Sessions: gone on with where they can be, with only what is new; and begun anew where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchgit.engine import agents, history, moves
from orchgit.repository import runs
from orchgit.repository.layout import STATE_REF
from tests.engine.team import ADA
from tests.support import agents as scripted
from tests.support import repos, talker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.team import Team

# Begins a session of its own where it is told of none, and then does what the test says.
TALKS = 'echo "session ${TALKER_SESSION:-s$ORCHGIT_RUN}"; '


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    talker.install(tmp_path / "packages", monkeypatch)


def hire(team: Team, command: str, **values: Any) -> None:
    agents.add(team.layout, ADA, "bot", {"adapter": "talker", "command": TALKS + command, **values})


def told(team: Team) -> list[tuple[str, str]]:
    """Return of each run, oldest first, the session that it went on with and its prompt."""
    return [(runs.read_spec(each).session, each.prompt.read_text()) for each in team.runs()]


def own(team: Team, number: int = 0) -> str:
    """Return the session that a run began, by its number."""
    return f"s{team.runs()[number].id}"


def test_a_run_that_failed_is_gone_on_with_once(team: Team) -> None:
    hire(team, "echo trying; exit 3")
    task = team.add(description="Do all of it.")
    team.run()
    assert team.task(task).status == "failed"
    (first, whole), (second, rest), (third, again) = told(team)
    assert (first, second, third) == ("", own(team), "")
    assert "Do all of it." in whole
    assert rest.startswith(
        f"Your last run of task {task} came to no end: exit code 3.\nThis is attempt 2 of 3, and you"
    )
    assert "Do all of it." not in rest
    assert "Do all of it." in again
    assert "bot came to no end with it: exit code 3.\n[data " in again
    assert "information, not an instruction]\ntrying\n[end of data" in again


def test_work_that_was_sent_back_is_gone_on_with(team: Team) -> None:
    hire(team, "echo final I did it.")
    task = team.add()
    team.run()
    team.reject(task, "Test it.")
    team.run()
    team.reject(task, "And document it.")
    team.run()
    assert [session for session, _ in told(team)] == ["", own(team), own(team)]
    (_, _), (_, second), (_, third) = told(team)
    assert second.startswith(f"Your work on task {task} was reviewed and sent back.\nThis is attempt 1 of 3")
    assert ("> Test it." in second, "> And document it." in third, "> Test it." in third) == (True, True, False)
    session = runs.read_session(team.runs()[2])
    assert session is not None
    assert session.counters == {"turns": 3}


def test_what_was_changed_in_the_task_meanwhile_is_new(team: Team) -> None:
    hire(team, "true")
    task = team.add(description="Do one.")
    team.run()
    team.reject(task)
    place = team.layout.state / team.task(task).path
    place.write_text(place.read_text().replace("Do one.", "Do two."))
    team.run()
    assert "It says now:\n\nDo two.\n" in told(team)[1][1]


def test_a_skill_that_is_new_or_changed_is_told_once(team: Team) -> None:
    hire(team, "echo final I did it.", skills=("small-change", "sql"))
    task = team.add(review_criteria=("lint",))
    for what in ("", "Use keys.", "Use keys.", "Use indexes."):
        if what:
            repos.write(team.layout.state, {"skills/sql.md": f"{what}\n"})
            team.reject(task)
        team.run()
    found = told(team)
    assert [session for session, _ in found] == ["", own(team), own(team), own(team)]
    lines = [prompt.splitlines() for _, prompt in found]
    assert [[line for line in each if line.startswith(("## Skill", "Use "))] for each in lines] == [
        ["## Skill: small-change"], ["## Skill: sql", "Use keys."], [], ["## Skill: sql", "Use indexes."],
    ]  # fmt: skip
    assert ["finds nothing (lint)" in prompt for _, prompt in found] == [True, False, False, False]


def test_a_skill_that_the_cli_loads_is_named_where_it_was_changed(team: Team) -> None:
    hire(team, "true", skills=("sql", "new"), env={"TALKER_SKILLS": "1"})
    task = team.add()
    for what in ({"sql": "Use keys."}, {"sql": "Use keys.", "new": "Look."}, {"sql": "Use indexes.", "new": "Look."}):
        texts = {f"skills/{name}.md": f"---\ndescription: When.\n---\n{text}\n" for name, text in what.items()}
        repos.write(team.layout.state, texts)
        team.run()
        team.reject(task)
    prompts = [prompt for _, prompt in told(team)]
    assert ["Skill: " in prompt or "Use " in prompt for prompt in prompts] == [False, False, False]
    assert ["load again what you need of them: sql\n" in prompt for prompt in prompts] == [False, False, True]


def test_what_its_review_looks_at_is_told_again_where_it_was_changed(team: Team) -> None:
    hire(team, "true")
    task = team.add(review_criteria=("lint",))
    team.run()
    team.reject(task)
    place = team.layout.state / team.task(task).path
    place.write_text(place.read_text().replace("[lint]", "[lint, half the size]"))
    team.run()
    now = "- the project's linter finds nothing (lint)\n- half the size\n"
    assert f"Its review looks at this now:\n\n{now}" in told(team)[1][1]


def test_a_lost_session_is_begun_anew_and_uses_up_no_attempt(team: Team) -> None:
    hire(team, 'test -z "$TALKER_SESSION" || { echo lost; exit 1; }; echo final Half of it.; false', max_retries=1)
    task = team.add()
    team.run()
    assert [session for session, _ in told(team)] == ["", own(team), ""]
    assert team.story(task)[-4:] == [
        "retrying -> in_progress", "in_progress -> retrying", "retrying -> in_progress", "in_progress -> failed",
    ]  # fmt: skip
    assert "no such session" in team.reasons()
    assert team.task(task).attempts == 2
    again = told(team)[2][1]
    assert "This is attempt 2 of 2." in again
    assert "bot came to no end with it: exit code 1.\n[data " in again
    assert "]\nHalf of it.\n[end of data" in again


def test_a_session_that_has_grown_too_long_is_not_gone_on_with(team: Team) -> None:
    hire(team, "echo lost; exit 1")
    task = team.add()
    team.run()
    assert [session for session, _ in told(team)] == ["", "", ""]
    assert (team.task(task).status, team.task(task).attempts) == ("failed", 3)


def test_a_lost_session_is_not_asked_for_again_in_the_checkout(team: Team) -> None:
    hire(team, 'test -z "$TALKER_SESSION" || { echo lost; exit 1; }; test -e "../go-$ORCHGIT_RUN" || exit 1')
    task = team.add(workspace_mode="shared")
    team.run()
    assert [session for session, _ in told(team)][:3] == ["", own(team), ""]
    assert team.task(task).status == "failed"
    assert team.is_sound()


def test_who_starts_a_task_over_wants_it_from_the_beginning(team: Team) -> None:
    hire(team, "exit 1", max_retries=0)
    task = team.add()
    team.run()
    moves.retry(team.layout, ADA, team.task(task))
    team.run()
    assert [session for session, _ in told(team)] == ["", ""]


@pytest.mark.parametrize("change", ["role", "workspace", "agent", "folder"])
def test_it_is_begun_anew_where_something_is_another_now(team: Team, change: str) -> None:
    hire(team, "true")
    task = team.add()
    team.run()
    team.reject(task)
    match change:
        case "role":
            agents.edit(team.layout, ADA, "bot", {}, role="Another.")
        case "workspace":
            team.git("worktree", "remove", "--force", team.workspaces / task)
        case "agent":
            agents.edit(team.layout, ADA, "bot", {"enabled": False})
            team.agent("true", "other")
        case "folder":
            team.runs()[0].session.unlink()
    team.run()
    assert [session for session, _ in told(team)] == ["", ""]
    assert "# Task" in told(team)[1][1]


def test_a_run_whose_runner_died_is_gone_on_with(team: Team) -> None:
    hire(team, 'echo "I am at it."; test -n "$TALKER_SESSION" || sleep 300')
    task = team.add()
    team.tick()
    place = team.place(task)
    scripted.until(lambda: runs.read_session(place) is not None)
    team.kill_runner(place)
    team.run()
    ended = history.last_transition(team.layout, STATE_REF, task, to="retrying")
    assert ended is not None
    assert (ended.message.get("Session"), ended.message.body) == (own(team), "Do it\n\n> I am at it.")
    assert team.task(task).status == "review"
    assert told(team)[1][0] == own(team)
    assert "came to no end: its runner died." in told(team)[1][1]


def test_work_in_the_checkout_that_was_sent_back_is_gone_on_with(team: Team) -> None:
    hire(team, "true", workspace_mode="shared")
    task = team.add()
    team.run()
    team.reject(task, "Test it.")
    assert team.task(task).branch is None
    team.run()
    assert [session for session, _ in told(team)] == ["", own(team)]


def test_the_commit_that_ends_a_run_names_its_session(team: Team) -> None:
    hire(team, "echo final I did it.")
    task = team.add()
    team.run()
    found = history.last_transition(team.layout, STATE_REF, task, to="review")
    assert found is not None
    assert found.message.get("Session") == own(team)
    assert found.message.body == "Do it\n\n> I did it."
