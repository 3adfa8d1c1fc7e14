"""Ids and the names made from them: short, lower-case Crockford base32, given by their first characters."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from orchgit.model.errors import AmbiguousError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 6
SPACE = len(ALPHABET) ** LENGTH
TASK, RUN, GOAL, MESSAGE = "tsk", "run", "gol", "msg"
WORK_BRANCHES = "orchgit"
_SLUG_LENGTH = 40
_LEAST = 3  # characters of an id that may stand for it: a slip of one letter must not approve or delete a task
_KINDS = {
    "task": (TASK, "`orchgit task list` shows them."),
    "run": (RUN, "`orchgit logs --task ID` shows a task's."),
    "goal": (GOAL, "`orchgit goal list` shows them."),
    "message": (MESSAGE, "`orchgit msg list` shows them."),
}


def make(prefix: str, number: int) -> str:
    """Return the id that `number`, from 0 to SPACE - 1, spells: `tsk_7k3m9q`."""
    digits = []
    for _ in range(LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return f"{prefix}_{''.join(digits)}"


def is_id(word: str, prefix: str) -> bool:
    """Is `word` an id of that kind? Length and digits are free within reason, so that imported ids stay as they are."""
    return re.fullmatch(rf"{prefix}_[0-9A-Za-z_-]{{1,32}}", word) is not None


def slug(title: str) -> str:
    """Return `title` as part of a file or branch name: ASCII words joined by `-`, 40 characters at most, maybe none."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))
    return words[:_SLUG_LENGTH].strip("-")


def named(identifier: str, title: str) -> str:
    """Return `<id>-<slug>`, or the id alone where the title has no word to show."""
    return "-".join(filter(None, (identifier, slug(title))))


def is_work_branch(branch: str, of: str) -> bool:
    """Is `branch` the task's own, `orchgit/<id>-<slug>`? No other may ever move because its file says so."""
    return re.fullmatch(rf"{WORK_BRANCHES}/{re.escape(of)}(?:-[0-9A-Za-z_-]{{1,100}})?", branch) is not None


def resolve(word: str, known: Iterable[str], *, kind: str = "task") -> str:
    """Return the id that `word` means: the whole id or 3 characters of it and more, with or without `tsk_`.

    NotFoundError where there is none; AmbiguousError where it could be several, or is too short to mean any.
    """
    prefix, hint = _KINDS[kind]

    def spoken(each: str) -> str:
        return each.lower().removeprefix(f"{prefix}_")

    candidates = list(known)
    if word in candidates:
        return word
    said = spoken(word)
    begun = [each for each in candidates if said and spoken(each).startswith(said)]
    whole = [each for each in begun if spoken(each) == said]
    found = whole or begun
    if not found:
        raise NotFoundError(f"There is no {kind} {word!r}.", hint)
    if not whole and len(said) < _LEAST:
        raise AmbiguousError(
            f"{word!r} is too short: at least {_LEAST} characters of an id.", f"It could be {_listed(found)}."
        )
    if len(found) > 1:
        raise AmbiguousError(
            f"{word!r} could be any of {len(found)} {kind}s: {_listed(found)}.", "Give more of the id."
        )
    return found[0]


def _listed(found: list[str]) -> str:
    return ", ".join(sorted(found)[:5]) + (f" and {len(found) - 5} more" if found[5:] else "")
