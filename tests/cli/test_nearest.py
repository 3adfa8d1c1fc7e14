"""A command that there isn't: which one is suggested, by the name that was typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import ok, type_

BEFORE = "There is no command "


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("tasks", "'tasks'. Did you mean `orchgit task list`? `orchgit --help` lists them."),
        ("tsk list", "'tsk'. Did you mean `orchgit task`? `orchgit --help` lists them."),
        ("agents", "'agents'. Did you mean `orchgit agent list`?"),
        ("list", "'list'. Did you mean `orchgit task list`?"),
        ("approve x", "'approve'. Did you mean `orchgit task approve`?"),
        ("add x", "'add'. Did you mean `orchgit task add`?"),
        ("watch", "'watch'. Did you mean `orchgit run --watch`?"),
        ("task create x", "'task create'. Did you mean `orchgit task add`? `orchgit task --help` lists them."),
        ("task rm x", "'task rm'. Did you mean `orchgit task delete`?"),
        ("task remove x", "'task remove'. Did you mean `orchgit task delete`?"),
        ("team add x", "'team add'. Did you mean `orchgit team create`?"),
        ("config global zzz", "'config global zzz'. `orchgit config global --help` lists them."),
    ],
)
def test_what_may_be_meant_is_suggested(tmp_path: Path, typed: str, answer: str) -> None:
    said = type_(tmp_path, *typed.split())
    assert (said.code, said.out) == (2, "")
    assert BEFORE + answer in said.err


def test_the_name_is_the_one_that_was_typed(tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "orch"
    said = subprocess.run([program, "task", "new"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"{BEFORE}'task new'. Did you mean `orch task add`? `orch task --help` lists them." in said.stderr


def test_an_agent_is_shown_as_everything_else_is(project: Path) -> None:
    ok(project, "agent", "add", "bot", "--command", "true")
    assert ok(project, "agent", "show", "bot").out == ok(project, "agent", "status", "bot").out
