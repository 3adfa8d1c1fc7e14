"""What orchgit needs of the machine: Git, Python and its libraries, somebody's name, templates that can be read."""

from __future__ import annotations

import sys
from importlib import util
from typing import TYPE_CHECKING, Final

from orchgit.engine import orgs, shop, skills
from orchgit.engine.doctor.finding import Finding, Level, of_error
from orchgit.model.errors import GitError
from orchgit.repository import git, preflight

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PYTHON = (3, 11)
_LIBRARIES: Final = {
    "click": "click", "git": "GitPython", "jinja2": "jinja2", "psutil": "psutil",
    "frontmatter": "python-frontmatter", "yaml": "pyyaml", "rich": "rich", "watchdog": "watchdog",
}  # fmt: skip


def git_version(_start: Path) -> Iterator[Finding]:
    try:
        preflight.check_version()
    except GitError as error:
        yield of_error(error, "Everything that orchgit does, Git does.")
        return
    yield Finding(Level.OK, f"Git {_dotted(git.version())}")


def python(_start: Path) -> Iterator[Finding]:
    missing = [name for module, name in _LIBRARIES.items() if util.find_spec(module) is None]
    if missing:
        what = f"{sys.executable} lacks {', '.join(missing)}."
        yield Finding(Level.ERROR, what, "Some commands can't work.", "Install orchgit again, with its dependencies.")
    if sys.version_info[:2] < _PYTHON:
        what = f"Python {_dotted(sys.version_info[:3])} is too old."
        yield Finding(Level.ERROR, what, "", f"Install orchgit with Python {_dotted(_PYTHON)} or later.")
    elif not missing:
        yield Finding(Level.OK, f"Python {_dotted(sys.version_info[:3])}, {sys.executable}")


def identity(start: Path) -> Iterator[Finding]:
    said = git.call("var", "GIT_COMMITTER_IDENT", cwd=start if start.is_dir() else "/")
    who = said.text.rpartition(">")[0]
    if said.code != 0 or not who.partition("<")[0].strip():
        yield Finding(
            Level.WARNING,
            "Git doesn't know who you are: it has no user.name and user.email.",
            "Approvals are refused, since nobody could be named as who gave them.",
            "`git config --global user.name NAME`, and user.email, tell it.",
        )
        return
    yield Finding(Level.OK, f"{who}>")


def templates(_start: Path) -> Iterator[Finding]:
    for error in (*shop.roles()[1], *orgs.orgs()[1], *skills.faults()):
        yield of_error(error, "What it is a template for can't be made of it.", level=Level.WARNING)


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
