"""A shell command as an agent."""

from __future__ import annotations

import pytest

from orchgit import adapters
from orchgit.adapters.protocol import Launch
from orchgit.model import events
from orchgit.model.agent import Agent
from orchgit.model.run import Outcome

SHELL = adapters.ADAPTERS["shell"]


def agent(command: str | None) -> Agent:
    return Agent(name="bot", path="agents/bot.md", command=command)


def test_the_command_is_the_shells_and_the_prompt_only_ever_input() -> None:
    prompt = "$(touch x); `touch y`\n'\""
    assert SHELL.launch(agent("make $ORCHGIT_TASK"), prompt) == Launch(
        argv=("/bin/sh", "-c", "make $ORCHGIT_TASK"), stdin=prompt
    )


@pytest.mark.parametrize("command", [None, "", " \n"])
def test_without_a_command_it_complains(command: str | None) -> None:
    assert SHELL.complaint(agent(command)) == "a shell agent needs a `command`"


def test_with_one_it_does_not() -> None:
    assert SHELL.complaint(agent("true")) is None


@pytest.mark.parametrize("line", ["words", "", '{"type": "result"}', "\x1b[31mred\x1b[0m"])
def test_a_line_is_text(line: str) -> None:
    assert SHELL.parse(line) == (events.Text(line),)


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        (0, Outcome.SUCCEEDED, ""),
        (1, Outcome.FAILED, "exit code 1"),
        (255, Outcome.FAILED, "exit code 255"),
        (126, Outcome.FATAL, "a command was not found or can't be run (exit code 126)"),
        (127, Outcome.FATAL, "a command was not found or can't be run (exit code 127)"),
        (-15, Outcome.FAILED, "ended by signal 15"),
    ],
)
def test_the_exit_code_is_the_verdict(code: int, outcome: Outcome, reason: str) -> None:
    verdict = SHELL.verdict(code)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


@pytest.mark.parametrize("name", adapters.ADAPTERS)
def test_every_adapter_of_the_table_answers_every_question(name: str) -> None:
    adapter = adapters.ADAPTERS[name]
    assert all(callable(getattr(adapter, each)) for each in ("complaint", "launch", "parse", "verdict"))
