"""A team that is killed again and again, and whether nothing is lost and nothing done twice: exits 1 where it is not.

Its seed decides the tasks and what their agents do; when the kills come, the machine decides too.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

import ground

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.soak import audit, plan
from tests.support.soak.world import World


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SOAK_SEED") or secrets.randbelow(10**6)))
    parser.add_argument("--minutes", type=float, default=30, help="after so long the faults end, and the rest is done")
    parser.add_argument("--every", type=float, default=3, help="seconds between two faults, about")
    parser.add_argument("--keep", action="store_true", help="leave the project there, to look into")
    options = parser.parse_args()
    ground.announce()
    print(f"seed {options.seed}, {options.tasks} tasks, {len(plan.AGENTS)} agents")
    folder = Path(tempfile.mkdtemp(prefix="orchgit-soak-"))
    ground.live_in(folder)
    found = soak(folder, options.tasks, options.seed, minutes=options.minutes, every=options.every)
    print("\n".join(f"FAULT {fault}" for fault in found) or "all as it must be")
    if options.keep:
        print(folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if found else 0)


def soak(folder: Path, tasks: int, seed: int, *, minutes: float, every: float) -> list[str]:
    begun = time.monotonic()
    world = World(folder, seed, plan.tasks(seed, tasks), every, tell=lambda _: None)
    try:
        world.live(until=begun + minutes * 60)
        killing = time.monotonic() - begun
        world.calm_down()
        found = audit.faults(world)
        print(f"{killing:.0f} s under faults, {time.monotonic() - begun:.0f} s in all")
        print(f"started {world.serves} times; killed {', '.join(f'{name} {n}' for name, n in world.faults.items())}")
        print(audit.summary(world))
    finally:
        world.end()
    return found


if __name__ == "__main__":
    main()
