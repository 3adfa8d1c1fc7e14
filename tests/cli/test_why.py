"""`orchgit why`: what it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import repos
from tests.support.cli import ok, type_

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def worked(project: Path) -> tuple[Path, str]:
    """Return a project with a task that was sent back once and then approved, and the task's id."""
    ok(project, "agent", "add", "bot", "--command", "echo $ORCHGIT_ATTEMPT >> 'a file.txt'")
    task = ok(project, "task", "add", "Count").id
    ok(project, "run", "--all")
    ok(project, "task", "reject", task, "-r", "Count on.")
    ok(project, "run", "--all")
    ok(project, "task", "approve", task)
    return project, task


def test_a_line_a_range_and_a_file(worked: tuple[Path, str]) -> None:
    project, task = worked
    said = ok(project / "src", "why", "../a file.txt:2").out
    for words in (
        "a file.txt:2\n",
        f"  task      {task}  Count\n",
        "  status    done\n",
        "by bot (attempt 1/3)\n",
        "  feedback  Ada Lovelace, ",
        ": Count on.\n",
        "  approved  by Ada Lovelace, ",
        "  prompt    ../.git/orchgit/runs/",
    ):
        assert words in said
    assert "feedback" not in ok(project, "why", "a file.txt:1").out
    both = ok(project, "why", "a file.txt:1-2").out.split("\n\n")
    assert [each.partition("\n")[0] for each in both] == ["a file.txt:1", "a file.txt:2"]
    repos.write(project, {"a file.txt": "1\n1\nmine\n"})
    assert ok(project, "why", "a file.txt").out.splitlines() == [
        "LINES  TASK        STATUS  WHO  TITLE",
        f"    2  {task}  done    bot  Count",
        "    1  -           -       -    (not committed yet)",
    ]
    assert "none yet: it is as somebody left it" in ok(project, "why", "a file.txt:3").out
    assert "(no task: " in ok(project, "why", "README.md").out
    assert "none: no task made it" in ok(project, "why", "README.md:1").out


def test_the_prompt_is_printed_whole(worked: tuple[Path, str]) -> None:
    project, task = worked
    said = ok(project, "why", "a file.txt:2", "--prompt").out
    assert f"# Task {task}: Count" in said
    assert "Count on." in said
    assert ok(project, "why", "a file.txt:2", "--prompt", "--json").data[0]["prompt"].rstrip("\n") + "\n" == said
    refused = type_(project, "why", "README.md:1", "--prompt")
    assert (refused.code, refused.out) == (1, "")
    assert "No prompt is known of README.md" in refused.err


def test_json_names_all_that_is_known(worked: tuple[Path, str]) -> None:
    project, task = worked
    one, two = ok(project, "why", "a file.txt", "--json").data
    assert (one["lines"], two["lines"], two["task"], two["where"]) == ([[1, 1]], [[2, 2]], task, "tasks")
    assert [(each["by"], each["words"]) for each in two["feedback"]] == [("Ada Lovelace", "Count on.")]
    assert two["prompt"] is None
    (none,) = ok(project, "why", "README.md:1", "--json").data
    assert (none["task"], none["merge"], none["feedback"], none["subject"]) == (None, None, [], "first")


@pytest.mark.parametrize(("word", "code"), [("nothing:1", 1), ("README.md:0", 2), ("src", 1)])
def test_refusals(project: Path, word: str, code: int) -> None:
    said = type_(project, "why", word)
    assert (said.code, said.out) == (code, "")


def test_a_name_that_begins_with_a_dash(project: Path) -> None:
    repos.commit(project, {"-dash": "x\n"}, "dash")
    assert "-dash:1" in ok(project, "why", "--", "-dash:1").out
    assert "-dash:1" in ok(project, "why", "./-dash:1").out
