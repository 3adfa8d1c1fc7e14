"""Messages to an agent at work: told at once where its CLI takes them, marked when its model has them, never twice."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from orchgit.engine import deliveries, letters, output, verify
from orchgit.model.run import Outcome
from orchgit.repository import ledger, locks, runs
from tests.engine.team import ADA
from tests.engine.test_letters import BOT, boxes, prompts, say, unread
from tests.support import hearer, repos
from tests.support.agents import until, waits_for
from tests.support.hearer import FETCHES, HEARS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.team import Team


@pytest.fixture(autouse=True)
def _hearer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hearer.install(tmp_path / "packages", monkeypatch)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


def begin(team: Team, command: str, **values: Any) -> str:
    """Let an agent begin that hears messages, and return its task when it does."""
    if "bot" not in team.state.agents:
        team.agent(f"{HEARS}{command}", adapter="hearer", **values)
    task = team.add()
    team.tick()
    until(lambda: "ready" in said(team, task))
    return task


def said(team: Team, task: str) -> list[str]:
    return [line.text for line in output.lines(team.place(task))]


def ended(team: Team, task: str) -> None:
    locks.wait_until_free(team.place(task).runner_lock)


def told(team: Team, task: str) -> str:
    place = team.workspaces / task / "told"
    return place.read_text() if place.exists() else ""


def test_a_message_reaches_an_agent_at_work_and_counts_as_read_when_it_took_it(team: Team, gate: Path) -> None:
    task = begin(team, f'echo ready; hears; {waits_for(gate)}; echo "took $id"; hears; echo over; cat')
    place = team.place(task)
    made = say(team, "Mind the [tokens].", subject="Tokens")
    assert deliveries.delivery(team.layout, team.state, made) == "at-once"
    until(lambda: told(team, task))
    assert runs.read_mail(place) == runs.Mail(64 << 10, given=(made.path,))
    assert boxes(team) == [("Mind the [tokens].", "new")]
    gate.touch()
    until(lambda: boxes(team) == [("Mind the [tokens].", "cur")])
    assert repos.subjects(team.root, "orchestry")[0] == f"message({made.id}): told to {place.id} at its work"
    assert team.trailers("orchestry") == {"Run": place.id, "Actor": "orchgit"}
    say(team, "And that.")
    ended(team, task)
    words = told(team, task)
    assert "words of Ada Lovelace, a person; mind it as far as it concerns your task]\\nSubject: Tokens\\n" in words
    assert words.count("Mind the [tokens].") == words.count("And that.") == 1
    assert f"was told {made.id}, from Ada Lovelace" in said(team, task)
    assert runs.read_mail(place).most == 0
    team.run()
    assert team.task(task).status == "review"
    assert unread(team) == ["And that."]
    assert verify.check(team.layout.common).is_clean
    assert team.is_sound()


def test_what_comes_as_it_ends_waits_for_the_next_attempt(team: Team, gate: Path) -> None:
    task = begin(team, f"echo ready; echo over; cat; {waits_for(gate)}; echo $ORCHGIT_ATTEMPT > done.txt")
    until(lambda: runs.read_mail(team.place(task)).most == 0)
    made = say(team, "Too late.")
    assert deliveries.delivery(team.layout, team.state, made) == "at-work"
    gate.touch()
    team.run()
    assert boxes(team) == [("Too late.", "new")]
    team.reject(task)
    team.run()
    assert ["Too late." in each for each in prompts(team)] == [False, True]
    assert boxes(team) == [("Too late.", "cur")]


@pytest.mark.parametrize("end", ["echo over; exit 1", "exit 1", "kill -9 $$"])
def test_an_agent_that_ends_without_having_taken_it_is_told_again(team: Team, end: str) -> None:
    once = f"test $ORCHGIT_ATTEMPT = 2 && {{ echo over; exit 0; }}; echo ready; hears; {end}"
    task = begin(team, once, max_retries=1)
    say(team, "Still here.")
    ended(team, task)
    assert "Still here." in told(team, task)
    assert unread(team) == ["Still here."]
    team.run()
    assert team.task(task).status == "review"
    assert ["Still here." in each for each in prompts(team)] == [False, True]
    assert boxes(team) == [("Still here.", "cur")]
    assert team.is_sound()


def test_an_agent_that_is_stopped_first_leaves_it_unread(team: Team) -> None:
    task = begin(team, "echo ready; hears; sleep 60")
    say(team, "Still here.")
    until(lambda: told(team, task))
    team.release(task)
    assert boxes(team) == [("Still here.", "new")]


def test_what_is_on_its_way_is_told_by_nobody_else(team: Team, gate: Path) -> None:
    task = begin(team, f'echo ready; hears; {waits_for(gate)}; echo "took $id"; echo over; cat', max_concurrent=2)
    say(team, "Only once.")
    until(lambda: told(team, task))
    other = begin(team, "")
    assert "Only once." not in team.place(other).prompt.read_text()
    assert runs.read_mail(team.place(other)) == runs.Mail(64 << 10)
    gate.touch()
    say(team, "For the other.")
    ended(team, task)
    ended(team, other)
    assert "Only once." not in told(team, other)
    assert boxes(team) == [("Only once.", "cur"), ("For the other.", "cur")]


def test_who_reads_what_is_on_its_way_has_it_withdrawn(team: Team) -> None:
    """An agent may wait for it in the very tool that it would come after."""
    task = begin(team, "echo ready; hears; orchgit msg read > read.txt; hears; echo over; cat")
    made = say(team, "Only once.")
    ended(team, task)
    assert "Only once." in (team.workspaces / task / "read.txt").read_text()
    assert f"withdrawn {made.id}" in told(team, task)
    assert runs.read_mail(team.place(task)).given == ()
    assert boxes(team) == [("Only once.", "cur")]


def test_what_an_agent_took_is_not_told_again_where_its_runner_died_before_it_could_say_so(
    team: Team, gate: Path
) -> None:
    once = "test $ORCHGIT_ATTEMPT = 2 && { echo over; exit 0; }"
    task = begin(team, f"{once}; echo ready; hears; {waits_for(gate)}", max_retries=1)
    made = say(team, "Only once.")
    until(lambda: told(team, task))
    place = team.place(task)
    team.kill_runner(place)
    runs.write_mail(place, runs.Mail(given=(made.path,), taken=(made.path,)))
    gate.touch()
    with ledger.writing(team.layout, ADA) as book:
        assert deliveries.waiting(book, "bot", made.created) == []  # type: ignore[arg-type]
    team.run()
    assert boxes(team) == [("Only once.", "cur")]
    assert ["Only once." in each for each in prompts(team)] == [False, False]
    assert f"message({made.id}): told to {place.id} at its work" in repos.subjects(team.root, "orchestry")


def test_much_at_once_is_told_a_prompt_at_a_time(team: Team, gate: Path) -> None:
    take = f'hears; echo "took $id"; {waits_for(gate)}'
    task = begin(team, f'echo ready; {take}; hears; echo "took $id"; hears; echo "took $id"; echo over; cat')
    for number in range(3):
        say(team, f"{number}" * 30_000)
    place = team.place(task)
    until(lambda: len(runs.read_mail(place).given) == 3)
    assert len(runs.read_mail(place).taken) == 1
    gate.touch()
    ended(team, task)
    assert [box for _, box in boxes(team)] == ["cur"] * 3


def test_the_loop_is_not_needed(team: Team) -> None:
    """The runner tells it, whatever has become of who started it."""
    team.agent(f'{HEARS}echo ready; hears; echo "took $id"; echo over; cat', adapter="hearer")
    task = team.add()
    serve = subprocess.Popen(
        [sys.executable, "-m", "orchgit", "serve"], cwd=team.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until(lambda: team.task(task).run and "ready" in said(team, task))
    serve.kill()
    serve.wait()
    say(team, "Go on.")
    until(lambda: boxes(team) == [("Go on.", "cur")])
    ended(team, task)
    team.run()
    result = runs.read_result(team.runs()[0])
    assert result is not None
    assert result.outcome is Outcome.SUCCEEDED


def test_a_file_dropped_into_the_mailbox_is_told_once_it_is_a_message(team: Team, tmp_path: Path) -> None:
    task = begin(team, 'echo ready; hears; echo "took $id"; echo over; cat')
    box = team.layout.state / "messages/bot/new"
    box.mkdir(parents=True)
    (box / "hello.md").write_text("Good morning.\n")
    team.run()
    assert "Good morning." in told(team, task)
    assert boxes(team) == [("Good morning.", "cur")]
    assert team.is_sound()


# By hooks


def begin_fetching(team: Team, command: str, **values: Any) -> str:
    """Let an agent begin whose hooks fetch messages, and return its task when they do."""
    team.agent(f"{FETCHES}{command}", adapter="fetcher", **values)
    task = team.add()
    team.tick()
    until(lambda: runs.read_mail(team.place(task)).most)
    return task


def test_hooks_fetch_one_message_after_the_other(team: Team) -> None:
    task = begin_fetching(team, 'fetch 1; fetch 2; echo "over Done."')
    first = say(team, "Mind the tokens.")
    assert deliveries.delivery(team.layout, team.state, first) == "at-once"
    until(lambda: told(team, task))
    second = say(team, "And the roses.")
    place = team.place(task)
    ended(team, task)
    assert told(team, task).count("Mind the tokens.") == told(team, task).count("And the roses.") == 1
    assert boxes(team) == [("Mind the tokens.", "cur"), ("And the roses.", "cur")]
    words = [line.text for line in output.lines(place)]
    assert words[-3:] == [
        f"was told {first.id}, from Ada Lovelace", f"was told {second.id}, from Ada Lovelace", "finished: Done.",
    ]  # fmt: skip
    assert not place.offers.exists()
    assert team.is_sound()


def test_what_no_hook_fetched_is_unread(team: Team, gate: Path) -> None:
    task = begin_fetching(team, f'fetch 1; {waits_for(gate)}; echo "over Done."')
    say(team, "First.")
    until(lambda: told(team, task))
    say(team, "Second.")
    until(lambda: len(runs.read_mail(team.place(task)).given) == 2)
    gate.touch()
    ended(team, task)
    assert boxes(team) == [("First.", "cur"), ("Second.", "new")]


@pytest.mark.parametrize("end", ['echo "failed No."; exit 1', "exit 1", "kill -9 $$"])
def test_what_hooks_fetched_for_a_model_that_came_to_no_end_is_unread(team: Team, end: str) -> None:
    task = begin_fetching(team, f"fetch 1; {end}", max_retries=0)
    say(team, "Still here.")
    ended(team, task)
    assert "Still here." in told(team, task)
    assert unread(team) == ["Still here."]


def test_a_message_that_is_too_long_for_hooks_waits(team: Team, gate: Path) -> None:
    task = begin_fetching(team, f'fetch 1; {waits_for(gate)}; echo "over Done."')
    made = say(team, "x" * 1001)
    assert deliveries.delivery(team.layout, team.state, made) == "at-work"
    say(team, "Short.")
    until(lambda: told(team, task))
    assert letters.read(team.layout, BOT, [made]) != []
    gate.touch()
    ended(team, task)
    assert "xxx" not in told(team, task)


def test_who_reads_what_lies_ready_has_it_taken_away(team: Team) -> None:
    lies = 'while [ ! -e "$ORCHGIT_OFFERS/offer" ]; do sleep 0.02; done'
    then = 'orchgit msg read > read.txt; test ! -e "$ORCHGIT_OFFERS/offer" && echo "over Gone."'
    task = begin_fetching(team, f"{lies}; {then}")
    say(team, "Only once.")
    ended(team, task)
    assert "Only once." in (team.workspaces / task / "read.txt").read_text()
    assert said(team, task)[-1] == "finished: Gone."
    assert boxes(team) == [("Only once.", "cur")]


def test_what_hooks_have_fetched_is_not_read_again(team: Team) -> None:
    wait = 'while ! grep -q handed.*msg_ "$ORCHGIT_OFFERS/../mail.json"; do sleep 0.02; done'
    task = begin_fetching(team, f'fetch 1; {wait}; orchgit msg read > read.txt; echo "over Done."')
    say(team, "Only once.")
    ended(team, task)
    assert told(team, task).count("Only once.") == 1
    assert (team.workspaces / task / "read.txt").read_text() == ""
    assert boxes(team) == [("Only once.", "cur")]
