"""How long it takes to verify a history, beside git's own reading of it: `git log --raw`."""

from __future__ import annotations

import argparse
import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import ground

from orchgit.engine import verify
from orchgit.model import actor, usage
from orchgit.model.actor import ENGINE
from orchgit.model.lifecycle import Ask
from orchgit.model.usage import Usage
from orchgit.repository import git, identity, ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Sets

BATCH = 100  # tasks that move in one write
AGENT = actor.agent("backend")
USED = usage.trailers(Usage(input=4200, output=812, cache=90_000, reasoning=300, cost_usd=0.0421))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transitions", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    ground.announce()
    tasks = options.transitions // 5
    with ground.project(tasks) as layout:
        begun = time.perf_counter()
        for first in range(0, tasks, BATCH):
            work(layout, range(first, min(first + BATCH, tasks)))
        print(f"{tasks * 5} transitions of {tasks} tasks were committed in {time.perf_counter() - begun:.1f} s")
        found = verify.check(layout.common)
        assert found.is_clean, found.first
        times = ground.interleaved({
            "git log --raw": lambda: reading(layout), "orchgit verify": lambda: verify.check(layout.common),
        }, rounds=options.rounds)  # fmt: skip
        spent = {"git log --raw": spending(lambda: reading(layout)),
                 "orchgit verify": spending(lambda: verify.check(layout.common))}  # fmt: skip
    print(f"\n{f'{found.commits} commits':<20}{'s':>8}{'s of a processor':>20}")
    for name, each in times.items():
        print(f"{name:<20}{each / 1000:>8.2f}{spent[name]:>20.2f}")


def spending(call: Callable[[], object]) -> float:
    """Return the processor time that a call takes, in seconds, with that of the processes it starts."""
    before = os.times()[:4]
    call()
    return sum(os.times()[:4]) - sum(before)


def reading(layout: Layout) -> None:
    """Read the same history as git alone does."""
    git.run("log", "--raw", "-z", "--no-abbrev", "--no-renames", "orchestry", cwd=layout.common)


def work(layout: Layout, numbers: range) -> None:
    """Let tasks fail once, then succeed, then be approved: five transitions each, and work that is in the base."""
    commit = git.text("commit-tree", "main^{tree}", "-p", "main", "-m", "work", cwd=layout.root)
    base = git.text("rev-parse", "main", cwd=layout.root)
    git.run("update-ref", "refs/heads/main", commit, cwd=layout.root)
    now = datetime.now(UTC).replace(microsecond=0)

    def start(number: int) -> Sets:
        branch = f"orchgit/{ground.id_of(number)}"
        return {"run": f"run_{number:06d}", "machine": "5c1e09", "agent": AGENT.name, "branch": branch}

    steps: tuple[tuple[Ask, Callable[[int], Sets]], ...] = (
        (Ask.DISPATCH, start),
        (Ask.RETRY_LATER, lambda _: {"retry_at": now + timedelta(seconds=10)}),
        (Ask.DISPATCH, start),
        (Ask.SUCCEED, lambda _: {"review_base": base, "review_commit": commit}),
        (Ask.APPROVE, lambda _: {"review_commit": commit, "closed": now}),
    )
    for ask, sets in steps:
        by = identity.machine(layout.common) if ask is Ask.APPROVE else ENGINE
        with ledger.writing(layout, by) as book:
            for number in numbers:
                ends = ask in (Ask.RETRY_LATER, Ask.SUCCEED)
                book.transition(
                    ground.id_of(number), ask, sets=sets(number), credit=AGENT if ends else None,
                    words="It is done.\nTests pass." if ends else "", details=USED if ends else None,
                )  # fmt: skip


if __name__ == "__main__":
    main()
