"""Commands that set a workspace up and take it down, each within its time limit."""

from __future__ import annotations

import os
import sys
from collections import deque
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.engine import child
from orchgit.engine.process import Cause, Limits
from orchgit.engine.record import Record
from orchgit.model import events
from orchgit.model.errors import RefusedError
from orchgit.model.run import Outcome, Result
from orchgit.repository import runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchgit.engine.process import Ended
    from orchgit.model.events import Event
    from orchgit.repository.runs import Folder, Spec

_SHORT = 10.0  # seconds for a hook that somebody who stops the run has to wait for


def before(place: Folder, spec: Spec, log: Record, name: str) -> Result | None:
    """Run a hook that the agent needs: return how the run ends where it failed, None where the agent may start."""
    try:
        ended, words = _run(place, spec, log, name, limit=spec.hook_timeout, should_stop=place.stop.exists)
    except RefusedError as error:
        return Result(spec.run, Outcome.FATAL, str(error))
    complaint = _complaint(name, ended, words)
    if ended is None or complaint is None:
        return None
    return child.ended_early(place, spec, ended) or Result(spec.run, Outcome.FAILED, complaint, exit_code=ended.code)


def after(place: Folder, spec: Spec, log: Record, name: str, *, hurry: bool = False) -> str:
    """Run a hook that comes after the agent; return what a person should know, or "" where it did well."""
    limit = min(spec.hook_timeout, _SHORT) if hurry else spec.hook_timeout
    try:
        ended, words = _run(place, spec, log, name, limit=limit, should_stop=lambda: False)
    except RefusedError as error:
        return str(error)
    return _complaint(name, ended, words) or ""


def main() -> None:
    """`python -m orchgit.engine.hooks RUN_FOLDER`: the workspace of this run is going to be removed."""
    place = runs.Folder(Path(sys.argv[1]))
    with closing(Record(place)) as log:
        complaint = after(place, runs.read_spec(place), log, "before_remove")
        if complaint:
            log.write(events.Warning(complaint))


def _run(
    place: Folder, spec: Spec, log: Record, name: str, *, limit: float, should_stop: Callable[[], bool]
) -> tuple[Ended | None, deque[str]]:
    words: deque[str] = deque(maxlen=3)
    command = dict(spec.hooks).get(name, "").strip()
    if not command:
        return None, words

    def parse(stream: str, line: str) -> tuple[Event, ...]:
        if line.strip():
            words.append(line[:300])
        return (events.Text(line),) if stream == "stdout" else (events.Warning(line),)

    ended = child.run(
        place, spec, log, ("/bin/sh", "-c", command), stdin=Path(os.devnull),
        limits=Limits(timeout=limit, stall=limit), parse=parse, should_stop=should_stop,
    )  # fmt: skip
    return ended, words


def _complaint(name: str, ended: Ended | None, words: deque[str]) -> str | None:
    if ended is None or (ended.cause is None and ended.code == 0):
        return None
    said = f": {'; '.join(words)}" if words else ""
    if ended.cause in (Cause.TIMEOUT, Cause.STALL):
        return f"the hook {name} took longer than its time limit{said}"
    return f"the hook {name} failed with exit code {ended.code}{said}"


if __name__ == "__main__":
    main()
