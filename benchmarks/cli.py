"""What whole commands cost, from the shell's point of view, beside the least that Python and git cost.

Reading commands are timed with a warm cache; every `task add` is timed as it is, and the cache made warm after it.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from functools import partial
from pathlib import Path

import ground

READING = (
    ("task", "list"),
    ("task", "list", "--json"),
    ("task", "show", ground.id_of(7)),
    ("status",),
    ("config", "get"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    ground.announce()
    with ground.project(options.tasks) as layout:
        beside = Path(sys.executable).with_name("orchgit")
        orchgit = str(beside) if beside.exists() else shutil.which("orchgit") or "orchgit"
        commands = {
            "git rev-parse HEAD": ("git", "rev-parse", "HEAD"),
            "git status": ("git", "status"),
            "python -c 'import click, yaml'": (sys.executable, "-c", "import click, yaml"),
            **{f"orchgit {' '.join(words)}": (orchgit, *words) for words in READING},
            "orchgit task add TITLE": (orchgit, "task", "add", "One more"),
        }
        candidates = {name: partial(ground.quietly, *argv, cwd=layout.root) for name, argv in commands.items()}
        times = ground.interleaved(candidates, rounds=options.rounds)
    print(f"{'with ' + str(options.tasks) + ' tasks':<44}{'ms':>8}")
    for name, found in times.items():
        print(f"{name:<44}{found:>8.1f}")


if __name__ == "__main__":
    main()
