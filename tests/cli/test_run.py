"""`orchgit run` as it is typed: what it says of a task that can't be run, and how it exits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.cli import ok, type_

if TYPE_CHECKING:
    from pathlib import Path


def test_a_task_that_nobody_here_can_do_now_is_refused(project: Path) -> None:
    ok(project, "agent", "add", "fmt", "--command", "true")
    mine = ok(project, "task", "add", "Mine", "--assignee", "ada").id
    first = ok(project, "task", "add", "First").id
    second = ok(project, "task", "add", "Second", "--depends-on", first).id
    said = type_(project, "run", mine)
    assert (said.code, said.out) == (1, f"{mine} was not started: it is for ada, who is not an agent here\n")
    said = type_(project, "run", second)
    assert (said.code, said.out) == (1, f"{second} was not started: it waits for {first} (todo)\n")
    ok(project, "task", "take", mine)
    said = type_(project, "run", mine)
    assert (said.code, said.out.endswith(" has it\n")) == (1, True)


def test_a_closed_task_is_said_to_be_closed(project: Path) -> None:
    ok(project, "agent", "add", "fmt", "--command", "true")
    task = ok(project, "task", "add", "Nothing to do").id
    ok(project, "run", task)
    ok(project, "task", "approve", task)
    assert ok(project, "run", task).out == f"{task} is done already.\n"
    other = ok(project, "task", "add", "Not to do").id
    ok(project, "task", "cancel", other)
    said = type_(project, "run", other)
    assert (said.code, said.err) == (
        1, f"orchgit: {other} is cancelled.\n`orchgit task retry {other}` has it done after all.\n",
    )  # fmt: skip


def test_all_and_watch_go_together(project: Path) -> None:
    said = type_(project, "run", "--watch", "--all", "tsk_nope")
    assert (said.code, "Say what to run" in said.err) == (2, True)


def test_the_log_of_a_task_says_why_nothing_was_said(project: Path) -> None:
    ok(project, "agent", "add", "bot", "--adapter", "codex")
    task = ok(project, "task", "add", "A", "--max-attempts", "1").id
    file = project / ".orchestry/agents/bot.md"
    file.write_text(file.read_text().replace("adapter: codex\n", "adapter: codex\nenv: {PATH: /nowhere}\n"))
    said = type_(project, "run", task)
    assert said.code == 1
    assert f"orchgit task retry {task}" in said.out
    (line,) = ok(project, "logs", task).out.splitlines()
    assert line.endswith("codex is not on the PATH")
    assert ok(project, "logs", task.removeprefix("tsk_")).out == f"{line}\n"
    assert ok(project, "logs", "--task", task).out == f"{line}\n"
    said = type_(project, "logs", task, "--since", "5q")
    assert (said.code, "'5q' is not a span of time" in said.err) == (2, True)
