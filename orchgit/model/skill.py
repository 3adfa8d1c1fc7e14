"""A skill: words for each agent that lists it, in a file of its name."""

from __future__ import annotations

import hashlib
from typing import Final

from orchgit.model import fields
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError

FOLDER, SUFFIX = "skills", ".md"
MOST: Final = 64 * 1024  # characters: it is a part of each prompt, and no library


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill file. `wanted` is the line that says when it is to be minded; "" where it always is."""

    name: str
    text: str
    wanted: str = ""

    @property
    def digest(self) -> str:
        """What tells one version of it from another."""
        return hashlib.sha256(f"{self.wanted}\0{self.text}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _wanted(value: object) -> str:
    return fields.line(" ".join(fields.text(value).split()))


def is_skill(path: str) -> bool:
    return path.startswith(f"{FOLDER}/") and path.endswith(SUFFIX)


def path_of(word: str) -> str | None:
    """Return where in the state folder the skill that `word` names would lie; None for what can be no file's name."""
    try:
        return f"{FOLDER}/{fields.name(word)}{SUFFIX}"
    except ValueError:
        return None


def read(path: str, text: str) -> Skill:
    """Return the skill of the file at `path`: its text is all below the front matter, whose `description` is `wanted`.

    InvalidFileError where that is nothing, or too much, or nobody could list it.
    """
    from orchgit.model import document

    try:
        name = fields.name(path.rpartition("/")[2].removesuffix(SUFFIX))
        found = document.parse(text)
        body = found.body.strip()
    except InvalidFileError as error:
        raise error.at(path) from None
    except ValueError as error:
        raise InvalidFileError(path, str(error)) from None
    if not body:
        raise InvalidFileError(path, "says nothing", next_step="What it says is added to the prompts of its agents.")
    if len(body) > MOST:
        reason = f"has {len(body)} characters, which is more than {MOST}"
        next_step = "Leave the most of it in a file of the project, and say here when to read that."
        raise InvalidFileError(path, reason, next_step=next_step)
    wanted = fields.typed(path, found.values, {"description": _wanted}, line=found.line)
    return Skill(name, body, wanted.get("description", ""))
