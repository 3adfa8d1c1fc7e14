"""Ids and the names made from them: short, lower-case Crockford base32, given by any unambiguous prefix."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from orchgit.model.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 6
SPACE = len(ALPHABET) ** LENGTH
TASK, RUN = "tsk", "run"
_SLUG_LENGTH = 40


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


def resolve(word: str, known: Iterable[str], *, kind: str = "task") -> str:
    """Return the id that `word` means: the whole id or a prefix, with or without `tsk_`. NotFoundError otherwise."""
    candidates = list(known)
    if word in candidates:
        return word
    wanted = word.lower()
    found = [
        each for each in candidates if wanted and (each.startswith(wanted) or each.partition("_")[2].startswith(wanted))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFoundError(
            f"{word!r} could be any of {len(found)} {kind}s: {', '.join(sorted(found)[:5])}.",
            "Give more of the id.",
        )
    raise NotFoundError(f"There is no {kind} {word!r}.", f"`orchgit {kind} list` shows them.")
