"""Runs of coding agents, played from recordings: session, use, summary, notes and work, as a runner leaves them."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchgit.engine import agents, output
from orchgit.model.run import Outcome, Session
from orchgit.model.usage import Usage
from orchgit.repository import locks, runs
from tests.engine.attempt import TASK, Bench
from tests.engine.team import ADA
from tests.support import repos
from tests.support.agents import until

if TYPE_CHECKING:
    from tests.engine.team import Team

CAPTURES = Path(__file__).parents[1] / "adapters" / "captures"


@pytest.fixture
def bench(team: Team) -> Bench:
    return Bench(team.layout, team.workspaces / TASK)


def playing(name: str, *, then: str = "", also: str = "") -> str:
    """Return a command that says what was recorded, and ends as that did."""
    code = json.loads((CAPTURES / f"{name}.meta.json").read_text())["rc"]
    out, err = (shlex.quote(str(CAPTURES / f"{name}.{each}")) for each in ("stdout.jsonl", "stderr.txt"))
    return f"echo work > work.txt; cat {err} >&2; {also}cat {out}; {then or f'exit {code}'}"


def test_a_run_that_did_well(team: Team, bench: Bench) -> None:
    place = bench.begin(playing("claude330-tool"), adapter="claude")
    locks.wait_until_free(place.runner_lock)
    result = runs.read_result(place)
    assert result is not None
    assert (result.outcome, result.summary) == (Outcome.SUCCEEDED, "All done: created the file.")
    assert result.usage == Usage(2400, 100, 600, turns=2, cost_usd=0.01212)
    session = runs.read_session(place)
    assert session is not None
    assert (session.id, session.counters["cost_usd"]) == ("72a82ebf-28bf-4804-b372-be37573bd018", 0.01212)
    assert result.commit is not None
    assert "work.txt" in team.files(result.commit)
    said = [(line.kind, line.text) for line in output.lines(place) if line.kind != "usage"]
    assert said == [
        ("session", "session 72a82ebf-28bf-4804-b372-be37573bd018, claude-opus-5-5"),
        ("text", "I will run a tool."),
        ("tool", "Bash: echo hello-from-agent > hello.txt"),
        ("text", "All done: created the file."),
        ("result", "finished: All done: created the file."),
    ]
    (tool,) = (line.details for line in output.lines(place) if line.kind == "tool")
    assert tool == {"tool": "Bash", "summary": "echo hello-from-agent > hello.txt"}


@pytest.mark.parametrize(
    ("name", "adapter", "outcome", "reason"),
    [
        ("cc-maxturns", "claude", Outcome.OVERSPENT, "Reached maximum number of turns (3)"),
        ("cx-err401-r0", "codex", Outcome.FATAL, "unexpected status 401 Unauthorized"),
        ("oc-perm-ask-bash", "opencode", Outcome.FAILED, "stopped where it was not allowed to use: bash"),
    ],
)
def test_a_run_that_did_not(bench: Bench, name: str, adapter: str, outcome: Outcome, reason: str) -> None:
    result = bench.attempt(playing(name), adapter=adapter)
    assert result.outcome is outcome
    assert result.reason.startswith(reason)
    assert result.commit is not None


def test_a_limit_says_when_to_come_back(bench: Bench) -> None:
    result = bench.attempt(playing("oc-err429-default"), adapter="opencode")
    assert (result.outcome, result.again_in) == (Outcome.LIMITED, 1)


def test_what_was_denied_is_a_note_on_work_that_succeeded(bench: Bench) -> None:
    denied = {
        "type": "system",
        "subtype": "permission_denied",
        "tool_name": "Bash",
        "tool_use_id": "x",
        "message": "ssh",
    }
    result = bench.attempt(playing("cc-ok", also=f"echo {shlex.quote(json.dumps(denied))}; "), adapter="claude")
    assert (result.outcome, result.notes) == (Outcome.SUCCEEDED, ("it was not allowed to use: Bash: ssh",))


def test_a_session_that_goes_on_counts_what_is_its_own(bench: Bench) -> None:
    first = bench.begin(playing("cx-sess-1"), adapter="codex")
    locks.wait_until_free(first.runner_lock)
    second = bench.begin(playing("cx-sess-2"), adapter="codex", before=runs.read_session(first))
    locks.wait_until_free(second.runner_lock)
    results = [runs.read_result(place) for place in (first, second)]
    assert [result.usage for result in results if result] == [Usage(700, 40, 300, 10, 1)] * 2
    assert [each.counters["input_tokens"] for place in (first, second) if (each := runs.read_session(place))] == [
        1000,
        2000,
    ]


def test_a_session_that_is_gone_is_told(bench: Bench) -> None:
    result = bench.attempt(playing("cc-sess-resume-bad"), adapter="claude", before=Session("4f60cd0f"))
    assert (result.outcome, result.session_lost) == (Outcome.FAILED, True)


def test_a_run_whose_runner_was_killed_has_told_its_session(team: Team, bench: Bench) -> None:
    place = bench.begin(playing("cx-sigterm-stream", then="sleep 60"), adapter="codex")
    until(lambda: runs.read_session(place))
    team.kill_runner(place)
    assert runs.read_session(place) == Session("01a2036c-cae4-7f11-a936-679a0b8e0727")
    assert runs.read_result(place) is None


def test_one_that_would_never_end_is_stopped(bench: Bench) -> None:
    step = '{"type": "step_finish", "part": {"reason": "unknown"}}'
    result = bench.attempt(f"while :; do echo '{step}'; sleep 0.05; done", adapter="opencode")
    assert (result.outcome, result.reason) == (
        Outcome.FAILED, "the stream of its model broke off 5 times in a row",
    )  # fmt: skip


def test_a_program_that_is_not_there_fails_the_task_at_once(bench: Bench) -> None:
    result = bench.attempt("exec no-such-program-of-anybody", adapter="claude")
    assert result.outcome is Outcome.FATAL


class TestATeam:
    @pytest.fixture
    def claude(self, team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A `claude` that plays the first run of a session and then the second, and writes down how it was called."""
        calls = tmp_path / "calls"
        first, second = playing("cc-sess-new"), playing("cc-sess-resume")
        told = f'printf "%s\\n" "$@" > "{calls}.$(ls "{calls}".* 2>/dev/null | wc -l)"'
        program = repos.make_script(
            tmp_path / "bin" / "claude", f'{told}\ncase " $* " in *" --resume "*) {second} ;; esac\n{first}'
        )
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        settings = {"adapter": "claude", "model": "opus", "approval_policy": "suggest"}
        agents.add(team.layout, ADA, "bot", {**settings}, role="- You write.")
        return calls

    def test_goes_on_with_a_session_after_review_and_counts_each_run_once(self, team: Team, claude: Path) -> None:
        task = team.add()
        team.run()
        team.reject(task, "Also this.")
        team.run()
        assert team.statuses() == {"Do it": "review"}
        first, second = (claude.with_name(f"calls.{number}").read_text().splitlines() for number in (0, 1))
        assert first[first.index("--append-system-prompt") + 1] == "- You write."
        assert second[second.index("--resume") + 1] == "3fbc51d0-eb47-47c2-ba4c-3183b9d0dd0c"
        assert "--resume" not in first
        prompts = [place.prompt.read_text() for place in team.runs()]
        assert "Also this." in prompts[1]
        assert all("- You write." not in prompt for prompt in prompts)
        results = [runs.read_result(place) for place in team.runs()]
        assert [result.usage for result in results if result] == [Usage(1200, 50, 300, turns=1, cost_usd=0.00606)] * 2
        sessions = [runs.read_session(place) for place in team.runs()]
        assert [each.counters["cost_usd"] for each in sessions if each] == [0.00606, 0.01212]
