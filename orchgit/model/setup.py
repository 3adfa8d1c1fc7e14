"""What sets a workspace up for an agent: the commands that are run there, and the files that are brought along."""

from __future__ import annotations

from typing import Final

from orchgit.model import fields

HOOKS: Final = ("after_create", "before_run", "after_run", "before_remove")
BRING_MODES: Final = ("copy", "symlink")
SHARED: Final = "shared"  # the person's own checkout
ISOLATED: Final = "isolated"  # a repository of its own
MODES: Final = ("worktree", ISOLATED, SHARED)
_OWN = (".git", ".orchestry")  # no checkout's own files, whatever their case on this disk


def hooks(value: object) -> tuple[tuple[str, str], ...]:
    """A mapping of hooks to commands; an empty command takes the project's away."""
    if not isinstance(value, dict):
        raise ValueError(f"{fields.shown(value)} is not a mapping of hooks to commands")
    unknown = next((key for key in value if key not in HOOKS), None)
    if unknown is not None:
        raise ValueError(f"{fields.shown(unknown)} is not one of {', '.join(HOOKS)}")
    return tuple((key, fields.text(command)) for key, command in value.items() if command is not None)


def paths(value: object) -> tuple[str, ...]:
    """A list of files or folders within the project, as `config/local.yml`."""
    return tuple(_path(word) for word in fields.words(value))


def bring_mode(value: object) -> str:
    word = fields.text(value)
    if word not in BRING_MODES:
        raise ValueError(f"{fields.shown(word)} is not one of {', '.join(BRING_MODES)}")
    return word


def mode(value: object) -> str:
    word = fields.text(value)
    if word not in MODES:
        raise ValueError(f"{fields.shown(word)} is not a mode that this orchgit has: {', '.join(MODES)}")
    return word


def _path(word: str) -> str:
    parts = word.removesuffix("/").split("/")
    if any(part in ("", ".", "..") for part in parts) or any(part.casefold() in _OWN for part in parts):
        raise ValueError(f"{fields.shown(word)} is not the path of a file within the project, such as config/local.yml")
    return "/".join(parts)
