"""One run, in a process of its own: worktree, agent, limits, kept work, result. It outlives whoever started it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.adapters.protocol import Hears
from orchgit.engine import child, drivers, hooks, relays, shared, workspace
from orchgit.engine.process import Cause, Limits
from orchgit.engine.record import Record
from orchgit.engine.workspace import Workspace
from orchgit.model import actor, events, limits, setup
from orchgit.model.errors import GitError, OrchgitError, RefusedError
from orchgit.model.run import Outcome, Result, Stop
from orchgit.repository import bring, git, runs
from orchgit.repository.layout import Layout

if TYPE_CHECKING:
    from orchgit.adapters.protocol import Listener
    from orchgit.engine.process import Ended
    from orchgit.model.events import Event
    from orchgit.repository.runs import Folder, Spec


def main() -> None:
    """`python -m orchgit.engine.runner RUN_FOLDER`, which inherits the descriptor that holds runner.lock."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, _go_on)
    if not os.read(sys.stdin.fileno(), 1):
        return  # its start was not committed
    place = runs.Folder(Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: _ask_ourselves_to_stop(place))
    spec = runs.read_spec(place)
    started = datetime.now(UTC)
    with closing(Record(place)) as log:
        try:
            result = carry_out(place, spec, log)
        except (OrchgitError, OSError) as error:  # OSError: the disk is full, or its folder can't be written
            asked = runs.stop_asked(place)
            failed = Result(spec.run, Outcome.FAILED, str(error))
            result = child.stopped(spec, *asked) if asked else failed
        finished, summary = datetime.now(UTC), log.summary
        if not summary and result.outcome is not Outcome.SUCCEEDED:
            log.write(events.Warning(result.reason))  # or its log would not say why it is empty
        runs.write_result(place, replace(result, started=started, finished=finished, summary=summary, usage=log.used))


def _go_on(_number: int, _frame: object) -> None:
    """Survive a signal without ignoring it: what is ignored would stay ignored in the agent and all that it starts."""


def _ask_ourselves_to_stop(place: Folder) -> None:
    """Give the task back when a shutdown, say, ends us: that is nobody's failure, and no attempt is lost by it."""
    if runs.stop_asked(place) is None:
        runs.ask_to_stop(place, Stop.RELEASE, by="a signal to its runner")


def carry_out(place: Folder, spec: Spec, log: Record) -> Result:
    """Do the run and keep its work; return how it ended."""
    space = _workspace(spec)
    with shared.holding(space.layout) if spec.mode == setup.SHARED else nullcontext():
        notes = _make_ready(space, spec)
        result = _set_up(space, place, spec, log)
        if result is None:
            result = _with_agent(place, spec, log)
            hurry = result.outcome is Outcome.STOPPED
            notes = (*notes, *filter(None, [hooks.after(place, spec, log, "after_run", hurry=hurry)]))
        return keep_work(spec, replace(result, notes=(*result.notes, *notes)))


def _make_ready(space: Workspace, spec: Spec) -> tuple[str, ...]:
    """Have what the agent works on in place; return what a person should know."""
    if spec.mode == setup.SHARED:
        return shared.begin(space)
    workspace.make_ready(space, by=actor.agent(spec.agent))
    return bring.into(space.path, spec.bring, root=Path(spec.root), link=spec.bring_mode == "symlink")


def _set_up(space: Workspace, place: Folder, spec: Spec, log: Record) -> Result | None:
    """Run what has to go well before the agent may start; return how the run ends where it did not."""
    if spec.mode == setup.SHARED:  # it was there before, and stays
        return hooks.before(place, spec, log, "before_run")
    workspace.note_run(space, spec.run)
    if not workspace.is_set_up(space):
        failed = hooks.before(place, spec, log, "after_create")
        if failed is not None:
            return failed
        workspace.note_set_up(space)
    return hooks.before(place, spec, log, "before_run")


def keep_work(spec: Spec, result: Result) -> Result:
    """Commit what the run left and name it by a ref; where it succeeded its branch moves there."""
    space, succeeded = _workspace(spec), result.outcome is Outcome.SUCCEEDED
    try:
        kept = workspace.keep(space, by=actor.agent(spec.agent), run=spec.run, lands=succeeded)
    except (GitError, OSError) as error:
        return _spoiled(result, f"its work could not be committed: {error}")
    result = replace(result, commit=kept.commit, notes=(*result.notes, *kept.notes))
    base = (shared.started_at(space) if spec.mode == setup.SHARED else None) or spec.base
    parted = git.call("merge-base", base, kept.commit, cwd=space.layout.common)
    if parted.code != 0:
        return _spoiled(result, f"its commit {kept.commit[:12]} shares no history with what it began on")
    return replace(result, base=parted.text)


def _workspace(spec: Spec) -> Workspace:
    layout = Layout(Path(spec.root), Path(spec.common))
    return Workspace(layout, Path(spec.workspace), spec.task, spec.title, spec.branch, spec.base, spec.bring, spec.mode)


def _spoiled(result: Result, why: str) -> Result:
    """Return the result of a run whose work can't be reviewed, however well its agent ended."""
    if result.outcome is Outcome.SUCCEEDED:
        return replace(result, outcome=Outcome.FAILED, reason=why)
    return replace(result, notes=(*result.notes, why))


def _with_agent(place: Folder, spec: Spec, log: Record) -> Result:
    before = runs.read_session(place) if spec.session else None
    try:
        listener = drivers.find(spec.adapter).listener(before, spec.memo)
    except RefusedError as error:
        return Result(spec.run, Outcome.FATAL, str(error))
    budget, noted = limits.Budget(spec.max_turns, spec.max_tokens, spec.max_cost_usd), before
    relay = relays.of(place, spec, listener)

    def hear(stream: str, line: str) -> tuple[Event, ...]:
        found = tuple(events.seen_from(spec.workspace, each) for each in listener.hear(stream, line))
        return tuple(event for each in found for event in relay.hear(each)) if relay else found

    def overspent() -> str:
        return limits.overspent(log.used, budget)

    def note_heard() -> None:
        with suppress(OSError):  # the disk is full: messages count as unread again
            runs.note_heard(place)

    def note_session() -> None:
        nonlocal noted
        if listener.session and listener.session != noted:
            noted = listener.session
            with suppress(OSError):  # the disk is full: the next run begins a new one
                runs.write_session(place, noted)

    try:
        ended = child.run(
            place, spec, log, spec.argv, stdin=place.stdin,
            limits=Limits(spec.timeout, spec.stall_timeout, is_overspent=lambda: bool(overspent() or listener.stuck)),
            parse=hear, should_stop=place.stop.exists, on_start=note_heard, on_pause=note_session,
            on_tick=relay.tick if relay else lambda: None, stays_open=spec.hears == Hears.INPUT,
        )  # fmt: skip
    except RefusedError as error:
        return Result(spec.run, Outcome.FATAL, str(error))
    finally:
        if relay:
            relay.close()
    return child.ended_early(place, spec, ended) or _result(spec, ended, listener, overspent())


def _result(spec: Spec, ended: Ended, listener: Listener, overspent: str) -> Result:
    verdict = listener.verdict(ended.code)
    match ended.cause:
        case Cause.TIMEOUT:
            return Result(spec.run, Outcome.TIMED_OUT, f"took longer than {spec.timeout:g} s", exit_code=ended.code)
        case Cause.STALL if verdict.outcome is not Outcome.LIMITED:  # else it waited for its provider
            return Result(spec.run, Outcome.STALLED, f"silent for {spec.stall_timeout:g} s", exit_code=ended.code)
        case Cause.OVERSPENT if overspent:  # else it was stuck, and its verdict says so
            return Result(spec.run, Outcome.OVERSPENT, overspent, exit_code=ended.code)
        case _:
            return Result(
                spec.run, verdict.outcome, verdict.reason, exit_code=ended.code, again_in=verdict.again_in,
                notes=verdict.notes, session_lost=verdict.session_lost, resumed=bool(spec.session),
            )  # fmt: skip


if __name__ == "__main__":
    main()
