"""Opens a person's editor on a text, and keeps what they typed where it can't be taken over."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from orchgit.model.errors import OrchgitError, RefusedError
from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchgit.api import Project

T = TypeVar("T")
_OTHERWISE = "Set `core.editor` of Git or $EDITOR, or use options."


def edit(project: Project, text: str, *, name: str) -> str:
    """Return `text` as the person left it in the editor that Git would open; RefusedError where that failed."""
    with tempfile.TemporaryDirectory(prefix="orchgit-edit-") as folder:
        place = Path(folder) / name
        place.write_bytes(text.encode())
        _open(_command(project), place)
        return place.read_bytes().decode(errors="strict")


def _command(project: Project) -> str:
    """Return what Git opens: $GIT_EDITOR, `core.editor`, $VISUAL, $EDITOR, or what it was built with."""
    said = git.call("var", "GIT_EDITOR", cwd=project.layout.root)
    if said.code != 0:
        raise RefusedError("Git knows no editor that works here.", _OTHERWISE)
    return said.text


def _open(command: str, place: Path) -> None:
    """Open the file as Git does: its editor is a command of the shell, which may have options."""
    sys.stdout.flush()
    code = subprocess.run(["/bin/sh", "-c", f'{command} "$@"', command, place], check=False).returncode
    if code != 0:
        raise RefusedError(f"The editor could not be used: {command} ended with {code}.", _OTHERWISE)


def rewrite(project: Project, path: str, take_over: Callable[[str, str], T]) -> T:
    """Open a file of the state branch, and do `take_over` with what it said and what it says now."""
    base = project.text(path)
    typed = edit(project, base, name=Path(path).name)
    return keeping(typed, lambda: take_over(base, typed))


def keeping(typed: str, take_over: Callable[[], T]) -> T:
    """Do `take_over`; where that is refused, the typed text is put in a file that the error names."""
    try:
        return take_over()
    except OrchgitError as error:
        with tempfile.NamedTemporaryFile("wb", prefix="orchgit-", suffix=".md", delete=False) as file:
            file.write(typed.encode())
        raise RefusedError(error.what, f"{error.next_step} What you typed is in {file.name}.".strip()) from error
