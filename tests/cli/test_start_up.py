"""What a command loads before it answers: start-up time is a feature."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import ok

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {"asyncio", "git", "jinja2", "psutil", "rich", "textual", "watchdog"}
YAML = {"frontmatter", "yaml"}

# Loads each command in a process that has loaded no other one; prints those that can't be.
ALONE = """
import os, sys, traceback
from orchgit.cli.main import COMMANDS, orchgit
for name in COMMANDS:
    child = os.fork()
    if not child:
        try:
            orchgit.get_command(None, name)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print(name, flush=True)
"""


def loaded(where: Path, *args: str) -> set[str]:
    """Return the modules that a command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "orchgit", *args],
        cwd=where, env=dict(os.environ), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize(
    "args",
    [
        ("--help",),
        ("--version",),
        ("status",),
        ("status", "--json"),
        ("task", "list"),
        ("task", "list", "--json"),
        ("agent", "list"),
        ("goal", "list"),
        ("team", "list"),
        ("config", "get"),
        ("config", "get", "project.base"),
    ],
)
def test_a_reading_command_loads_nothing_heavy_and_no_yaml(project: Path, args: tuple[str, ...]) -> None:
    ok(project, "task", "add", "One")
    ok(project, "status")
    found = loaded(project, *args)
    assert "orchgit.cli.main" in found
    assert found & (HEAVY | YAML) == set()
    assert "orchgit.repository.ledger" not in found


@pytest.mark.parametrize("args", [("task", "show"), ("log",), ("log", "--json")])
def test_a_command_that_reads_a_file_or_the_history_loads_nothing_heavy(project: Path, args: tuple[str, ...]) -> None:
    task = ok(project, "task", "add", "One").id
    assert loaded(project, *args, *([task] if args == ("task", "show") else [])) & HEAVY == set()


def test_adding_a_task_loads_nothing_heavy(project: Path) -> None:
    assert loaded(project, "task", "add", "One") & HEAVY == set()


def test_each_command_loads_what_it_needs_itself() -> None:
    """Those that tests type come from a process that has loaded all of orchgit: a missing import is seen here."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE], env=dict(os.environ), capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
