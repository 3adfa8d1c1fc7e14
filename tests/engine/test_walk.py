"""A random walk of hand edits: nothing typed is lost, nothing illegal acted on, and what is left verifies."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from orchgit.model import yamltext
from orchgit.repository import ledger
from tests.engine.team import ADA
from tests.engine.test_edits import look
from tests.engine.walk import Walk, WalkBeside
from tests.support import standing, typed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.team import Team

EXAMPLES = int(os.environ.get("WALK_EXAMPLES", "8"))
STEPS = int(os.environ.get("WALK_STEPS", "15"))
SEED = os.environ.get("WALK_SEED") or ("1" if "CI" in os.environ else "")  # in CI what is red is what has changed


def walk(machine: type[Walk], folder: Path, examples: int) -> None:
    number = int(SEED or time.time_ns() % 10**6)
    print(f"\nseed {number} (WALK_SEED={number} does the same again)")
    walker = type(machine.__name__, (machine,), {"folder": folder})
    run_state_machine_as_test(
        seed(number)(walker),
        settings=settings(
            max_examples=examples, stateful_step_count=STEPS, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck), print_blob=False,
        ),
    )  # fmt: skip


def test_by_turns(tmp_path: Path) -> None:
    walk(Walk, tmp_path, EXAMPLES)


def test_beside_a_team_at_work(tmp_path: Path) -> None:
    walk(WalkBeside, tmp_path, EXAMPLES)


def is_there(place: Path, line: str) -> bool:
    """Does the file hold the line, or soon: just now it may lie beside its place?"""
    for _ in range(20):
        if line in place.read_text():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("how", sorted(typed.SAVES))
def test_a_file_that_is_saved_over_and_over_while_the_team_writes_it(team: Team, how: str) -> None:
    task = team.add("Do it", description="Do it.")
    place, ended = team.layout.state / team.task(task).path, threading.Event()
    saved, lost = [place.read_bytes()], []

    def save() -> None:
        for number in range(200):
            saved.append(saved[-1] + f"Line {number}.\n".encode())
            typed.SAVES[how](place, saved[-1])
            time.sleep(0.002 * (number % 5))
            if not is_there(place, f"Line {number}."):
                lost.append(number)
        ended.set()

    editor = threading.Thread(target=save)
    editor.start()
    while not ended.is_set():
        with ledger.writing(team.layout, ADA) as book:
            book.edit(task, {"goal": "gol_abcdef"} if team.task(task).goal is None else {"goal": yamltext.REMOVE})
        look(team)
    editor.join()
    look(team)
    assert lost == []
    assert place.read_bytes().endswith(saved[-1].partition(b"\n---\n")[2])
    assert team.show("orchestry", team.task(task).path).endswith("Line 198.\nLine 199.")
    assert standing.faults(team.layout) == []
