"""What agents said, read while it is being written."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from orchgit.engine import output
from orchgit.repository import locks, runs
from tests.support.agents import until, waits_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.team import Team


def test_all_or_the_last_ones(team: Team) -> None:
    team.agent("echo one; echo oops >&2; sleep 0.2; echo three")
    team.add()
    team.run()
    run = team.runs()[0]
    said = [(line.kind, line.text) for line in output.lines(run)]
    assert sorted(said[:2]) == [("text", "one"), ("warning", "oops")]
    assert said[2:] == [("text", "three")]
    assert [line.text for line in output.lines(run, tail=1)] == ["three"]
    assert [line.text for line in output.lines(run, follow=True)][-1] == "three"


def test_followed_until_the_run_has_ended(team: Team, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    heard: list[output.Line] = []
    team.agent(f"echo one; {waits_for(gate)}; printf 'Grüße'")
    task = team.add()
    team.tick()
    run = team.place(task)
    follower = threading.Thread(target=lambda: heard.extend(output.lines(run, follow=True)))
    follower.start()
    until(run.events.exists)
    gate.touch()
    follower.join()
    assert [line.text for line in heard] == ["one", "Grüße"]
    assert {line.run for line in heard} == {run.id}
    assert not locks.is_held(run.runner_lock)


def test_a_line_that_is_half_written_waits(team: Team) -> None:
    team.agent("echo one")
    team.add()
    team.run()
    run = team.runs()[0]
    with run.events.open("ab") as file:
        file.write(b'{"at": "2026-11-22T10:00:00+00:00", "type": "text", "text": "Gr\xc3')
    assert [line.text for line in output.lines(run)] == ["one"]
    with run.events.open("ab") as file:
        file.write(b'\xbc\xc3\x9fe"}\n')
    assert [line.text for line in output.lines(run)] == ["one", "Grüße"]


def test_of_a_run_that_said_nothing_yet(team: Team) -> None:
    team.agent("true")
    team.add()
    team.run()
    run = team.runs()[0]
    run.events.unlink()
    assert list(output.lines(run, follow=True)) == []


def test_what_was_said_last(team: Team) -> None:
    team.agent("echo one; echo two; head -c 40000 /dev/zero | tr '\\0' x; echo; printf three")
    team.add()
    assert output.last(runs.folder(team.layout, "run_000000")) is None
    team.run()
    last = output.last(team.runs()[0])
    assert last is not None
    assert last.text == "three"
