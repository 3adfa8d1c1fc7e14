"""The kinds of real agents; what drives them is skipped where their command lines are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support import clis
from tests.support.clis import Cli

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling


@pytest.fixture(scope="module", params=clis.ALL, ids=lambda each: each.name)
def kind(request: pytest.FixtureRequest) -> Cli:
    """Return each kind of agent in turn."""
    assert isinstance(request.param, Cli)
    return request.param


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    why = clis.missing()
    for item in items:
        if why and item.get_closest_marker("agents"):
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Keep the tests of one kind in one process: they share a team, and two opencodes at once are enough."""
    from xdist.scheduler import LoadScopeScheduling

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _process_of
    return scheduler


def _process_of(test: str) -> str:
    return clis.OPENCODE.name if clis.OPENCODE.name in test else "the others"
