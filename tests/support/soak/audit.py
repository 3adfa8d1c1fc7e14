"""Judges what is left when all is over: the audit trail beside the agents' script, refs, processes and locks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchgit.model.run import Outcome
from orchgit.model.task import Status
from orchgit.repository.layout import STATE_REF
from tests.support.repos import git, is_clean, is_sound
from tests.support.soak import plan
from tests.support.soak.plan import Act

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.soak.world import World

_FIELDS = ("Task", "Transition", "Run", "Attempt", "Reason")
_DIED, _UNSTARTED, _STOPPED = "its runner died", "its runner never started", "stopped by"
_AFTER = {
    Outcome.FATAL: {"failed"},
    Outcome.SUCCEEDED: {"review"},
}


@dataclass(frozen=True)
class Move:
    """One transition, as its commit tells it; `attempt` is 0 where it says nothing of one."""

    before: str
    after: str
    run: str
    attempt: int
    reason: str


def faults(world: World) -> list[str]:
    """Return all that is not as it must be."""
    moves = trail(world)
    return [
        *_of_tasks(world, moves),
        *_of_runs(world, moves),
        *_of_work(world, moves),
        *_of_the_place(world),
    ]


def trail(world: World) -> dict[str, list[Move]]:
    """Return the transitions of each task, oldest first, from the commits alone."""
    keys = "%x1f".join(f"%(trailers:key={key},valueonly,separator=%x20)" for key in _FIELDS)
    said = git(world.layout.root, "log", "--reverse", "-z", f"--format={keys}", STATE_REF)
    found: dict[str, list[Move]] = {each.id: [] for each in world.planned}
    for record in filter(None, said.split("\0")):
        task, transition, run, attempt, reason = (part.strip() for part in record.split("\x1f"))
        if transition:
            before, _, after = transition.partition(" -> ")
            found[task].append(Move(before, after, run, int(attempt.partition("/")[0] or 0), reason))
    return found


def _of_tasks(world: World, moves: dict[str, list[Move]]) -> Iterator[str]:
    tasks = {task.id: task for task in world.project().tasks()}
    if tasks.keys() != moves.keys():
        yield f"tasks came or went: {sorted(tasks.keys() ^ moves.keys())}"
    for each, known in moves.items():
        yield from (f"{each}: {fault}" for fault in _of_trail(world, each, known))
        last = known[-1].after if known else "todo"
        status = tasks[each].status
        if status != last:
            yield f"{each} is {status}, and its commits say {last}"
        lost = any(tasks[needed].status is not Status.DONE for needed in tasks[each].depends_on)
        if status not in (Status.DONE, Status.FAILED, Status.CANCELLED) and not (status is Status.TODO and lost):
            yield f"{each} is left {status}"
        if status is Status.CANCELLED and each not in world.cancelled:
            yield f"{each} is cancelled, and nobody asked for that"


def _of_trail(world: World, task: str, moves: list[Move]) -> Iterator[str]:
    """Follow the moves: each begins where the last one ended, and each run ends as its script, or a kill, has it."""
    status, attempts, run = "todo", 0, ""
    for move in moves:
        if move.before != status:
            yield f"from {move.before}, when it was {status}"
        status = move.after
        if move.after == "in_progress":
            attempts, run = attempts + 1, move.run
            if move.attempt != attempts:
                yield f"{run} is attempt {move.attempt}, and {attempts} were counted"
        elif move.before == "in_progress":
            if move.run != run:
                yield f"{move.run} ends, and {run} was at work"
            yield from (f"{run}: {fault}" for fault in _of_end(world, task, move, attempts))
            attempts -= move.after == "todo"
        elif move.after == "todo":
            attempts = 0


def _of_end(world: World, task: str, move: Move, attempts: int) -> Iterator[str]:
    if move.reason.startswith(_STOPPED) or move.after == "cancelled":
        if task not in world.cancelled:
            yield f"stopped, and nobody asked: {move.reason}"
        return
    if move.reason.startswith(_UNSTARTED):
        if (world.seen / f"{move.run}.starts").exists():
            yield "never started, and yet its agent began"
        return
    outcome, act = _outcome(move), plan.act(world.seed, task, attempts)
    expected = {plan.OUTCOMES[act]}
    if move.run in world.killed:
        expected.add(Outcome.VANISHED)
    if move.run in world.struck:
        expected |= {Outcome.FAILED, Outcome.SUCCEEDED} if act is not Act.FATAL else {Outcome.FAILED}
    if outcome not in expected:
        yield f"{outcome} after {act} ({move.reason})"
    left = {"failed"} if attempts >= plan.ATTEMPTS else {"retrying"}
    if move.after not in _AFTER.get(outcome, left):
        yield f"{outcome} in attempt {attempts}, and then {move.after}"


def _outcome(move: Move) -> Outcome:
    """Return how a run ended by the words of its commit."""
    words = {
        _DIED: Outcome.VANISHED,
        "silent for": Outcome.STALLED,
        "took longer": Outcome.TIMED_OUT,
        "a command was not found": Outcome.FATAL,
    }
    if move.after == "review":
        return Outcome.SUCCEEDED
    return next((outcome for word, outcome in words.items() if move.reason.startswith(word)), Outcome.FAILED)


def _of_runs(world: World, moves: dict[str, list[Move]]) -> Iterator[str]:
    begun = [move.run for known in moves.values() for move in known if move.after == "in_progress"]
    twice = {run for run in begun if begun.count(run) > 1}
    if twice:
        yield f"dispatched twice: {sorted(twice)}"
    if set(begun) != world.run_ids():
        yield f"runs without a commit, or commits without a run: {sorted(set(begun) ^ world.run_ids())}"
    for path in world.seen.glob("*.starts"):
        if path.stem not in begun:
            yield f"{path.stem} was started without a commit"
        if len(path.read_text().splitlines()) != 1:
            yield f"the agent of {path.stem} was started more than once"


def _of_work(world: World, moves: dict[str, list[Move]]) -> Iterator[str]:
    for task, known in moves.items():
        begun = {move.run for move in known if move.after == "in_progress"}
        wrote = {run for run in begun if (world.seen / f"{run}.wrote").exists()}
        missing = wrote - (_kept(world, task) if wrote else set())
        yield from (f"the work of {run}, on {task}, is in no kept commit" for run in sorted(missing))


def _kept(world: World, task: str) -> set[str]:
    """Return the runs whose file is in some commit that a ref of this task keeps."""
    said = git(world.layout.root, "rev-list", "--objects", f"--glob=refs/orchgit/attempts/{task}/*")
    names = (line.partition(" ")[2] for line in said.splitlines())
    return {name.removeprefix("work/").removesuffix(".txt") for name in names if name.startswith("work/")}


def _of_the_place(world: World) -> Iterator[str]:
    layout = world.layout
    if not is_sound(layout.root):
        yield "git fsck finds faults"
    for folder in (layout.root, layout.state):
        if not is_clean(folder):
            yield f"{folder.name} is not clean: {git(folder, 'status', '--porcelain')[:300]}"
    if layout.journal.exists():
        yield "the journal is left"
    yield from (f"{name} is left locked" for name in world.held_locks())
    for what, found in (("runner", world.runners()), ("process", world.marked()), ("hidden process", world.hidden())):
        yield from (f"a {what} of {run} is left: {process.pid}" for run, process in found)
    open_tasks = {task.id for task in world.project().tasks() if task.status not in (Status.DONE, Status.CANCELLED)}
    folder = layout.root.with_name(f"{layout.root.name}.orchgit")
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    yield from (f"the workspace of {task} is left" for task in sorted(there - open_tasks))


def summary(world: World) -> str:
    """Return in a few words how many ended how."""
    moves = [move for known in trail(world).values() for move in known]
    ends = Counter(str(_outcome(move)) for move in moves if move.before == "in_progress" and move.after != "cancelled")
    statuses = Counter(task.status.value for task in world.project().tasks())
    shown = (", ".join(f"{name} {n}" for name, n in each.most_common()) for each in (statuses, ends))
    return "tasks: {}\nruns: {}".format(*shown)
