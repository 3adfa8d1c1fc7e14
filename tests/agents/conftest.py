"""The kinds of real agents; what drives them is skipped where their command lines are not."""

from __future__ import annotations

import pytest

from tests.support import clis
from tests.support.clis import Cli

KINDS = [pytest.param(each, id=each.name, marks=pytest.mark.xdist_group(each.name)) for each in clis.ALL]


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Cli:
    """Return each kind of agent in turn; the tests of one kind run in one process."""
    assert isinstance(request.param, Cli)
    return request.param


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    why = clis.missing()
    for item in items:
        if why and item.get_closest_marker("agents"):
            item.add_marker(pytest.mark.skip(reason=why))
