"""A minute of the soak: `python benchmarks/soak.py --tasks 300` is the whole of it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from orchgit.repository.layout import STATE_REF
from tests.support.repos import git
from tests.support.soak import audit, plan
from tests.support.soak.world import World

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("is in no kept commit", "without a run", "is left locked", "is not clean", "dispatched twice")
SECONDS = 40  # of faults; then what is left may end in peace
TASKS = 16


def blind_spots(world: World) -> list[str]:
    """Spoil what is left in several ways, and return those that the audit is blind to."""
    root = world.layout.root
    for ref in git(root, "for-each-ref", "--format=%(refname)", "refs/orchgit/attempts").split():
        git(root, "update-ref", "-d", ref)
    (world.layout.runs / "run_zzzzzz").mkdir()
    (world.layout.common / "packed-refs.lock").touch()
    started = git(root, "log", "-1", "--format=%B", "--grep=-> in_progress$", STATE_REF)
    git(world.layout.state, "commit", "--quiet", "--allow-empty", "--no-verify", f"--message={started}")
    (root / "left.txt").touch()
    found = audit.faults(world)
    return [kind for kind in KINDS if not any(kind in fault for fault in found)]


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
        assert blind_spots(world) == []
    finally:
        world.end()
