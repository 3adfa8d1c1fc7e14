"""Kill -9 right before and after each step of the loop, of a runner and of an approval: the next command mends it.

The steps are functions that are there anyway; a test lets one of them die in a process of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from orchgit.engine.environment import MARKER
from orchgit.model.task import Status
from orchgit.repository import locks, runs
from tests.engine.test_changes import OWNERLESS, commit
from tests.engine.test_letters import boxes, prompts, say
from tests.support import hearer
from tests.support.agents import until, waits_for
from tests.support.cli import ok, type_
from tests.support.hearer import HEARS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.team import Team

DISPATCH = {
    "the run's folder is made": "dispatch.new_run",
    "its lock is taken": "dispatch.lock",
    "what it is told is written": "runs.write_spec",
    "its runner is started": "dispatch.start",
    "its task is committed": "landing.land",
    "its runner is told to go": "dispatch.go",
}
SETTLE = {
    "the result is read": "perform._settle",
    "what came of it is committed": "landing.land 2",
}
RUNNER = {
    "its workspace is made": "worktrees.ensure",
    "its workspace is ready": "workspace.make_ready",
    "its agent is started": "process._start",
    "its agent has ended": "child.run",
    "its work is committed": "attempts.keep",
    "its branch is moved": "attempts._settle",
    "its work has a ref": "attempts.record",
    "its result is written": "runs.write_result",
}
TELL = {
    "it is on its way": "deliveries.claim",
    "it is said": "prompts.told_at_work",
    "what its model took is noted": "runs.write_mail 3",
    "it is marked": "deliveries.mark_taken",
    "its mark is committed": "landing.land",
}
RECOVER = {
    "its lock is taken, and what it left is ended": "descendants.end",
    "its work is kept": "workspace.keep",
    "its result is written": "runs.write_result",
    "its end is committed": "landing.land",
}
APPROVE = {
    "the merge is made": "project.commit_merge",
    "the base is moved": "project.move_forward",
    "the task is closed": "landing.land",
    "what it leaves is cleared away": "clearing.clear_away",
    "what lies in its workspace is kept": "workspace.keep",
    "its workspace is removed": "worktrees.remove",
    "its branch is removed": "project.delete_branch",
}
ABANDON = {
    "it is asked to end": "runs.ask_to_stop",
    "what it leaves is cleared away": "clearing.clear_after",
}
MOMENTS = ("before", "after")
# When it is known that a model has a message: what its runner died before is told again.
KNOWN = [("runs.write_mail 3", "after"), *((step, each) for step in [*TELL.values()][3:] for each in MOMENTS)]

# Lets a function end its process, the first time that anybody calls it so often.
DIES = """
import importlib.util, os, signal
def dies(step, moment, flag):
    name, _, often = step.partition(" ")
    home, _, function = name.rpartition(".")
    found = [room for room in ("engine", "repository") if importlib.util.find_spec(f"orchgit.{{room}}.{{home}}")]
    module, calls = importlib.import_module(f"orchgit.{{found[0]}}.{{home}}"), []
    real = getattr(module, function)
    def patched(*args, **options):
        calls.append(1)
        its_time = len(calls) == int(often or 1) and not os.path.exists(flag)
        result = None if its_time and moment == "before" else real(*args, **options)
        if its_time:
            open(flag, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(module, function, patched)
dies(*{about!r})
"""
WITH_RUNNERS = "from orchgit.engine import dispatch; dispatch._RUNNER = {program!r} + dispatch._RUNNER\n"


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    """Return where it is noted that the process died as it should."""
    return tmp_path / "died"


@pytest.fixture
def begun(team: Team, tmp_path: Path) -> Path:
    """Return where agents note their runs as they begin; each leaves a file that is named by its run."""
    notes = tmp_path / "begun"
    team.agent(f"echo $ORCHGIT_RUN >> '{notes}'; echo work > $ORCHGIT_RUN.txt", max_retries=5)
    return notes


def killed(team: Team, flag: Path, step: str, moment: str, *words: str, in_runner: bool = False) -> None:
    """Run a command of which a process, itself or its first runner, dies at the step."""
    program = DIES.format(about=(step, moment, str(flag)))
    code = WITH_RUNNERS.format(program=program) if in_runner else program
    done = type_(team.root, *words, program=code)
    assert flag.exists(), f"{step} was never come to: {done.err}"
    assert (done.code == -9) is not in_runner, done.err


def left_over(team: Team) -> list[str]:
    """Return what is not as it must be when all has ended."""
    known = {place.name for place in team.layout.runs.iterdir()}
    said = team.git("log", "--format=%(trailers:key=Run,valueonly,separator=)", "--grep=-> in_progress$", "orchestry")
    dispatched = said.split()
    held = [path.name for path in team.layout.local.rglob("*lock") if path.is_file() and locks.is_held(path)]
    return [
        *(f"{run} has no commit, or no folder" for run in known ^ set(dispatched)),
        *(f"{run} was dispatched twice" for run in known if dispatched.count(run) > 1),
        *(f"{name} is held" for name in held if name != "orchestrator.lock"),
        *(f"process {each}" for each in processes(known)),
        *([] if team.is_sound() else ["it is not sound"]),
        *(["the journal is left"] if team.layout.journal.exists() else []),
    ]


def processes(known: set[str]) -> list[int]:
    found = []
    for each in psutil.process_iter():
        try:
            if each.environ().get(MARKER) in known and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each.pid)
        except (psutil.Error, OSError):
            continue
    return found


def every_work_is_kept(team: Team, task: str, begun: Path) -> bool:
    """Did no agent begin twice, and is all that they wrote kept?"""
    ran = begun.read_text().split()
    return len(ran) == len(set(ran)) and all(team.keeps(task, f"{run}.txt") for run in ran)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("step", [*DISPATCH.values(), *SETTLE.values()], ids=[*DISPATCH, *SETTLE])
def test_the_loop_dies_as_it_dispatches_or_settles(team: Team, flag: Path, begun: Path, step: str, moment: str) -> None:
    task = team.add()
    killed(team, flag, step, moment, "run", "--all")
    ok(team.root, "run", "--all")
    assert team.task(task).status is Status.REVIEW
    assert len(begun.read_text().split()) == 1
    assert every_work_is_kept(team, task, begun)
    assert left_over(team) == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("step", RUNNER.values(), ids=RUNNER)
def test_a_runner_dies(team: Team, flag: Path, begun: Path, step: str, moment: str) -> None:
    task = team.add()
    killed(team, flag, step, moment, "run", "--all", in_runner=True)
    ok(team.root, "run", "--all")
    told_all = (step, moment) == ("runs.write_result", "after")
    assert team.task(task).status is Status.REVIEW
    assert team.task(task).attempts == (1 if told_all else 2)
    assert every_work_is_kept(team, task, begun) or (step, moment) == ("process._start", "after")
    assert left_over(team) == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_runner_dies_as_its_agent_gets_its_prompt(team: Team, flag: Path, moment: str) -> None:
    team.agent("echo work > $ORCHGIT_RUN.txt", max_retries=5)
    say(team, "Only once.")
    task = team.add()
    killed(team, flag, "runs.note_heard", moment, "run", "--all", in_runner=True)
    ok(team.root, "run", "--all")
    assert ["Only once." in each for each in prompts(team)] == [True, moment == "before"]
    assert boxes(team) == [("Only once.", "cur")]
    assert team.task(task).status is Status.REVIEW
    assert left_over(team) == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("step", TELL.values(), ids=TELL)
def test_a_runner_dies_as_it_tells_its_agent_of_a_message(
    team: Team, flag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, moment: str
) -> None:
    hearer.install(tmp_path / "packages", monkeypatch)
    first = 'echo ready; orchgit msg send bot "Only once."; hears; echo "took $id"; echo over; cat'
    then = "test $ORCHGIT_ATTEMPT = 1 || { echo over; exit; }"
    team.agent(f"{HEARS}{then}; {first}", adapter="hearer", max_retries=5)
    task = team.add()
    killed(team, flag, step, moment, "run", "--all", in_runner=True)
    ok(team.root, "run", "--all")
    is_told_again = (step, moment) not in KNOWN
    assert ["Only once." in each for each in prompts(team)] == [False, is_told_again]
    assert boxes(team) == [("Only once.", "cur")]
    assert team.task(task).status is Status.REVIEW
    assert left_over(team) == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("step", RECOVER.values(), ids=RECOVER)
def test_the_loop_dies_as_it_recovers(team: Team, flag: Path, tmp_path: Path, step: str, moment: str) -> None:
    gate = tmp_path / "gate"
    team.agent(f"echo half > half-$ORCHGIT_ATTEMPT.txt; {waits_for(gate)}")
    task = team.add()
    team.tick()
    place = team.place(task)
    until((team.workspaces / task / "half-1.txt").exists)
    team.kill_runner(place)
    killed(team, flag, step, moment, "run", "--all")
    gate.touch()
    ok(team.root, "run", "--all")
    after = team.task(task)
    assert (after.status, after.attempts) == (Status.REVIEW, 2)
    assert team.keeps(task, "half-1.txt", "half")
    assert left_over(team) == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("step", APPROVE.values(), ids=APPROVE)
def test_an_approval_dies(team: Team, flag: Path, begun: Path, step: str, moment: str) -> None:
    task = team.add()
    team.run()
    work = str(team.task(task).review_commit)
    killed(team, flag, step, moment, "task", "approve", task)
    ok(team.root, "run", "--all")
    if team.task(task).status is Status.REVIEW:
        ok(team.root, "task", "approve", task)
    after = team.task(task)
    assert (after.status, after.review_commit) == (Status.DONE, work)
    assert team.git("rev-list", "--count", "--merges", "main") == "1"
    assert team.story(task)[-2:] == ["in_progress -> review", "review -> done"]
    assert not (team.workspaces / task).exists()
    assert str(after.branch) not in team.git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").split()
    assert every_work_is_kept(team, task, begun)
    assert left_over(team) == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("step", ABANDON.values(), ids=ABANDON)
def test_the_loop_dies_as_it_abandons(team: Team, flag: Path, tmp_path: Path, step: str, moment: str) -> None:
    team.agent(f"echo half > half.txt; {waits_for(tmp_path / 'never')}")
    task = team.add()
    team.tick()
    until((team.workspaces / task / "half.txt").exists)
    commit(team, task, {"status": "cancelled", **OWNERLESS})
    killed(team, flag, step, moment, "run", "--all")
    ok(team.root, "run", "--all")
    assert team.keeps(task, "half.txt", "half")
    assert not (team.workspaces / task).exists()
    assert left_over(team) == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("step", [each for each in RECOVER.values() if not each.startswith("landing")])
def test_the_loop_dies_as_it_buries_a_dead_run_that_went_astray(
    team: Team, flag: Path, tmp_path: Path, step: str, moment: str
) -> None:
    team.agent(f"echo half > half.txt; {waits_for(tmp_path / 'never')}")
    task = team.add()
    team.tick()
    place = team.place(task)
    until((team.workspaces / task / "half.txt").exists)
    commit(team, task, {"status": "cancelled", **OWNERLESS})
    team.kill_runner(place)
    killed(team, flag, step, moment, "run", "--all")
    ok(team.root, "run", "--all")
    assert runs.read_result(place) is not None
    assert team.keeps(task, "half.txt", "half")
    assert not (team.workspaces / task).exists()
    assert left_over(team) == []
