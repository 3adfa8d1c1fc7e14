"""What is said in a run, written down: how much of it stays, and how it is read again."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import psutil
import pytest

from orchgit.engine import output, record
from orchgit.engine.record import Record
from orchgit.model.events import Result, Text, Warning  # noqa: A004 - the event of that name
from orchgit.model.run import Outcome
from orchgit.repository import locks, runs
from orchgit.repository.runs import Folder
from tests.engine.attempt import TASK, Bench

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.team import Team

MB = 1 << 20


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "FIRST", 1000)
    monkeypatch.setattr(record, "PART", MB)


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "run_aaaaaa")
    folder.path.mkdir()
    return folder


def said(place: Folder, *, tail: int | None = None) -> list[str]:
    return [line.text for line in output.lines(place, tail=tail)]


def test_what_was_said_is_read_again_byte_for_byte(place: Folder) -> None:
    words = ["plain", "", '"quoted" \\ \t\x00\x1b', "Grüße 😀 \u2028", "x" * MB]
    with closing(Record(place)) as log:
        for each in words:
            log.write(Text(each))
        log.write(Warning("oops"))
    found = list(output.lines(place))
    assert [line.text for line in found] == [*words, "oops"]
    assert [line.kind for line in found] == ["text"] * len(words) + ["warning"]


def test_it_is_there_once_it_is_flushed(place: Folder) -> None:
    with closing(Record(place)) as log:
        log.write(Text("one"))
        log.flush()
        assert said(place) == ["one"]


def test_the_last_words(place: Folder) -> None:
    with closing(Record(place)) as log:
        for number in range(100):
            log.write(Text(f"{number} {'x' * 2000}"))
            log.write(Text(" "))
        assert [len(each) for each in log.summary.split("\n")] == [1000] * 20
        assert log.summary.split("\n")[-1].startswith("99 ")


def test_the_final_words_are_the_summary_whole(place: Folder) -> None:
    with closing(Record(place)) as log:
        log.write(Text("looking"))
        log.write(Result("I did it:\n\n- one\n- two\n"))
        log.write(Warning("bye"))
        log.write(Result(" "))
        assert log.summary == "I did it:\n\n- one\n- two"


@pytest.mark.usefixtures("small")
def test_the_beginning_and_the_newest_stay_and_what_is_missing_is_said(place: Folder) -> None:
    with closing(Record(place)) as log:
        for number in range(120):
            log.write(Text(f"{number} {'x' * 100_000}"))
            log.flush()
    assert len(place.parts()) == record.PARTS
    assert sum(path.stat().st_size for path in place.path.iterdir()) < (record.PARTS + 1) * MB
    found = said(place)
    assert found[0].startswith("0 ")
    assert found[1] == f"[{place.parts()[0] - 1} MB of output were left out here]"
    numbers = [int(words.split()[0]) for words in found[2:]]
    assert numbers == list(range(numbers[0], 120))
    assert [words.split()[0] for words in said(place, tail=2)] == ["118", "119"]


@pytest.mark.usefixtures("small")
def test_who_follows_goes_on_from_part_to_part(place: Folder) -> None:
    heard: list[str] = []
    lock = locks.take(place.runner_lock)
    assert lock is not None
    with closing(Record(place)) as log:
        follower = threading.Thread(target=lambda: heard.extend(x.text for x in output.lines(place, follow=True)))
        follower.start()
        for number in range(30):
            log.write(Text(f"{number} {'x' * 100_000}"))
            log.flush()
    os.close(lock)
    follower.join()
    assert [words.split()[0] for words in heard] == [str(number) for number in range(30)]


def test_a_flood_changes_neither_memory_nor_disk_beyond_a_bound(team: Team) -> None:
    bench = Bench(team.layout, team.workspaces / TASK)
    place = bench.begin(
        f"echo first; yes {'x' * 4000} | head -c {200 * MB}; head -c {20 * MB} /dev/zero; echo; echo last"
    )
    runner, most = team.runner(place), 0
    while locks.is_held(place.runner_lock):
        try:
            most = max(most, runner.memory_info().rss)
        except psutil.Error:
            break
    locks.wait_until_free(place.runner_lock)
    result = runs.read_result(place)
    assert result is not None
    assert result.outcome is Outcome.SUCCEEDED
    assert 0 < most < 100 * MB
    assert sum(path.stat().st_size for path in place.path.iterdir()) < 40 * MB
    assert said(place)[0] == "first"
    assert said(place, tail=1) == ["last"]


def test_a_full_disk_loses_words_and_not_the_run(place: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Record(place)) as log:
        log.write(Text("before"))
        log.flush()

        def half(data: bytes) -> None:
            with place.events.open("ab") as file:
                file.write(data[:10])
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(log, "_write", half)
            log.write(Text("lost"))
            log.flush()
        log.write(Text("after"))
    assert said(place) == ["before", "after"]
