"""Checks the files of the state folder: as they lie there, or as they are staged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import agent, document, edits, goal, letter, misspelt, task
from orchgit.model.errors import InvalidFileError
from orchgit.model.goal import Goal
from orchgit.model.plain import Plain
from orchgit.model.task import Task
from orchgit.repository import find, git, identity, index, loose, objects, states, store
from orchgit.repository.layout import STATE_REF

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from orchgit.model.misspelt import Misspelt
    from orchgit.repository.cache import Item, Items
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State


def faults(layout: Layout, *, staged: bool = False) -> tuple[InvalidFileError, ...]:
    """Return what is wrong with the files of the state, prompt templates among them, a fault a file.

    `staged` reads the index instead; of context and messages, which may be many, only what a commit would change.
    """
    read = _staged(layout) if staged else _judged(layout)
    state = states.assemble("", (item for _, item in sorted(read, key=lambda each: each[0])))
    return (*state.broken, *_strangers(layout, state, staged=staged))


def _judged(layout: Layout) -> Iterator[tuple[str, Item]]:
    """Read what lies in the state folder; what was no task or goal yet is judged as what it could become."""
    tip = git.commit_of(STATE_REF, cwd=layout.common)
    known = store.read(layout, tip).items if tip else {}
    lying = list(_lying(layout))
    ids = {item.id for _, item in known.values() if isinstance(item, Task | Goal)}
    for path, data in lying:
        before = known[path][1] if path in known else None
        yield path, _read(path, data) if isinstance(before, Task | Goal) else _new(path, data, ids)


def _new(path: str, data: bytes | None, ids: Collection[str]) -> Item:
    """Read a new file by the rules of adoption, which fill in what it lacks; one with a known id is no new one."""
    found = _read(path, data)
    if data is None or not path.startswith((f"{task.FOLDER}/", f"{goal.FOLDER}/")):
        return found
    if isinstance(found, Task | Goal) and found.id in ids:
        return found
    from orchgit.engine import adoption  # what writes, which `status` does without

    try:
        adoption.refuse_unfit(path, document.decode(path, data))
    except InvalidFileError as error:
        return error.at(path)
    return Plain(path) if isinstance(found, InvalidFileError) else found


def near_misses(layout: Layout, *, staged: bool = False) -> list[Misspelt]:
    """Return the misspelt keys of what lies in the state folder, or of what is staged and not committed."""
    read = _newly_staged(layout) if staged else _lying(layout)
    found = []
    for path, data in sorted(read):
        if data is not None and misspelt.known(path):
            found += misspelt.keys(path, data.decode("utf-8", errors="replace"))
    return found


def _strangers(layout: Layout, state: State, *, staged: bool) -> Iterator[InvalidFileError]:
    """Yield which teams have members that are no agents; a commit is not held up by what is so already."""
    from orchgit.engine import teams

    known = set(state.agents) | {agent.name_of(each.path) for each in state.broken if agent.belongs(each.path)}
    tip = git.commit_of(STATE_REF, cwd=layout.common) if staged else None
    if tip is not None:
        before = store.read(layout, tip)
        known |= {name for team in before.teams.values() for name in team.everyone} - before.agents.keys()
    for team in sorted(state.teams.values(), key=lambda each: each.path):
        try:
            teams.refuse_unknown(team, _text(layout, team.path, staged=staged), known=known)
        except InvalidFileError as error:
            yield error


def _text(layout: Layout, path: str, *, staged: bool) -> str:
    if not staged:
        return (layout.state / path).read_text(encoding="utf-8", errors="surrogateescape")
    own = find.git_directory(layout.state)
    env = git.index_of_commit(own) if own else {}
    return document.decode(path, git.run("cat-file", "blob", f":{path}", cwd=layout.state, env=env).out)


def _read(path: str, data: bytes | None) -> Item:
    if data is None:
        return InvalidFileError(path, "is not a file")
    if loose.belongs(path):
        return loose.fault(path, data) or Plain(path)
    return _template(path, data) if states.is_template(path) else states.parse(path, data)


def _template(path: str, data: bytes) -> Item:
    from orchgit.model import prompt  # the template engine, for the one file that needs it

    try:
        prompt.check(document.decode(path, data), path=path)
    except InvalidFileError as error:
        return error
    return Plain(path)


def uncommitted(layout: Layout, *, widely: bool = False) -> tuple[str, ...]:
    """Return the files of the state folder that differ from the state branch: they are in force once committed.

    Context and messages, which may be many, are looked at with `widely`.
    """
    paths = () if widely else ("--", ".", *(f":(exclude){folder}" for folder in loose.FOLDERS))
    said = git.run("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", *paths, cwd=layout.state)
    return tuple(entry[3:] for entry in said.fields)


def _staged(layout: Layout) -> Iterator[tuple[str, Item]]:
    """Read what is staged; what is as the state branch has it was read before: a commit of one file reads one."""
    own = find.git_directory(layout.state)
    said = git.run("ls-files", "--stage", "-z", cwd=layout.state, env=git.index_of_commit(own) if own else {})
    entries = [(path, *meta.split()[:2]) for meta, _, path in (entry.partition("\t") for entry in said.fields)]
    tip = git.commit_of(STATE_REF, cwd=layout.common)
    known = store.read(layout, tip).items if tip else {}
    wanted = []
    for path, mode, blob in entries:
        if mode.startswith("100") and path in known and known[path][0] == blob:
            yield path, known[path][1]
        elif states.belongs(path):
            wanted.append((path, mode, blob))
    contents = list(objects.blobs((blob for _, _, blob in wanted), cwd=layout.common))
    judge = _judge_of(layout, known, {path for path, _, _ in entries})
    for (path, mode, _), content in zip(wanted, contents, strict=True):
        yield path, judge(path, content if mode.startswith("100") else None)
    yield from ((path, judge(path, None)) for path in known.keys() - {path for path, _, _ in entries})
    yield from _staged_loose(layout, git.index_of_commit(own) if own else {})


def _newly_staged(layout: Layout) -> Iterator[tuple[str, bytes]]:
    own = find.git_directory(layout.state)
    changed = _changed(layout, git.index_of_commit(own) if own else {}, (".",))
    wanted = [(path, blob) for path, mode, blob, _ in changed if misspelt.known(path) and mode.startswith("100")]
    contents = objects.blobs((blob for _, blob in wanted), cwd=layout.common)
    yield from ((path, data) for (path, _), data in zip(wanted, contents, strict=True))


def _changed(layout: Layout, env: Mapping[str, str], folders: Iterable[str]) -> list[tuple[str, str, str, str]]:
    """Return path, mode, blob and letter of what is staged in `folders` and not as committed."""
    what = ("--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "HEAD", "--", *folders)
    said = git.call("diff-index", *what, cwd=layout.state, env=env).fields
    fields = (meta.split() for meta in said[::2])
    return [(path, mode, blob, how) for (_, mode, _, blob, how), path in zip(fields, said[1::2], strict=True)]


def _staged_loose(layout: Layout, env: Mapping[str, str]) -> Iterator[tuple[str, Item]]:
    changed = _changed(layout, env, loose.FOLDERS)
    wanted = [each for each in changed if loose.belongs(each[0]) and each[3] != "D"]
    contents = objects.blobs((blob for _, _, blob, _ in wanted), cwd=layout.common)
    for (path, mode, _, how), data in zip(wanted, contents, strict=True):
        if how == "M" and letter.belongs(path):
            yield path, InvalidFileError(path, "was changed, and a message is written once")
        else:
            yield path, _read(path, data if mode.startswith("100") else None)


def _judge_of(layout: Layout, known: Items, staged: set[str]) -> Callable[[str, bytes | None], Item]:
    """Return what judges a staged file as a typed one is judged; what a merge brings was judged where it was made."""
    by, merging = identity.caller(layout.common), index.is_merging(layout)
    ids = {item.id for path, (_, item) in known.items() if isinstance(item, Task | Goal) and path in staged}

    def judge(path: str, data: bytes | None) -> Item:
        before = known[path][1] if path in known else None
        if path not in staged:
            return _removed(path, before)
        if not merging and before is None:
            return _new(path, data, ids)
        after = _read(path, data)
        if data is None or merging or not isinstance(after, Task) or not isinstance(before, Task):
            return after
        found = document.parse(document.decode(path, data))
        try:
            edits.asked(before, after, by, line=found.line)
        except InvalidFileError as error:
            return error
        return after

    return judge


def _removed(path: str, before: Item | None) -> Item:
    """Return the error that the removal of a file is, where it may not go; else a file that nobody asks for."""
    if isinstance(before, Task) and before.run is not None:
        next_step = f"`orchgit task cancel {before.id}` stops that first."
        return InvalidFileError(path, f"was deleted, and {before.agent} is working on it", next_step=next_step)
    return Plain(path)


def _is_file(place: Path) -> bool:
    return place.is_file() and not place.is_symlink()


def _lying(layout: Layout) -> Iterator[tuple[str, bytes | None]]:
    found = [*layout.state.glob("*/*"), *layout.state.glob("*.*")]
    found += [place for folder in loose.FOLDERS for place in (layout.state / folder).rglob("*.md")]
    for place in dict.fromkeys(found):
        path = place.relative_to(layout.state).as_posix()
        if states.belongs(path) or loose.belongs(path):
            yield path, place.read_bytes() if _is_file(place) else None
