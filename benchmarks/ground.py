"""What the benchmarks stand on: a scratch project with many tasks, and how things are timed."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model import ids
from orchgit.repository import git, identity, ledger, mount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orchgit.repository.layout import Layout

_BODY = "Say what is wanted, where it belongs, and how it is known to be done.\n" * 8
_TASK = """\
---
id: {id}
title: {title}
status: todo
priority: {priority}
labels: [auth, web]
created: 2026-11-22T10:00:00Z
---
{body}"""


@contextmanager
def project(tasks: int, *, depends_on: str = "") -> Iterator[Layout]:
    """Yield a new project with so many tasks, in a home of its own with git's ordinary settings.

    With `depends_on` all of them wait for the task with that id.
    """
    with tempfile.TemporaryDirectory(prefix="orchgit-benchmark-", ignore_cleanup_errors=True) as folder:
        live_in(Path(folder))
        root = Path(folder) / "project"
        git.run("init", "--quiet", "--initial-branch=main", root, cwd=folder)
        git.run("commit", "--quiet", "--allow-empty", "--message=first", cwd=root)
        layout = mount.init(root, offline=True).layout
        with ledger.writing(layout, identity.machine(layout.common)) as book:
            for number in range(tasks):
                book.put(path_of(number), _text(number, depends_on), f"task({id_of(number)}): created")
        yield layout


def live_in(folder: Path) -> None:
    """Have `folder` for a home, with git's ordinary settings."""
    settings = folder / "gitconfig"
    settings.write_text("[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n")
    os.environ.update(HOME=str(folder), GIT_CONFIG_GLOBAL=str(settings), GIT_CONFIG_NOSYSTEM="1")


def id_of(number: int) -> str:
    return ids.make(ids.TASK, number)


def path_of(number: int) -> str:
    return f"tasks/{ids.named(id_of(number), _title(number))}.md"


def interleaved(
    candidates: Mapping[str, Callable[[], object]], *, rounds: int, times_each: int = 1
) -> dict[str, float]:
    """Return the median time of each candidate in ms, timed in turn so that a slow moment hits each of them.

    In a round each is called once more than `times_each`; the first call, right after the others', is not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, candidate in candidates.items():
            candidate()
            for _ in range(times_each):
                begin = time.perf_counter()
                candidate()
                times[name].append((time.perf_counter() - begin) * 1000)
    return {name: statistics.median(found) for name, found in times.items()}


def announce() -> None:
    """Print what the numbers below were measured with. What Python compiles is kept, as an installation keeps it."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    versions = f"git {'.'.join(map(str, git.version()))}, python {platform.python_version()}"
    print(f"$ python {' '.join(sys.argv)}")
    load = f"{os.getloadavg()[0]:.1f} at work on them already"
    print(f"{os.cpu_count()} cores, {load}, {platform.system()} {platform.machine()}, {versions}\n")


def quietly(*argv: str, cwd: Path) -> None:
    subprocess.run(argv, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _title(number: int) -> str:
    return f"Add the thing that is number {number}"


def _text(number: int, depends_on: str) -> str:
    text = _TASK.format(id=id_of(number), title=_title(number), priority=number % 4 + 1, body=_BODY)
    return text.replace("status: todo", f"status: todo\ndepends_on: [{depends_on}]") if depends_on else text
