"""What one transition costs beside `git add` and `git commit` of the same file, alone and fifty at once.

All of them write the same branch in turn; each is a writer that has written before.
"""

from __future__ import annotations

import argparse
from itertools import count
from typing import TYPE_CHECKING

import ground

from orchgit.model.lifecycle import Ask
from orchgit.model.task import Status
from orchgit.repository import identity, ledger

if TYPE_CHECKING:
    from orchgit.model.actor import Actor
    from orchgit.repository.layout import Layout

BATCH = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    ground.announce()
    with ground.project(options.tasks) as layout:
        by, turn = identity.machine(layout.common), count()
        candidates = {
            "git add + git commit": lambda: by_hand(layout, next(turn)),
            "one transition": lambda: transitions(layout, by, 0, 1),
            f"{BATCH} transitions together": lambda: transitions(layout, by, 1, 1 + BATCH),
        }
        times = ground.interleaved(candidates, rounds=options.rounds, times_each=3)
    report(options.tasks, times)


def by_hand(layout: Layout, turn: int) -> None:
    """Change the file of the first task and commit it with git's own two commands."""
    place = layout.state / ground.path_of(0)
    place.write_bytes(place.read_bytes() + b"Once more: %d.\n" % turn)
    ground.quietly("git", "add", "--", ground.path_of(0), cwd=layout.state)
    ground.quietly("git", "commit", "--quiet", "--message=task: edit", cwd=layout.state)


def transitions(layout: Layout, by: Actor, first: int, end: int) -> None:
    """Take, or give back, the tasks from `first` on, in one write."""
    with ledger.writing(layout, by) as book:
        for number in range(first, end):
            task = book.state.task(ground.id_of(number))
            if task.status is Status.TODO:
                book.transition(task.id, Ask.TAKE, sets={"agent": by.name})
            else:
                book.transition(task.id, Ask.RELEASE)


def report(tasks: int, times: dict[str, float]) -> None:
    unit = times["git add + git commit"]
    print(f"{'on a state branch with ' + str(tasks) + ' tasks':<44}{'ms':>8}{'ratio':>8}")
    for name, found in times.items():
        each = found / BATCH if name.startswith(f"{BATCH} ") else found
        print(f"{name + (', each' if each != found else ''):<44}{each:>8.1f}{each / unit:>8.2f}")


if __name__ == "__main__":
    main()
