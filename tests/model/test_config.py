from __future__ import annotations

import pytest

from orchgit.model import config
from orchgit.model.config import Config
from orchgit.model.errors import InvalidFileError, NotFoundError
from orchgit.repository import layout

FULL = """\
version: 1
project:
  name: Shop
  base: release/2
workspaces_dir: ../trees
workspace:
  hooks: {after_create: a, before_run: b, after_run: c, before_remove: d}
  hook_timeout_ms: 9
  bring: [.env]
  bring_mode: symlink
  shared_commit: true
archive_after_days: 3
runs: {keep: 10}
verify: {require_signatures: true}
goals: {max_tasks: 7}
scheduling:
  max_concurrent_agents: 2
  max_concurrent_retries: 1
  max_in_review: 3
  starvation_ms: 60000
  poll_interval_ms: 500
  retry_base_delay_ms: 0
  retry_max_delay_ms: 1
  later: an unknown key
defaults:
  task: {max_attempts: 5, priority: 4}
  agent:
    adapter: claude
    approval_policy: suggest
    timeout_ms: 7
    stall_timeout_ms: 8
    max_turns: 10
    max_tokens: 5000
    max_cost_usd: 2.50
    workspace_mode: isolated
"""
NAMES = "use letters, digits, '_', '-' and single dots, 64 at most"


def complaint(text: str) -> str:
    with pytest.raises(InvalidFileError) as caught:
        config.read(text)
    return str(caught.value)


def test_a_file_says_everything() -> None:
    assert config.read(FULL) == Config(
        project_name="Shop", project_base="release/2", workspaces_dir="../trees", max_concurrent_agents=2,
        max_concurrent_retries=1, starvation_ms=60_000,
        poll_interval_ms=500, retry_base_delay_ms=0, retry_max_delay_ms=1, task_max_attempts=5, task_priority=4,
        agent_adapter="claude", agent_approval_policy="suggest",
        agent_timeout_ms=7, agent_stall_timeout_ms=8, agent_max_turns=10, agent_max_tokens=5000,
        agent_max_cost_usd=2.5,
        max_in_review=3,
        hook_after_create="a", hook_before_run="b", hook_after_run="c", hook_before_remove="d", hook_timeout_ms=9,
        bring=(".env",), bring_mode="symlink", workspace_mode="isolated",
        shared_commit=True, archive_after_days=3, runs_keep=10, require_signatures=True,
        goal_max_tasks=7,
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "# nothing\n", "version: 1\n", "version:\n", "scheduling:\n", "project:\n  base:\n", "scheduling: {}\n",
     "defaults:\n  task:\n  agent: ~\n", "theirs: 1\nscheduling:\n  theirs: {a: b}\n"],
)  # fmt: skip
def test_what_is_not_said_is_the_default(text: str) -> None:
    assert config.read(text) == Config()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("project:\n  name: true\n", "config.yaml:2: project.name: true is not text; put it in quotes"),
        ("project:\n  name: {a: b}\n", "config.yaml:2: project.name: {'a': 'b'} is not text; put it in quotes"),
        ("project: Shop\n", "config.yaml:1: project: 'Shop' is not a group of settings"),
        ("version: 1\ndefaults:\n  task: 3\n", "config.yaml:3: defaults.task: 3 is not a group of settings"),
        ("scheduling: [a]\n", "config.yaml:1: scheduling: ['a'] is not a group of settings"),
        ("\nproject.base: main\n",
         "config.yaml:2: project.base: is read level by level: write `project:` and, indented below it, the rest"),
        ("project:\n\n  base: a..b\n", "config.yaml:3: project.base: 'a..b' is not the name of a branch"),
        ("project:\n  base: --all\n", "config.yaml:2: project.base: '--all' is not the name of a branch"),
        ("project:\n  base: main~1\n", "config.yaml:2: project.base: 'main~1' is not the name of a branch"),
        ("project:\n  base: main@{1}\n", "config.yaml:2: project.base: 'main@{1}' is not the name of a branch"),
        ("workspaces_dir: [a]\n", "config.yaml:1: workspaces_dir: ['a'] is not text; put it in quotes"),
        ("workspaces_dir: ''\n", "config.yaml:1: workspaces_dir: is empty"),
        ("scheduling:\n  max_concurrent_agents: 0\n",
         "config.yaml:2: scheduling.max_concurrent_agents: 0 is not a whole number, 1 or more"),
        ("scheduling:\n  max_concurrent_agents: 2.5\n",
         "config.yaml:2: scheduling.max_concurrent_agents: 2.5 is not a whole number, 1 or more"),
        ("scheduling:\n  poll_interval_ms: 10s\n",
         "config.yaml:2: scheduling.poll_interval_ms: '10s' is not a whole number from 1 to 31622400000"),
        ("scheduling:\n  retry_max_delay_ms: 99999999999999999\n",
         "config.yaml:2: scheduling.retry_max_delay_ms: 99999999999999999 is not a whole number from 0 to 31622400000"),
        ("defaults: {task: {priority: 5}}\n",
         "config.yaml:1: defaults.task.priority: 5 is not a whole number from 1 to 4"),
        ("defaults:\n  task:\n    max_attempts: true\n",
         "config.yaml:3: defaults.task.max_attempts: true is not a whole number from 1 to 100"),
        ("defaults:\n  agent:\n    adapter: a b\n",
         f"config.yaml:3: defaults.agent.adapter: 'a b' is not a name: {NAMES}"),
        ("- a\n", "config.yaml:1: is not made of `key: value` lines"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_where_it_stands(text: str, what: str) -> None:
    assert complaint(text) == what


@pytest.mark.parametrize("base", [layout.STATE_BRANCH, layout.WORK_BRANCHES, f"{layout.WORK_BRANCHES}/tsk_1-a"])
def test_work_is_never_merged_into_what_is_orchgits_own(base: str) -> None:
    reason = f"'{base}' is orchgit's own: work can't be merged into it"
    assert complaint(f"project:\n  base: {base}\n") == f"config.yaml:2: project.base: {reason}"


@pytest.mark.parametrize(("typed", "shown"), [("2", "2"), ("'1'", "'1'"), ("[1]", "[1]"), ("v1", "'v1'")])
def test_another_format_is_refused_before_anything_else(typed: str, shown: str) -> None:
    assert complaint(f"project: of another shape\nversion: {typed}\n") == (
        f"config.yaml:2: version: {shown} is a format that this orchgit doesn't know; it knows 1\nUpdate orchgit."
    )


@pytest.mark.parametrize(
    ("key", "what", "next_step"),
    [
        ("scheduling.max_agents", "There is no setting 'scheduling.max_agents'.",
         "Did you mean scheduling.max_concurrent_agents?"),
        ("zzz", "There is no setting 'zzz'.", "`orchgit config get` shows all of them."),
        ("project.baze", "There is no setting 'project.baze'.", "Did you mean project.base?"),
    ],
)  # fmt: skip
def test_a_setting_that_there_is_not(key: str, what: str, next_step: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        config.setting(key)
    assert (caught.value.what, caught.value.next_step) == (what, next_step)


@pytest.mark.parametrize("key", config.SETTINGS)
def test_every_setting_has_a_value_in_force_and_a_meaning(key: str) -> None:
    made = config.read(FULL)
    assert config.value_of(made, key) != config.value_of(Config(), key)
    assert config.setting(key).meaning
