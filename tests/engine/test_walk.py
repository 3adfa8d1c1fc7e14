"""A random walk of hand edits: nothing typed is lost, nothing illegal acted on, and what is left verifies."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.walk import Walk, WalkBeside

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = int(os.environ.get("WALK_EXAMPLES", "8"))
STEPS = int(os.environ.get("WALK_STEPS", "15"))


def walk(machine: type[Walk], folder: Path, examples: int) -> None:
    number = int(os.environ.get("WALK_SEED", time.time_ns() % 10**6))
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
