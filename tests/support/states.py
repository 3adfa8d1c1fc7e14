"""Builders of projects with tasks, and of processes that write to them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.engine.telling import hearing
from orchgit.model.actor import Actor, Kind
from orchgit.model.lifecycle import Ask
from orchgit.repository import find, ledger, mount
from tests.support import copies
from tests.support.repos import file_bytes, git, git_bytes, is_sound, make_repo

if TYPE_CHECKING:
    from orchgit.engine.telling import Notice
    from orchgit.repository.layout import Layout

ADA = Actor(Kind.PERSON, "Ada Lovelace", "ada@example.org")
PACKAGE = Path(__file__).parents[2]


def make_project(path: Path, *tasks: str, options: tuple[str, ...] = ()) -> Layout:
    """Make a repository with a state branch that holds tasks with these ids; `options` are further ones of git init."""
    if options:
        _make(path, *tasks, options=options)
    else:
        copies.of(_make, path, *tasks)
    return find.locate(path).layout


def _make(root: Path, *tasks: str, options: tuple[str, ...] = ()) -> None:
    layout = mount.init(make_repo(root, *options), offline=True).layout
    if tasks:
        add_tasks(layout, *tasks)


def add_tasks(layout: Layout, *tasks: str, **keys: object) -> None:
    with ledger.writing(layout, ADA) as book:
        for each in tasks:
            book.put(path_of(each), task_text(each, **keys), f"task({each}): created")


def take(layout: Layout, *tasks: str) -> list[str]:
    """Take tasks in one write and return what a person is told."""
    notices: list[Notice] = []
    with hearing(notices.append), ledger.writing(layout, ADA) as book:
        for each in tasks:
            book.transition(each, Ask.TAKE, sets={"agent": ADA.name})
    return [notice.text for notice in notices]


def path_of(task: str) -> str:
    return f"tasks/{task}.md"


def task_text(task: str, **keys: object) -> str:
    """Return a task's file; its comments and its order are a person's."""
    more = "".join(f"{key}: {value}\n" for key, value in keys.items())
    return f"---\n# a person's own words\nid: {task}\ntitle: Do {task}\nstatus: todo  # as it is\n{more}---\nDo it.\n"


def place_of(layout: Layout, task: str) -> Path:
    return layout.state / path_of(task)


def committed(layout: Layout, path: str) -> str:
    return git_bytes(layout.common, "show", f"orchestry:{path}").decode()


def disorder(layout: Layout) -> str:
    """Return what is wrong with the state: HEAD, index and files must agree, and nothing be left of a writer."""
    dirty = git(layout.state, "status", "--porcelain", "--untracked-files=all")
    own = layout.common / "worktrees" / "orchestry"
    left = [path.name for path in (layout.journal, own / "index.lock") if path.exists()]
    drafts = [path for path in file_bytes(layout.state) if path.endswith(".tmp")]
    differing = [path for path, data in file_bytes(layout.state).items() if committed(layout, path).encode() != data]
    unsound = [] if is_sound(layout.common) else ["fsck"]
    return " ".join([dirty, *left, *drafts, *differing, *unsound])


def start_python(code: str, where: Path, **env: str) -> subprocess.Popen[bytes]:
    """Start a Python process in `where` that begins with the project's `layout` and with ADA."""
    program = (
        "import os, signal, sys, time\n"
        "from pathlib import Path\n"
        "from orchgit.model.lifecycle import Ask\n"
        "from orchgit.repository import carry, find, files, index, journal, landing, ledger, stream\n"
        "from tests.support.states import ADA, add_tasks, path_of, task_text\n"
        "layout = find.locate(Path.cwd()).layout\n"
        f"{code}"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program], cwd=where, env={**os.environ, "PYTHONPATH": str(PACKAGE), **env},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run_python(code: str, where: Path, **env: str) -> tuple[int, str]:
    """Run a Python process to its end and return its exit code, and what it complained of."""
    with start_python(code, where, **env) as process:
        _, err = process.communicate()
    return process.returncode, err.decode(errors="replace")
