"""The folder of a run: what it is, its logs, its locks and its result."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, field, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orchgit.model import usage
from orchgit.model.actor import Actor, Kind
from orchgit.model.dataclass import dataclass
from orchgit.model.run import Alive, Finished, Gone, Outcome, Result, Session, State, Stop
from orchgit.model.usage import Usage
from orchgit.repository import files, locks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.repository.layout import Layout


_ROOM_TO_STOP, _ROOM_TO_END = 512, 32 << 10  # bytes kept for a run's stop and its result, should the disk be full
_SHORT = 1000  # characters of its last words, which that has room for in any case


@dataclass(frozen=True, slots=True)
class Spec:
    """What a runner is told. Times are in seconds; a limit of 0 is none.

    `env` is as the agent's file has it, `$NAME` not yet resolved. `agent_file` is the blob of that file: which version
    of the agent this is a run of. `session` is the one that it goes on with, or ""; `memo` is for its listener.
    `messages` are the files of those that its prompt carries, where they lie once they are read. `skills` are the
    digests of those that the agent has, by name. `hears` is how its agent is told of more messages while it works, as
    `adapters.protocol.Hears` has it, or "".
    """

    run: str
    task: str
    agent: str
    title: str
    attempt: int
    adapter: str
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    root: str
    common: str
    workspace: str
    branch: str
    base: str
    timeout: float
    stall_timeout: float
    started: str
    agent_file: str = ""
    hooks: tuple[tuple[str, str], ...] = ()
    hook_timeout: float = 60.0
    bring: tuple[str, ...] = ()
    bring_mode: str = "copy"
    mode: str = "worktree"
    max_turns: int = 0
    max_tokens: int = 0
    max_cost_usd: float = 0
    session: str = ""
    memo: str = ""
    messages: tuple[str, ...] = ()
    skills: tuple[tuple[str, str], ...] = ()
    hears: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """The messages that a run's agent is told while it works: their files, where they lie unread.

    `given` are those on their way to its model, the `handed` among them past recall, `taken` those that it has. It
    takes more, of up to `most` bytes each, where that isn't 0; where not `at_end`, after a tool alone.
    """

    most: int = 0
    at_end: bool = True
    given: tuple[str, ...] = field(default=(), kw_only=True)
    handed: tuple[str, ...] = field(default=(), kw_only=True)
    taken: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Folder:
    """Where one run's files are."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def spec(self) -> Path:
        return self.path / "run.json"

    @property
    def prompt(self) -> Path:
        return self.path / "prompt.md"

    @property
    def stdin(self) -> Path:
        return self.path / "stdin"

    @property
    def events(self) -> Path:
        """One JSON object a line; its presence says that a runner has started."""
        return self.path / "events.jsonl"

    def part(self, number: int) -> Path:
        """Where the events go on: part 0 is `events`, which is the beginning."""
        return self.path / f"events-{number}.jsonl" if number else self.events

    def parts(self) -> list[int]:
        """Return the numbers of the further parts that are there, in order; the oldest ones go when it gets much."""
        found = (path.stem.partition("-")[2] for path in self.path.glob("events-*.jsonl"))
        return sorted(int(number) for number in found if number.isdecimal())

    @property
    def result(self) -> Path:
        return self.path / "result.json"

    @property
    def usage(self) -> Path:
        """What the run has used by now."""
        return self.path / "usage.json"

    @property
    def session(self) -> Path:
        """The session that the run goes on with, then its own as it stands."""
        return self.path / "session.json"

    @property
    def heard(self) -> Path:
        """Its presence says that the agent was started, and so was given its prompt."""
        return self.path / "heard"

    @property
    def mail(self) -> Path:
        """What its agent is told while it works; there where it can be told anything."""
        return self.path / "mail.json"

    @property
    def offers(self) -> Path:
        """Where hooks of the agent's CLI fetch what it is told while it works."""
        return self.path / "offers"

    @property
    def stop(self) -> Path:
        """Who wants the run to stop writes here what they want of its task."""
        return self.path / "stop.json"

    @property
    def runner_lock(self) -> Path:
        return self.path / "runner.lock"

    @property
    def agent_lock(self) -> Path:
        return self.path / "agent.lock"

    @property
    def runner_log(self) -> Path:
        return self.path / "runner.log"


def folder(layout: Layout, run: str) -> Folder:
    return Folder(layout.runs / run)


def all_of(layout: Layout) -> Iterator[Folder]:
    """Yield the folders of all runs that this clone remembers, newest first."""
    if layout.runs.is_dir():
        known: dict[Folder, int] = {}
        for path in layout.runs.iterdir():
            with suppress(FileNotFoundError, NotADirectoryError):  # it never came to be, or is just being removed
                known[Folder(path)] = Folder(path).spec.stat().st_mtime_ns
        yield from sorted(known, key=known.__getitem__, reverse=True)


def at_work(layout: Layout) -> Iterator[Folder]:
    """Yield the folders of the runs of this clone whose runners live, newest first."""
    for place in all_of(layout):
        if not place.result.exists() and locks.is_held(place.runner_lock):
            yield place


def write_spec(place: Folder, spec: Spec) -> None:
    """Write what the runner is told, with room on the disk for the end of the run."""
    files.keep_room(place.stop, _ROOM_TO_STOP)
    files.keep_room(place.result, _ROOM_TO_END)
    files.replace(place.spec, json.dumps(asdict(spec), indent=1).encode())


def read_spec(place: Folder) -> Spec:
    """Return what the runner was told; keys that this orchgit doesn't know are those of another version."""
    known = {each.name for each in fields(Spec)}
    values = {key: value for key, value in json.loads(place.spec.read_bytes()).items() if key in known}
    lists = {key: tuple(values.get(key, ())) for key in ("argv", "bring", "messages")}
    pairs = {key: tuple(map(tuple, values.get(key, ()))) for key in ("env", "hooks", "skills")}
    return Spec(**{**values, **lists, **pairs})


def task_of(place: Folder) -> str:
    """Return the id of the task that the run was started for; "" where it never came to that."""
    return read_spec(place).task if place.spec.exists() else ""


def began(place: Folder) -> datetime | None:
    """Return when the run was started; None where its folder is gone."""
    return datetime.fromisoformat(read_spec(place).started) if place.spec.exists() else None


def write_usage(place: Folder, used: Usage) -> None:
    files.replace(place.usage, json.dumps(asdict(used)).encode())


def read_usage(place: Folder) -> Usage | None:
    """Return what the run has used by now, the sum of what its agent said; None where it said nothing of it."""
    data = files.read(place.usage)
    return Usage(**json.loads(data)) if data is not None else None


def write_session(place: Folder, session: Session) -> None:
    files.replace(place.session, json.dumps({"id": session.id, "counters": dict(session.counters)}).encode())


def read_session(place: Folder) -> Session | None:
    """Return the session of the run as it stands; None where it has none yet, or its adapter knows none."""
    data = files.read(place.session)
    return Session(**json.loads(data)) if data is not None else None


def note_heard(place: Folder) -> None:
    place.heard.touch()


def write_mail(place: Folder, mail: Mail) -> None:
    files.replace(place.mail, json.dumps(asdict(mail)).encode())


def read_mail(place: Folder) -> Mail:
    """Return what the run's agent was told while it worked; nothing where its CLI takes nothing then."""
    data = files.read(place.mail)
    if data is None:
        return Mail()
    values = json.loads(data)
    paths = {key: tuple(values[key]) for key in ("given", "handed", "taken")}
    return Mail(values["most"], values["at_end"], **paths)


def trailers(place: Folder, used: Usage | None, *, lost: bool = False) -> dict[str, str | None]:
    """Return what the commit that ends a run says of it: its session, or which one was lost, and what it used."""
    session = read_session(place)
    return {"Lost-Session" if lost else "Session": session.id if session else None, **usage.trailers(used)}


def write_result(place: Folder, result: Result) -> None:
    """Write how the run ended; where only the room that was kept is left, its last words may be cut."""
    try:
        _write_result(place, result)
    except OSError:
        _write_result(place, replace(result, summary=result.summary[-_SHORT:], notes=()))
    for path in (place.result, place.stop):
        files.give_up_room(path)


def _write_result(place: Folder, result: Result) -> None:
    files.replace(place.result, json.dumps(asdict(result), indent=1, default=datetime.isoformat).encode(), durable=True)


def read_result(place: Folder) -> Result | None:
    """Return how the run ended, or None where it has not."""
    data = files.read(place.result)
    return _result(json.loads(data)) if data is not None else None


def observe(place: Folder) -> State:
    """Return how the run stands.

    The result is looked for again after the lock was found free: it is written before the lock goes.
    """
    for _ in range(2):
        result = read_result(place)
        if result is not None:
            return Finished(result)
        if locks.is_held(place.runner_lock):
            return Alive()
    return Gone(started=place.events.exists())


def ask_to_stop(place: Folder, stop: Stop, *, by: str | Actor) -> None:
    """Ask the run to stop; where `by` is an actor, what becomes of its task is committed as theirs."""
    asker = [by.kind, by.name, by.email, by.via] if isinstance(by, Actor) else None
    name = by.name if isinstance(by, Actor) else by
    files.replace(place.stop, json.dumps({"stop": stop, "by": name, "asker": asker}).encode())


def stop_asked(place: Folder) -> tuple[Stop, str] | None:
    """Return what who asked the run to stop wants, or None where nobody did."""
    data = files.read(place.stop)
    if data is None:
        return None
    values = json.loads(data)
    return Stop(values["stop"]), str(values["by"])


def asker(place: Folder) -> Actor | None:
    """Return whose wish it is that the run stops; None where it is nobody's, or the engine's own."""
    data = files.read(place.stop)
    kind, *who = (json.loads(data).get("asker") if data else None) or (None,)
    return Actor(Kind(kind), *who) if kind else None


def _result(values: dict[str, Any]) -> Result:
    times = {key: datetime.fromisoformat(values[key]) for key in ("started", "finished") if values[key]}
    stop = Stop(values["stop"]) if values["stop"] else None
    used = Usage(**values["usage"]) if values.get("usage") else None
    return Result(**{
        **values, **times, "outcome": Outcome(values["outcome"]), "stop": stop, "notes": tuple(values["notes"]),
        "usage": used,
    })  # fmt: skip
