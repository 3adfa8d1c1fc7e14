"""A world of its own for every test: a home, a Git identity, dates and a locale that don't depend on the machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support import repos

if TYPE_CHECKING:
    from pathlib import Path

_FOREIGN = ("GIT_", "ORCHGIT_", "XDG_", "EMAIL", "EDITOR", "VISUAL", "PAGER")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Let one process more than there are processors work: much of a test is waiting for what it started."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home folder; `GIT_CONFIG_GLOBAL` names a file that a test may add settings to."""
    home = tmp_path / "home"
    home.mkdir()
    settings = home / "gitconfig"
    settings.write_text(repos.SETTINGS)
    for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
        monkeypatch.delenv(name)
    values = {
        "HOME": home,
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_DATA_HOME": home / ".local" / "share",
        "XDG_STATE_HOME": home / ".local" / "state",
        "GIT_CONFIG_GLOBAL": settings,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": tmp_path.parent,
        "GIT_AUTHOR_DATE": "2026-11-22T10:00:00+0000",
        "GIT_COMMITTER_DATE": "2026-11-22T10:00:00+0000",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, str(value))
    return home
