"""What somebody typed in the state folder: judged as a command would be, committed or left as it is and told."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

from orchgit.engine import adoption, dispatch, moves, settings, talk, tasks, teams
from orchgit.model import document, edits, misspelt
from orchgit.model import goal as goal_file
from orchgit.model import task as task_file
from orchgit.model.agent import Agent
from orchgit.model.config import Config
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import BusyError, GitError, InvalidFileError, OrchgitError
from orchgit.model.goal import Goal
from orchgit.model.lifecycle import Ask
from orchgit.model.plain import Plain
from orchgit.model.run import Alive, Stop
from orchgit.model.task import Task
from orchgit.model.team import Team
from orchgit.repository import carry, files, index, judged, ledger, loose, merge, runs, states, store, versions
from orchgit.repository.judged import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orchgit.model.actor import Actor
    from orchgit.model.misspelt import Misspelt
    from orchgit.repository.cache import Item
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.lying import Typed
    from orchgit.repository.states import State

MERGING = "A merge or a rebase is under way in .orchestry: what was typed or committed there is judged when it is over."
_GONE = 0.2  # seconds: an editor that saves by renaming takes a file away for a moment
_WAIT = 0.5  # seconds for another writer: an edit can wait for the next look
_REMEMBERED = 200  # versions of a file that a stale buffer may have begun with
_ENDS_RUN: Final = {Ask.CANCEL: Stop.CANCEL, Ask.RELEASE: Stop.RELEASE}


@dataclass(slots=True)
class Taken:
    """What became of what was typed: `news` are lines for a person, `refused` what stays as typed and why.

    `later` are the files that could not be judged now, `hindered` what keeps any from it that a person can end.
    """

    news: list[str] = field(default_factory=list)
    refused: list[InvalidFileError] = field(default_factory=list)
    later: set[str] = field(default_factory=set)
    hindered: str = ""


@dataclass(frozen=True, slots=True)
class _Wish:
    """A step that a typed status asks for, to be taken when the ledger is free again."""

    typed: Typed
    task: Task
    ask: Ask


def take_in(
    layout: Layout,
    person: Actor,
    state: State,
    taken: Taken,
    *,
    patient: bool,
    among: Collection[str] | None = None,
    widely: bool = False,
) -> None:
    """Judge what was typed since the last time, and commit it as `person`'s; only files `among` some.

    Context and messages are looked at where they are among these, or `widely`.

    What can't be committed now, since somebody else writes or the disk is full, waits for the next call. With
    `patient` a run whose task was cancelled or given back has ended when this returns; else it has been asked to end.
    """
    found = {each.path for each in judged.unjudged(layout, state, among=among, widely=widely)}
    taken.later = {path for path in found if files.is_open_for_writing(layout.state / path)}
    if index.is_merging(layout):
        taken.later = found
        taken.hindered = MERGING if found else taken.hindered
    elif found - taken.later:
        try:
            _take_in(layout, replace(person, via="edit"), found - taken.later, taken, patient=patient)
        except (BusyError, GitError, OSError) as error:
            taken.later = found
            if isinstance(error, GitError) or (isinstance(error, BusyError) and index.is_locked(layout)):
                taken.hindered = f"{error.what} What was typed waits for that. {error.next_step}"


def ask(layout: Layout, by: Actor, typed: Typed, taken: Taken, *, patient: bool) -> list[InvalidFileError]:
    """Judge a file that somebody committed, and do what it asks for; return why that was refused, where it was."""
    verdicts: list[Verdict] = []
    wishes: list[_Wish] = []
    with ledger.writing(layout, by) as book, _judging(typed, book, verdicts):
        wishes = take_over(layout, book, typed, taken)
    for wish in wishes:
        verdicts += _carry_out(layout, by, wish, patient=patient)
    return [verdict.error for verdict in verdicts if verdict.reason]


def _take_in(layout: Layout, by: Actor, paths: set[str], taken: Taken, *, patient: bool) -> None:
    wishes: list[_Wish] = []
    verdicts: list[Verdict] = []
    others = index.is_locked(layout)
    with ledger.writing(layout, by, wait=_WAIT) as book:
        if others:  # a person's pull or commit lets go of the index before it moves the branch, which is theirs to do
            time.sleep(_GONE)
        found = judged.unjudged(layout, book.state, among=paths)
        if any(each.data is None for each in found):
            time.sleep(_GONE)
            found = judged.unjudged(layout, book.state, among=paths)
        before = book.state.tasks.copy()
        for each in adoption.renamed_first(found, book.state):
            with _judging(each, book, verdicts):
                wishes += take_over(layout, book, each, taken)
        deleted = [task for task in before.values() if task.id not in book.state.tasks]
    for task in deleted:
        _clear_away(layout, book.state, task, patient=patient)
    for wish in wishes:
        verdicts += _carry_out(layout, by, wish, patient=patient)
    taken.refused += [verdict.error for verdict in verdicts if verdict.reason]
    judged.write(layout, {**judged.read(layout), **{verdict.path: verdict for verdict in verdicts}})


@contextmanager
def _judging(each: Typed, book: Book, verdicts: list[Verdict]) -> Iterator[None]:
    """Note why the file is refused, where it is, and go on with the others; BusyError where it can't be judged now."""
    try:
        yield
    except BusyError:
        raise
    except OrchgitError as error:
        verdicts.append(_verdict(each.path, judged.blob(each.data, book.state), error))


def _verdict(path: str, blob: str, error: OrchgitError) -> Verdict:
    if isinstance(error, InvalidFileError):
        return Verdict(path, blob, error.reason, error.line, error.key, error.next_step)
    return Verdict(path, blob, error.what, next_step=error.next_step)


def take_over(layout: Layout, book: Book, each: Typed, taken: Taken) -> list[_Wish]:
    """Take the file over where that may be, and return the step that it asks for beyond.

    Which of its new keys look misspelt is told.
    """
    before = {near.key for near in _near_misses(book, each.path)}
    wishes = _judge(layout, book, each, taken)
    taken.news += [str(near) for near in _near_misses(book, each.path) if near.key not in before]
    return wishes


def _near_misses(book: Book, path: str) -> list[Misspelt]:
    try:
        return misspelt.keys(path, book.text(path)) if misspelt.known(path) and book.exists(path) else []
    except InvalidFileError:
        return []


def _judge(layout: Layout, book: Book, each: Typed, taken: Taken) -> list[_Wish]:
    """Take the file over, as what it is."""
    if not each.is_file:
        raise InvalidFileError(each.path, "is not a file", next_step="Move it elsewhere.")
    if loose.belongs(each.path):
        talk.take_over(book, each)
        return []
    item = _known(book.state, each.path)
    if each.data is None:
        adoption.remove(book, each.path, item, taken.news)
        return []
    text = document.decode(each.path, each.data)
    if each.path.startswith(f"{goal_file.FOLDER}/") and not isinstance(item, Goal):
        adoption.adopt_goal(book, each, text, taken.news)
        return []
    if not each.path.startswith(f"{task_file.FOLDER}/"):
        _settings(layout, book, each, text, is_new=item is None)
        return []
    if not isinstance(item, Task):
        item = adoption.adopt(layout, book, each, text, taken.news)
        return [] if item is None else _task(layout, book, item, each, text, renamed=True)
    return _task(layout, book, item, each, text)


def _known(state: State, path: str) -> Item | None:
    """Return what the file is known as; a copy, whose id or name is another file's, is known as nothing but a file."""
    item = state.items[path][1] if path in state.items else None
    return item if item is None or states.stands(state, item) else Plain(path)


def _task(layout: Layout, book: Book, head: Task, each: Typed, text: str, *, renamed: bool = False) -> list[_Wish]:
    """Take over what was typed in a task's file, and return the step that its status asks for."""
    assert each.data is not None
    committed = book.text(head.path)
    text = adoption.with_missing(text, committed)
    typed = task_file.read(each.path, text)
    began = _base(layout, book, head, committed, typed)
    merged = text if began == committed else _merged(layout, head, began, committed, text)
    after = task_file.read(each.path, merged)
    tasks.refuse_circle(after, book.state)
    line = document.parse(merged).line
    ask = edits.asked(head, after, book.actor, line=line)
    if ask is not None and renamed:
        reason, next_step = "was renamed in the same go", "Put the status back, and change it after that."
        raise InvalidFileError(each.path, reason, line=line("status"), key="status", next_step=next_step)
    if ask is None:
        book.typed[each.path] = each.data
        if merged == committed and not renamed:
            _refresh(layout, each, committed)
        book.rewrite(head.id, merged)
        return []
    return [_Wish(each, book.rewrite(head.id, document.edit(merged, {"status": head.status.value})), ask)]


def _base(layout: Layout, book: Book, head: Task, committed: str, typed: Task) -> str:
    """Return the version that an edit began with: the newest one with the same status and engine keys, else HEAD."""
    wanted = task_file.stand(typed)
    if wanted == task_file.stand(head):
        return committed
    for blob in versions.blobs(layout, book.state.tip, head.path, most=_REMEMBERED):
        found = book.reader.object(blob)
        item = states.parse(head.path, found[1]) if found else None
        if found and isinstance(item, Task) and task_file.stand(item) == wanted:
            return document.decode(head.path, found[1])
    return committed


def _merged(layout: Layout, head: Task, base: str, committed: str, typed: str) -> str:
    """Return `typed`, which began as `base`, with what has been committed since."""
    base_, ours, now = (document.encode(text) for text in (base, committed, typed))
    found = merge.three_way(head.path, base=base_, ours=ours, typed=now)
    if found.overruled:
        ref = carry.keep_aside(layout, head.path, like=ours, typed=now)
        raise InvalidFileError(
            head.path,
            f"{', '.join(found.overruled)} was changed by somebody else meanwhile; what was typed is kept as {ref}",
            key=found.overruled[0],
            next_step="Load the file anew and edit it again.",
        )
    return document.decode(head.path, found.data)


def _refresh(layout: Layout, each: Typed, committed: str) -> None:
    """Put the committed file in the place of a stale one: nothing in that was anybody's wish."""
    files.swap(layout.state / each.path, document.encode(committed), seen=each.data)


def _settings(layout: Layout, book: Book, each: Typed, text: str, *, is_new: bool) -> None:
    assert each.data is not None
    match states.parse(each.path, each.data):
        case InvalidFileError() as error:
            raise error
        case Agent() as agent:
            dispatch.check(agent, book.state.config)
            what = f"agent({agent.name})"
        case Goal() as goal:
            known = book.state.items[each.path][1]
            if isinstance(known, Goal) and known.id != goal.id:
                raise InvalidFileError(each.path, f"was {known.id}, and stays that", key="id")
            what = f"goal({goal.id})"
        case Team() as team:
            teams.refuse_unknown(team, text, known=book.state.agents)
            what = f"team({team.name})"
        case Config() as config:
            settings.refuse_unusable(layout, config)
            what = "config"
        case _:
            what = each.path
    book.typed[each.path] = each.data
    book.put(each.path, text, f"{what}: {'created' if is_new else 'edit'}")


def _carry_out(layout: Layout, by: Actor, wish: _Wish, *, patient: bool) -> list[Verdict]:
    """Take the step that was asked for, as a command does; return what keeps its file from being judged again."""
    path = wish.typed.path
    state = store.newest(layout)
    blob = judged.blob(files.read(layout.state / path), state)
    place = runs.folder(layout, wish.task.run) if wish.task.run else None
    if wish.ask in _ENDS_RUN and place is not None and not patient and isinstance(runs.observe(place), Alive):
        runs.ask_to_stop(place, _ENDS_RUN[wish.ask], by=by)
        return [Verdict(path, blob)]
    try:
        _step(layout, state, by, wish)
    except OrchgitError as error:
        line = document.parse(document.decode(path, wish.typed.data or b"")).line("status")
        return [Verdict(path, blob, error.what, line, "status", error.next_step)]
    return []


def _clear_away(layout: Layout, state: State, task: Task, *, patient: bool) -> None:
    from orchgit.engine import clearing

    if task.branch and patient:
        clearing.clear_away(layout, state.config, task)
    elif task.branch:
        clearing.in_background(clearing.clear_away, layout, state.config, task)


def _step(layout: Layout, state: State, by: Actor, wish: _Wish) -> None:
    match wish.ask:
        case Ask.TAKE:
            moves.take(layout, by, wish.task)
        case Ask.SUBMIT:
            moves.submit(layout, state, by, wish.task, commit=None, start=layout.root)
        case Ask.RELEASE:
            moves.release(layout, by, wish.task)
        case Ask.CANCEL:
            moves.cancel(layout, state, by, wish.task)
        case Ask.GIVE_UP:
            moves.give_up(layout, by, wish.task)
        case Ask.REOPEN:
            moves.retry(layout, by, wish.task)
        case Ask.APPROVE:
            from orchgit.engine import review  # GitPython, for the edit in a hundred that needs it

            review.approve(layout, state, wish.task, by)
        case Ask.REJECT:
            from orchgit.engine import review

            review.reject(layout, wish.task, by)
        case _:
            raise AssertionError(f"{wish.ask} is no person's to ask for")
