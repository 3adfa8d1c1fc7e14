"""The demo's scratch repository: real code, no setting of this machine's Git, and gone at the end unless it is kept."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import tempfile
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from orchgit.model.errors import RefusedError
from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "click"
IDENTITY = ("orchgit demo", "demo@orchgit")

# What a search for a bug leaves behind. click's own source has no import too many, so its janitor would have no work.
_LEFT_BEHIND = {
    "formatting.py": "import json",
    "parser.py": "from pprint import pprint",
    "termui.py": "import pdb",
    "utils.py": "import logging",
}
_OF_OTHERS = frozenset({
    "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_CONFIG_COUNT",
    "ORCHGIT_AGENT", "ORCHGIT_RUN",
})  # fmt: skip
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def folder(keep: Path | None) -> Iterator[Path]:
    """Yield an empty folder, `keep` where it is given; any other is gone when the `with` ends, however it ends."""
    if keep is not None:
        yield _made(keep.absolute())
        return
    path = Path(tempfile.mkdtemp(prefix="orchgit-demo-")).resolve()
    try:
        yield path
    finally:
        _ignore_interrupts()
        shutil.rmtree(path)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the first Ctrl-C, SIGTERM or SIGHUP end the `with`; further ones don't disturb the cleaning up.

    Python swallows what a signal raises while an object is being deleted; so it is raised at the end once more.
    """
    heard = []

    def interrupt(number: int, _frame: object) -> NoReturn:
        _ignore_interrupts()
        heard.append(number)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _INTERRUPTS}
    try:
        yield
        if heard:
            raise KeyboardInterrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def own_git_settings() -> Iterator[None]:
    """Keep out what this machine sets for Git, its hooks and signing among it, for us and for all that we start.

    An agent that runs the demo is nobody special in it, so that it approves as a person would.
    """
    before = dict(os.environ)
    for name in _OF_OTHERS & before.keys():
        del os.environ[name]
    os.environ.update({"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def make(root: Path) -> list[str]:
    """Make a repository of the installed source of click at `root`; return the modules with an import too many."""
    version = metadata.version(NAME)
    git.run("init", "--quiet", "--template=", "--initial-branch=main", "--", root, cwd=root.parent)
    for key, value in zip(("user.name", "user.email"), IDENTITY, strict=True):
        git.run("config", key, value, cwd=root)
    package = root / "src" / NAME
    _copy_source(Path(click.__file__).parent, package)
    (root / ".gitignore").write_text("__pycache__/\n", encoding="utf-8")
    (root / "README.md").write_text(f"# {NAME} {version}\n\nIts source, as it is installed here.\n", encoding="utf-8")
    _commit(root, f"Import the source of {NAME} {version}")
    changed = [name for name, line in _LEFT_BEHIND.items() if _leave_behind(package / name, line)]
    _commit(root, f"Debug {NAME}, and leave imports behind in {len(changed)} modules")
    return changed


def _made(path: Path) -> Path:
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RefusedError(f"{path} is there already, and it is not an empty folder.", "Name a new one: --keep DIR.")
    path.mkdir(parents=True, exist_ok=True)
    return path.resolve()


def _copy_source(package: Path, to: Path) -> None:
    """Copy bytes only: what is installed may be read-only, folders included."""
    for path in package.rglob("*.py"):
        copy = to / path.relative_to(package)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())


def _leave_behind(module: Path, line: str) -> bool:
    """Put an import before the module's first one; not where it means anything to the module."""
    text = module.read_text(encoding="utf-8") if module.exists() else ""
    imports = [node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]
    ours = [node for node in imports if not (isinstance(node, ast.ImportFrom) and node.module == "__future__")]
    if not ours or line.rpartition(" ")[2] in text:
        return False
    lines = text.split("\n")
    lines.insert(ours[0].lineno - 1, line)
    module.write_text("\n".join(lines), encoding="utf-8")
    return True


def _commit(root: Path, message: str) -> None:
    git.run("add", "--all", cwd=root)
    git.run("commit", "--quiet", "--allow-empty", f"--message={message}", cwd=root)


def _ignore_interrupts() -> None:
    for number in _INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)
