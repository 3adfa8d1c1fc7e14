"""Sessions of real agents: what a run that goes on with one tells the model, and what of its counters is its own."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from orchgit.engine.environment import MARKER
from tests.agents import bench as benches
from tests.support import clis
from tests.support.model_server.script import ANSWER, Say, Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.agents.bench import Bench
    from tests.support.clis import Cli
    from tests.support.model_server.wire import Question

pytestmark = pytest.mark.agents

ROLE = "You keep the primroses."
PLAN, FEEDBACK = "Write one.txt, as the plan of marigold says.", "The second file is missing, says nasturtium."
TWICE = (Shell("echo one > one.txt"), Say("One is written."), Shell("echo two > two.txt"), Say("Both are written."))
SESSIONS = {"claude": "claude/projects", "codex": "codex/forgetful", "opencode": ".local/share/opencode"}


@pytest.fixture(scope="module")
def bench(kind: Cli, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    yield from benches.make(tmp_path_factory.mktemp(kind.name))


def new_words(questions: list[Question], known: Question) -> str:
    """Return what a person said in the first of `questions` that was not said in `known`."""
    return "\n".join(text for text in questions[0].said if text not in known.said)


@pytest.fixture(scope="module")
def rejected(bench: Bench, kind: Cli) -> Bench:
    """Return a project whose writer did its task, was sent back, and did it again."""
    bench.agent(kind, "writer", *TWICE, role=ROLE)
    with bench.served():
        send_back(bench, bench.task("writer", description=PLAN))
    return bench


def send_back(bench: Bench, task: str) -> None:
    """Reject what was done, and return when it was done again."""
    bench.settled(task, "review", "failed")
    bench.ok("task", "reject", task, "-r", FEEDBACK)
    benches.until(lambda: len(bench.results(task)) == 2, "it was never tried again")
    bench.settled(task, "review", "failed")


def test_what_was_rejected_goes_on_with_its_session(rejected: Bench, kind: Cli) -> None:
    task = rejected.tasks["writer"]
    assert rejected.status(task) == "review"
    questions = rejected.model.asked("writer")
    before, after = questions[:2], questions[2:]
    assert PLAN in before[0].said[-1]
    assert ROLE in (before[0].said[-1] if kind is clis.OPENCODE else before[0].system)
    assert before[0].said[-1] in after[0].said, "another session"
    told = new_words(after, before[-1])
    assert (FEEDBACK in told, PLAN in told) == (True, False), told
    assert after[0].system == before[0].system, "what stands above was said anew"
    rejected.ok("task", "approve", task)
    assert rejected.git("show", "main:one.txt", "main:two.txt") == "one\ntwo"


def test_a_run_counts_what_is_its_own(rejected: Bench, kind: Cli) -> None:
    task = rejected.tasks["writer"]
    ended = [each for each in rejected.story(task) if each["Transition"] == "in_progress -> review"]
    first, second = (each.get("Tokens") for each in ended)
    assert first == second, "the second run counts the first one's too"
    assert rejected.total([task]) == benches.given(rejected.model, "writer")
    costs = [each.get("Cost-USD") for each in ended]
    assert costs[0] == costs[1]
    assert (costs[0] is None) == (kind is clis.CODEX)


def test_a_session_that_is_gone_is_begun_anew(bench: Bench, kind: Cli) -> None:
    bench.agent(kind, "forgetful", *TWICE, max_retries=1)
    task = bench.task("forgetful", description=PLAN)
    bench.ok("run", task)
    forget(bench.home / SESSIONS[kind.name])
    bench.ok("task", "reject", task, "-r", FEEDBACK)
    with bench.served():
        bench.settled(task, "review", "failed")
    assert [each.outcome for each in bench.results(task)] == ["succeeded", "failed", "succeeded"]
    (first, *_), (again, *_) = bench.model.asked("forgetful")[:2], bench.model.asked("forgetful")[2:]
    assert all(words in again.said[-1] for words in (PLAN, FEEDBACK))
    assert first.said[-1] not in again.said


def forget(folder: Path) -> None:
    """Take away what a command line knows of its sessions; its settings stay."""
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        elif each.suffix != ".toml":
            each.unlink()


def test_a_run_that_was_killed_goes_on_with_its_session(bench: Bench, kind: Cli) -> None:
    begin, end = Shell("echo begun > begun.txt"), Shell("echo ended > ended.txt")
    script = (begin, Shell(benches.HOLDS), end, Say("Both are written."))
    bench.agent(kind, "mortal", *script, max_retries=1, retry_delay_ms=0)
    task = bench.task("mortal", description=PLAN)
    with bench.served():
        bench.held()
        kill(bench, bench.show(task)["run"])
        bench.settled(task, "review", "failed")
    assert bench.status(task) == "review"
    questions = bench.model.asked("mortal")
    after = questions[2:]
    assert questions[0].said[-1] in after[0].said, "another session"
    assert PLAN not in new_words(after, questions[1])
    bench.ok("task", "approve", task)
    assert bench.git("show", "main:begun.txt", "main:ended.txt") == "begun\nended"
    if kind is clis.CODEX:  # what the killed run used comes with the next one, but for the answer that it was killed in
        lost = benches.given(bench.model, "mortal").tokens - bench.total([task]).tokens
        assert 0 <= lost <= ANSWER.fresh + ANSWER.stored + ANSWER.output + ANSWER.reasoning


def kill(bench: Bench, run: str) -> None:
    """Kill a run's runner, then its agent, as the kernel does where memory is short."""
    place = str(bench.layout.runs / run)
    everyone = list(psutil.process_iter())
    runners = [each for each in everyone if place in benches.words(each)]
    agents = [each for each in everyone if benches.variable(each, MARKER) == run]
    assert runners
    for each in (*runners, *agents):
        with suppress(psutil.NoSuchProcess):
            each.kill()
