"""The templates that ship: each of them is whole, and makes what it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from orchgit import api
from orchgit.model import document
from orchgit.repository import resources
from tests.support import repos
from tests.support.cli import ok

if TYPE_CHECKING:
    from pathlib import Path

ROLES = (
    "architect", "backend", "bug-hunter", "content", "data", "devops", "frontend", "fullstack", "growth", "marketer",
    "performance", "qa", "reviewer", "security", "tech-writer",
)  # fmt: skip
PARTS = ("## Workflow", "## Rules", "## Definition of done")
TEXTS = sorted((resources.folder("templates") / "agents").glob("*.md"))


def test_the_shop_has_its_roles_and_no_others() -> None:
    roles, faults = api.roles()
    assert (tuple(each.name for each in roles), faults) == (ROLES, [])


@pytest.mark.parametrize("name", ROLES)
def test_a_role_is_short_and_has_its_three_parts(name: str) -> None:
    role = api.role(name)
    assert document.parse(role.text).values["description"] == role.description
    assert len(role.description) <= 100
    assert role.agent.labels
    assert (role.agent.adapter, role.agent.model) == (None, None)
    for part in PARTS:
        assert len(re.findall(r"^(?:-|\d\.) ", document.section(role.text, part), re.MULTILINE)) >= 4, part
    assert len(role.agent.role.splitlines()) <= 40


def test_no_two_roles_say_the_same() -> None:
    lines = [
        line for name in ROLES for line in api.role(name).agent.role.splitlines() if line and not line.startswith("#")
    ]
    assert sorted(line for line in set(lines) if lines.count(line) > 1) == []


def test_each_role_becomes_an_agent(tmp_path: Path) -> None:
    project = repos.make_repo(tmp_path / "project")
    ok(project, "init")
    team = api.open_project(project)
    for name in ROLES:
        made = team.add_agent(name, {}, template=name)
        assert (made.adapter, made.role) == ("claude", api.role(name).agent.role)
    assert ok(project, "check").out == "Nothing is wrong.\n"
    assert [each.name for each in api.open_project(project).agents()] == list(ROLES)
