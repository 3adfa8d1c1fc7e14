"""The message of a commit that a person makes in the state folder: told by what is staged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import config, document, trailers
from orchgit.model.agent import Agent
from orchgit.model.config import Config
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError
from orchgit.model.goal import Goal
from orchgit.model.task import Task
from orchgit.model.team import Team
from orchgit.model.trailers import Message
from orchgit.repository import files, find, git, objects, states

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.repository.cache import Item
    from orchgit.repository.layout import Layout

_VIA = ("Via", "edit")


@dataclass(frozen=True, slots=True)
class _Change:
    """One staged file, before and after; None where there is none. `text` and `old_text` are "" where there is none."""

    path: str
    before: Item | None
    after: Item | None
    old_text: str = ""
    text: str = ""

    @property
    def item(self) -> Item | None:
        readable = not isinstance(self.after, InvalidFileError | None)
        return self.after if readable else self.before


def write(layout: Layout, place: Path, *, typed: bool) -> None:
    """Put the message into the file that git hands to its hook; what was `typed` with -m stays, and gets trailers.

    There is no `Transition` among these: what a person commits is a request, and orchgit carries it out. Nor is there
    an `Actor`: the commit has its author.
    """
    made = _message(tuple(_staged(layout)))
    if made is None:
        return
    now = files.read(place) or b""
    if now.partition(b"\n")[0].strip() or typed:
        _add_trailers(layout, place, made)
    else:
        files.replace(place, trailers.render(made).encode() + now)


def _add_trailers(layout: Layout, place: Path, message: Message) -> None:
    words = [word for key, value in message.trailers for word in ("--trailer", f"{key}: {value}")]
    what = ("--in-place", "--no-divider", "--if-exists", "doNothing")
    git.run("interpret-trailers", *what, *words, place.absolute(), cwd=layout.common)


def _message(changes: tuple[_Change, ...]) -> Message | None:
    if not changes:
        return None
    tasks = {each.item.id for each in changes if isinstance(each.item, Task)}
    if len(tasks) == 1 and all(isinstance(each.item, Task) for each in changes):
        return _about_task(tasks.pop(), changes)
    subjects = [_subject(each) for each in changes]
    if len(changes) == 1:
        return Message(subjects[0], "", (_VIA,))
    return Message(f"state: {len(changes)} files edited", "\n".join(subjects), (_VIA,))


def _about_task(task: str, changes: tuple[_Change, ...]) -> Message:
    item = next(each.item for each in changes if isinstance(each.item, Task))
    subject = _subject(changes[0]) if len(changes) == 1 else f"task({task}): renamed"
    return Message(subject, item.title, (("Task", task), _VIA))


def _subject(change: _Change) -> str:
    match change.item:
        case Task(id=name):
            return f"task({name}): {_what(change)}"
        case Agent(name=name):
            return f"agent({name}): {_what(change, gone='removed')}"
        case Goal(id=name):
            return f"goal({name}): {_what(change)}"
        case Team(name=name):
            return f"team({name}): {_what(change, gone='disbanded')}"
        case _:
            named = "config" if change.path == config.PATH else change.path
            return f"{named}: {_what(change)}"


def _what(change: _Change, *, gone: str = "deleted") -> str:
    if change.before is None and not change.old_text:
        return "created"
    if change.after is None and not change.text:
        return gone
    match change.before, change.after:
        case Task(status=old), Task(status=new) if old is not new:
            return f"{old} -> {new}"
    return f"edit {', '.join(_keys(change))}".rstrip()


def _keys(change: _Change) -> list[str]:
    """Return the names of what differs: keys, and `body`; nothing where the files can't be compared."""
    if isinstance(change.before, Config) or not change.path.endswith(".md"):
        return []
    try:
        old, new = document.parse(change.old_text), document.parse(change.text)
    except InvalidFileError:
        return []
    keys = [key for key in {**old.values, **new.values} if old.values.get(key) != new.values.get(key)]
    return [*keys, *(["body"] if old.body != new.body else [])]


def _staged(layout: Layout) -> Iterator[_Change]:
    own = find.git_directory(layout.state)
    env = git.index_of_commit(own) if own else {}
    what = ("--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "HEAD")
    said = git.run("diff-index", *what, "--", cwd=layout.state, env=env).fields
    entries = [(path, *meta.split()[2:4]) for meta, path in zip(said[::2], said[1::2], strict=True)]
    blobs = [blob for _, *pair in entries for blob in pair if set(blob) != {"0"}]
    known = dict(zip(blobs, objects.blobs(blobs, cwd=layout.common), strict=True))
    for path, before, after in entries:
        old, new = known.get(before), known.get(after)
        texts = ((data or b"").decode(errors="replace") for data in (old, new))
        yield _Change(path, _read(path, old), _read(path, new), *texts)


def _read(path: str, data: bytes | None) -> Item | None:
    return states.parse(path, data) if data is not None and states.belongs(path) else None
