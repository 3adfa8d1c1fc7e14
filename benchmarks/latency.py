"""How long a new task waits for its agent's process, with a free slot: saved by hand, and by `orchgit task add`.

`orchgit serve` runs beside it, on a state with many open tasks that are blocked. By hand means a file that is written
into .orchestry/tasks: the time runs from right before it is. Of a command it runs from right before it is typed, so
that what its own process costs is in it, and from its end too: what is left then is the team's own.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import ground

from orchgit import api
from orchgit.model import ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orchgit.repository.layout import Layout

_PATIENCE = 60.0  # seconds
_NEEDED = ids.make(ids.TASK, ids.SPACE - 1)  # what all the others wait for: nobody's to do
_ORCHGIT = (sys.executable, "-m", "orchgit")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, nargs="+", default=[100, 5000])
    parser.add_argument("--samples", type=int, default=30)
    options = parser.parse_args()
    ground.announce()
    print(f"{'open tasks':>10}  {'from, to the first line of the agent':<44}{'p50 ms':>8}{'p99 ms':>8}{'worst':>8}")
    for tasks in options.tasks:
        with ground.project(tasks, depends_on=_NEEDED) as layout:
            for name, times in measured(layout, options.samples).items():
                report(tasks, name, times)


def measured(layout: Layout, samples: int) -> dict[str, list[float]]:
    """Return the times in ms of each way to make a task."""
    begun = layout.root.parent / "begun"
    set_up(layout, begun)
    found: dict[str, list[float]] = {"a saved file": [], "orchgit task add": [], "orchgit task add has ended": []}
    with served(layout):
        for number in range(samples + 1):
            by_hand, _ = timed(layout, begun, lambda number=number: save(layout, number))  # type: ignore[misc]
            typed, after = timed(layout, begun, lambda: add(layout))
            if number:  # the first start loads what the others find loaded
                for name, value in zip(found, (by_hand, typed, after), strict=True):
                    found[name].append(value)
    return found


def set_up(layout: Layout, begun: Path) -> None:
    """Give the team one agent, which tells the time at which it begins."""
    project = api.open_project(layout.root)
    tell = f"import time; open({str(begun)!r}, 'a').write(str(time.time()))"
    command = f"exec {sys.executable} -I -S -c \"{tell}; open({str(begun)!r} + '.done', 'w')\""
    project.add_agent("quick", {"adapter": "shell", "command": command})


def timed(layout: Layout, begun: Path, make: Callable[[], None]) -> tuple[float, float]:
    """Return the ms from the beginning of `make`, and from its end, to the agent's process.

    It has ended when this returns: the slot is free again.
    """
    start = time.time()
    make()
    end = time.time()
    done = begun.with_name("begun.done")
    until(done.exists)
    started = float(begun.read_text())
    begun.unlink()
    done.unlink()
    until(lambda: not at_work(layout))
    time.sleep(0.1)  # the loop has gone to sleep again
    return (started - start) * 1000, (started - end) * 1000


def save(layout: Layout, number: int) -> None:
    (layout.state / "tasks" / f"by-hand-{number}.md").write_text("---\npriority: 1\n---\n# By hand\n")


def add(layout: Layout) -> None:
    ground.quietly(*_ORCHGIT, "task", "add", "By command", "-p", "1", cwd=layout.root)


def at_work(layout: Layout) -> bool:
    return any(task.run for task in api.open_project(layout.root).tasks(status="in_progress"))


@contextmanager
def served(layout: Layout) -> Iterator[None]:
    argv = [*_ORCHGIT, "serve", "--log-file", str(layout.root.parent / "log")]
    with subprocess.Popen(argv, cwd=layout.root, stdout=subprocess.DEVNULL) as server:
        until(lambda: api.open_project(layout.root).is_team_running())
        time.sleep(1)
        try:
            yield
        finally:
            server.terminate()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the agent never began")
        time.sleep(0.02)


def report(tasks: int, name: str, times: list[float]) -> None:
    ordered = sorted(times)
    p50, p99 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.99))
    print(f"{tasks:>10}  {name:<44}{p50:>8.0f}{p99:>8.0f}{ordered[-1]:>8.0f}")


if __name__ == "__main__":
    main()
