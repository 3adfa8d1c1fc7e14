"""One command of a run: in its workspace, with its environment, its words in the run's record without their secrets."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from orchgit.adapters.protocol import Hears
from orchgit.engine import environment, process
from orchgit.engine.process import Cause
from orchgit.model import actor
from orchgit.model.run import Outcome, Result, Stop
from orchgit.repository import identity, locks, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orchgit.engine.process import Ended, Limits
    from orchgit.engine.record import Record
    from orchgit.model.events import Event
    from orchgit.repository.runs import Folder, Spec


def run(
    place: Folder,
    spec: Spec,
    log: Record,
    argv: Sequence[str],
    *,
    stdin: Path,
    limits: Limits,
    parse: Callable[[str, str], tuple[Event, ...]],
    should_stop: Callable[[], bool],
    on_start: Callable[[], None] = lambda: None,
    on_pause: Callable[[], None] = lambda: None,
    on_tick: Callable[[], bytes | None] = lambda: None,
    stays_open: bool = False,
) -> Ended:
    """Run `argv` to its end; RefusedError where it can't be started.

    `parse` is given a stream's name and a line, `on_pause` is called when all that was there to read has been given.
    `on_tick` and `stays_open` are those of `process.run`.
    """
    hidden = environment.secrets(spec.env)

    def on_line(stream: str, line: str) -> None:
        for secret in hidden:
            line = line.replace(secret, "***")
        for event in parse(stream, line):
            log.write(event)

    def pause() -> None:
        log.flush()
        on_pause()

    with ExitStack() as stack:
        lock = locks.take(place.agent_lock)
        assert lock is not None
        stack.callback(os.close, lock)
        stack.callback(pause)
        temporary = TemporaryDirectory(prefix="orchgit-", ignore_cleanup_errors=True)
        return process.run(
            argv,
            cwd=Path(spec.workspace),
            env=environment.for_agent(spec.env, _told(place, spec, stack.enter_context(temporary))),
            stdin=stdin,
            limits=limits,
            lock=lock,
            on_line=on_line,
            on_start=on_start,
            on_pause=pause,
            on_tick=on_tick,
            stays_open=stays_open,
            should_stop=should_stop,
        )


def ended_early(place: Folder, spec: Spec, ended: Ended) -> Result | None:
    """Return the result of a run that somebody stopped; None where nobody did.

    A shutdown may reach the process sooner than its runner: then a signal ended it, and the wish to stop is there.
    """
    asked = runs.stop_asked(place)
    if asked is None or not (ended.cause is Cause.STOP or (ended.cause is None and ended.code < 0)):
        return None
    return stopped(spec, *asked, code=ended.code)


def stopped(spec: Spec, stop: Stop, who: str, *, code: int | None = None) -> Result:
    return Result(spec.run, Outcome.STOPPED, f"stopped by {who}", exit_code=code, stop=stop, stopped_by=who)


def _told(place: Folder, spec: Spec, temporary: str) -> dict[str, str]:
    author, committer = actor.agent(spec.agent), identity.machine(Path(spec.common))
    return {
        environment.MARKER: spec.run,
        "ORCHGIT_TASK": spec.task,
        "ORCHGIT_AGENT": spec.agent,
        "ORCHGIT_ATTEMPT": str(spec.attempt),
        "ORCHGIT_PROMPT_FILE": str(place.prompt),
        **({"ORCHGIT_OFFERS": str(place.offers)} if spec.hears == Hears.HOOKS else {}),
        "TMPDIR": temporary,
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_COMMITTER_NAME": committer.name,
        "GIT_COMMITTER_EMAIL": committer.email,
    }
