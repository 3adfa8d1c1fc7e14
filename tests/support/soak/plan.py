"""What a seed decides: the tasks, what each waits for, and what its agent does in each attempt."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from orchgit.model import ids
from orchgit.model.run import Outcome

if TYPE_CHECKING:
    from pathlib import Path

AGENTS = tuple(f"agent-{number}" for number in range(8))
ATTEMPTS = 4  # that a task gets
WRITTEN = 40  # attempts that have a script: those that cost nothing come on top


class Act(StrEnum):
    """What an agent does in one attempt."""

    WORK = "work"
    COMMIT = "commit"
    IDLE = "idle"  # succeeds without work
    FLOOD = "flood"
    FORK = "fork"  # leaves a child behind that hides
    SLOW = "slow"
    FAIL = "fail"
    DIE = "die"  # by a signal
    MERGE = "merge"  # leaves one under way
    HANG = "hang"
    FATAL = "fatal"


OUTCOMES = {
    Act.WORK: Outcome.SUCCEEDED,
    Act.COMMIT: Outcome.SUCCEEDED,
    Act.IDLE: Outcome.SUCCEEDED,
    Act.FLOOD: Outcome.SUCCEEDED,
    Act.FORK: Outcome.SUCCEEDED,
    Act.SLOW: Outcome.SUCCEEDED,
    Act.FAIL: Outcome.FAILED,
    Act.DIE: Outcome.FAILED,
    Act.MERGE: Outcome.FAILED,
    Act.HANG: Outcome.STALLED,
    Act.FATAL: Outcome.FATAL,
}
_WEIGHTS = {
    Act.WORK: 20, Act.COMMIT: 12, Act.IDLE: 4, Act.FLOOD: 5, Act.FORK: 6, Act.SLOW: 14,
    Act.FAIL: 10, Act.DIE: 5, Act.MERGE: 5, Act.HANG: 4, Act.FATAL: 1,
}  # fmt: skip

# What every agent runs. It tells what it began, once a run, in a folder that no clean-up touches.
_SCRIPT = """\
seen='{seen}'
act=$(cat "{acts}/$ORCHGIT_TASK/$ORCHGIT_ATTEMPT")
echo "$act" >> "$seen/$ORCHGIT_RUN.starts"
mkdir -p work
[ "$act" = idle ] || echo "$ORCHGIT_RUN $act" > "work/$ORCHGIT_RUN.txt"
[ "$act" = idle ] || : > "$seen/$ORCHGIT_RUN.wrote"
echo "begins: $act"
case "$act" in
work | idle) ;;
commit) git add -A && git commit --quiet -m "its own commit" ;;
flood) yes 'one of very many lines that say nothing' | head -c 8000000 ;;
fork)
    hide() {{ trap '' TERM; exec env -i setsid sleep 900 </dev/null >/dev/null 2>&1; }}
    ( hide & echo $! > "$seen/$ORCHGIT_RUN.hidden" ) ;;
slow) for step in 1 2 3 4 5 6; do sleep 0.4; echo "$step" | tee -a "work/$ORCHGIT_RUN.txt"; done ;;
fail) exit 1 ;;
die) kill -9 $$ ;;
merge)
    echo one > "clash-$ORCHGIT_RUN"; git add -A; git commit --quiet -m one
    export GIT_INDEX_FILE="$TMPDIR/index"; git read-tree HEAD
    blob=$(echo two | git hash-object -w --stdin)
    git update-index --add --cacheinfo "100644,$blob,clash-$ORCHGIT_RUN"
    other=$(git commit-tree -p HEAD~1 -m two "$(git write-tree)"); unset GIT_INDEX_FILE
    git merge --quiet "$other"
    exit 1 ;;
hang) exec sleep 900 ;;
fatal) exit 127 ;;
esac
"""


@dataclass(frozen=True)
class Planned:
    """One task; it may wait for tasks that come before it alone, so that none waits for itself."""

    id: str
    title: str
    depends_on: tuple[str, ...]
    priority: int


def tasks(seed: int, count: int) -> list[Planned]:
    chance = random.Random(f"{seed} tasks")
    found: list[Planned] = []
    for number in range(count):
        near = [each.id for each in found[-12:]]
        wanted = chance.choices((0, 1, 2), (60, 30, 10))[0]
        needs = tuple(sorted(chance.sample(near, min(wanted, len(near)))))
        found.append(Planned(ids.make(ids.TASK, number + 1), f"Task {number}", needs, chance.randint(1, 4)))
    return found


def act(seed: int, task: str, attempt: int) -> Act:
    return random.Random(f"{seed} {task} {attempt}").choices(tuple(_WEIGHTS), tuple(_WEIGHTS.values()))[0]


def write(folder: Path, seed: int, planned: list[Planned]) -> Path:
    """Write the agents' script and all that it reads; return the script."""
    seen, acts = folder / "seen", folder / "acts"
    seen.mkdir(parents=True)
    for each in planned:
        (acts / each.id).mkdir(parents=True)
        for attempt in range(1, WRITTEN + 1):
            (acts / each.id / str(attempt)).write_text(act(seed, each.id, attempt))
    script = folder / "agent.sh"
    script.write_text(_SCRIPT.format(seen=seen, acts=acts))
    return script
