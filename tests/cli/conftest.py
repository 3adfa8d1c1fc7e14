"""An initialised project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import copies, repos
from tests.support.cli import ok

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copies.of(_make, tmp_path / "project")


def _make(root: Path) -> None:
    ok(repos.make_repo(root), "init")
