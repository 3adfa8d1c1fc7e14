"""A shell command as an agent."""

from __future__ import annotations

import pytest

from orchgit import adapters
from orchgit.adapters.protocol import Job, Launch, Verdict
from orchgit.model import events
from orchgit.model.agent import Agent
from orchgit.model.events import Event, Limited, Usage
from orchgit.model.run import Outcome

SHELL = adapters.ADAPTERS["shell"]


def agent(command: str | None) -> Agent:
    return Agent(name="bot", path="agents/bot.md", command=command)


def test_the_command_is_the_shells_and_the_prompt_only_ever_input() -> None:
    prompt = "$(touch x); `touch y`\n'\""
    assert SHELL.launch(agent("make $ORCHGIT_TASK"), Job(prompt)) == Launch(
        argv=("/bin/sh", "-c", "make $ORCHGIT_TASK"), stdin=prompt
    )


@pytest.mark.parametrize("command", [None, "", " \n"])
def test_without_a_command_it_complains(command: str | None) -> None:
    assert SHELL.complaint(agent(command)) == "a shell agent needs a `command`"


def test_with_one_it_does_not() -> None:
    assert SHELL.complaint(agent("true")) is None


@pytest.mark.parametrize("line", ["words", "", '{"type": "result"}', "\x1b[31mred\x1b[0m"])
def test_a_line_is_text_and_one_of_stderr_a_warning(line: str) -> None:
    assert SHELL.listener().hear("stdout", line) == (events.Text(line),)
    assert SHELL.listener().hear("stderr", line) == (events.Warning(line),)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "::usage input=4200 output=812 cache=90000 reasoning=12 cost-usd=0.0421 turns=1",
            Usage(4200, 812, 90_000, 12, 1, 0.0421),
        ),
        ("::usage turns=1", Usage(turns=1)),
        ("::usage  cost-usd=2 ", Usage(cost_usd=2.0)),
        ("::usage input=0", Usage()),
        ("::limited seconds=600 too many  requests", Limited("too many  requests", 600)),
        ("::limited seconds=600", Limited("", 600)),
        ("::limited too many requests", Limited("too many requests")),
        ("::limited", Limited()),
    ],
)
def test_a_line_that_begins_with_colons_tells_more(line: str, said: Event) -> None:
    assert SHELL.listener().hear("stdout", line) == (said,)
    assert SHELL.listener().hear("stderr", line) == (events.Warning(line),)


@pytest.mark.parametrize(
    "line",
    [
        "::usage", "::usage ", "::usage input", "::usage input=", "::usage input=-1", "::usage input=1.5",
        "::usage input=1 input=2", "::usage tokens=5", "::usage input=1 and more", "::usage input=1,output=2",
        "::usage cost-usd=nan", "::usage cost-usd=1e9", "::usage cost-usd=.5", "::usage input=9999999999999999",
        "::usage input=\u0661", "::Usage input=1", " ::usage input=1", "::usages input=1",
        "::limited seconds=soon words", "::limited seconds=-1", "::limited seconds=1.5 x", "::limitedness",
        "::limited seconds=9999999999", "::error file=x::words", "::",
    ],
)  # fmt: skip
def test_one_that_cannot_be_read_is_text(line: str) -> None:
    assert SHELL.listener().hear("stdout", line) == (events.Text(line),)


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        (0, Outcome.SUCCEEDED, ""),
        (1, Outcome.FAILED, "exit code 1"),
        (255, Outcome.FAILED, "exit code 255"),
        (126, Outcome.FATAL, "a command was not found or can't be run (exit code 126)"),
        (127, Outcome.FATAL, "a command was not found or can't be run (exit code 127)"),
        (75, Outcome.LIMITED, "the provider's limit was hit"),
        (-15, Outcome.FAILED, "ended by signal 15"),
    ],
)
def test_the_exit_code_is_the_verdict(code: int, outcome: Outcome, reason: str) -> None:
    assert SHELL.listener().verdict(code) == Verdict(outcome, reason)


LATER = Verdict(Outcome.LIMITED, "the provider's limit was hit: later", again_in=60)


@pytest.mark.parametrize(
    ("lines", "code", "verdict"),
    [
        (["::limited seconds=60 later"], 1, LATER),
        (["::limited seconds=60 later", "giving up"], 75, LATER),
        (["::limited seconds=60 later"], -15, LATER),
        (["::limited seconds=5 soon", "::limited seconds=60 later"], 1, LATER),
        (["::limited"], 1, Verdict(Outcome.LIMITED, "the provider's limit was hit")),
        (["::limited seconds=60 later"], 0, Verdict(Outcome.SUCCEEDED)),
        (["::limited later", "::usage turns=1"], 1, Verdict(Outcome.FAILED, "exit code 1")),
    ],
)
def test_what_was_said_counts_for_the_verdict(lines: list[str], code: int, verdict: Verdict) -> None:
    listener = SHELL.listener()
    for line in lines:
        listener.hear("stdout", line)
    assert listener.verdict(code) == verdict


def test_a_missing_command_is_no_limit_whatever_was_said() -> None:
    listener = SHELL.listener()
    listener.hear("stdout", "::limited")
    assert listener.verdict(127).outcome is Outcome.FATAL


@pytest.mark.parametrize("name", adapters.ADAPTERS)
def test_every_adapter_of_the_table_answers_every_question(name: str) -> None:
    adapter = adapters.ADAPTERS[name]
    assert all(
        callable(getattr(adapter, each))
        for each in ("complaint", "limitations", "resumes", "takes_role", "takes_skills", "launch", "listener")
    )
    assert all(callable(getattr(adapter.listener(), each)) for each in ("hear", "verdict"))
