"""What the file of a task, as somebody typed it, asks for beyond its own keys: a step of the lifecycle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import lifecycle
from orchgit.model.errors import InvalidFileError, RefusedError
from orchgit.model.task import ENGINE_KEYS, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchgit.model.actor import Actor
    from orchgit.model.lifecycle import Ask
    from orchgit.model.task import Task


def asked(before: Task, typed: Task, by: Actor, *, line: Callable[[str], int]) -> Ask | None:
    """Return the step that `typed` asks for, seen from `before`; None where it leaves the status as it is.

    InvalidFileError where the id or an engine's key was changed, or where no rule lets `by` take that step; `line`
    tells where a key stands.
    """
    for key in ("id", *ENGINE_KEYS):
        if getattr(typed, key) != getattr(before, key):
            reason = f"is {_shown(getattr(before, key))} by now, and orchgit's to write"
            next_step = "Put that line back as it is committed, or load the file anew and edit it again."
            raise InvalidFileError(typed.path, reason, line=line(key), key=key, next_step=next_step)
    if typed.status is before.status:
        return None
    try:
        return _step(before, typed, by)
    except RefusedError as error:
        at = line("status")
        raise InvalidFileError(typed.path, error.what, line=at, key="status", next_step=error.next_step) from None


def refuse_begun(path: str, values: Mapping[str, object], *, line: Callable[[str], int]) -> None:
    """InvalidFileError where the keys of a new task's file say more than that it is to do."""
    status = values.get("status")
    if status not in (None, Status.TODO.value):
        reason = f"a new task begins as {Status.TODO}, not as {status}"
        raise InvalidFileError(path, reason, line=line("status"), key="status", next_step="Remove the line.")
    for key in ENGINE_KEYS:
        if values.get(key) is not None:
            raise InvalidFileError(path, "is orchgit's to write", line=line(key), key=key, next_step="Remove the line.")


def _step(before: Task, typed: Task, by: Actor) -> Ask:
    rules = [rule for rule in lifecycle.RULES if by.kind in rule.by and before.status in rule.sources]
    targets = dict.fromkeys(rule.target for rule in rules if lifecycle.fits(rule, before))
    allowed = f"From {before.status} you can type: {', '.join(targets) or 'nothing'}."
    ask = next((rule.ask for rule in rules if rule.target is typed.status), None)
    if ask is None:
        raise RefusedError(f"{before.status} can't become {typed.status}.", allowed)
    try:
        lifecycle.judge(before, ask, by)
    except RefusedError as error:
        raise RefusedError(error.what, allowed) from None
    return ask


def _shown(value: object) -> str:
    return "not there" if value in (None, ()) else str(value)
