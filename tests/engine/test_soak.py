"""A minute of the soak: `python benchmarks/soak.py --tasks 300` is the whole of it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.soak import audit, plan
from tests.support.soak.world import World

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 40  # of faults; then what is left may end in peace
TASKS = 16


@pytest.mark.soak
def test_nothing_is_lost_and_nothing_done_twice(tmp_path: Path) -> None:
    seed = int(os.environ.get("SOAK_SEED", time.time_ns() % 10**6))
    print(f"\nseed {seed} (SOAK_SEED={seed} does the same again)")
    told: list[str] = []
    world = World(tmp_path, seed, plan.tasks(seed, TASKS), pause=2, tell=told.append)
    try:
        world.live(until=time.monotonic() + SECONDS)
        world.calm_down()
        assert not audit.faults(world), (seed, told)
    finally:
        world.end()
