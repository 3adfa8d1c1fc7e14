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
from typing import IO, TYPE_CHECKING

from orchgit import adapters
from orchgit.engine import environment, process
from orchgit.engine.process import Cause, Limits
from orchgit.model import actor, events, trailers
from orchgit.model.errors import GitError, OrchgitError
from orchgit.model.run import Outcome, Result
from orchgit.model.trailers import Message
from orchgit.repository import attempts, git, identity, locks, runs, worktrees
from orchgit.repository.layout import Layout

if TYPE_CHECKING:
    from orchgit.engine.process import Ended
    from orchgit.model.events import Event
    from orchgit.repository.attempts import Kept
    from orchgit.repository.runs import Folder, Spec

_LAST_WORDS = 20  # lines of output that become the summary


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
            self.last_words = [*self.last_words[1 - _LAST_WORDS :], event.text]


def main() -> None:
    """`python -m orchgit.engine.runner RUN_FOLDER`, started by whoever holds runner.lock; its descriptor is inherited."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    place = runs.Folder(Path(sys.argv[1]))
    spec = runs.read_spec(place)
    started = datetime.now(UTC)
    with place.events.open("a", encoding="utf-8") as file:
        log = Log(file)
        try:
            result = carry_out(place, spec, log)
        except OrchgitError as error:
            result = Result(spec.run, Outcome.FAILED, str(error))
        summary = "\n".join(log.last_words)
        runs.write_result(place, replace(result, started=started, finished=datetime.now(UTC), summary=summary))


def carry_out(place: Folder, spec: Spec, log: Log) -> Result:
    """Do the run and keep its work; return how it ended."""
    layout = Layout(Path(spec.root), Path(spec.common))
    workspace = Path(spec.workspace)
    worktrees.ensure(layout, workspace, branch=spec.branch, base=spec.base)
    result = _with_agent(place, spec, workspace, log)
    return keep_work(layout, spec, result)


def keep_work(layout: Layout, spec: Spec, result: Result) -> Result:
    """Commit what the run left and name it by a ref; a run that succeeded moves its branch there."""
    succeeded = result.outcome is Outcome.SUCCEEDED
    try:
        kept = _keep(layout, spec, move_branch=succeeded)
    except (GitError, OSError) as error:
        outcome = Outcome.FAILED if succeeded else result.outcome
        return replace(result, outcome=outcome, notes=(*result.notes, f"its work could not be committed: {error}"))
    attempts.record(layout, spec.task, kept.commit)
    base = git.text("merge-base", spec.base, kept.commit, cwd=layout.common)
    return replace(result, commit=kept.commit, base=base, notes=(*result.notes, *kept.notes))


def _keep(layout: Layout, spec: Spec, *, move_branch: bool) -> Kept:
    workspace = Path(spec.workspace)
    git_dir = worktrees.git_dir(layout, workspace)
    if git_dir is None or not workspace.is_dir():
        return attempts.Kept(git.text("rev-parse", f"refs/heads/{spec.branch}", cwd=layout.common))
    message = Message(spec.title, trailers=(("Task", spec.task), ("Run", spec.run)))
    return attempts.keep(
        attempts.Worktree(workspace, git_dir),
        trailers.render(message),
        author=actor.agent(spec.agent),
        committer=identity.machine(layout.common),
        branch=spec.branch if move_branch else None,
    )


def _with_agent(place: Folder, spec: Spec, workspace: Path, log: Log) -> Result:
    adapter = adapters.ADAPTERS[spec.adapter]
    place.temporary.mkdir(exist_ok=True)

    def on_line(stream: str, line: str) -> None:
        for event in adapter.parse(line) if stream == "stdout" else (events.Warning(line),):
            log.write(event)

    with ExitStack() as stack:
        lock = locks.take(place.agent_lock)
        assert lock is not None
        stack.callback(os.close, lock)
        try:
            ended = process.run(
                spec.argv,
                cwd=workspace,
                env=environment.for_agent(spec.env, _told(place, spec)),
                stdin=place.stdin,
                limits=Limits(timeout=spec.timeout, stall=spec.stall_timeout),
                lock=lock,
                on_line=on_line,
                should_stop=place.stop.exists,
            )
        except OSError as error:
            return Result(spec.run, Outcome.FATAL, f"{spec.argv[0]} can't be started: {error.strerror}")
    return _result(place, spec, ended)


def _result(place: Folder, spec: Spec, ended: Ended) -> Result:
    match ended.cause:
        case Cause.STOP:
            asked = runs.stop_asked(place)
            assert asked is not None
            stop, who = asked
            reason = f"stopped by {who}"
            return Result(spec.run, Outcome.STOPPED, reason, exit_code=ended.code, stop=stop, stopped_by=who)
        case Cause.TIMEOUT:
            return Result(spec.run, Outcome.TIMED_OUT, f"took longer than {spec.timeout:g} s", exit_code=ended.code)
        case Cause.STALL:
            return Result(spec.run, Outcome.STALLED, f"silent for {spec.stall_timeout:g} s", exit_code=ended.code)
        case None:
            verdict = adapters.ADAPTERS[spec.adapter].verdict(ended.code)
            return Result(spec.run, verdict.outcome, verdict.reason, exit_code=ended.code)


def _told(place: Folder, spec: Spec) -> dict[str, str]:
    return {
        environment.MARKER: spec.run,
        "ORCHGIT_TASK": spec.task,
        "ORCHGIT_AGENT": spec.agent,
        "ORCHGIT_ATTEMPT": str(spec.attempt),
        "ORCHGIT_PROMPT_FILE": str(place.prompt),
        "TMPDIR": str(place.temporary),
        "GIT_AUTHOR_NAME": spec.agent,
        "GIT_AUTHOR_EMAIL": actor.agent(spec.agent).email,
    }


if __name__ == "__main__":
    main()
