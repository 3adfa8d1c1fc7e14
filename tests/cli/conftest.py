"""An initialised project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import copies

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copies.initialised(tmp_path / "project")
