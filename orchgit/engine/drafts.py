"""The text of a task's file: composed of what was asked, merged with what changed meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.model import document, fields, yamltext
from orchgit.model import task as task_file
from orchgit.model.errors import InvalidFileError, RefusedError
from orchgit.model.task import Status
from orchgit.repository import merge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchgit.model.task import Task


def read(text: str, source: str) -> document.Document:
    """Return `text` parsed, once each key that it has may be what it says; an error names `source`."""
    try:
        draft = document.parse(text)
    except InvalidFileError as error:
        raise error.at(source) from None
    readers = {**task_file.READERS, "depends_on": fields.words}  # prefixes of ids will do here
    fields.typed(source, draft.values, readers, line=draft.line)
    return draft


def composed(text: str, identifier: str, named: Mapping[str, object], description: str | None) -> str:
    """Return the new task's file: what `text` says, with an id, a state and a birthday of its own."""
    fresh: dict[str, object] = {"id": identifier, "title": named["title"], "status": Status.TODO.value}
    fresh.update(named)
    fresh["created"] = datetime.now(UTC)  # to the millisecond: age decides between tasks that were made together
    fresh.update(dict.fromkeys(task_file.ENGINE_KEYS, yamltext.REMOVE))
    made = document.edit(text, {key: value for key, value in fresh.items() if value is not None})  # type: ignore[misc]
    if description is None:
        return made
    return document.replace_body(made, f"{description.strip()}\n" if description.strip() else "")


def described(found: document.Document, description: str) -> str:
    """Return the body with another description and the same feedback."""
    feedback = document.section(found.body, task_file.FEEDBACK).strip()
    parts = [description.strip(), f"{task_file.FEEDBACK}\n\n{feedback}" if feedback else ""]
    return "\n\n".join(filter(None, parts)) + "\n"


def merged(path: str, *, base: str, typed: str, current: str) -> str:
    """Return `typed` with what changed from `base` to `current`; RefusedError where both changed the same key."""
    if current == base:
        return typed
    sides = {"base": base, "ours": current, "typed": typed}
    found = merge.three_way(path, **{side: document.encode(text) for side, text in sides.items()})
    if found.overruled:
        raise RefusedError(
            f"{path}: {', '.join(found.overruled)} was changed by somebody else meanwhile.", "Edit it again."
        )
    return document.decode(path, found.data)


def refuse_guarded(before: Task, after: Task, typed: str) -> None:
    for key in ("id", "status", *task_file.ENGINE_KEYS):
        if getattr(before, key) != getattr(after, key):
            line = document.parse(typed).line(key)
            next_step = "Status changes by a command: approve, reject, cancel, retry, take, submit, release."
            raise InvalidFileError(
                before.path, "is not for hands to change here", line=line, key=key, next_step=next_step
            )
