"""A team in a project of its own, and short graces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.engine import descendants
from tests.engine import team as teams

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.team import Team


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    yield from teams.make_team(tmp_path / "project")


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descendants, "GRACE", 0.5)
