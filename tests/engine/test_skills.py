"""Whose file says what a skill is, and which prompts it comes into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit import api
from orchgit.engine import briefing, check
from orchgit.model.errors import InvalidFileError
from orchgit.repository import runs
from tests.support import repos

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.team import Team


def own(world: Path, name: str, text: str) -> Path:
    folder = world / ".config" / "orchgit" / "templates" / "skills"
    repos.write(folder, {name: text})
    return folder / name


def prompt(team: Team) -> str:
    """Return what an agent with the skills `sql`, `evidence` and `Code review` would be told."""
    if "bot" not in team.state.agents:
        team.agent("true", skills=("sql", "evidence", "Code review"))
        team.add("One")
    (task,) = team.state.tasks.values()
    return briefing.prompt(team.layout, team.state, task)


def test_a_cli_with_skills_of_its_own_is_given_those_that_say_when(team: Team) -> None:
    type_(team, "skills/house.md", "Be kind.\n")
    type_(team, "skills/sql.md", "---\ndescription: 'For queries: all of them'\n---\nUse keys.\n")
    team.agent("true", adapter="claude", skills=("sql", "house"), env={"PATH": "/nowhere"}, max_retries=0)
    team.add("One")
    said = prompt(team)
    assert ("Use keys." in said, "## Skill: house\n\nBe kind." in said) == (False, True)
    team.run()
    (place,) = team.runs()
    argv = runs.read_spec(place).argv
    assert argv[argv.index("--plugin-dir") + 1] == str(place.path / "skills")
    written = (path for path in (place.path / "skills").rglob("*") if path.is_file())
    assert sorted(path.name for path in written) == ["SKILL.md", "plugin.json"]
    text = (place.path / "skills/skills/sql/SKILL.md").read_text()
    assert text == "---\nname: sql\ndescription: 'For queries: all of them'\n---\nUse keys.\n"


def type_(team: Team, path: str, text: str) -> None:
    """Save a file in the state folder, and let the next command judge it."""
    repos.write(team.layout.state, {path: text})
    api.open_project(team.layout.root)


def test_a_word_without_a_file_is_a_mere_word(team: Team) -> None:
    said = prompt(team)
    assert "## Skill: evidence\n\nClaim only what you have seen" in said
    assert "sql" not in said
    assert "Code review" not in said


def test_the_projects_file_wins_over_the_persons_and_that_over_ours(team: Team, world: Path) -> None:
    own(world, "evidence.md", "---\nname: evidence\n---\nShow it.\n")
    own(world, "sql.md", "Mine.\n")
    type_(team, "skills/sql.md", "Use keys.\n")
    said = prompt(team)
    assert "## Skill: sql\n\nUse keys.\n\n## Skill: evidence\n\nShow it.\n" in said
    assert "Mine." not in said
    assert said.index("Use keys.") < said.index("# Task tsk_")


def test_a_saved_file_is_judged_and_committed_as_others_are(team: Team) -> None:
    type_(team, "skills/sql.md", "Use keys.\n")
    assert repos.subjects(team.layout.root, "orchestry")[0] == "skills/sql.md: created"
    type_(team, "skills/sql.md", "Use indexes.\n")
    assert repos.subjects(team.layout.root, "orchestry")[0] == "skills/sql.md: edit"
    (team.layout.state / "skills" / "sql.md").unlink()
    api.open_project(team.layout.root)
    assert repos.subjects(team.layout.root, "orchestry")[0] == "skills/sql.md: removed"


def test_a_file_that_says_nothing_is_refused_and_named(team: Team) -> None:
    tip = team.state.tip
    type_(team, "skills/sql.md", "---\na: 1\n---\n")
    assert team.state.tip == tip
    assert [str(each).splitlines()[0] for each in check.faults(team.layout)] == ["skills/sql.md:1: says nothing"]


def test_a_broken_file_of_the_person_fails_the_run_that_needs_it_and_no_other(team: Team, world: Path) -> None:
    broken = own(world, "sql.md", "---\na: [\n---\nKeys.\n")
    with pytest.raises(InvalidFileError) as caught:
        prompt(team)
    assert (caught.value.path, caught.value.line) == (str(broken), 2)
    team.run()
    (task,) = team.state.tasks.values()
    assert task.status == "failed"
    found = [each for each in api.doctor(team.layout.root) if each.check == "templates"]
    assert [each.what.partition(": ")[0] for each in found] == [f"{broken}:2"]
