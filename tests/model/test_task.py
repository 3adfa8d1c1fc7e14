from __future__ import annotations

from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime

import pytest

from orchgit.model import task
from orchgit.model.errors import InvalidFileError
from orchgit.model.task import Status, Task

PATH = "tasks/tsk_7k3m9q-add-oauth2-middleware.md"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
COMMIT = "3f9c2e1" + "0" * 33
FULL = f"""\
---
id: tsk_7k3m9q
title: Add OAuth2 middleware
status: in_progress
priority: 2                # 1 urgent .. 4 low
assignee: backend
labels: [auth]
depends_on: [tsk_2hd8xw]
goal: gol_5n2c8v
scope: [src/auth/**]
review_criteria: [test_pass, lint]
max_attempts: 3
max_turns: 12
max_tokens: 0
max_cost_usd: 2.5
workspace_mode: isolated
created: 2026-11-22T12:00:00Z
attempts: 1
agent: backend
run: run_4w8zr1
machine: 5c1e09
branch: orchgit/tsk_7k3m9q-add-oauth2-middleware
review_base: {COMMIT}
review_commit: {COMMIT}
retry_at: 2026-11-22T12:00:00Z
closed: 2026-11-22T12:00:00Z
estimate: an unknown key
---
What to do.
"""
NAMES = "use letters, digits, '_', '-' and single dots, 64 at most"


def read(*lines: str) -> Task:
    """Read a task of these lines, the first of which is the fourth of its file."""
    return task.read("tasks/t.md", "\n".join(["---", "id: tsk_1", "title: T", *lines, "---", "Body."]))


def complaint(*lines: str) -> str:
    with pytest.raises(InvalidFileError) as caught:
        read(*lines)
    return str(caught.value)


def test_a_task_says_everything() -> None:
    assert task.read(PATH, FULL) == Task(
        id="tsk_7k3m9q", title="Add OAuth2 middleware", path=PATH, status=Status.IN_PROGRESS, priority=2,
        assignee="backend", labels=("auth",), depends_on=("tsk_2hd8xw",), goal="gol_5n2c8v", scope=("src/auth/**",),
        review_criteria=("test_pass", "lint"), max_attempts=3, max_turns=12, max_tokens=0,
        max_cost_usd=2.5, workspace_mode="isolated", created=NOON,
        attempts=1, agent="backend", run="run_4w8zr1", machine="5c1e09",
        branch="orchgit/tsk_7k3m9q-add-oauth2-middleware", review_base=COMMIT,
        review_commit=COMMIT, retry_at=NOON, closed=NOON,
    )  # fmt: skip


def test_a_task_says_only_what_it_must() -> None:
    assert read() == Task(id="tsk_1", title="T", path="tasks/t.md")


def test_every_field_but_the_path_has_a_reader() -> None:
    assert {each.name for each in dataclass_fields(Task)} == {*task.READERS, "path"}
    assert {*task.ENGINE_KEYS} < {*task.READERS}


@pytest.mark.parametrize("key", [key for key in task.READERS if key not in ("id", "title")])
@pytest.mark.parametrize("nothing", ["", "~", "null", "# later"])
def test_what_stands_empty_is_absent(key: str, nothing: str) -> None:
    assert read(f"{key}: {nothing}") == read()


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("agent: Ada Lovelace", "agent", "Ada Lovelace"),
        ("agent: 12:30", "agent", "12:30"),
        ("agent: 1e3", "agent", "1e3"),
        ("agent: 0123", "agent", "0123"),
        ("agent: 123", "agent", "123"),
        ("agent: yes", "agent", "yes"),
        ("agent: '~'", "agent", "~"),
        ("machine: 012345", "machine", "012345"),
        ("machine: 5e1009", "machine", "5e1009"),
        ("assignee: on", "assignee", "on"),
        ("labels: auth, api", "labels", ("auth", "api")),
        ("labels: [yes, 0123, 12:30, 1, '1']", "labels", ("yes", "0123", "12:30", "1")),
        ("labels: []", "labels", ()),
        ("labels: ''", "labels", ()),
        ("depends_on: tsk_2", "depends_on", ("tsk_2",)),
        ("depends_on: tsk_2, tsk_3", "depends_on", ("tsk_2", "tsk_3")),
        ("depends_on: [tsk_2, tsk_2]", "depends_on", ("tsk_2",)),
        ("depends_on:\n- tsk_2\n- tsk_3", "depends_on", ("tsk_2", "tsk_3")),
        ("priority: 1", "priority", 1),
        ("attempts: 0", "attempts", 0),
        ("created: 2026-11-22T13:00:00+01:00", "created", NOON),
        ("created: 2026-11-22 12:00:00", "created", NOON),
        (f"review_commit: '{'1' * 40}'", "review_commit", "1" * 40),
        (f"review_commit: {'1' * 40}", "review_commit", "1" * 40),
        ("branch: orchgit/tsk_1", "branch", "orchgit/tsk_1"),
        ("branch: orchgit/tsk_1-t", "branch", "orchgit/tsk_1-t"),
        ("status: cancelled", "status", Status.CANCELLED),
    ],
)
def test_values_mean_what_was_typed(line: str, key: str, value: object) -> None:
    assert getattr(read(line), key) == value


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("id: 7k3m9q", "'7k3m9q' is not a task id such as tsk_7k3m9q"),
        ("id: run_4w8zr1", "'run_4w8zr1' is not a task id such as tsk_7k3m9q"),
        ("id: tsk_../../x", "'tsk_../../x' is not a task id such as tsk_7k3m9q"),
        ("id: --upload-pack=x", "'--upload-pack=x' is not a task id such as tsk_7k3m9q"),
        ("id: 12", "'12' is not a task id such as tsk_7k3m9q"),
        ("id: [tsk_1]", "['tsk_1'] is not text; put it in quotes"),
        ("title: true", "true is not text; put it in quotes"),
        ("title: 1.5", "1.5 is not text; put it in quotes"),
        ("title: [a, b]", "['a', 'b'] is not text; put it in quotes"),
        ("title: ' '", "is empty"),
        ("title: |\n  one\n  two", "must be one line without control characters"),
        ('title: "\\e[31mred"', "must be one line without control characters"),
    ],
)
def test_a_wrong_id_or_title_is_refused(line: str, reason: str) -> None:
    key = line.partition(":")[0]
    other = "title: T" if key == "id" else "id: tsk_1"
    with pytest.raises(InvalidFileError) as caught:
        task.read("tasks/t.md", f"---\n{other}\n{line}\n---\n")
    assert str(caught.value) == f"tasks/t.md:3: {key}: {reason}"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("status: Done", "'Done' is not one of todo, in_progress, review, done, retrying, failed, cancelled"),
        ("status: true", "true is not one of todo, in_progress, review, done, retrying, failed, cancelled"),
        ("status: [todo]", "['todo'] is not one of todo, in_progress, review, done, retrying, failed, cancelled"),
        ("priority: 0", "0 is not a whole number from 1 to 4"),
        ("priority: 1.0", "1.0 is not a whole number from 1 to 4"),
        ("priority: high", "'high' is not a whole number from 1 to 4"),
        ("priority: '1'", "'1' is not a whole number from 1 to 4"),
        ("priority: true", "true is not a whole number from 1 to 4"),
        ("priority: 01", "'01' is not a whole number from 1 to 4"),
        ("priority: 1e3", "'1e3' is not a whole number from 1 to 4"),
        ("priority: 12:30", "'12:30' is not a whole number from 1 to 4"),
        ("assignee: [backend]", "['backend'] is not text; put it in quotes"),
        ("goal: ''", f"'' is not a name: {NAMES}"),
        ("goal: ../x", f"'../x' is not a name: {NAMES}"),
        ("goal: -rf", f"'-rf' is not a name: {NAMES}"),
        ("labels: {a: 1}", "{'a': 1} is not a list"),
        ("labels: true", "true is not a list"),
        ("labels: [true]", "true is not text; put it in quotes"),
        ('labels: "a\\tb"', "must be one line without control characters"),
        ("depends_on: 7k3m9q", "'7k3m9q' is not a task id such as tsk_7k3m9q"),
        ("depends_on: [tsk_1, gol_1]", "'gol_1' is not a task id such as tsk_7k3m9q"),
        ("depends_on: [--all]", "'--all' is not a task id such as tsk_7k3m9q"),
        ("goal: a/b", f"'a/b' is not a name: {NAMES}"),
        ("scope: 1.5", "1.5 is not a list"),
        ("review_criteria: [[lint]]", "['lint'] is not text; put it in quotes"),
        ("max_attempts: 0", "0 is not a whole number from 1 to 100"),
        ("max_attempts: 101", "101 is not a whole number from 1 to 100"),
        ("max_turns: -1", "-1 is not a whole number from 0 to 1000000000000"),
        ("max_cost_usd: much", "'much' is not an amount of US dollars such as 2.50, 0 or more"),
        ("workspace_mode: cloud", "'cloud' is not a mode that this orchgit has: worktree, isolated, shared"),
        ("created: soon", "'soon' is not a time such as 2026-11-22T10:00:00Z"),
        (
            "created: 0001-01-01T00:00:00+01:00",
            "'0001-01-01T00:00:00+01:00' is not a time such as 2026-11-22T10:00:00Z",
        ),
        ("attempts: -1", "-1 is not a whole number, 0 or more"),
        ("agent: ' '", "is empty"),
        ("agent: false", "false is not text; put it in quotes"),
        ("run: tsk_1", "'tsk_1' is not a run id such as run_4w8zr1"),
        ("run: ../../x", "'../../x' is not a run id such as run_4w8zr1"),
        ("run: run_../x", "'run_../x' is not a run id such as run_4w8zr1"),
        ("machine: ..", f"'..' is not a name: {NAMES}"),
        ("review_base: HEAD", "'HEAD' is not a full commit id"),
        ("review_commit: 91ab03c", "'91ab03c' is not a full commit id"),
        ("review_commit: 12", "'12' is not a full commit id"),
        ("retry_at: 5", "5 is not a time such as 2026-11-22T10:00:00Z"),
        ("closed: true", "true is not a time such as 2026-11-22T10:00:00Z"),
        ("branch: -D", "'-D' is not the name of a branch"),
        ("branch: --force", "'--force' is not the name of a branch"),
        ("branch: a..b", "'a..b' is not the name of a branch"),
        ("branch: orchgit/tsk_1-a.lock", "'orchgit/tsk_1-a.lock' is not the name of a branch"),
        ("branch: orchgit/tsk_1-a@{1}", "'orchgit/tsk_1-a@{1}' is not the name of a branch"),
        ('branch: "orchgit/tsk_1\\n"', r"'orchgit/tsk_1\n' is not the name of a branch"),
        ("branch: ''", "'' is not the name of a branch"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(line: str, reason: str) -> None:
    assert complaint("x: 1", line) == f"tasks/t.md:5: {line.partition(':')[0]}: {reason}"


@pytest.mark.parametrize(
    "branch",
    [
        "main",
        "orchestry",
        "orchgit",
        "refs/heads/main",
        "orchgit/tsk_2-t",
        "orchgit/tsk_10",
        "orchgit/tsk_1/x",
        "HEAD/x",
    ],
)
def test_a_branch_that_is_not_the_tasks_own_is_refused(branch: str) -> None:
    assert complaint(f"branch: {branch}") == (
        f"tasks/t.md:4: branch: '{branch}' is not this task's to move: its own begins with orchgit/tsk_1\n"
        "Remove the line."
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("---\ntitle: T\n---\n", "tasks/t.md:1: id: is missing"),
        ("---\nid: tsk_1\n---\n", "tasks/t.md:1: title: is missing"),
        ("---\nid: tsk_1\n# the title\ntitle:\n---\n", "tasks/t.md:4: title: is missing"),
        ("---\n---\n", "tasks/t.md:1: id: is missing"),
        ("# Only words\n", "tasks/t.md:1: has no front matter"),
        ("", "tasks/t.md:1: has no front matter"),
    ],
)
def test_a_file_that_is_no_task_is_refused(text: str, what: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        task.read("tasks/t.md", text)
    assert caught.value.what == what


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("---\nid: tsk_1\n", "tasks/t.md:1: opens a front matter that is never closed"),
        ("---\nid: tsk_1\ntitle: T\nid: tsk_2\n---\n", "tasks/t.md:4: id: stands twice"),
        ("---\nid: tsk_1\ntitle: a: b\n---\n", "tasks/t.md:3: has a second `: `"),
    ],
)
def test_front_matter_that_is_no_yaml_is_refused(text: str, what: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        task.read("tasks/t.md", text)
    assert caught.value.what.startswith(what)


def test_older_comes_first_then_those_without_a_date_then_by_id() -> None:
    young = read("created: 2026-11-22T12:00:01Z")
    old = task.read("tasks/u.md", "---\nid: tsk_9\ntitle: T\ncreated: 2026-11-22T12:00:00Z\n---\n")
    undated = task.read("tasks/v.md", "---\nid: tsk_0\ntitle: T\n---\n")
    assert sorted([undated, read(), young, old], key=lambda each: each.age_key) == [old, young, undated, read()]
