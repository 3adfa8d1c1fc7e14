"""One run, in a process of its own: worktree, agent, limits, kept work, result. It outlives whoever started it."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING

from orchgit import adapters
from orchgit.engine import environment, process, workspace
from orchgit.engine.process import Cause, Limits
from orchgit.engine.workspace import Workspace
from orchgit.model import actor, events
from orchgit.model.errors import GitError, OrchgitError, RefusedError
from orchgit.model.run import Outcome, Result, Stop
from orchgit.repository import git, identity, locks, runs
from orchgit.repository.layout import Layout

if TYPE_CHECKING:
    from orchgit.engine.process import Ended
    from orchgit.model.events import Event
    from orchgit.repository.runs import Folder, Spec

_LAST_WORDS, _LONGEST_WORDS = 20, 1000  # lines of output that become the summary, and characters of each


class Log:
    """The run's events, a line of JSON each, and the last words among them."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.last_words: list[str] = []

    def write(self, event: Event) -> None:
        kind = type(event).__name__.lower()
        line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "type": kind, "text": event.text}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()
        if event.text.strip():
            self.last_words = [*self.last_words[1 - _LAST_WORDS :], event.text[:_LONGEST_WORDS]]


def main() -> None:
    """`python -m orchgit.engine.runner RUN_FOLDER`, which inherits the descriptor that holds runner.lock."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _go_on)
    if not os.read(sys.stdin.fileno(), 1):
        return  # its start was not committed
    place = runs.Folder(Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, lambda *_: _ask_ourselves_to_stop(place))
    spec = runs.read_spec(place)
    started = datetime.now(UTC)
    with place.events.open("a", encoding="utf-8") as file:
        log = Log(file)
        try:
            result = carry_out(place, spec, log)
        except OrchgitError as error:
            asked = runs.stop_asked(place)
            result = _stopped(spec, *asked) if asked else Result(spec.run, Outcome.FAILED, str(error))
        summary = "\n".join(log.last_words)
        runs.write_result(place, replace(result, started=started, finished=datetime.now(UTC), summary=summary))


def _go_on(_number: int, _frame: object) -> None:
    """Survive a signal without ignoring it: what is ignored would stay ignored in the agent and all that it starts."""


def _ask_ourselves_to_stop(place: Folder) -> None:
    """Give the task back when a shutdown, say, ends us: that is nobody's failure, and no attempt is lost by it."""
    if runs.stop_asked(place) is None:
        runs.ask_to_stop(place, Stop.RELEASE, by="a signal to its runner")


def carry_out(place: Folder, spec: Spec, log: Log) -> Result:
    """Do the run and keep its work; return how it ended."""
    workspace.make_ready(_workspace(spec), by=actor.agent(spec.agent))
    return keep_work(spec, _with_agent(place, spec, log))


def keep_work(spec: Spec, result: Result) -> Result:
    """Commit what the run left and name it by a ref; where it succeeded its branch moves there."""
    space, succeeded = _workspace(spec), result.outcome is Outcome.SUCCEEDED
    try:
        kept = workspace.keep(space, by=actor.agent(spec.agent), run=spec.run, lands=succeeded)
    except (GitError, OSError) as error:
        return _spoiled(result, f"its work could not be committed: {error}")
    result = replace(result, commit=kept.commit, notes=(*result.notes, *kept.notes))
    parted = git.call("merge-base", spec.base, kept.commit, cwd=space.layout.common)
    if parted.code != 0:
        return _spoiled(result, f"its commit {kept.commit[:12]} shares no history with the base branch")
    return replace(result, base=parted.text)


def _workspace(spec: Spec) -> Workspace:
    layout = Layout(Path(spec.root), Path(spec.common))
    return Workspace(layout, Path(spec.workspace), spec.task, spec.title, spec.branch, spec.base)


def _spoiled(result: Result, why: str) -> Result:
    """Return the result of a run whose work can't be reviewed, however well its agent ended."""
    if result.outcome is Outcome.SUCCEEDED:
        return replace(result, outcome=Outcome.FAILED, reason=why)
    return replace(result, notes=(*result.notes, why))


def _with_agent(place: Folder, spec: Spec, log: Log) -> Result:
    adapter, hidden = adapters.ADAPTERS[spec.adapter], environment.secrets(spec.env)

    def on_line(stream: str, line: str) -> None:
        for secret in hidden:
            line = line.replace(secret, "***")
        for event in adapter.parse(line) if stream == "stdout" else (events.Warning(line),):
            log.write(event)

    with ExitStack() as stack:
        lock = locks.take(place.agent_lock)
        assert lock is not None
        stack.callback(os.close, lock)
        temporary = TemporaryDirectory(prefix="orchgit-", ignore_cleanup_errors=True)
        try:
            ended = process.run(
                spec.argv,
                cwd=Path(spec.workspace),
                env=environment.for_agent(spec.env, _told(place, spec, stack.enter_context(temporary))),
                stdin=place.stdin,
                limits=Limits(timeout=spec.timeout, stall=spec.stall_timeout),
                lock=lock,
                on_line=on_line,
                should_stop=place.stop.exists,
            )
        except RefusedError as error:
            return Result(spec.run, Outcome.FATAL, str(error))
    return _result(place, spec, ended)


def _result(place: Folder, spec: Spec, ended: Ended) -> Result:
    asked = runs.stop_asked(place)
    match ended.cause:
        case Cause.STOP:
            assert asked is not None
            return _stopped(spec, *asked, code=ended.code)
        case Cause.TIMEOUT:
            return Result(spec.run, Outcome.TIMED_OUT, f"took longer than {spec.timeout:g} s", exit_code=ended.code)
        case Cause.STALL:
            return Result(spec.run, Outcome.STALLED, f"silent for {spec.stall_timeout:g} s", exit_code=ended.code)
        case None if asked and ended.code < 0:  # a shutdown reached the agent sooner than us
            return _stopped(spec, *asked, code=ended.code)
        case None:
            verdict = adapters.ADAPTERS[spec.adapter].verdict(ended.code)
            return Result(spec.run, verdict.outcome, verdict.reason, exit_code=ended.code)


def _stopped(spec: Spec, stop: Stop, who: str, *, code: int | None = None) -> Result:
    return Result(spec.run, Outcome.STOPPED, f"stopped by {who}", exit_code=code, stop=stop, stopped_by=who)


def _told(place: Folder, spec: Spec, temporary: str) -> dict[str, str]:
    author, committer = actor.agent(spec.agent), identity.machine(Path(spec.common))
    return {
        environment.MARKER: spec.run,
        "ORCHGIT_TASK": spec.task,
        "ORCHGIT_AGENT": spec.agent,
        "ORCHGIT_ATTEMPT": str(spec.attempt),
        "ORCHGIT_PROMPT_FILE": str(place.prompt),
        "TMPDIR": temporary,
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_COMMITTER_NAME": committer.name,
        "GIT_COMMITTER_EMAIL": committer.email,
    }


if __name__ == "__main__":
    main()
