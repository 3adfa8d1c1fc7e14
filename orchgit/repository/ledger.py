"""The only writer of state: every change is judged, committed, and carried into the files that lie there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import field, replace
from typing import TYPE_CHECKING

from orchgit.model import document, lifecycle, limits, summary, task, trailers, yamltext
from orchgit.model.actor import Kind
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import NotFoundError, OrchgitError, RefusedError, StaleError
from orchgit.model.trailers import Message
from orchgit.repository import files, identity, index, landing, objects, settled, states, store, stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from orchgit.model.actor import Actor
    from orchgit.model.lifecycle import Ask, Rule
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.objects import Reader
    from orchgit.repository.states import State

WAIT = 10.0  # seconds for other writers
LONG = 60.0  # for what many may write at once, and nobody asks for again: none of it may be lost

Sets = Mapping[str, yamltext.Value | yamltext.Remove]
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
    unmerged: frozenset[str] = frozenset()
    unjudged: frozenset[str] = frozenset()
    settles: bool = False
    commits: list[stream.Commit] = field(default_factory=list)
    before: dict[str, bytes | None] = field(default_factory=dict)
    after: dict[str, bytes | None] = field(default_factory=dict)
    typed: dict[str, bytes | None] = field(default_factory=dict)

    def settle(self) -> None:
        """Let all that others have committed count as judged when this ends, with what is asked for until then."""
        self.settles, self.unjudged = True, frozenset()

    @contextmanager
    def in_the_name_of(self, actor: Actor) -> Iterator[None]:
        """Let `actor` be the author of what is asked for in the `with`."""
        before, self.actor = self.actor, actor
        try:
            yield
        finally:
            self.actor = before

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
        words: str = "",
        details: Mapping[str, str | None] | None = None,
    ) -> Task:
        """Carry `ask` out on the task as it stands now; RefusedError where the lifecycle says no.

        `credit` is whose work it is, where not the one who asks; `words` are an agent's last ones, for the commit to
        keep; `details` are further trailers.
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
        attempts = self._attempts(before)
        after = self._change_task(before.path, text)
        message = _transition_message(before, after, attempts, credit or self.actor, words=words, details=details)
        self._commit(message, before.path, credit=credit)
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
        if text == old:
            return before
        what = ", ".join([*edits, *(["body"] if body is not None else [])])
        return self._edit(before, text, f"edit {what}", details)

    def rewrite(self, task_id: str, text: str) -> Task:
        """Take over a task's whole file as typed; whoever calls has seen that no guarded key differs."""
        before = self.state.task(task_id)
        old = self.text(before.path)
        if text == old:
            return before
        after = self._edit(before, text, " ".join(["edit", _changed(old, text)]).strip())
        assert task.stand(after) == task.stand(before), f"{task_id} was moved on by an edit"
        return after

    def put(
        self,
        path: str,
        text: str,
        subject: str,
        *,
        body: str = "",
        details: Mapping[str, str | None] | None = None,
        along: Mapping[str, bytes] | None = None,
    ) -> None:
        """Make or change a file that is no task's, or make a task's, with the files that come `along` in one commit."""
        self.change({path: document.encode(text), **(along or {})}, subject, body=body, details=details)

    def change(
        self,
        contents: Mapping[str, bytes | None],
        subject: str,
        *,
        body: str = "",
        details: Mapping[str, str | None] | None = None,
    ) -> None:
        """Make, change and remove (None) several files in one commit, in this order."""
        for path, data in contents.items():
            self._change(path, data)
        message = Message(subject, body, trailers.given({**(details or {}), **_asker(self.actor)}))
        self._commit(message, *contents)

    def move_all(
        self, moves: Mapping[str, str], subject: str, *, details: Mapping[str, str | None] | None = None
    ) -> None:
        """Give files other names, in one commit."""
        contents: dict[str, bytes | None] = {}
        for path, to in moves.items():
            contents |= {path: None, to: self._read(path)}
        self.change(contents, subject, details=details)

    def listed(self, folder: str) -> list[str]:
        """Return the files that lie directly in `folder` now, changes asked for included."""
        found = {f"{folder}/{name}" for name in self.reader.tree(f"{self.state.tip}:{folder}")}
        asked = {path: data for path, data in self.after.items() if path.rpartition("/")[0] == folder}
        return sorted(path for path in found | asked.keys() if asked.get(path, b"") is not None)

    def move(self, path: str, to: str, subject: str, *, details: Mapping[str, str | None] | None = None) -> None:
        """Give a file another name, in one commit."""
        self.move_all({path: to}, subject, details=details)

    def remove(
        self, path: str, subject: str, *, body: str = "", details: Mapping[str, str | None] | None = None
    ) -> None:
        self.change({path: None}, subject, body=body, details=details)

    def restore(self, versions: Mapping[str, bytes | None], message: Message) -> None:
        """Set files again as an earlier commit has them (None: it has none), in one commit.

        Whoever calls has seen that the lifecycle bears what they say then; `message` names that commit.
        """
        for path, data in sorted(versions.items(), key=lambda each: each[1] is not None):
            self._change(path, data, takes_back=True)  # what goes first lets go of its id
        self._commit(message, *versions)

    def is_taken(self, task_id: str) -> bool:
        """Has a task that id, an archived one too?"""
        if task_id in self.state.tasks:
            return True
        return (self.layout.state / task.ARCHIVE).exists() and bool(
            store.in_archive(self.layout, self.state.tip, task_id)
        )

    def archive(self, wanted: Iterable[Task], *, now: datetime) -> list[Task]:
        """Move closed tasks out of the way, in one commit, and return them; one whose file is being edited is left."""
        moved: list[Task] = []
        paths: list[str] = []
        for each in wanted:
            before = self.state.task(each.id)
            data = self._read(before.path)
            if before.status not in task.CLOSED or data is None or files.read(self.layout.state / before.path) != data:
                continue
            path = task.archived_path(before, now)
            self._change(before.path, None)
            self._change(path, data)
            paths += [before.path, path]
            moved.append(replace(before, path=path))
        if moved:
            named = (*(("Task", each.id) for each in moved), ("Actor", self.actor.name))
            subject = f"archive: {len(moved)} closed task{'s' if moved[1:] else ''}"
            self._commit(Message(subject, trailers=named), *paths)
        return moved

    def unarchive(self, archived: Task) -> None:
        """Bring a task back from the archive."""
        path = f"{task.FOLDER}/{archived.path.rpartition('/')[2]}"
        data = self._read(archived.path)
        if data is None or archived.id in self.state.tasks:
            raise NotFoundError(f"{archived.id} is not in the archive any more.", "Ask again.")
        self._change(path, data)
        self._change(archived.path, None)
        named = trailers.given({"Task": archived.id, "Actor": self.actor.name})
        message = Message(f"task({archived.id}): back from the archive", archived.title, named)
        self._commit(message, path, archived.path)

    def _attempts(self, before: Task) -> int:
        agent = self.state.agents.get(before.agent or before.assignee or "")
        return limits.max_attempts(before, agent, self.state.config)

    def _edit(self, before: Task, text: str, what: str, details: Mapping[str, str | None] | None = None) -> Task:
        after = self._change_task(before.path, text)
        named = {"Task": before.id, **_asker(self.actor), **(details or {})}
        self._commit(Message(f"task({before.id}): {what}", after.title, trailers.given(named)), before.path)
        return after

    def _change_task(self, path: str, text: str) -> Task:
        self._change(path, document.encode(text))
        item = self.state.items[path][1]
        assert isinstance(item, task.Task)
        return item

    def _change(self, path: str, data: bytes | None, *, takes_back: bool = False) -> None:
        if path in self.unmerged:
            what = f"{path} is in conflict: a merge is under way in .orchestry."
            raise RefusedError(
                what,
                "Finish it there: `git -C .orchestry merge --continue`, after git add, or `merge --abort`.",
            )
        if path in self.unjudged:
            raise StaleError(f"{path} was committed by others just now, and is not judged yet.", "Ask again.")
        self._read(path)
        self.state = states.change(self.state, path, data, takes_back=takes_back)
        self.after[path] = data

    def _read(self, path: str) -> bytes | None:
        if path in self.after:
            return self.after[path]
        if path not in self.before:
            self.before[path] = self._committed(path)
        return self.before[path]

    def _committed(self, path: str) -> bytes | None:
        """Return the bytes of `path` at the tip; the file that lies there has them, mostly, and no git is needed."""
        known = self.state.items.get(path)
        if known is None:
            return None if states.belongs(path) else self.reader.file(self.state.tip, path)
        lying = files.read(self.layout.state / path)
        if lying is not None and objects.blob_id(lying, like=known[0]) == known[0]:
            return lying
        found = self.reader.object(known[0])
        return found[1] if found else None

    def _commit(self, message: Message, *paths: str, credit: Actor | None = None) -> None:
        contents = ((path, self.after[path]) for path in paths)
        changes = tuple(stream.Remove(path) if data is None else stream.Put(path, data) for path, data in contents)
        author, committer = (
            stream.Signature(who.name, who.email, self.seconds) for who in (credit or self.actor, self.committer)
        )
        self.commits.append(stream.Commit(trailers.render(message), author, committer, changes))


@contextmanager
def writing(layout: Layout, actor: Actor, *, wait: float = WAIT) -> Iterator[Book]:
    """Hold the ledger: what the `with` asks of the book is committed when it ends well, and none of it where it raises.

    Keep it short: every other writer waits, for `wait` seconds at most (BusyError). A file that others have committed
    is not written before that was judged (StaleError).
    """
    committer = actor if actor.kind is Kind.PERSON else identity.machine(layout.common)
    with landing.holding(layout, wait=wait) as held:
        state = states.draft(store.read(layout, held.tip, held.reader))
        conflicts = index.unmerged(layout)
        unjudged = settled.touched(layout, held.tip)
        book = Book(layout, actor, state, committer, int(time.time()), held.reader, conflicts, unjudged)
        tell(held.mended)
        yield book
        if book.commits:
            changes = [
                landing.Change(path, book.before[path], after, book.typed.get(path, book.before[path]))
                for path, after in book.after.items()
            ]
            landed = landing.land(held, book.commits, changes)
            if book.settles and landed.parent == held.tip:
                settled.note(layout, held.tip)
            settled.follow(layout, parent=landed.parent, tip=landed.tip)
            tell(landed.notices)
            if landed.parent == book.state.tip:
                store.remember(layout, book.state, landed.tip)
        elif book.settles:
            settled.note(layout, held.tip)


def tell(notices: Iterable[str]) -> None:
    """Log what a person should know; where whoever runs this has not set up logging, it goes to stderr."""
    for notice in notices:
        import logging

        logging.getLogger("orchgit").warning("orchgit: %s", notice)


def mend(layout: Layout) -> None:
    """Finish what a writer that died has begun, where one has, and it can be done at once.

    Where it can't, nothing is raised: what is committed can be read all the same, and the next writer says why.
    """
    if index.is_left(layout):
        with suppress(OrchgitError, OSError), landing.holding(layout, wait=0) as held:
            tell(held.mended)


def _edits(before: Task, rule: Rule, given: Sets) -> Values:
    edits: Values = {"status": rule.target.value}
    attempts = lifecycle.attempts_after(rule, before.attempts)
    if attempts != before.attempts:
        edits["attempts"] = attempts
    edits.update({key: yamltext.REMOVE for key in sorted(rule.clears) if key not in given})
    edits.update(given)
    return edits


def _asker(who: Actor) -> dict[str, str]:
    return {"Actor": who.name, "Via": who.via}


def _changed(old: str, new: str) -> str:
    """Return what differs between two texts of a file: its keys, and `body`; "" where it is just how they look."""
    before, after = document.parse(old), document.parse(new)
    keys = dict.fromkeys([*before.values, *after.values])
    changed = [key for key in keys if before.values.get(key) != after.values.get(key)]
    return ", ".join([*changed, *(["body"] if before.body != after.body else [])])


def _transition_message(
    before: Task, after: Task, attempts: int, credit: Actor, *, words: str, details: Mapping[str, str | None] | None
) -> Message:
    run = after.run or before.run
    agent = (after.agent or before.agent) if run else None
    named = {
        "Task": after.id,
        "Transition": f"{before.status} -> {after.status}",
        **_asker(credit),
        "Run": run,
        "Agent": agent if agent != credit.name else None,
        "Attempt": f"{max(before.attempts, after.attempts)}/{attempts}" if run else None,
        "Review-Commit": after.review_commit,
        **(details or {}),
    }
    subject = f"task({after.id}): {before.status} -> {after.status}"
    return Message(subject, summary.body(after.title, words), trailers.given(named))
