"""config.yaml, changed one line at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.engine import settings
from orchgit.model.errors import InvalidFileError, NotFoundError, RefusedError, UsageError
from tests.engine.team import ADA
from tests.support import repos

if TYPE_CHECKING:
    from tests.engine.team import Team


def text(team: Team) -> str:
    return (team.layout.state / "config.yaml").read_text()


def test_one_line_changes(team: Team) -> None:
    before = text(team).splitlines()
    assert settings.change(team.layout, ADA, "scheduling.max_concurrent_agents", "2").max_concurrent_agents == 2
    after = text(team).splitlines()
    assert [line for line in before if line not in after] in ([], ["  max_concurrent_agents: 6"])
    assert repos.subjects(team.layout.state)[0] == "config: set scheduling.max_concurrent_agents"
    settings.change(team.layout, ADA, "project.name", "2001")
    assert settings.change(team.layout, ADA, "project.base", "main").project_name == "2001"
    tip = team.git("rev-parse", "orchestry")
    settings.change(team.layout, ADA, "project.base", "main")
    assert team.git("rev-parse", "orchestry") == tip


@pytest.mark.parametrize(
    ("key", "value", "error", "why"),
    [
        ("scheduling.max_concurrent_agents", "many", UsageError, "'many' is not a whole number"),
        ("scheduling.max_concurrent_agents", "0", UsageError, "0 is not a whole number, 1 or more"),
        ("scheduling.max_concurrent_agent", "2", NotFoundError, "There is no setting"),
        ("project.base", "", UsageError, "is not the name of a branch"),
        ("project.base", "two\nlines", UsageError, "is not the name of a branch"),
    ],
)
def test_what_it_can_not_hold_is_refused(team: Team, key: str, value: str, error: type[Exception], why: str) -> None:
    before = text(team)
    with pytest.raises(error, match=why):
        settings.change(team.layout, ADA, key, value)
    assert text(team) == before


def test_as_typed(team: Team) -> None:
    base = text(team)
    typed = f"# mine\n{base}"
    settings.rewrite(team.layout, ADA, base=base, typed=typed)
    assert text(team) == typed
    with pytest.raises(RefusedError, match="changed by somebody else meanwhile"):
        settings.rewrite(team.layout, ADA, base=base, typed=base)
    with pytest.raises(InvalidFileError, match=r"config.yaml:\d+: "):
        settings.rewrite(team.layout, ADA, base=typed, typed="scheduling: {max_concurrent_agents: x}\n")
    assert text(team) == typed
