"""The adapter of a name: from the table, or from an installed package."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from orchgit.adapters import shell
from orchgit.engine import drivers
from orchgit.model.errors import RefusedError


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = EntryPoints(
        [
            EntryPoint("hal", "orchgit.adapters.shell", drivers.GROUP),
            EntryPoint("shell", "no.such.module", drivers.GROUP),
            EntryPoint("broken", "no_such_module_of_anybody:adapter", drivers.GROUP),
        ]
    )

    def entry_points(*, group: str) -> EntryPoints:
        return found.select(group=group)

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)


@pytest.mark.usefixtures("installed")
def test_the_table_wins_and_what_is_installed_comes_after_it() -> None:
    assert drivers.find("shell") is shell
    assert drivers.find("hal") is shell


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("telepathy", "'telepathy', which this orchgit doesn't know.\nKnown: .*shell, command, broken, hal\\."),
        ("broken", "'broken', no_such_module_of_anybody:adapter, can't be loaded: No module named"),
    ],
)
def test_one_that_is_not_there(name: str, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        drivers.find(name)
