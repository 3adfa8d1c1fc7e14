"""A skill: words for each agent that lists it, in a file of its name."""

from __future__ import annotations

from typing import Final

from orchgit.model import fields
from orchgit.model.errors import InvalidFileError

FOLDER, SUFFIX = "skills", ".md"
MOST: Final = 64 * 1024  # characters: it is a part of each prompt, and no library


def is_skill(path: str) -> bool:
    return path.startswith(f"{FOLDER}/") and path.endswith(SUFFIX)


def path_of(word: str) -> str | None:
    """Return where in the state folder the skill that `word` names would lie; None for what can be no file's name."""
    try:
        return f"{FOLDER}/{fields.name(word)}{SUFFIX}"
    except ValueError:
        return None


def read(path: str, text: str) -> str:
    """Return what the file at `path` says to an agent: all below its front matter, if it has any.

    InvalidFileError where that is nothing, or too much, or nobody could list it.
    """
    from orchgit.model import document

    try:
        fields.name(path.rpartition("/")[2].removesuffix(SUFFIX))
        body = document.parse(text).body.strip()
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
    return body
