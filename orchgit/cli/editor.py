"""Opens a person's editor on a text, and keeps what they typed where it can't be taken over."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from orchgit.model.errors import OrchgitError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchgit.api import Project

T = TypeVar("T")


def edit(text: str, *, name: str) -> str:
    """Return `text` as the person left it in $VISUAL or $EDITOR; RefusedError where the editor failed."""
    with tempfile.TemporaryDirectory(prefix="orchgit-edit-") as folder:
        place = Path(folder) / name
        place.write_bytes(text.encode())
        try:
            click.edit(filename=str(place))
        except click.ClickException as error:
            raise RefusedError(
                f"The editor could not be used: {error.message}", "Set $EDITOR, or use options."
            ) from error
        return place.read_bytes().decode(errors="strict")


def rewrite(project: Project, path: str, take_over: Callable[[str, str], T]) -> T:
    """Open a file of the state branch, and do `take_over` with what it said and what it says now."""
    base = project.text(path)
    typed = edit(base, name=Path(path).name)
    return keeping(typed, lambda: take_over(base, typed))


def keeping(typed: str, take_over: Callable[[], T]) -> T:
    """Do `take_over`; where that is refused, the typed text is put in a file that the error names."""
    try:
        return take_over()
    except OrchgitError as error:
        with tempfile.NamedTemporaryFile("wb", prefix="orchgit-", suffix=".md", delete=False) as file:
            file.write(typed.encode())
        raise RefusedError(error.what, f"{error.next_step} What you typed is in {file.name}.".strip()) from error
