"""Skips what drives real agents where their command lines are not."""

from __future__ import annotations

import pytest

from tests.support import clis


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    why = clis.missing()
    for item in items:
        if why and item.get_closest_marker("agents"):
            item.add_marker(pytest.mark.skip(reason=why))
