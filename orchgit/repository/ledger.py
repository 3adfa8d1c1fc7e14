"""The only writer of state: every change is judged, committed, and carried into the files that lie there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchgit.model import document, lifecycle, task, trailers, yamltext
from orchgit.model.actor import Kind
from orchgit.model.errors import InvalidFileError, NotFoundError
from orchgit.model.scheduling import max_attempts
from orchgit.model.trailers import Message
from orchgit.repository import files, git, identity, index, journal, locks, merge, objects, refs, store, stream
from orchgit.repository.layout import STATE_REF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.model.actor import Actor
    from orchgit.model.lifecycle import Ask, Rule
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.objects import Reader
    from orchgit.repository.store import State

WAIT = 10.0

Sets = Mapping[str, yamltext.Value]
Values = dict[str, yamltext.Value | yamltext.Remove]


@dataclass(slots=True)
class Book:
    """The state while the ledger's lock is held: read it, ask for changes; they are committed when the `with` ends."""

    layout: Layout
    actor: Actor
    state: State
    committer: Actor
    seconds: int
    reader: Reader
    notices: list[str] = field(default_factory=list)
    commits: list[stream.Commit] = field(default_factory=list)
    before: dict[str, bytes | None] = field(default_factory=dict)
    after: dict[str, bytes | None] = field(default_factory=dict)

    def text(self, path: str) -> str:
        """Return what `path` says now, changes asked for included."""
        data = self._read(path)
        if data is None:
            raise NotFoundError(f"The state branch has no {path}.")
        return document.decode(path, data)

    def exists(self, path: str) -> bool:
        return self._read(path) is not None

    def transition(
        self,
        task_id: str,
        ask: Ask,
        *,
        sets: Sets | None = None,
        credit: Actor | None = None,
        feedback: str = "",
        details: Mapping[str, str | None] | None = None,
    ) -> Task:
        """Carry `ask` out on the task as it stands now; RefusedError where the lifecycle says no.

        `credit` is whose work it is, where not the one who asks; `details` are further trailers.
        """
        before = self.state.task(task_id)
        rule = lifecycle.judge(before, ask, self.actor)
        given = dict(sets or {})
        missing = rule.sets - given.keys()
        assert not missing, f"{ask} without {missing}"
        edits = _edits(before, rule, given)
        text = document.edit(self.text(before.path), edits)
        if feedback:
            text = document.append_to_section(text, task.FEEDBACK, feedback)
        after = task.read(before.path, text)
        self._commit(
            _transition_message(before, after, self._attempts(before), credit or self.actor, details),
            before.path,
            text,
            credit,
        )
        return after

    def edit(
        self,
        task_id: str,
        edits: Values,
        *,
        body: str | None = None,
        details: Mapping[str, str | None] | None = None,
    ) -> Task:
        """Change keys of a task that no lifecycle guards, its body too. Nothing is committed where nothing changes."""
        before = self.state.task(task_id)
        guarded = [key for key in edits if key == "status" or (key in task.ENGINE_KEYS and key != "retry_at")]
        assert not guarded, f"{guarded} change by transition only"
        text = old = self.text(before.path)
        if body is not None:
            text = document.replace_body(text, body)
        text = document.edit(text, edits)
        after = task.read(before.path, text)
        if text != old:
            what = ", ".join([*edits, *(["body"] if body is not None else [])])
            named = {"Task": before.id, "Actor": self.actor.name, **(details or {})}
            self._commit(
                Message(f"task({before.id}): edit {what}", after.title, trailers.given(named)),
                before.path,
                text,
            )
        return after

    def rewrite(self, task_id: str, text: str) -> Task:
        """Take over a task's whole file as typed; whoever calls has seen that no guarded key differs."""
        before = self.state.task(task_id)
        after = task.read(before.path, text)
        if text != self.text(before.path):
            named = {"Task": before.id, "Actor": self.actor.name}
            self._commit(Message(f"task({before.id}): edit", after.title, trailers.given(named)), before.path, text)
        return after

    def put(
        self,
        path: str,
        text: str,
        subject: str,
        *,
        body: str = "",
        details: Mapping[str, str | None] | None = None,
    ) -> None:
        """Make or change a file that is no task's, or make a task's."""
        item = store.parse(path, document.encode(text))
        if isinstance(item, InvalidFileError):
            raise item
        self._commit(Message(subject, body, trailers.given({**(details or {}), "Actor": self.actor.name})), path, text)

    def remove(
        self, path: str, subject: str, *, body: str = "", details: Mapping[str, str | None] | None = None
    ) -> None:
        self._commit(Message(subject, body, trailers.given({**(details or {}), "Actor": self.actor.name})), path, None)

    def _attempts(self, before: Task) -> int:
        return max_attempts(before, self.state.agents.get(before.agent or before.assignee or ""), self.state.config)

    def _read(self, path: str) -> bytes | None:
        if path in self.after:
            return self.after[path]
        if path not in self.before:
            self.before[path] = self.reader.file(self.state.tip, path)
        return self.before[path]

    def _commit(self, message: Message, path: str, text: str | None, credit: Actor | None = None) -> None:
        self._read(path)
        data = None if text is None else document.encode(text)
        self.after[path] = data
        change = stream.Remove(path) if data is None else stream.Put(path, data)
        author, committer = (
            stream.Signature(who.name, who.email, self.seconds) for who in (credit or self.actor, self.committer)
        )
        self.commits.append(stream.Commit(trailers.render(message), author, committer, (change,)))
        self.state = store.changed(self.state, path, data)


@contextmanager
def writing(layout: Layout, actor: Actor, *, wait: float = WAIT) -> Iterator[Book]:
    """Hold the ledger: what the `with` asks of the book is committed when it ends well, and none of it where it raises.

    Keep it short: every other writer waits, for `wait` seconds at most (BusyError).
    """
    committer = actor if actor.kind is Kind.PERSON else identity.machine(layout.common)
    with _holding(layout, wait) as (reader, tip, index_file):
        _mend(layout, reader, tip, index_file)
        book = Book(layout, actor, store.read(layout, tip), committer, int(time.time()), reader)
        yield book
        if book.commits:
            _land(layout, book, index_file)


def mend(layout: Layout) -> None:
    """Finish what a writer that died has begun; at once, and nothing where nothing is left or a writer is at work."""
    if not layout.journal.exists() or locks.is_held(layout.lock):
        return
    with _holding(layout, WAIT) as (reader, tip, index_file):
        _mend(layout, reader, tip, index_file)


@contextmanager
def _holding(layout: Layout, wait: float) -> Iterator[tuple[Reader, str, Path]]:
    """Hold both locks; only then is the tip read."""
    with (
        locks.held(layout.lock, wait=wait, doing="write the state"),
        index.locked(layout, wait=wait) as index_file,
        objects.reader(layout.common) as reader,
    ):
        found = reader.object(STATE_REF)
        if found is None:
            raise NotFoundError("The state branch is gone.", "Run `orchgit init` again.")
        yield reader, found[0], index_file


def _land(layout: Layout, book: Book, index_file: Path) -> None:
    paths = tuple(book.after)
    journal.write(layout.journal, journal.Entry(book.state.tip, paths))
    try:
        landed = stream.write(layout.common, STATE_REF, book.state.tip, book.commits)
    except BaseException:
        journal.drop(layout.journal)
        raise
    for path in paths:
        book.notices.extend(_carry(layout, path, base=book.before[path], ours=book.after[path]))
    index.record(layout, index_file, landed.blobs)
    journal.drop(layout.journal)


def _mend(layout: Layout, reader: Reader, tip: str, index_file: Path) -> None:
    """Carry what did land into files and index, whoever wrote it; a write that did not land never was."""
    entry = journal.read(layout.journal)
    if entry and entry.tip != tip:
        blobs = {path: found[0] if (found := reader.object(f"{tip}:{path}")) else None for path in entry.paths}
        for path in entry.paths:
            _carry(layout, path, base=reader.file(entry.tip, path), ours=reader.file(tip, path))
        index.record(layout, index_file, blobs)
    journal.drop(layout.journal)


def _carry(layout: Layout, path: str, *, base: bytes | None, ours: bytes | None) -> list[str]:
    """Bring the file at `path` from `base` to `ours`, keeping what was typed; return what a person should know."""
    place = layout.state / path
    typed = files.read(place)
    if typed == ours:
        return []
    if typed is None or typed == base:
        if ours is None:
            place.unlink(missing_ok=True)
        else:
            files.replace(place, ours)
        return []
    if ours is None or base is None:
        return [f"{path} was changed by hand meanwhile; it stays as typed."]
    merged = merge.three_way(path, base=base, ours=ours, typed=typed)
    files.replace(place, merged.data)
    return [_kept_aside(layout, path, typed, merged.overruled)] if merged.overruled else []


def _kept_aside(layout: Layout, path: str, typed: bytes, overruled: tuple[str, ...]) -> str:
    blob = git.run("hash-object", "-w", "--stdin", cwd=layout.common, stdin=typed).text
    name = path.rpartition("/")[2].partition("-")[0].removesuffix(".md")
    ref = refs.name_next(layout, f"refs/orchgit/edits/{name}", blob)
    return f"{path}: {', '.join(overruled)} as typed gave way to what orchgit had to write; the typed file is {ref}."


def _edits(before: Task, rule: Rule, given: Sets) -> Values:
    edits: Values = {"status": rule.target.value}
    attempts = lifecycle.attempts_after(rule, before.attempts)
    if attempts != before.attempts:
        edits["attempts"] = attempts
    edits.update({key: yamltext.REMOVE for key in sorted(rule.clears) if key not in given})
    edits.update(given)
    return edits


def _transition_message(
    before: Task, after: Task, attempts: int, credit: Actor, details: Mapping[str, str | None] | None
) -> Message:
    named = {
        "Task": after.id,
        "Transition": f"{before.status} -> {after.status}",
        "Actor": credit.name,
        "Run": after.run or before.run,
        "Attempt": f"{max(before.attempts, after.attempts)}/{attempts}" if before.run or after.run else None,
        "Review-Commit": after.review_commit,
        **(details or {}),
    }
    return Message(f"task({after.id}): {before.status} -> {after.status}", after.title, trailers.given(named))
