"""The templates that ship: each of them is whole, and makes what it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from orchgit import api
from orchgit.engine import skills
from orchgit.model import document, org, skill
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
ORGS = (
    "bugfix-dept", "content-agency", "data-lab", "docs-team", "migration-squad", "pr-review-corp", "sales-machine",
    "security-dept", "startup-mvp", "test-factory",
)  # fmt: skip


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
    assert len(role.agent.role.splitlines()) <= 45


def test_no_two_roles_say_the_same() -> None:
    lines = [line for name in ROLES for line in api.role(name).agent.role.splitlines() if len(line) > 60]
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


def test_every_skill_that_a_role_lists_is_there_and_can_be_read() -> None:
    assert list(skills.faults()) == []
    listed = {word for name in ROLES for word in api.role(name).agent.skills}
    assert listed == {path.stem for path in (resources.folder("templates") / skill.FOLDER).glob("*.md")}


def test_there_are_the_organisations_and_no_others() -> None:
    found, faults = api.orgs()
    assert (tuple(each.name for each in found), faults) == (ORGS, [])
    assert all(each.goal and each.team and len(each.description) <= 100 for each in found)


@pytest.mark.parametrize("name", ORGS)
def test_an_organisation_is_deployed_whole(name: str, tmp_path: Path) -> None:
    project = repos.make_repo(tmp_path / "project")
    ok(project, "init")
    before = len(repos.subjects(project, "orchestry"))
    ok(project, "org", "deploy", name, "--goal", "Something: else")
    found, team = api.org(name), api.open_project(project)
    assert {each.name for each in team.agents()} == {each.name for each in found.agents}
    named = {each.title.replace(org.GOAL, "Something: else"): each for each in found.tasks}
    made = {task.title: task for task in team.tasks() if task.title in named}
    assert made.keys() == named.keys()
    for title, each in named.items():
        assert made[title].assignee == each.assignee
        assert {team.task(word).title for word in made[title].depends_on} == {
            title for title, other in named.items() if other.key in each.needs
        }
        assert len(team.text(made[title].path)) > 300
    assert ok(project, "check").out == "Nothing is wrong.\n"
    assert len(repos.subjects(project, "orchestry")) >= before + len(found.agents)
    assert repos.is_sound(project)


def test_the_example_in_the_documents_can_be_read() -> None:
    text = (resources.folder("templates").parent / "docs" / "templates.md").read_text(encoding="utf-8")
    (example,) = (block.partition("```")[0] for block in text.split("```yaml\n")[1:])
    found = org.read("houses.yaml", example)
    assert [each.key for each in found.tasks] == ["walls", "colour"]
