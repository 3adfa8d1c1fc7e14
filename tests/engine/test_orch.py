"""A project of ORCH is brought over: all of it, legally, and nothing of it in silence."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from orchgit.engine.orch import forms, liquid, names
from orchgit.model import document, jsonable
from tests.support import repos
from tests.support.cli import ok, type_

if TYPE_CHECKING:
    from pathlib import Path

MADE = {"created_at": "2026-01-02T03:04:05.000Z", "updated_at": "2026-02-03T04:05:06.000Z"}
AGENT = {
    "id": "agt_a1", "name": "backend", "adapter": "claude", "role": "Backend engineer", "status": "idle",
    "config": {
        "model": "opus", "approval_policy": "auto", "max_turns": 40, "timeout_ms": 600000, "stall_timeout_ms": 60000,
        "env": {"API_KEY": "hunter2", "MODE": "fast"}, "system_prompt": "You write Python.",
        "workspace_mode": "worktree", "skills": ["python"], "command": "/opt/claude",
    },
    "current_task": "tsk_run", "stats": {"tasks_completed": 3}, "autonomous": False,
}  # fmt: skip


def task(name: str, **more: Any) -> dict[str, Any]:
    given = {"id": name, "title": f"Task {name}", "status": "todo", "priority": 2, "description": "Do it.", **MADE}
    return {**given, **more}


def written(name: str, values: Any) -> str:
    return json.dumps(values) if name.endswith(".json") else yaml.safe_dump(values, sort_keys=False)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    repo = repos.make_repo(tmp_path / "shop", files={"README.md": "# Shop\n", "design.png": "PNG"})
    repos.git(repo, "branch", "merged")
    repos.git(repo, "checkout", "--quiet", "-b", "waiting")
    repos.git(repo, "commit", "--quiet", "--allow-empty", "--message=work")
    repos.git(repo, "checkout", "--quiet", "main")
    ok(repo, "init")
    return repo


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return an ORCH project with something of everything."""
    root = tmp_path / "old" / ".orchestry"
    tasks = [
        task("tsk_todo", assignee="agt_a1", labels=["auth"], scope=["src/**"], depends_on=["tsk_gone", "tsk_merged"],
             goalId="gol_g1", attempts=2, max_attempts=5, workspace_mode="isolated", review_criteria=["test_pass"],
             feedback="Use UTC.\n# Please", attachments=["design.png", "/etc/passwd"], mystery={"a": 1}),
        task("tsk_run", status="in_progress"),
        task("tsk_gone", status="done", proof={"agent_summary": "Did it."}),
        task("tsk_merged", status="done", proof={"branch": "merged", "files_changed": ["README.md"]}),
        task("tsk_wait", status="review", proof={"branch": "waiting"}),
        task("tsk_lost", status="review", proof={"branch": "nowhere"}),
        task("tsk_fail", status="failed", priority=9),
        task("tsk_off", status="cancelled"),
        task("7: odd", title="Odd\nid", depends_on=["tsk_todo"]),
        task("tsk_pool"),
        task("tsk_untitled", title=""),
    ]  # fmt: skip
    everything: dict[str, Any] = {
        "config.yml": {
            "project": {"name": "bookshop"}, "scheduling": {"max_concurrent_agents": 2, "wild": 1},
            "defaults": {"agent": {"adapter": "claude", "timeout_ms": -1}},
            "prompt": {"template": "{{ task.title }} for {{ project.description }}"},
        },
        "state.json": {"version": 1},
        "agents/agt_a1.yml": AGENT,
        "agents/frontend.yaml": {"adapter": "shell", "role": "Front.", "command": "true", "approval_policy": "yolo"},
        "goals/gol_g1.yml": {"id": "gol_g1", "title": "Ship", "status": "active", "assignee": "agt_a1", **MADE},
        "teams/team_t1.yml": {
            "id": "team_t1", "name": "Core Team", "description": "The core.", "status": "active",
            "members": [{"agent_id": "agt_a1", "role": "lead"}, {"agent_id": "frontend", "role": "member"}],
            "task_pool": ["tsk_pool"], "lead_agent_id": "agt_a1",
            "config": {"max_concurrent_tasks": 2, "auto_claim": True},
        },
        "messages/msg_m1.json": {
            "id": "msg_m1", "channel": "direct", "from_agent_id": "frontend", "to_agent_id": "agt_a1", "subject": "Hi",
            "body": "Look.", "status": "pending", "created_at": MADE["created_at"], "delivered_at": None,
        },
        "messages/msg_m2.json": {
            "id": "msg_m2", "channel": "broadcast", "from_agent_id": "agt_a1", "body": "All.", "status": "delivered",
            "created_at": MADE["created_at"], "delivered_at": MADE["updated_at"],
        },
        "context/plan.json": {"key": "plan", "value": "Line 1\nLine 2", "updated_at": MADE["updated_at"], "ttl": None},
        "context/x.json": {"key": "a b/c", "value": {"n": 1}, "updated_at": MADE["updated_at"], "ttl": 60000},
        "runs/run_r1.json": {"id": "run_r1", "task_id": "tsk_run", "status": "running"},
    }  # fmt: skip
    everything |= {f"tasks/{each['id'].replace(': ', '-')}.yml": each for each in tasks}
    for name, values in everything.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(written(name, values))
    (root / "tasks" / "broken.yml").write_text("a: [b\n")
    (root / "runs" / "run_r1.jsonl").write_text("{}\n")
    (root.parent / "design.png").write_bytes(b"\x89PNG\xff")
    return root.parent


def state(shop: Path, path: str) -> str:
    return repos.git(shop, "show", f"orchestry:{path}")


def status_of(shop: Path) -> dict[str, str]:
    return {each["id"]: each["status"] for each in ok(shop, "task", "list", "--json").data}


def test_all_of_it_comes_over_legally_and_nothing_in_silence(shop: Path, old: Path) -> None:
    said = ok(shop, "import", "orch", str(old), "--json").data
    made = {"tasks": 10, "agents": 2, "teams": 1, "goals": 1, "context": 2, "messages": 2}
    assert said["made"] == made
    odd = names.made("tsk", "7: odd")
    assert status_of(shop) == {
        "tsk_todo": "todo", "tsk_run": "todo", "tsk_gone": "cancelled", "tsk_merged": "done", "tsk_wait": "in_progress",
        "tsk_lost": "todo", "tsk_fail": "cancelled", "tsk_off": "cancelled", odd: "todo", "tsk_pool": "todo",
    }  # fmt: skip
    notes = "\n".join(said["notes"])
    for told in (
        "tasks/tsk_run.yml: was in_progress, which no run or commit here bears out: todo",
        "tasks/tsk_gone.yml: was done, by no commit that could be found: cancelled here",
        "tasks/tsk_wait.yml: was review, on the branch waiting, which main doesn't have: it is yours now",
        "tasks/tsk_todo.yml: no longer waits for tsk_gone, done there",
        "tasks/tsk_todo.yml: the attachment '/etc/passwd' is no file of the project",
        "tasks/tsk_fail.yml: priority: 9 is not a whole number from 1 to 4",
        f"tasks/7-odd.yml: the id '7: odd' is {odd} here",
        "tasks/tsk_untitled.yml: it has no title; kept as attachments/orch/tasks/tsk_untitled.yml",
        "tasks/broken.yml can't be read: line 1",
        "agents/agt_a1.yml: env.API_KEY looks like a secret: it is $API_KEY here",
        "agents/agt_a1.yml: command '/opt/claude': the adapter claude finds its own program here",
        "agents/frontend.yaml: approval_policy: 'yolo' is not one of",
        "teams/team_t1.yml: 'Core Team' is called Core-Team here",
        "config.yml: scheduling.wild is 1: there is no such setting here",
        "config.yml: defaults.agent.timeout_ms is -1",
        "prompt.liquid: rewrite it in Jinja2 as .orchestry/prompt.md; it is not in force as it is, line 1: the ",
        "fails: there is no project.description; kept as attachments/orch/prompt.liquid",
        "context/x.json: the key 'a b/c' is a-b/c here",
        "runs: 2 files that have no place here; kept as attachments/orch/runs",
        "state.json: 1 file that has no place here; kept as attachments/orch/state.json",
    ):
        assert told in notes
    assert ok(shop, "verify").out.endswith("verified.\n")
    assert repos.is_sound(shop)
    assert repos.git(shop / ".orchestry", "status", "--porcelain") == ""


def test_what_has_a_place_is_in_it_and_the_rest_beside_it(shop: Path, old: Path) -> None:
    ok(shop, "import", "orch", str(old / ".orchestry"))
    shown = ok(shop, "task", "show", "tsk_todo", "--json").data
    assert (shown["assignee"], shown["goal"], shown["scope"]) == ("backend", "gol_g1", ["src/**"])
    assert (shown["depends_on"], shown["blocked_by"], shown["max_attempts"]) == (["tsk_merged"], [], 5)
    assert shown["attachments"] == ["attachments/tsk_todo/design.png"]
    assert shown["body"] == "Do it.\n\n## Feedback\n\n**ORCH:**\n\n> Use UTC.\n> # Please"
    front = document.parse(state(shop, shown["path"])).values
    assert front["orch"] == {
        "attempts": 2, "updated_at": MADE["updated_at"], "mystery": {"a": 1}, "depends_on": ["tsk_gone", "tsk_merged"],
        "attachments": ["/etc/passwd"],
    }  # fmt: skip
    agent = document.parse(state(shop, "agents/backend.md"))
    assert agent.body == "Backend engineer\n\nYou write Python."
    assert agent.values["env"] == {"API_KEY": "$API_KEY", "MODE": "fast"}
    assert (agent.values["orch"]["id"], agent.values["orch"]["stats"]) == ("agt_a1", {"tasks_completed": 3})
    assert ok(shop, "agent", "status", "backend", "--json").data["max_turns"] == 40
    assert agent.values["autonomous"] is False
    team = document.parse(state(shop, "teams/Core-Team.md"))
    assert (team.values["lead"], team.values["members"]) == ("backend", ["backend", "frontend"])
    assert (team.values["max_concurrent_tasks"], team.values["auto_claim"]) == (2, True)
    assert ok(shop, "task", "show", "tsk_pool", "--json").data["assignee"] == "Core-Team"
    assert document.parse(state(shop, "goals/gol_g1-ship.md")).values["assignee"] == "backend"
    assert state(shop, "context/plan.md") == "Line 1\nLine 2"
    assert state(shop, "context/a-b/c.md").startswith("---\nexpires: 2026-02-03T04:06:06Z\n---\n{")
    letter = document.parse(state(shop, "messages/backend/new/msg_m1.md"))
    assert (letter.values["from"], letter.values["sender"], letter.body) == ("frontend", "agent", "Look.")
    (read,) = (shop / ".orchestry" / "messages" / "frontend" / "cur").iterdir()
    assert document.parse(read.read_text()).values["channel"] == "broadcast"
    assert ok(shop, "config", "get", "project.name").out == "bookshop\n"
    assert ok(shop, "config", "get", "scheduling.max_concurrent_agents").out == "2\n"
    assert json.loads(state(shop, "attachments/orch/runs/run_r1.json"))["id"] == "run_r1"
    assert "hunter2" not in repos.git(shop, "grep", "-h", "", "orchestry")


def test_a_dry_run_says_the_same_and_writes_nothing(shop: Path, old: Path) -> None:
    tip = repos.git(shop, "rev-parse", "orchestry")
    dry = ok(shop, "import", "orch", str(old), "--dry-run", "--json").data
    assert repos.git(shop, "rev-parse", "orchestry") == tip
    wet = ok(shop, "import", "orch", str(old), "--json").data
    assert (dry["made"], dry["paths"], dry["notes"]) == (wet["made"], wet["paths"], wet["notes"])


def test_a_second_time_changes_nothing(shop: Path, old: Path) -> None:
    ok(shop, "import", "orch", str(old))
    tip = repos.git(shop, "rev-parse", "orchestry")
    said = ok(shop, "import", "orch", str(old))
    assert "there is a task tsk_todo already, which stays as it is" in said.out
    assert said.out.endswith("Brought over nothing.\n")
    assert repos.git(shop, "rev-parse", "orchestry") == tip


def test_agents_and_teams_are_known_by_their_old_ids(shop: Path, old: Path) -> None:
    ok(shop, "import", "orch", str(old))
    name = ok(shop, "agent", "status", "agt_a1", "--json").data["name"]
    task = ok(shop, "task", "add", "One", "--assignee", "agt_a1")
    assert task.err == ""
    assert {each["assignee"] for each in ok(shop, "task", "list", "--assignee", "agt_a1", "--json").data} == {name}
    assert ok(shop, "agent", "disable", "agt_a1").out == f"{name} is disabled.\n"
    assert ok(shop, "team", "add-task", "team_t1", task.id).out == f"{task.id} is for Core-Team.\n"
    assert ok(shop, "task", "assign", task.id, "agt_a1").out == f"{task.id} is for {name}.\n"
    for words in (("agent", "status", "agt_x"), ("task", "assign", task.id, "agt_x"), ("msg", "send", "agt_x", "Hi")):
        said = type_(shop, *words)
        assert (said.code, said.err.splitlines()[0]) == (1, "orchgit: There is no agent 'agt_x'.")
        assert "Agents go by their names here: " in said.err


def test_what_was_in_review_can_be_handed_in_and_approved(shop: Path, old: Path) -> None:
    ok(shop, "import", "orch", str(old))
    ok(shop, "task", "submit", "tsk_wait", "--commit", "waiting")
    assert "tsk_wait is done" in ok(shop, "task", "approve", "tsk_wait").out


@pytest.mark.parametrize(
    ("where", "message"),
    [("nothing", "is no folder of ORCH"), (".orchestry", "is orchgit's own state"), (".", "is orchgit's own state")],
)
def test_what_is_no_project_of_orch_is_refused(shop: Path, where: str, message: str) -> None:
    said = type_(shop, "import", "orch", where)
    assert (said.code, message in said.err) == (1, True)


def test_it_is_not_for_an_agent_to_do(shop: Path, old: Path) -> None:
    said = type_(shop, "import", "orch", str(old), ORCHGIT_AGENT="sly", ORCHGIT_RUN="run_x")
    assert (said.code, "An agent may not bring a project over." in said.err) == (1, True)


@pytest.mark.parametrize(
    ("since", "ttl", "ends"),
    [
        (MADE["updated_at"], 1000, "2026-02-03T04:05:07Z"), (MADE["updated_at"], None, None), ("soon", 1, None),
        (MADE["updated_at"], 1e30, None), (MADE["updated_at"], True, None), (None, 5, None),
    ],
)  # fmt: skip
def test_when_a_value_ends(since: object, ttl: object, ends: str | None) -> None:
    found = forms.expires(since, ttl)
    assert (jsonable.moment(found) if found else None) == ends


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("Hi {{ task.title | upcase }}", "Hi {{ task.title | upper }}"),
        ("{{- task.title|downcase|strip -}}", "{{- task.title| lower| trim -}}"),
        ("{{ task.goal | default: 'none | upcase' }}", "{{ task.goal | default('none | upcase', true) }}"),
        ("{{ task.labels | join: ', ' | upcase }}", "{{ task.labels | join(', ') | upper }}"),
        (
            "{{ task.labels | join }} {{ task.labels | size }}",
            "{{ task.labels | join(' ') }} {{ task.labels | length }}",
        ),
        ("{{ task.title | replace: 'a', 'b' }}", "{{ task.title | replace('a', 'b') }}"),
        (
            "{% if attempt > 1 %}a{% elsif task.goal %}b{% endif %}{% assign n = task.labels | size %}{{ n }}",
            "{% if attempt > 1 %}a{% elif task.goal %}b{% endif %}{% set n = task.labels | length %}{{ n }}",
        ),
        ("a | upcase, {{ '| upcase' }}", "a | upcase, {{ '| upcase' }}"),
    ],
)
def test_what_liquid_and_jinja_both_have_is_translated(there: str, here: str) -> None:
    assert liquid.as_jinja(there) == here
    assert forms.unfit(here) == ""


def bring(shop: Path, files: dict[str, Any], *words: str) -> list[str]:
    """Bring over an ORCH project of these files, and return what was told; the state is sound after that."""
    root = shop.parent / "other"
    for name, given in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(given if isinstance(given, bytes) else written(name, given).encode())
    notes: list[str] = ok(shop, "import", "orch", str(root), "--json", *words).data["notes"]
    assert ok(shop, "check").code == 0
    assert repos.is_sound(shop)
    return notes


def test_a_template_in_liquid_is_in_force_where_jinja_has_the_same(shop: Path) -> None:
    config = {"config.yml": {"prompt": {"template": "Do {{ task.title | upcase }}"}}}
    assert bring(shop, config) == ["config.yml: prompt.template is prompt.md here, in Jinja2: look it over"]
    assert state(shop, "prompt.md") == "Do {{ task.title | upper }}"
    there = "config.yml: prompt.template: there is a prompt.md already, which stays as it is"
    assert bring(shop, config) == [there]


def test_a_template_that_jinja_can_not_read_is_kept_and_the_rest_brought_over(shop: Path) -> None:
    template = "Do\n{{ task.title | pluralize }}"
    (note,) = bring(shop, {"config.yml": {"prompt": {"template": template}}, "tasks/tsk_one.yml": task("tsk_one")})
    assert "as it is, line 2: the prompt template can't be read: No filter named 'pluralize'; kept as " in note
    assert status_of(shop) == {"tsk_one": "todo"}
    assert state(shop, "attachments/orch/prompt.liquid") == template


@pytest.mark.parametrize(
    "name", [".git", ".GIT", "git~1", ".git .", ".g\u200cit", ".git:x", "a\\.Git", ".gitmodules", ".gitattributes"]
)
def test_no_file_of_gits_own_gets_into_the_state(shop: Path, name: str) -> None:
    notes = bring(shop, {f"notes/{name}/config": b"[core]\n", f"docs/{name}": b"x", "config.yml": b"# none\n"})
    told = f"{name.replace(chr(0x200C), ' ')} would be git's own, and no clone might have it: left where it is"
    assert notes == [f"docs/{told}", f"notes/{told}"]
    assert "attachments/orch" not in repos.git(shop, "ls-tree", "-r", "--name-only", "orchestry")
    repos.git(shop.parent, "clone", "--quiet", "--branch=orchestry", str(shop), "copy")


def test_what_is_no_file_is_told_and_a_link_is_what_it_leads_to(shop: Path) -> None:
    other = shop.parent / "other"
    (other / "runs" / "old").mkdir(parents=True)
    os.mkfifo(other / "pipe")
    (other / "data.json").write_text("{}\n")
    (shop.parent / "secret").write_text("hunter2\n")
    for name, target in {
        "in": "data.json",
        "out": "../secret",
        "runs2": "runs",
        "gone": "nothing",
        "self": "self",
    }.items():
        (other / name).symlink_to(target)
    (other / "two\nlines").write_text("x\n")
    assert bring(shop, {"config.yml": b"# none\n"}) == [
        "runs/old: empty, and Git keeps no empty folder",
        "gone is a link to no file of this folder: left where it is",
        "in is a link to data.json: what that says is brought over",
        "out is a link to no file of this folder: left where it is",
        "pipe is no file that could be kept (a pipe, a socket, a device): left where it is",
        "runs2 is a link to no file of this folder: left where it is",
        "self is a link to no file of this folder: left where it is",
        "data.json: 1 file that has no place here; kept as attachments/orch/data.json",
        "in: 1 file that has no place here; kept as attachments/orch/in",
        "two lines: 1 file that has no place here; kept as attachments/orch/two lines",
    ]
    assert state(shop, "attachments/orch/in") == "{}"
    assert state(shop, "attachments/orch/two\nlines") == "x"
    assert "hunter2" not in repos.git(shop, "grep", "-h", "", "orchestry")


def test_of_two_configs_the_one_that_orch_reads_counts(shop: Path) -> None:
    notes = bring(shop, {"config.yaml": {"project": {"name": "a"}}, "config.yml": {"project": {"name": "b"}}})
    assert notes == ["config.yaml: 1 file that has no place here; kept as attachments/orch/config.yaml"]
    assert ok(shop, "config", "get", "project.name").out == "b\n"


def test_two_with_one_id_are_one_and_the_other_is_kept(shop: Path) -> None:
    agents = {"agents/a.yml": {"id": "agt_d", "name": "one"}, "agents/b.yml": {"id": "agt_d", "name": "two"}}
    goals = {f"goals/{name}.yml": {"id": "gol_dup", "title": f"Goal {name}"} for name in "ab"}
    tasks = {f"tasks/{name}.yml": task("tsk_dup", title=f"Task {name}", assignee="agt_d") for name in "ab"}
    said = {"id": "msg_dup", "to_agent_id": "agt_d", "body": "Hi."}
    letters = {"messages/a.json": said, "messages/b.json": {**said, "status": "read"}}
    values = {f"context/{name}.json": {"key": key, "value": key} for name, key in {"a": "dup", "b": "dup.md"}.items()}
    both = agents | goals | tasks | letters | values
    assert bring(shop, both) == [
        "agents/b.yml: agents/a.yml is agents/one.md already; kept as attachments/orch/agents/b.yml",
        "goals/b.yml: goals/a.yml is the goal gol_dup already; kept as attachments/orch/goals/b.yml",
        "tasks/b.yml: tasks/a.yml is the task tsk_dup already; kept as attachments/orch/tasks/b.yml",
        "context/b.json: context/a.json is context/dup.md already; kept as attachments/orch/context/b.json",
        "messages/b.json: messages/a.json is the message msg_dup already; kept as attachments/orch/messages/b.json",
    ]
    assert {each["title"]: each["assignee"] for each in ok(shop, "task", "list", "--json").data} == {"Task a": "one"}
    assert yaml.safe_load(state(shop, "attachments/orch/tasks/b.yml"))["title"] == "Task b"
    tip = repos.git(shop, "rev-parse", "orchestry")
    assert "goals/b.yml: there is a goals/gol_dup-goal-b.md already, which stays as it is" in bring(shop, both)
    assert repos.git(shop, "rev-parse", "orchestry") == tip


def test_a_key_is_called_as_a_key_may_be(shop: Path) -> None:
    deep = "/".join("abcdefghi")
    values = {"a": "notes.md/dup.md", "b": deep}
    files = {f"context/{name}.json": {"key": key, "value": "v"} for name, key in values.items()}
    (renamed, kept) = bring(shop, {"config.yml": b"# none\n", **files})
    assert renamed == "context/a.json: the key 'notes.md/dup.md' is notes/dup here"
    assert kept == (
        f"context/b.json: '{deep}' is too long: 200 characters and 8 names at most; "
        "kept as attachments/orch/context/b.json"
    )
    assert ok(shop, "context", "get", "notes/dup").out == "v"


def test_a_team_is_brought_over_with_those_who_are_here(shop: Path) -> None:
    ok(shop, "agent", "add", "taken", "--command", "true")
    files = {
        "agents/a.yml": {"id": "agt_a", "name": "backend", "autonomous": True},
        "agents/b.yml": {"id": "agt_b", "name": "store", "autonomous": "maybe"},
        "teams/a.yml": {
            "id": "team_a", "name": "core", "lead_agent_id": "agt_gone", "members": ["agt_a", "agt_lost"],
            "auto_claim": False, "task_pool": ["tsk_a"],
        },
        "teams/b.yml": {"id": "team_b", "name": "lost", "lead_agent_id": "agt_gone", "task_pool": ["tsk_b"]},
        "teams/c.yml": {
            "id": "team_c", "name": "old", "lead_agent_id": "agt_a", "status": "disbanded", "task_pool": ["tsk_c"],
        },
        "teams/d.yml": {"id": "team_d", "name": "taken", "lead_agent_id": "agt_a"},
        **{f"tasks/tsk_{name}.yml": task(f"tsk_{name}") for name in "abc"},
        "tasks/tsk_d.yml": task("tsk_d", assignee="team_c"),
    }  # fmt: skip
    nobody = "a team needs a lead, and no agent that is here is in this one"
    assert bring(shop, files) == [
        "teams/d.yml: 'taken' is called taken-2 here",
        "agents/b.yml: autonomous: 'maybe' is not true or false; kept under `orch:`",
        "teams/a.yml: 'agt_lost' is no agent here, and no member",
        "teams/a.yml: its lead 'agt_gone' is no agent here: backend leads it",
        f"teams/b.yml: {nobody}; kept as attachments/orch/teams/b.yml",
        "teams/c.yml: is disbanded; kept as attachments/orch/teams/c.yml",
        "tasks/tsk_d.yml: was for team_c, who isn't here: kept under `orch:`",
    ]
    assert {each["name"] for each in ok(shop, "team", "list", "--json").data} == {"core", "taken-2"}
    core = document.parse(state(shop, "teams/core.md")).values
    assert (core["lead"], core["members"], core["auto_claim"]) == ("backend", ["backend"], False)
    assert "autonomous" not in document.parse(state(shop, "agents/backend.md")).values
    assert {each["id"]: each["assignee"] for each in ok(shop, "task", "list", "--json").data} == {
        "tsk_a": "core", "tsk_b": None, "tsk_c": None, "tsk_d": None,
    }  # fmt: skip


def test_messages_for_who_typed_there_are_for_who_brings_them(shop: Path) -> None:
    said = {"from_agent_id": "agt_a", "body": "Hi."}
    files = {
        "agents/a.yml": {"id": "agt_a", "name": "backend"},
        "messages/a.json": {**said, "id": "msg_a", "to_agent_id": "user"},
        "messages/b.json": {**said, "id": "msg_b", "to_agent_id": "agt_gone"},
    }
    told = "messages/b.json: is for 'agt_gone', who is no agent here: it waits for a person of that name"
    assert bring(shop, files) == [told]
    assert [each["id"] for each in ok(shop, "msg", "inbox", "--json").data] == ["msg_a"]


def test_what_is_wrong_with_a_task_is_said(shop: Path) -> None:
    files = {"tasks/x.yml": b"title:\nstatus: exploded\n", "tasks/y.yml": b"title: Y\nstatus: exploded\n"}
    files["tasks/two\nlines.yml"] = b"description: x\n"
    notes = bring(shop, files)
    assert "tasks/x.yml: it has no title; kept as attachments/orch/tasks/x.yml" in notes
    assert "tasks/y.yml: the status 'exploded' is none that is known: todo" in notes
    assert "tasks/two lines.yml: it has no title; kept as attachments/orch/tasks/two lines.yml" in notes


def test_what_is_of_another_shape_is_kept_and_no_defect(shop: Path) -> None:
    files = {
        "agents/a.yml": b"name: [1]\nconfig: 5\n",
        "teams/a.yml": b"members: 7\nlead_agent_id: [1]\n",
        "goals/a.yml": b"id: gol_a\ntitle: [a]\n",
        "tasks/a.yml": b"id: tsk_a\ntitle: {a: 1}\n",
        "context/a.json": {"key": "../../x.md", "value": None},
        "messages/a.json": {"id": "msg_a", "to_agent_id": {"a": 1}},
        "messages/b.json": {"id": "msg_b", "to_agent_id": "../../x", "body": "Hi."},
    }
    notes = bring(shop, files)
    for name in ("teams/a.yml", "goals/a.yml", "tasks/a.yml", "messages/a.json"):
        assert [note for note in notes if note.startswith(f"{name}: ") and note.endswith(f"attachments/orch/{name}")]
    made = repos.git(shop, "ls-tree", "-r", "--name-only", "orchestry", "context", "messages").splitlines()
    assert made == ["context/x.md", "messages/%2E.%2F..%2Fx/new/msg_b.md"]
