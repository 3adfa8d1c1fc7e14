"""Messages to real agents while they work: in the same session, once, and what comes of them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from orchgit.repository import runs
from tests.agents import bench as benches
from tests.support import clis
from tests.support.model_server.script import Refuse, Say, Shell, Why

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.agents.bench import Bench
    from tests.support.clis import Cli
    from tests.support.model_server.script import Answer
    from tests.support.model_server.wire import Question

pytestmark = pytest.mark.agents

AT_END = (clis.CLAUDE, clis.CODEX)  # these go on with what comes as they end
WORD = "Mind the primroses."
WAITS = Shell('touch "$HOME/begun"; while [ ! -e "$HOME/gate" ]; do sleep 0.1; done')
SLOW = Say("All of it is done as the task says, and nothing was left out of it at all.", pause=0.3)


def heeds(question: Question) -> Answer:
    """Do what the message asks for, where the model was told it."""
    told = "primroses" in json.dumps(question.body)
    return Shell("echo minded > primroses.txt" if told else "echo none > none.txt")


@pytest.fixture
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    yield from benches.make(tmp_path_factory.mktemp("messages"))


def begun(bench: Bench) -> None:
    benches.until((bench.home / "begun").exists, "its tool was never at work")


def send(bench: Bench, to: str) -> tuple[str, str]:
    """Send the message; return its id, and when it is said to get there."""
    made = bench.ok("msg", "send", to, WORD, "--json").data
    return made["id"], made["delivery"]


def on_its_way(bench: Bench, run: str) -> None:
    """Return when the message has been given to the agent's command line."""
    place = runs.folder(bench.layout, run)
    benches.until(lambda: runs.read_mail(place).given, "nobody told it")
    time.sleep(0.5)  # it is rendered and handed over in the same breath


def state(bench: Bench, message: str) -> str:
    (found,) = (each for each in bench.ok("msg", "list", "--json").data if each["id"] == message)
    return str(found["state"])


def tellings(bench: Bench, agent: str) -> list[int]:
    """Return how often each question to the agent's model held the message."""
    return [json.dumps(each.body).count(WORD) for each in bench.model.asked(agent)]


def test_one_that_comes_while_a_tool_is_at_work_reaches_the_model_with_its_result(bench: Bench, kind: Cli) -> None:
    bench.agent(kind, "gardener", WAITS, heeds, Say("It is done."))
    task = bench.task("gardener")
    with bench.served():
        begun(bench)
        message, when = send(bench, "gardener")
        run = bench.show(task)["run"]
        on_its_way(bench, run)
        (bench.home / "gate").touch()
        bench.settled(task, "review", "failed")
    assert (when, state(bench, message)) == ("at-once" if kind in AT_END else "after-tool", "read")
    assert tellings(bench, "gardener") == [0, 1, 1]
    assert "words of Ada Lovelace, a person; mind it" in json.dumps(bench.model.asked("gardener")[1].body)
    assert f"message({message}): told to {run} at its work" in bench.git("log", "--format=%s", "orchestry")
    assert f"was told {message}, from Ada Lovelace" in bench.ok("logs", run).out
    assert bench.total([task]) == benches.given(bench.model, "gardener")
    bench.ok("task", "approve", task)
    assert bench.git("show", "main:primroses.txt") == "minded"


@pytest.mark.parametrize("kind", AT_END, ids=lambda each: each.name)
def test_one_that_comes_with_its_last_words_has_it_go_on(bench: Bench, kind: Cli) -> None:
    bench.agent(kind, "gardener", Shell("echo first > first.txt"), SLOW, heeds, Say("I minded them."))
    task = bench.task("gardener")
    with bench.served():
        benches.until(lambda: len(bench.model.asked("gardener")) == 2, "it never came to its last words")
        message, when = send(bench, "gardener")
        bench.settled(task, "review", "failed")
    assert (when, state(bench, message)) == ("at-once", "read")
    assert tellings(bench, "gardener") == [0, 0, 1, 1]
    (result,) = bench.results(task)
    first = f"{SLOW.text}\n\n" if kind is clis.CLAUDE else ""  # of Codex the last words alone count
    assert (result.outcome, result.summary) == ("succeeded", f"{first}I minded them.")
    assert result.usage is not None
    if kind is clis.CLAUDE:
        assert result.usage.turns == 4
        assert result.usage.cost_usd == pytest.approx(4 * 0.00309)
    assert bench.total([task]) == benches.given(bench.model, "gardener")
    bench.ok("task", "approve", task)
    assert bench.git("show", "main:first.txt", "main:primroses.txt") == "first\nminded"


@pytest.mark.parametrize("kind", AT_END, ids=lambda each: each.name)
def test_one_that_comes_too_late_waits_for_the_next_attempt(bench: Bench, kind: Cli) -> None:
    bench.agent(kind, "gardener", Say("It is done."))
    hook = 'touch "$HOME/begun"; while [ ! -e "$HOME/gate" ]; do sleep 0.1; done'
    bench.ok("config", "set", "workspace.hooks.after_run", hook)
    task = bench.task("gardener")
    with bench.served():
        begun(bench)
        message, when = send(bench, "gardener")
        (bench.home / "gate").touch()
        bench.settled(task, "review", "failed")
        assert (when, state(bench, message), tellings(bench, "gardener")) == ("at-work", "unread", [0])
        bench.ok("task", "reject", task, "-r", "Again.")
        benches.until(lambda: len(bench.results(task)) == 2, "it was never tried again")
    assert (state(bench, message), tellings(bench, "gardener")) == ("read", [0, 1])


@pytest.mark.parametrize("kind", AT_END, ids=lambda each: each.name)
def test_one_that_no_model_answered_is_told_again(bench: Bench, kind: Cli) -> None:
    bench.agent(kind, "gardener", WAITS, Refuse(Why.KEY), max_retries=1)
    task = bench.task("gardener")
    with bench.served():
        begun(bench)
        message, _ = send(bench, "gardener")
        on_its_way(bench, bench.show(task)["run"])
        (bench.home / "gate").touch()
        bench.settled(task, "review", "failed")
    assert [each.outcome for each in bench.results(task)] == ["fatal"]
    assert state(bench, message) == "unread"


@pytest.mark.parametrize("kind", AT_END, ids=lambda each: each.name)
def test_one_that_its_tool_waits_for_is_read_there_and_told_no_more(bench: Bench, kind: Cli) -> None:
    polls = 'touch "$HOME/begun"; while ! orchgit msg read | grep primroses > heard.txt; do sleep 0.2; done'
    bench.agent(kind, "gardener", Shell(polls), Say("I heard it."))
    task = bench.task("gardener")
    with bench.served():
        begun(bench)
        message, when = send(bench, "gardener")
        bench.settled(task, "review", "failed")
    assert (when, state(bench, message)) == ("at-once", "read")
    assert tellings(bench, "gardener") == [0, 0]
    bench.ok("task", "approve", task)
    assert bench.git("show", "main:heard.txt") == WORD
