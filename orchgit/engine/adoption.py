"""Files that somebody put into the state folder, renamed there or took away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.engine import agents, drafts, goals, tasks
from orchgit.model import config, document, edits, fields, yamltext
from orchgit.model import goal as goal_file
from orchgit.model import task as task_file
from orchgit.model.agent import Agent
from orchgit.model.errors import AmbiguousError, InvalidFileError, NotFoundError
from orchgit.model.goal import Goal
from orchgit.model.goal import Status as GoalStatus
from orchgit.model.task import Status, Task
from orchgit.model.team import Team
from orchgit.repository import carry, states

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchgit.repository.cache import Item
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.lying import Typed
    from orchgit.repository.states import State

Keys = dict[str, yamltext.Value | yamltext.Remove]


def renamed_first(found: Iterable[Typed], state: State) -> list[Typed]:
    """Return what was typed in the order to judge it in: new files first, since one of them may be a gone one's."""
    return sorted(found, key=lambda each: (each.data is None, each.path in state.items, each.path))


def refuse_unfit(path: str, text: str) -> None:
    """InvalidFileError where the new file of a task or a goal could not be adopted, for what it says by itself."""
    if path.startswith(f"{goal_file.FOLDER}/"):
        draft = document.parse(text)
        fields.typed(path, draft.values, goal_file.READERS, line=draft.line)
    elif not text.strip():
        raise InvalidFileError(path, "is empty", next_step="Its first heading will be the task's title.")
    else:
        draft = drafts.read(text, path)
        edits.refuse_begun(path, draft.values, line=draft.line)
    if draft.values.get("title") is None:
        _title(path, draft)


def adopt(layout: Layout, book: Book, each: Typed, text: str, news: list[str]) -> Task | None:
    """Make a task of a new file: what it lacks is filled in, in place. A renamed task is returned, at its new name."""
    if not text.strip():
        raise InvalidFileError(each.path, "is empty", next_step="Its first heading will be the task's title.")
    draft = drafts.read(text, each.path)
    _tell_of_strangers(book, each.path, draft, news)
    known = book.state.tasks.get(str(draft.values.get("id")))
    if known is not None and not (layout.state / known.path).exists():
        book.move(known.path, each.path, f"task({known.id}): renamed", details={"Task": known.id})
        return book.state.tasks[known.id]
    made = document.edit(text, _filled(book, each, draft, is_copy=known is not None))
    task = task_file.read(each.path, made)
    tasks.refuse_circle(task, book.state)
    if known is not None and each.data not in (None, document.encode(book.text(known.path))):
        assert each.data is not None
        carry.keep_aside(layout, each.path, like=document.encode(made), typed=each.data)  # lines of it go
    _let_go(book, each.path)
    book.typed[each.path] = each.data
    book.put(each.path, made, f"task({task.id}): created", body=task.title, details={"Task": task.id})
    news.append(f"{each.path} is {task.id} now: {task.title}")
    return None


def adopt_goal(book: Book, each: Typed, text: str, news: list[str]) -> None:
    """Make a goal of a new file: what it lacks is filled in, in place. A renamed one keeps its past."""
    draft = document.parse(text)
    known = book.state.goals.get(str(draft.values.get("id")))
    if known is not None and not (book.layout.state / known.path).exists():
        old = book.text(known.path)
        book.move(known.path, each.path, f"goal({known.id}): renamed", details={"Goal": known.id})
        if text != old:
            book.put(each.path, text, f"goal({known.id}): edit", details={"Goal": known.id})
        return
    made = document.edit(text, _filled_goal(book, each, draft, is_copy=known is not None))
    goal = goal_file.read(each.path, made)
    _let_go(book, each.path)
    book.typed[each.path] = each.data
    book.put(each.path, made, f"goal({goal.id}): created", body=goal.title, details={"Goal": goal.id})
    news.append(f"{each.path} is {goal.id} now: {goal.title}")


def _tell_of_strangers(book: Book, path: str, draft: document.Document, news: list[str]) -> None:
    name = draft.values.get("assignee")
    said = book.state.stranger(fields.line(name)) if name is not None else ""
    if said:
        news.append(f"{path}:{draft.line('assignee')}: assignee: {said}")


def _let_go(book: Book, path: str) -> None:
    """Take a committed copy away, whose id is another file's: what is made of it begins after that."""
    known = book.state.items.get(path)
    if known is not None and not states.stands(book.state, known[1]):
        book.remove(path, f"{path}: removed")


def _filled_goal(book: Book, each: Typed, draft: document.Document, *, is_copy: bool) -> Keys:
    keys: Keys = {}
    if is_copy or draft.values.get("id") is None:
        keys["id"] = goals.fresh_id(book.state)
    if draft.values.get("title") is None:
        keys["title"] = _title(each.path, draft)
    if draft.values.get("status") is None:
        keys["status"] = GoalStatus.ACTIVE.value
    if is_copy or draft.values.get("created") is None:
        keys["created"] = datetime.now(UTC)
    return keys


def with_missing(text: str, committed: str) -> str:
    """Return a known task's file with what it lacks, where it lacks the id: it is from before it was adopted."""
    values = document.parse(text).values
    if values.get("id") is not None:
        return text
    known = document.parse(committed).values
    return document.edit(text, {key: value for key, value in known.items() if values.get(key) is None})


def remove(book: Book, path: str, item: Item | None, news: list[str]) -> None:
    """Take a deleted file's removal over; its last text stays in the history. InvalidFileError where it is needed."""
    back = "`orchgit undo` brings it back"
    match item:
        case None:
            return  # it has another name by now
        case Task():
            if item.run is not None:
                next_step = f"`orchgit task cancel {item.id}` stops that first."
                raise InvalidFileError(path, f"was deleted, and {item.agent} is working on it", next_step=next_step)
            book.remove(path, f"task({item.id}): deleted", body=item.title, details={"Task": item.id})
            what, back = f"{item.id} is deleted", f"`orchgit undo {item.id}` brings it back"
        case Agent():
            agents.refuse_busy(book.state, item.name)
            book.remove(path, f"agent({item.name}): removed")
            what = f"{item.name} is off the team"
        case Goal():
            goals.refuse_served(book.state, item)
            book.remove(path, f"goal({item.id}): deleted", body=item.title, details={"Goal": item.id})
            what, back = f"{item.id} is deleted", f"`orchgit undo {item.id}` brings it back"
        case Team():
            book.remove(path, f"team({item.name}): disbanded")
            what = f"the team {item.name} is disbanded"
        case _ if path == config.PATH:
            raise InvalidFileError(path, "was deleted, and the team needs it", next_step="`git restore` has it back.")
        case _:
            book.remove(path, f"{path}: removed")
            what = "nothing is read from it any more"
    news.append(f"{path} is gone, and {what}: {back}.")


def _filled(book: Book, each: Typed, draft: document.Document, *, is_copy: bool) -> Keys:
    """Return the keys that a new task's file lacks; a copy of a task's file begins anew."""
    if not is_copy:
        edits.refuse_begun(each.path, draft.values, line=draft.line)
    keys: Keys = {"id": tasks.fresh_id(book, draft)}
    if draft.values.get("title") is None:
        keys["title"] = _title(each.path, draft)
    if is_copy or draft.values.get("status") is None:
        keys["status"] = Status.TODO.value
    if is_copy or draft.values.get("created") is None:
        keys["created"] = datetime.now(UTC)
    if is_copy:
        keys.update({key: yamltext.REMOVE for key in task_file.ENGINE_KEYS if key in draft.values})
    if draft.values.get("depends_on") is not None:
        typed = fields.words(draft.values["depends_on"])
        wanted = [_meant(book, each.path, draft, word) for word in typed]
        if tuple(wanted) != typed:
            keys["depends_on"] = wanted
    return keys


def _meant(book: Book, path: str, draft: document.Document, word: str) -> str:
    """Return the id that a dependency was typed as; InvalidFileError where it names no task."""
    try:
        return tasks.whole_id(book, word)
    except NotFoundError as error:
        named = next((task for task in book.state.tasks.values() if task.path == f"{task_file.FOLDER}/{word}.md"), None)
        next_step = f"{named.path} is {named.id}." if named else error.next_step
        reason = error.what if isinstance(error, AmbiguousError) else f"{word!r} is no id of a task, nor how one begins"
        line = draft.line("depends_on")
        raise InvalidFileError(path, reason, line=line, key="depends_on", next_step=next_step) from None


def _title(path: str, draft: document.Document) -> str:
    """Return the first heading, else what the file's name says; InvalidFileError where neither can be a title."""
    try:
        return fields.line(document.title_of(draft.body) or _spoken(path))
    except ValueError as error:
        next_step = "Give it another heading, or a `title:` in front matter."
        raise InvalidFileError(path, f"its title would be one that {error}", next_step=next_step) from None


def _spoken(path: str) -> str:
    """Return a file's name as a title: `tasks/fix-the-login.md` is "fix the login"."""
    return " ".join(path.rpartition("/")[2].removesuffix(".md").replace("-", " ").replace("_", " ").split()) or path
