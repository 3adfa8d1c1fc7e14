"""The example of a state folder: every file can be read, every key is in it, and a team works with it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orchgit.engine import dispatch
from orchgit.model import agent, config, document, goal, prompt, standing, task, team, yamltext
from orchgit.model.config import SETTINGS, Config
from orchgit.repository import seed, states, worktrees
from orchgit.repository.layout import Layout
from tests.support import repos
from tests.support.cli import ok
from tests.support.repos import git

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXAMPLE = Path(__file__).parent.parent / ".orchestry.example"
FILES = sorted(path.relative_to(EXAMPLE).as_posix() for path in EXAMPLE.rglob("*") if path.is_file())
TASKS = [path for path in FILES if path.startswith("tasks/")]
GOALS = [path for path in FILES if path.startswith("goals/")]
TEAMS = [path for path in FILES if path.startswith("teams/")]
AGENTS = [path for path in FILES if path.startswith("agents/")]


def text(path: str) -> str:
    return (EXAMPLE / path).read_text(encoding="utf-8")


def state() -> states.State:
    return states.assemble(
        "", [states.parse(path, (EXAMPLE / path).read_bytes()) for path in FILES if states.belongs(path)]
    )


def test_nothing_in_it_is_broken() -> None:
    assert state().broken == ()
    assert len(state().tasks) == len(TASKS)
    assert len(state().agents) == len(AGENTS)
    assert [each.path for each in state().goals.values()] == GOALS
    assert [each.path for each in state().teams.values()] == TEAMS


def test_every_key_of_a_goal_and_of_a_team_is_in_it() -> None:
    assert list(document.parse(text(GOALS[0])).values) == list(goal.READERS)
    assert [*document.parse(text(TEAMS[0])).values, "orch"] == list(team.READERS)  # which only an import writes


@pytest.mark.parametrize("path", TASKS)
def test_a_task_is_named_as_orchgit_would_name_it(path: str) -> None:
    found = task.read(path, text(path))
    assert path.startswith(f"tasks/{found.id}-")
    assert found.status is task.Status.TODO
    assert not [key for key in task.ENGINE_KEYS if key in document.parse(text(path)).values]
    assert document.parse(text(path)).body.strip()


def test_the_tasks_depend_on_each_other_and_never_in_a_circle() -> None:
    tasks = state().tasks
    assert any(len(each.depends_on) > 1 for each in tasks.values())
    for each in tasks.values():
        assert set(each.depends_on) <= tasks.keys()
        assert not standing.circle(each.id, each.depends_on, tasks)


def test_one_task_explains_every_key() -> None:
    named = {path: set(re.findall(r"^(?:# )?([a-z_]+):", text(path), re.MULTILINE)) for path in TASKS}
    assert any(task.READERS.keys() <= keys for keys in named.values())


def uncommented(words: str) -> str:
    """Return YAML with its commented-out keys in force."""
    return re.sub(r"^( *)# ( *[a-z_A-Z]+:(?: .*)?)$", r"\1\2", words, flags=re.MULTILINE)


@pytest.mark.parametrize("path", TASKS)
def test_the_keys_of_a_task_that_are_commented_out_can_be_read(path: str) -> None:
    found = task.read(path, uncommented(text(path)))
    assert path.startswith(f"tasks/{found.id}-")


@pytest.mark.parametrize("path", AGENTS)
def test_an_agent_could_start_with_what_is_commented_out_as_well(path: str) -> None:
    for words in (text(path), uncommented(text(path))):
        found = agent.read(path, words)
        assert found.role
        dispatch.check(found, Config())


def test_one_agent_explains_every_key() -> None:
    named = {key for path in AGENTS for key in re.findall(r"^(?:# )?([a-z_]+):", text(path), re.MULTILINE)}
    assert named == {*agent.READERS, "role"}


def flat(values: dict[str, object], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in values.items():
        found.update(flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return found


def test_the_settings_name_every_key_with_its_default() -> None:
    found = flat(yamltext.load(uncommented(text(config.PATH))).values)
    assert list(found) == ["version", *SETTINGS]
    settings = config.read(uncommented(text(config.PATH)))
    for key in SETTINGS.keys() - {"project.name", "project.base", "workspaces_dir"}:
        assert config.value_of(settings, key) == config.value_of(Config(), key), key
    assert config.read(text(config.PATH)) == Config(project_name="shop", project_base="main")


def test_the_commented_folder_of_worktrees_is_the_default_one(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "shop", tmp_path / "shop" / ".git")
    settings = config.read(uncommented(text(config.PATH)))
    assert worktrees.workspaces(layout, settings) == worktrees.workspaces(layout, Config())


@pytest.mark.parametrize("path", [".gitattributes", ".pre-commit-config.yaml"])
def test_a_file_that_init_makes_too_is_the_same(path: str) -> None:
    made = {put.path: put.data for put in seed.files("shop", "main")}
    assert (EXAMPLE / path).read_bytes() == made[path]


def test_the_prompt_is_filled_in_with_all_that_there_is_and_with_little() -> None:
    said = prompt.render(text(prompt.PATH), prompt.SAMPLE)
    for word in (
        "backend",
        "You write Python.",
        "# Add OAuth2",
        "Labels: auth",
        "Test it.",
        "attempt 2 of 3",
        "/trees/",
    ):
        assert word in said
    bare = {**prompt.SAMPLE["task"], "labels": [], "scope": [], "goal": "", "description": "", "feedback": ""}
    agent_ = {"name": "tidy", "role": "", "model": "", "adapter": "shell", "mcp_servers": []}
    few = {
        "task": bare,
        "attempt": 1,
        "agent": agent_,
        "goal": None,
        "teams": [],
        "dependencies": [],
        "feedback": "",
        "previous": None,
    }
    said = prompt.render(text(prompt.PATH), {**prompt.SAMPLE, **few})
    assert "No more is written than the title says." in said
    assert "review said" not in said


def test_the_prompt_uses_every_name() -> None:
    def names(values: Mapping[str, Any]) -> Iterator[str]:
        for key, value in values.items():
            match value:
                case dict():
                    yield from (f"{key}.{each}" for each in value)
                case [dict() as first]:
                    yield from (f"each.{each}" for each in first)
                case _:
                    yield key

    assert [name for name in names(prompt.SAMPLE) if name not in text(prompt.PATH)] == ["task.feedback"]


def test_a_team_works_with_it_as_its_readme_says(tmp_path: Path) -> None:
    shop = repos.make_repo(tmp_path / "shop", files={"src/app.py": "a = 1   \n"})
    ok(shop, "init")
    for name in ("agents", "teams", "goals", "tasks", "context", "messages"):
        shutil.copytree(EXAMPLE / name, shop / ".orchestry" / name, dirs_exist_ok=True)
    shutil.copy(EXAMPLE / "prompt.md", shop / ".orchestry")
    ok(shop, "check")
    ok(shop, "run", "--all")
    for waiting in ok(shop, "task", "list", "--status", "review", "--json").data:
        ok(shop, "task", "approve", waiting["id"])
    ok(shop, "run", "--all")
    ok(shop, "task", "approve", "8h6")

    assert git(shop, "show", "main:src/app.py") == "a = 1"
    assert git(shop, "show", "main:docs/modules.md").endswith("- `src/app.py`")
    tidied = ok(shop, "task", "show", "3d8", "--prompt").out
    assert "No trailing spaces" in tidied
    assert "Leave generated files as they are." in tidied
    assert [each["state"] for each in ok(shop, "msg", "list", "--json").data] == ["read"]
    assert "1 files parse" in ok(shop, "logs", "--task", "8h6").out
    listed = ok(shop, "task", "list", "--json").data
    assert {each["title"]: each["status"] for each in listed}["Announce the release"] == "todo"
    explained = git(shop, "show", "orchestry:tasks/tsk_3d8wkn-tidy-the-code.md")
    assert "status: done                # todo, in_progress" in explained
    assert repos.is_clean(shop)
