"""How long `orchgit stats` takes over a history, beside git's own reading of the same messages: `git log`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import ground
import verify

from orchgit.repository import git, identity, ledger

if TYPE_CHECKING:
    from orchgit.repository.layout import Layout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transitions", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ground.announce()
    tasks = options.transitions // 5
    with ground.project(tasks) as layout:
        for first in range(0, tasks, verify.BATCH):
            verify.work(layout, range(first, min(first + verify.BATCH, tasks)))
        with ledger.writing(layout, identity.machine(layout.common)) as book:
            book.archive(list(book.state.tasks.values())[: tasks // 2], now=datetime.now(UTC) + timedelta(days=30))
        times = ground.interleaved({
            "git log": lambda: git.run("log", "--format=%B", "orchestry", cwd=layout.common),
            "orchgit stats --json": lambda: stats(layout),
            "orchgit stats --by goal --json": lambda: stats(layout, "--by", "goal"),
            "orchgit stats --since (nothing) --json": lambda: stats(layout, "--since", "2099-01-01"),
            "orchgit task list --json": lambda: typed(layout, "task", "list", "--json"),

        }, rounds=options.rounds)  # fmt: skip
    for name, each in times.items():
        print(f"{name:<44}{each / 1000:>8.2f} s")


def stats(layout: Layout, *options: str) -> None:
    typed(layout, "stats", "--json", *options)


def typed(layout: Layout, *words: str) -> None:
    argv = [sys.executable, "-m", "orchgit", *words]
    subprocess.run(argv, cwd=layout.root, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
