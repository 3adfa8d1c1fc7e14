"""What real CLIs printed, recorded: each recording's verdict, use, session and events.

The expected values were read out of the recordings by hand. `input` is what no cache held.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orchgit import adapters
from orchgit.model import events
from orchgit.model.events import Result, Text, Tool
from orchgit.model.run import Outcome, Session
from orchgit.model.usage import Usage

if TYPE_CHECKING:
    from orchgit.adapters.protocol import Listener, Verdict
    from orchgit.model.events import Event

CAPTURES = Path(__file__).parent / "captures"
ADAPTERS = {"cc": "claude", "claude330": "claude", "cx": "codex", "oc": "opencode"}
RAN, TOOL = "All done: created the file.", "echo hello-from-agent > hello.txt"
NOTHING = Usage()
DONE, FAILED, FATAL = Outcome.SUCCEEDED, Outcome.FAILED, Outcome.FATAL
LIMITED, OVERSPENT = Outcome.LIMITED, Outcome.OVERSPENT


@dataclass(frozen=True)
class Case:
    """What a recording comes to. `begins` is how its session's id begins, `words` are in the verdict's reason."""

    name: str
    outcome: Outcome
    used: Usage = NOTHING
    begins: str = ""
    words: str = ""
    again_in: float | None = None
    session_lost: bool = False
    before: Session | None = None
    hears: tuple[Event, ...] = field(default_factory=tuple)


def claude(turns: int, cost: float) -> Usage:
    return Usage(1200 * turns, 50 * turns, 300 * turns, turns=turns, cost_usd=cost)


def codex(turns: int) -> Usage:
    return Usage(700 * turns, 40 * turns, 300 * turns, 10 * turns, turns)


def opencode(turns: int) -> Usage:
    return Usage(700 * turns, 40 * turns, 300 * turns, 10 * turns, turns, 0.00294 * turns)


OF_CLAUDE = Session("3fbc51d0-eb47-47c2-ba4c-3183b9d0dd0c", {
    "input": 1200, "output": 50, "cache": 300, "thinking": 0, "cost_usd": 0.00606,
})  # fmt: skip
OF_CODEX = Session("01a20370-51eb-7f00-80e9-a2170063af6a", {
    "input_tokens": 1000, "cached_input_tokens": 300, "output_tokens": 50, "reasoning_output_tokens": 10,
})  # fmt: skip
LOST_CLAUDE, LOST_CODEX = "4f60cd0f-5daa-40b7-b8b5-e0898077b107", "c89aee0e-1cb5-4443-a922-4495bdfab37d"
OVERLOADED = (
    "API Error: 529 Overloaded. This is a server-side issue, usually temporary — try again in a moment. "
    "If it persists, check your inference gateway (127.0.0.1:45783)."
)
HIGH_DEMAND = "We’re currently experiencing high demand, which may cause temporary errors."

CASES = [
    Case("cc-ok", DONE, claude(1, 0.00606), "0d38d512", hears=(
        events.Session("0d38d512-b11a-4206-bc37-cef11104dfd3", "claude-opus-5-5"), Text(RAN), Result(RAN),
    )),
    Case("claude330-tool", DONE, claude(2, 0.01212), "72a82ebf", hears=(
        Text("I will run a tool."), Tool("Bash", TOOL), Text(RAN),
    )),
    Case("cc-pm-acceptEdits-bash", DONE, claude(2, 0.01212), "2abf96f7", hears=(Tool("Bash", TOOL),)),
    Case("cc-maxturns", OVERSPENT, claude(3, 0.01818), "f45d8ef1", "Reached maximum number of turns (3)", hears=(
        Tool("Bash", "echo turn-0 >> loop.txt"), Tool("Bash", "echo turn-2 >> loop.txt"),
        Result("Reached maximum number of turns (3)", failed=True),
    )),
    Case("cc-sess-new", DONE, claude(1, 0.00606), "3fbc51d0"),
    Case("cc-sess-resume", DONE, claude(1, 0.00606), "3fbc51d0", before=OF_CLAUDE),
    Case("cc-sess-resume-bad", FAILED, words=f"No conversation found with session ID: {LOST_CLAUDE}",
         session_lost=True, before=Session(LOST_CLAUDE)),
    Case("cc-nokey", FATAL, begins="478232ec", words="Not logged in · Please run /login"),
    Case("cc-err401-r1", FATAL, begins="f0771ed8", words="Invalid API key · Fix external API key", hears=(
        events.Warning("authentication_failed, status 401; try 2 of 2 in 0.5 s"),
    )),
    Case("cc-err429-r1", LIMITED, begins="e1335d2c", words="This request would exceed your rate limit", hears=(
        events.Limited("rate_limit, status 429; try 2 of 2 in 1.0 s"),
    )),
    Case("cc-err529-r1", LIMITED, begins="95fef7d5", words="API Error: 529 Overloaded", hears=(
        events.Limited("overloaded, status 529; try 2 of 2 in 0.6 s"), Result(OVERLOADED, failed=True),
    )),
    Case("cc-badmodel", FATAL, begins="cdb9cf41", words="issue with the selected model (no-such-model)"),
    Case("cc-badflag", FATAL, words="error: unknown option '--no-such-flag'"),
    Case("cc-sigterm-stream", FAILED, begins="03d5196e", words="ended by signal 15"),
    Case("cc-sigterm-tool", FAILED, Usage(1200, 1, 300, turns=1), "00682444", "ended by signal 15", hears=(
        Tool("Bash", "python3 -c 'import time; time.sleep(300)'"),
    )),

    Case("cx-ok", DONE, codex(1), "01a2036c-a996", hears=(
        events.Session("01a2036c-a996-7082-92bb-2684da5121b8"), Text(RAN), Result(RAN),
    )),
    Case("cx-gpt55", DONE, codex(2), "01a2036b-0c8a", hears=(Tool("shell", TOOL),)),
    Case("cx-codemode", DONE, codex(2), "01a2036b-a7af", hears=(Tool("shell", TOOL),)),
    Case("cx-failcmd", DONE, codex(2), "01a20373-a0d3", hears=(
        Tool("shell", "echo out; echo err >&2; exit 7"),
    )),
    Case("cx-sess-1", DONE, codex(1), "01a20370-51eb"),
    Case("cx-sess-2", DONE, codex(1), "01a20370-51eb", before=OF_CODEX),
    Case("cx-sess-5-bad", FAILED, words=f"no rollout found for thread id {LOST_CODEX}", session_lost=True,
         before=Session(LOST_CODEX)),
    Case("cx-nokey", FATAL, begins="01a2036c-b5ab", words="Missing environment variable: `STUB_API_KEY`."),
    Case("cx-err401-r0", FATAL, begins="01a2036c-7f5f", words="401 Unauthorized: invalid x-api-key"),
    Case("cx-err429-default", LIMITED, begins="01a2036c-632e", words="429 Too Many Requests", hears=(
        events.Limited("Reconnecting... 5/5 (exceeded retry limit, last status: 429 Too Many Requests)"),
    )),
    Case("cx-err500-r0", FAILED, begins="01a2036c-93b6", words=HIGH_DEMAND),
    Case("cx-badmodel", FATAL, begins="01a2036f-b197", words="model: no-such-model"),
    Case("cx-badflag", FATAL, words="error: unexpected argument '--no-such-flag' found"),
    Case("cx-sigterm-stream", FAILED, begins="01a2036c-cae4", words="ended by signal 15"),

    Case("oc-ok", DONE, opencode(1), "ses_dfc87c6beffe", hears=(
        events.Session("ses_dfc87c6beffeMqWw6nsTb1Puo6"), Text(RAN), Result(RAN),
    )),
    Case("oc-quiet", DONE, opencode(2), "ses_dfc8b7e06ffe", hears=(Tool("bash", TOOL),)),
    Case("oc-sess-1", DONE, opencode(1), "ses_dfc83ad40ffe"),
    Case("oc-sess-2", DONE, opencode(1), "ses_dfc83ad40ffe", before=Session("ses_dfc83ad40ffejBU3phE1h9rxgw")),
    Case("oc-perm-ask-bash", FAILED, opencode(1), "ses_dfc86c725ffe", f"not allowed to use: bash: {TOOL}", hears=(
        Tool("bash", TOOL), events.Denied("bash", TOOL),
        events.Warning(f"! permission requested: bash ({TOOL}); auto-rejecting"),
    )),
    Case("oc-err401-default", FATAL, begins="ses_dfc8aed98ffe", words="invalid x-api-key"),
    Case("oc-err429-default", LIMITED, begins="ses_dfc8af109ffe", words="exceed your rate limit", again_in=1,
         hears=(events.Limited("This request would exceed your rate limit (stub)", 1),)),
    Case("oc-err500-default", FAILED, begins="ses_dfc8ad812ffe", words="Internal server error (stub)"),
    Case("oc-badmodel", FATAL, begins="ses_dfc88742effe", words="is there such a model and provider?"),
    Case("oc-sigterm-stream", FAILED, Usage(turns=1), "ses_dfc87691affe", "ended by signal 15"),
]  # fmt: skip


def lines(name: str) -> list[tuple[str, str]]:
    streams = (("stderr", "stderr.txt"), ("stdout", "stdout.jsonl"))
    return [
        (stream, line)
        for stream, ending in streams
        for line in (CAPTURES / f"{name}.{ending}").read_text(encoding="utf-8").splitlines()
    ]


def play(name: str, before: Session | None = None) -> tuple[Listener, list[Event], Verdict]:
    meta: dict[str, Any] = json.loads((CAPTURES / f"{name}.meta.json").read_text(encoding="utf-8"))
    listener = adapters.ADAPTERS[ADAPTERS[name.partition("-")[0]]].listener(before)
    heard = [event for stream, line in lines(name) for event in listener.hear(stream, line)]
    return listener, heard, listener.verdict(meta["rc"])


def used(heard: list[Event]) -> Usage:
    return sum((each for each in heard if isinstance(each, Usage)), Usage())


def test_every_recording_is_in_the_table() -> None:
    assert {case.name for case in CASES} == {
        path.name.removesuffix(".meta.json") for path in CAPTURES.glob("*.meta.json")
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_recording(case: Case) -> None:
    listener, heard, verdict = play(case.name, case.before)
    assert (verdict.outcome, verdict.again_in, verdict.session_lost) == (case.outcome, case.again_in, case.session_lost)
    assert case.words in verdict.reason
    assert bool(case.words) == bool(verdict.reason)
    found = used(heard)
    assert (found.input, found.output, found.cache, found.reasoning, found.turns) == (
        case.used.input, case.used.output, case.used.cache, case.used.reasoning, case.used.turns,
    )  # fmt: skip
    assert found.cost_usd == (pytest.approx(case.used.cost_usd) if case.used.cost_usd else None)
    assert (listener.session.id if listener.session else "").startswith(case.begins)
    assert bool(listener.session) == bool(case.begins)
    assert [each for each in case.hears if each not in heard] == []
    assert not [each for each in heard if isinstance(each, events.Raw)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_recording_is_a_success_but_by_its_own_words(case: Case) -> None:
    """An exit code of 0 with the last line lost is no success, nor is a result with any other exit code."""
    adapter = adapters.ADAPTERS[ADAPTERS[case.name.partition("-")[0]]]
    cut, whole = adapter.listener(case.before), adapter.listener(case.before)
    said = lines(case.name)
    for stream, line in said[:-1]:
        cut.hear(stream, line)
    for stream, line in said:
        whole.hear(stream, line)
    assert cut.verdict(0).outcome is not Outcome.SUCCEEDED
    assert whole.verdict(1).outcome is not Outcome.SUCCEEDED


@pytest.mark.parametrize(("first", "second"), [("cc-sess-new", "cc-sess-resume"), ("cx-sess-1", "cx-sess-2")])
def test_a_session_that_goes_on_is_counted_once(first: str, second: str) -> None:
    before, heard, _ = play(first)
    after, more, _ = play(second, before.session)
    assert used(heard) == used(more)
    assert before.session is not None
    assert after.session is not None
    assert after.session.counters == {key: pytest.approx(2 * value) for key, value in before.session.counters.items()}
