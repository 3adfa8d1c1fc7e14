"""Organisations: deployed whole or not at all, and the present team kept as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import repos
from tests.support.cli import ok, type_

if TYPE_CHECKING:
    from pathlib import Path

_PAIR = """\
description: Two
goal: A house
agents:
  builder:
    from: backend
    model: large-2
    max_concurrent: 2
  painter:
    role: You paint.
tasks:
  build:
    title: "Build: {goal}"
    assignee: builder
  paint:
    title: Paint
    description: "Paint {goal}, twice."
    depends_on: [build]
"""


@pytest.fixture
def mine(world: Path) -> Path:
    """Return the person's own folder of organisations, with one in it."""
    folder = world / ".config" / "orchgit" / "templates" / "orgs"
    repos.write(folder, {"pair.yaml": _PAIR})
    return folder


def tip(project: Path) -> str:
    return repos.git(project, "rev-parse", "orchestry")


def agents(project: Path) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in ok(project, "agent", "list", "--json").data}


def test_the_list_has_ours_and_the_persons_own(mine: Path, tmp_path: Path) -> None:
    repos.write(mine, {"data-lab.yaml": _PAIR, "odd.yaml": "description: Odd\nagents:\n  poet:\n"})
    said = ok(tmp_path, "org", "list", "--json")
    listed = {each["name"]: each for each in said.data}
    assert listed["pair"]["agents"] == [{"name": "builder", "from": "backend"}, {"name": "painter", "from": None}]
    assert (listed["data-lab"]["description"], listed["startup-mvp"]["lead"]) == ("Two", "architect")
    assert "odd" not in listed
    assert f"{mine / 'odd.yaml'}:3: agents.poet.from: The shop has no role 'poet'." in said.err
    assert (listed["pair"]["own"], listed["pair"]["hides_ours"]) == (True, False)
    assert (listed["startup-mvp"]["own"], listed["startup-mvp"]["hides_ours"]) == (False, False)
    lines = ok(tmp_path, "org", "list").out.splitlines()
    assert [line.endswith(" Two (yours)") for line in lines if line.startswith("pair ")] == [True]
    assert not any(line.endswith(("(yours)", "ours)")) for line in lines if line.startswith("startup-mvp "))
    missing = type_(tmp_path, "org", "show", "no").err
    assert ("pair" in missing, " odd," in missing) == (True, False)
    assert "pair             builder, painter" in ok(tmp_path, "org", "list").out
    assert ok(tmp_path, "org", "show", "pair").out == f"{mine / 'pair.yaml'}\n\n{_PAIR}"
    assert type_(tmp_path, "org", "show", "no").err.startswith("orchgit: There is no organisation 'no' to deploy.")


def test_what_is_deployed_is_what_the_file_says(mine: Path, project: Path) -> None:
    assert mine.is_dir()
    made = ok(project, "org", "deploy", "pair", "--goal", "A boat", "--json").data
    found = agents(project)
    assert made["agents"] == ["builder", "painter"]
    assert (found["builder"]["model"], found["builder"]["max_concurrent"], found["builder"]["adapter"]) == (
        "large-2", 2, "claude",
    )  # fmt: skip
    assert found["painter"]["role"] == "You paint."
    build, paint = (ok(project, "task", "show", each, "--json").data for each in made["tasks"])
    assert (build["title"], build["assignee"]) == ("Build: A boat", "builder")
    assert (paint["title"], paint["depends_on"]) == ("Paint", [build["id"]])
    assert paint["body"] == "Paint A boat, twice."


def test_options_go_to_each_agent(mine: Path, project: Path) -> None:
    assert mine.is_dir()
    ok(project, "org", "deploy", "pair", "--command", "true", "--model", "small-1", "--prefix", "x-")
    assert {name: (each["adapter"], each["command"], each["model"]) for name, each in agents(project).items()} == {
        "x-builder": ("shell", "true", "small-1"), "x-painter": ("shell", "true", "small-1"),
    }  # fmt: skip
    (build,) = (each for each in ok(project, "task", "list", "--json").data if each["title"] == "Build: A house")
    assert build["assignee"] == "x-builder"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "pair can't be deployed: there is painter already."),
        (("--prefix", "a b"), "'a bbuilder' is not a name"),
        (
            ("--adapter", "shell", "--prefix", "x-"),
            "can't be started: a shell agent needs a `command`.",
        ),
        (("--adapter", "hal", "--prefix", "x-"), "Agent x-builder can't be started:"),
    ],
)
def test_what_can_not_be_made_whole_is_not_made(mine: Path, project: Path, args: tuple[str, ...], said: str) -> None:
    assert mine.is_dir()
    ok(project, "agent", "add", "painter", "--command", "true")
    before = tip(project)
    refused = type_(project, "org", "deploy", "pair", *args)
    assert refused.code in (1, 2)
    assert said in refused.err
    assert tip(project) == before


def test_a_broken_file_is_named_with_its_line(mine: Path, project: Path) -> None:
    repos.write(mine, {"pair.yaml": _PAIR.replace("depends_on: [build]", "depends_on: [built]")})
    before = tip(project)
    refused = type_(project, "org", "deploy", "pair")
    assert refused.err.splitlines() == [
        f"orchgit: {mine / 'pair.yaml'}:17: tasks.paint.depends_on: there is no 'built' in this file",
        "It has: build, paint.",
    ]
    assert tip(project) == before
    assert type_(project, "org", "deploy", "../agents/qa").code == 1


def test_the_present_team_is_exported_and_deployed_again(mine: Path, project: Path, tmp_path: Path) -> None:
    ok(project, "org", "deploy", "pair", "--adapter", "codex")
    ok(project, "agent", "add", "fmt", "--command", "ruff format .", "--env", "TOKEN", "--max-cost-usd", "1.5")
    printed = ok(project, "org", "export", "crew", "--stdout").out
    assert not (mine / "crew.yaml").exists()
    ok(project, "org", "export", "crew", "-d", "Builds and paints")
    assert (mine / "crew.yaml").read_text() == printed.replace("The team crew", "Builds and paints")
    other = repos.make_repo(tmp_path / "other")
    ok(other, "init")
    ok(other, "org", "deploy", "crew")
    told = ("path", "state")
    assert [{key: each[key] for key in each if key not in told} for each in agents(other).values()] == [
        {key: each[key] for key in each if key not in told} for each in agents(project).values()
    ]


def test_a_template_of_the_persons_own_is_not_written_over(mine: Path, project: Path) -> None:
    assert type_(project, "org", "export", "pair").err.startswith("orchgit: There is no agent to export.")
    ok(project, "agent", "add", "fmt", "--command", "true")
    assert type_(project, "org", "export", "pair").code == 1
    assert (mine / "pair.yaml").read_text() == _PAIR
    ok(project, "org", "export", "pair", "--force")
    assert "fmt:" in (mine / "pair.yaml").read_text()
    assert type_(project, "org", "export", "../pair").code == 2


def test_an_export_says_that_it_hides_one_of_ours(mine: Path, project: Path) -> None:
    ok(project, "agent", "add", "fmt", "--command", "true")
    assert ok(project, "org", "export", "crew").err == ""
    said = ok(project, "org", "export", "startup-mvp")
    assert f"{mine / 'startup-mvp.yaml'} is there." in said.out
    assert "It hides the organisation startup-mvp that orchgit has itself, in all of your projects." in said.err
    lines = ok(project, "org", "list").out.splitlines()
    assert [line.endswith("(yours, hides ours)") for line in lines if line.startswith("startup-mvp ")] == [True]


def test_an_agent_may_not_deploy(mine: Path, project: Path) -> None:
    assert mine.is_dir()
    ok(
        project,
        "agent",
        "add",
        "sly",
        "--command",
        "(orchgit org deploy pair; orchgit org export pair --force) 2>&1 || true",
    )
    task = ok(project, "task", "add", "One").id
    ok(project, "run", task)
    assert "An agent may not change the team." in ok(project, "logs").out
    assert "An agent may not write a person's templates." in ok(project, "logs").out
    assert list(agents(project)) == ["sly"]
    assert (mine / "pair.yaml").read_text() == _PAIR
