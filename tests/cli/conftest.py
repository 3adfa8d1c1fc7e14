"""An initialised project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import repos
from tests.support.cli import ok

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    repo = repos.make_repo(tmp_path / "project")
    ok(repo, "init")
    return repo
