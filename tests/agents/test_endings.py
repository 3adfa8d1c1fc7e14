"""How runs of real agents end: one team of each kind, an agent for each thing that may befall one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.model.run import Outcome
from tests.agents import bench as benches
from tests.agents.cases import CASES
from tests.support import clis
from tests.support.agents import lives
from tests.support.model_server.script import ANSWER, Call, Find, Say, Shell, Write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.agents.bench import Bench
    from tests.agents.cases import Case
    from tests.support.clis import Cli

pytestmark = pytest.mark.agents
AT_ONCE = {"claude": 3, "codex": 4, "opencode": 2}
FATES = {Outcome.LIMITED: "retrying", Outcome.SUCCEEDED: "review"}

STAYS = "setsid python3 -c 'import time; time.sleep(600)' > /dev/null 2>&1 < /dev/null & echo $! > \"$HOME/stays.pid\""

WORK = (  # writes, runs, commits, asks orchgit, and leaves a process behind
    Write("new.txt", "by the agent's own tool\n"),
    Shell("echo more >> new.txt"),
    Shell("git add --all && git commit --quiet --message 'Write it'"),
    Shell('orchgit task show "$ORCHGIT_TASK" > shown.txt'),
    Shell(STAYS),
    Say("It is written."),
)
CAREFUL = (  # changes files, and tries to commit them, which only who may do anything can
    Write("careful.txt", "by a careful agent\n"),
    Shell('orchgit task show "$ORCHGIT_TASK" > seen.txt'),
    Shell("git add --all && git commit --quiet --message 'By hand'"),
    Say("It is changed."),
)
ASKS = (  # may run no command, and asks the team for something by tools alone
    Call("task_add", {"title": "Look at the other half", "assignee": "Ada"}),
    Call("task_approve", {"id": "tsk"}),
    Say("It is asked for."),
)


@pytest.fixture(scope="module")
def bench(kind: Cli, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Yield a project whose team has met with every case, and works no more."""
    for bench in benches.make(tmp_path_factory.mktemp(kind.name)):
        bench.configure({("scheduling", "max_concurrent_agents"): AT_ONCE[kind.name]})
        bench.agent(kind, "worker", *WORK)
        task = bench.task("worker", "Write something new")
        bench.ok("run", task)  # alone, for it makes its home ready at its first start
        bench.agent(kind, "careful", *CAREFUL, approval_policy="suggest")
        bench.task("careful")
        asks = (Find("task_add"), *ASKS) if kind is clis.CODEX else ASKS
        bench.agent(kind, "asker", *asks, approval_policy="manual", mcp_servers=("orchgit",))
        bench.task("asker")
        bench.agent(kind, "holder", Shell(benches.HOLDS), Say())
        bench.task("holder")
        for case in CASES:
            bench.agent(kind, case.name, *case.script, **case.settings)
            bench.task(case.name)
        with bench.served():
            cancel(bench)
            for task in bench.tasks.values():
                bench.result(task)
        yield bench


def cancel(bench: Bench) -> None:
    """Cancel what the holder does while its tool is at work."""
    bench.held()
    assert bench.show(bench.tasks["holder"])["status"] == "in_progress"
    bench.ok("task", "cancel", bench.tasks["holder"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_run_ends_as_what_befell_it(bench: Bench, kind: Cli, case: Case) -> None:
    task = bench.tasks[case.name]
    result = bench.results(task)[0]
    told = " ".join((result.reason, *result.notes)).lower()
    assert (result.outcome, case.said(kind.name).lower() in told) == (case.outcome, True), result
    ended = next(each for each in bench.story(task) if each["Transition"].startswith("in_progress"))
    assert ended["Transition"] == f"in_progress -> {FATES.get(case.outcome, 'failed')}"
    assert (bench.show(task)["attempts"] == 0) == (case.outcome is Outcome.LIMITED)


def test_work_is_reviewed_and_merged(bench: Bench) -> None:
    task = bench.tasks["worker"]
    assert bench.status(task) == "review"
    bench.ok("task", "approve", task)
    assert bench.status(task) == "done"
    assert bench.git("show", "main:new.txt") == "by the agent's own tool\nmore"
    assert task in bench.git("show", "main:shown.txt")
    assert bench.model.given["worker"].fresh == len(WORK) * ANSWER.fresh
    assert bench.total([task]) == benches.given(bench.model, "worker")


def test_work_that_an_agent_may_not_commit_is_committed_for_it(bench: Bench, kind: Cli) -> None:
    task = bench.tasks["careful"]
    assert bench.status(task) == "review"
    bench.ok("task", "approve", task)
    assert bench.git("show", "main:careful.txt") == "by a careful agent"
    authors = bench.git("log", "--no-merges", "--format=%an: %s", "main", "--", "careful.txt")
    assert authors == "careful: Do what careful does"
    if kind is clis.CODEX:  # the others may not run anything
        assert task in bench.git("show", "main:seen.txt")


def test_who_may_do_nothing_may_ask_the_team_by_tools(bench: Bench) -> None:
    task = bench.tasks["asker"]
    (made,) = (each for each in bench.ok("task", "list", "--json").data if each["title"] == "Look at the other half")
    assert bench.git("log", "-1", "--format=%an", f"--grep=^Task: {made['id']}", "orchestry") == "asker"
    assert bench.status(task) == "review"


def test_nothing_outlives_its_run(bench: Bench) -> None:
    assert bench.status(bench.tasks["holder"]) == "cancelled"
    stays = int((bench.home / "stays.pid").read_text())
    assert (lives(bench.held()), lives(stays)) == (False, False)
    assert bench.left() == []


def test_a_key_is_written_nowhere(bench: Bench) -> None:
    key = bench.env[clis.KEY].encode()
    state = bench.git("log", "-p", "--all")
    assert key.decode() not in state
    kept = [path for path in bench.layout.runs.rglob("*") if path.is_file() and key in path.read_bytes()]
    assert kept == []
