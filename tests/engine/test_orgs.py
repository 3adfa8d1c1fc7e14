"""An organisation at work: from a goal to merged work, with no hand in between but the approvals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit import api
from orchgit.model.errors import RefusedError
from orchgit.model.org import GOAL
from orchgit.model.task import CLOSED, Purpose, Status
from tests.support import agents, repos
from tests.support.cli import ok

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.api import Project

# Stands in for every model: it plans, builds and assesses, as its prompt asks, by the commands that a model has.
MODEL = """\
import json, os, pathlib, subprocess, sys

def orchgit(*words):
    return subprocess.run(["orchgit", *words], check=True, capture_output=True, text=True).stdout

prompt, me = sys.stdin.read(), os.environ["ORCHGIT_AGENT"]
task = json.loads(orchgit("task", "show", os.environ["ORCHGIT_TASK"], "--json"))
assert "## Definition of done" in prompt and "## How this team works" in prompt
assert f"led by architect" in prompt and "A todo list" in prompt
match task["purpose"]:
    case "plan":
        assert me == "architect"
        first = orchgit("task", "add", "Skeleton", "--assignee", "fullstack", "-d", "Runs.").split()[0]
        last = [
            orchgit("task", "add", title, "--assignee", who, "--depends-on", first, "--scope", f"{title}/**").split()[0]
            for title, who in (("Store", "backend"), ("Page", "frontend"), ("Help", "startup-mvp"))
        ]
        orchgit("task", "add", "Pass", "--assignee", "qa", "--depends-on", ",".join(last))
        print("A skeleton, three slices, a pass by qa.")
    case "assess":
        assert {each.name for each in pathlib.Path().glob("*/done.txt")} == {"done.txt"}
        orchgit("goal", "status", task["goal"], "achieved")
        print("Achieved.")
    case None:
        place = pathlib.Path(task["title"], "done.txt")
        place.parent.mkdir()
        place.write_text(f"{task['title']}, by {me}\\n")
        print(f"{task['title']} is done.")
"""


def work_off(project: Project) -> int:
    """Let the team work and approve all that waits for a person, until nothing is open; return how often that was."""
    approvals = 0
    while any(task.status not in CLOSED for task in project.tasks()):
        project.run(report=lambda _happening: None)
        project.refresh()
        waiting = project.tasks(status=Status.REVIEW)
        assert waiting, {task.title: (task.status, project.reason(task.id)) for task in project.tasks()}
        for task in waiting:
            project.approve(task.id)
            approvals += 1
        project.run(report=lambda _happening: None)
        project.refresh()
    return approvals


def test_a_startup_goes_from_nothing_to_merged_work(tmp_path: Path) -> None:
    root = repos.make_repo(tmp_path / "nothing", files={".gitignore": "*.log\n"})
    command = agents.script(tmp_path / "model.py", MODEL)
    ok(root, "init")
    ok(root, "org", "deploy", "startup-mvp", "--goal", "A todo list", "--command", command)
    project = api.open_project(root)
    assert work_off(project) == 5
    (goal,) = project.goals()
    assert (goal.title, goal.status) == ("A todo list", "achieved")
    assert repos.git(root, "ls-tree", "-r", "--name-only", "main").splitlines() == [
        ".gitignore", "Help/done.txt", "Page/done.txt", "Pass/done.txt", "Skeleton/done.txt", "Store/done.txt",
    ]  # fmt: skip
    assert repos.git(root, "show", "main:Pass/done.txt") == "Pass, by qa"
    purposes = sorted(str(task.purpose) for task in project.tasks() if task.purpose)
    assert purposes == [Purpose.ASSESS, Purpose.PLAN]
    assert all(task.status is Status.DONE for task in project.tasks())
    assert repos.is_sound(root)
    assert project.verify().first == {}


def test_a_squad_works_through_the_tasks_that_it_begins_with(tmp_path: Path) -> None:
    root = repos.make_repo(tmp_path / "old")
    model = MODEL.replace("led by architect", "led by lab-data").replace("A todo list", "What")
    ok(root, "init")
    command = agents.script(tmp_path / "model.py", model.replace('task["title"]', 'task["id"]'))
    ok(root, "org", "deploy", "data-lab", "--prefix", "lab-", "--command", command)
    project = api.open_project(root)
    first = {task.title: task.id for task in project.tasks()}
    assert first.keys() == {each.title.replace(GOAL, api.org("data-lab").goal) for each in api.org("data-lab").tasks}
    assert work_off(project) == len(first)
    (goal,) = project.goals()
    assert (goal.assignee, goal.status) == ("lab-data", "achieved")
    assert {task.id for task in project.tasks() if task.purpose is None} == set(first.values())


def test_a_team_of_that_name_is_a_clash_too(tmp_path: Path) -> None:
    root = repos.make_repo(tmp_path / "project")
    ok(root, "init")
    project = api.open_project(root)
    project.add_agent("one", {"adapter": "shell", "command": "true"})
    project.add_team("startup-mvp", {"lead": "one"})
    tip = project.refresh().tip
    with pytest.raises(RefusedError) as caught:
        project.deploy("startup-mvp")
    assert caught.value.what == "startup-mvp can't be deployed: there is startup-mvp already."
    assert project.refresh().tip == tip
    made = project.deploy("startup-mvp", prefix="two-")
    assert made.team is not None
    assert made.goal is not None
    assert (made.team.name, made.team.lead, made.goal.assignee) == (
        "two-startup-mvp", "two-architect", "two-architect",
    )  # fmt: skip
    assert [(task.purpose, task.assignee) for task in made.tasks] == [(Purpose.PLAN, "two-architect")]


def test_a_team_is_exported_with_its_lead_and_its_goal(tmp_path: Path) -> None:
    root, other = repos.make_repo(tmp_path / "project"), repos.make_repo(tmp_path / "other")
    ok(root, "init")
    ok(other, "init")
    project = api.open_project(root)
    made = project.deploy("migration-squad", goal="From one to two")
    assert made.team is not None
    project.refresh()
    project.keep_org("movers", project.export("movers"))
    again = api.open_project(other).deploy("movers")
    assert again.team is not None
    assert again.goal is not None
    assert (again.team.name, again.team.everyone, again.goal.title) == ("movers", made.team.everyone, "From one to two")
    assert [agent.role for agent in again.agents] == [agent.role for agent in made.agents]
    project.add_agent("extra", {"adapter": "shell", "command": "true"})
    project.refresh()
    assert "team:" not in project.export("all")
    assert "extra" not in project.export("squad", team="migration-squad")
    assert "  lead: architect" in project.export("squad", team="migration-squad")
