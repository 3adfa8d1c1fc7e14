from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from orchgit.model.run import Alive, Finished, Gone, Outcome, Result, Stop
from orchgit.model.usage import Usage
from orchgit.repository import locks, runs
from orchgit.repository.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.repository.runs import Folder

RESULT = Result("run_1", Outcome.SUCCEEDED, "said so", notes=("one", "two"), started=datetime(2026, 11, 22, tzinfo=UTC))


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    found = runs.folder(Layout(tmp_path, tmp_path / ".git"), "run_1")
    found.path.mkdir(parents=True)
    return found


@pytest.mark.parametrize(
    "result",
    [
        RESULT,
        replace(RESULT, outcome=Outcome.STOPPED, stop=Stop.CANCEL, stopped_by="Ada", exit_code=-15),
        replace(RESULT, outcome=Outcome.LIMITED, again_in=60, usage=Usage(1, 2, 3, 4, 5, 0.5)),
        replace(RESULT, usage=Usage(input=1)),
    ],
)
def test_a_result_is_read_as_it_was_written(place: Folder, result: Result) -> None:
    assert runs.read_result(place) is None
    runs.write_result(place, result)
    assert runs.read_result(place) == result


def test_what_a_run_used_is_read_as_it_was_written(place: Folder) -> None:
    assert runs.read_usage(place) is None
    runs.write_usage(place, Usage(1, 2, 3, 4, 5, 0.5))
    assert runs.read_usage(place) == Usage(1, 2, 3, 4, 5, 0.5)


def test_a_result_of_an_older_version_is_read(place: Folder) -> None:
    runs.write_result(place, RESULT)
    values = json.loads(place.result.read_text())
    place.result.write_text(json.dumps({key: values[key] for key in values if key not in ("usage", "again_in")}))
    assert runs.read_result(place) == RESULT


def test_how_a_run_stands(place: Folder) -> None:
    assert runs.observe(place) == Gone(started=False)
    place.events.write_text("")
    assert runs.observe(place) == Gone(started=True)
    held = locks.take(place.runner_lock)
    assert held is not None
    assert runs.observe(place) == Alive()
    runs.write_result(place, RESULT)
    assert runs.observe(place) == Finished(RESULT)
    os.close(held)
    assert runs.observe(place) == Finished(RESULT)


def test_who_asks_a_run_to_stop_says_why(place: Folder) -> None:
    assert runs.stop_asked(place) is None
    runs.ask_to_stop(place, Stop.RELEASE, by="Ada")
    assert runs.stop_asked(place) == (Stop.RELEASE, "Ada")


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / ".git")
    assert list(runs.all_of(layout)) == []
    for at, name in enumerate(("run_b", "run_c", "run_a")):
        place = runs.folder(layout, name)
        place.path.mkdir(parents=True)
        place.spec.write_text("{}")
        os.utime(place.spec, (at, at))
    runs.folder(layout, "run_begun").path.mkdir()
    runs.folder(layout, "run_going").path.mkdir()
    runs.folder(layout, "run_going").spec.symlink_to("gone")  # there as one looks, and gone as one asks for its time
    (layout.runs / "no folder").touch()
    assert [place.id for place in runs.all_of(layout)] == ["run_a", "run_c", "run_b"]


def test_what_a_runner_was_told_is_read_whatever_version_wrote_it(place: Folder) -> None:
    old = {
        "run": "run_1", "task": "tsk_1", "agent": "bot", "title": "A", "attempt": 1, "adapter": "shell",
        "argv": ["true"], "env": [["A", "b"]], "root": "/r", "common": "/r/.git", "workspace": "/w", "branch": "b",
        "base": "main", "timeout": 1.0, "stall_timeout": 1.0, "started": "2026-11-22T00:00:00+00:00",
    }  # fmt: skip
    place.spec.write_text(json.dumps(old))
    spec = runs.read_spec(place)
    assert (spec.argv, spec.env, spec.hooks, spec.agent_file) == (("true",), (("A", "b"),), (), "")
    place.spec.write_text(json.dumps({**old, "of_tomorrow": 1}))
    assert runs.read_spec(place) == spec
