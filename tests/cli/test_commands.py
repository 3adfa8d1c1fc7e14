"""Each command: what it prints, what it refuses, and how it exits."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchgit.engine import perform
from orchgit.engine.snapshot import Observer
from orchgit.model import scheduling
from orchgit.model.audit import Offence
from orchgit.repository import find, settled
from tests.support import repos
from tests.support.cli import ok, on_terminal, type_
from tests.support.repos import git, make_script


def add(project: Path, title: str, *args: str) -> str:
    return ok(project, "task", "add", title, *args).id


def test_what_was_asked_for_without_a_command_is_help(tmp_path: Path) -> None:
    for group in ((), ("task",)):
        said = ok(tmp_path, *group)
        assert (said.out, said.err) == (ok(tmp_path, *group, "--help").out, "")


@pytest.mark.parametrize(
    "group", ["task", "agent", "org", "goal", "team", "context", "msg", "workspace", "hooks", "skill"]
)
def test_no_summary_of_a_command_is_cut(tmp_path: Path, group: str) -> None:
    said = ok(tmp_path, group, "--help", COLUMNS="80").out.partition("\nCommands:\n")[2]
    assert said.splitlines()
    assert "..." not in said
    assert not {"merged", "receive", "update"} & {line.split()[0] for line in said.splitlines()}


def test_version_and_help_need_no_repository(tmp_path: Path) -> None:
    assert ok(tmp_path, "--version").out.startswith("orchgit ")
    said = ok(tmp_path, "--help").out
    for command in ("init", "demo", "status", "task", "agent", "run", "logs", "log", "config", "check"):
        assert f"\n  {command} " in said


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("frobnicate",), 2, "There is no command 'frobnicate'. `orchgit --help` lists them."),
        (("task", "add"), 2, 'orchgit: A task needs a title.\nGive one: orchgit task add "TITLE".\n'),
        (("task", "add", "x", "-p", "9"), 2, "9 is not in the range 1<=x<=4"),
        (("task", "add", "  "), 2, "A task needs a title."),
        (("task", "add", "a\tb"), 2, "The title must be one line without control characters."),
        (("task", "show", "tsk_nope"), 1, "orchgit: There is no task 'tsk_nope'.\n`orchgit task list` shows them.\n"),
        (("task", "add", "x", "--depends-on", "tsk_nope"), 1, "There is no task 'tsk_nope'."),
        (("agent", "status", "nobody"), 1, "orchgit: There is no agent 'nobody'.\nAgents here: none yet.\n"),
        (("agent", "add", "../x", "--command", "true"), 2, "'../x' is not a name"),
        (("agent", "add", "-x", "--command", "true"), 2, "No such option"),
        (("agent", "add", "x"), 1, "Agent x can't be started: a shell agent needs a `command`."),
        (("agent", "add", "x", "--adapter", "hal", "--command", "true"), 1, "which this orchgit doesn't know"),
        (("config", "get", "scheduling.max_agents"), 1, "Did you mean scheduling.max_concurrent_agents?"),
        (("config", "set", "scheduling.max_concurrent_agents", "0"), 2, "0 is not a whole number, 1 or more"),
        (("run",), 2, "Say what to run: a TASK, --all or --watch."),
        (("logs",), 1, "No run fits that."),
        (("log", "tsk_nope"), 1, "There is no task 'tsk_nope'."),
    ],
)
def test_refusals(project: Path, args: tuple[str, ...], code: int, message: str) -> None:
    said = type_(project, *args)
    assert (said.code, said.out) == (code, "")
    assert message in said.err
    assert repos.subjects(project / ".orchestry") == ["state: created"]


def test_every_lifecycle_refusal_says_what_is_allowed(project: Path) -> None:
    task = add(project, "A")
    said = type_(project, "task", "approve", task)
    assert said.code == 1
    assert said.err == (
        f"orchgit: {task} is todo: approve needs it to be review.\nFrom todo you can ask for: take, cancel.\n"
    )
    ok(project, "task", "cancel", task)
    said = type_(project, "task", "cancel", task)
    assert (said.code, f"{task} is cancelled" in said.err) == (1, True)


def test_an_agent_cannot_approve_its_own_work(project: Path) -> None:
    ok(
        project,
        "agent",
        "add",
        "sly",
        "--command",
        "touch x; python3 -m orchgit task approve $ORCHGIT_TASK 2> said; true",
    )
    task = add(project, "A")
    ok(project, "run", task)
    said = type_(project, "task", "approve", task, ORCHGIT_AGENT="sly", ORCHGIT_RUN="run_x")
    assert (said.code, "approve of" in said.err, "is not for an agent to do" in said.err) == (1, True, True)
    assert ok(project, "task", "show", task, "--json").data["status"] == "review"


def test_add_takes_every_option(project: Path) -> None:
    first = add(project, "First")
    second = add(
        project, 'Añadir: 日本 🎉 "quoted" #1', "-d", "Do *it*.\n\nNow.", "-p", "2", "-l", "a, b", "--assignee", "Ada",
        "--depends-on", first[4:7], "--goal", "fame", "--scope", "src/**,docs/*.md", "--max-attempts", "5",
    )  # fmt: skip
    shown = ok(project, "task", "show", second, "--json").data
    assert shown["title"] == 'Añadir: 日本 🎉 "quoted" #1'
    assert shown["body"] == "Do *it*.\n\nNow."
    assert (shown["priority"], shown["labels"], shown["assignee"]) == (2, ["a", "b"], "Ada")
    assert (shown["depends_on"], shown["blocked_by"]) == ([first], [first])
    assert (shown["goal"], shown["scope"], shown["max_attempts"]) == ("fame", ["src/**", "docs/*.md"], 5)
    assert shown["path"] == f"tasks/{second}-anadir-quoted-1.md"


def test_add_reads_the_description_and_a_file_from_standard_input(project: Path) -> None:
    task = ok(project, "task", "add", "A", "-d", "-", stdin="From a pipe.\n").id
    assert ok(project, "task", "show", task, "--json").data["body"] == "From a pipe."
    task = ok(project, "task", "add", "--file", "-", stdin="# Heading is title\n\nText.\n").id
    shown = ok(project, "task", "show", task, "--json").data
    assert (shown["title"], shown["body"]) == ("Heading is title", "# Heading is title\n\nText.")


def test_add_with_a_file_keeps_what_it_says(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "task.md"
    file.write_text("---\ntitle: From a file  # mine\nteam: x\npriority: 2\nstatus: done\nrun: run_x\n---\nBody.\n")
    task = ok(project, "task", "add", "--file", str(file), "-p", "1").id
    text = git(project, "show", f"orchestry:tasks/{task}-from-a-file.md")
    assert "title: From a file  # mine\nteam: x\npriority: 1\nstatus: todo\n" in text
    assert "run:" not in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"---\ntitle: [\n---\n", "task.md:2: opens a `[` that is never closed"),
        (b"---\ntitle: x\npriority: high\n---\n", "task.md:3: priority: 'high' is not a whole number"),
        (b"\xff\xfe", "task.md:1: has the byte 0xff"),
        (b"", "A task needs a title."),
    ],
)
def test_add_refuses_a_bad_file(project: Path, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "task.md").write_bytes(content)
    said = type_(project, "task", "add", "--file", str(tmp_path / "task.md"))
    assert said.code in (1, 2)
    assert message in said.err
    assert type_(project, "task", "add", "--file", str(tmp_path)).code == 1
    assert type_(project, "task", "add", "--file", str(tmp_path / "none")).code == 1


def test_edit_changes_only_what_is_named(project: Path) -> None:
    task = add(project, "Old", "-d", "Text.", "-l", "a")
    ok(project, "task", "edit", task, "--title", "New", "-p", "1", "--labels", "")
    shown = ok(project, "task", "show", task, "--json").data
    assert (shown["title"], shown["priority"], shown["labels"], shown["body"]) == ("New", 1, [], "Text.")
    assert repos.subjects(project / ".orchestry")[0] == f"task({task}): edit title, priority, labels"
    head = git(project, "rev-parse", "orchestry")
    ok(project, "task", "edit", task, "-p", "1")
    assert git(project, "rev-parse", "orchestry") == head


def test_edit_in_an_editor(project: Path, tmp_path: Path) -> None:
    task = add(project, "Old", "-d", "Text.")
    editor = make_script(tmp_path / "editor", 'sed -i "s/^title: Old/title: Typed  # by me/; s/Text/Words/" "$1"')
    ok(project, "task", "edit", task, EDITOR=str(editor))
    text = git(project, "show", f"orchestry:tasks/{task}-old.md")
    assert "title: Typed  # by me\n" in text
    assert text.endswith("Words.")


def test_a_name_that_is_nobody_s_is_told(project: Path) -> None:
    add(project, "A", "--assignee", "Ada")
    none = ok(project, "task", "list", "--assignee", "nobody")
    assert (none.out, none.err) == ("", "orchgit: 'nobody' is no agent and no team here, and no task is for them.\n")
    assert ok(project, "task", "list", "--assignee", "Ada", "-s", "done").err == ""
    for option in ("--agent", "--actor"):
        assert ok(project, "log", option, "nobody").err == "orchgit: 'nobody' is not in the history.\n"
    assert ok(project, "log", "--goal", "fame").err == "orchgit: Nothing in the history is of a goal 'fame'.\n"
    assert ok(project, "log", "--actor", "Ada Lovelace", "--since", "2099-01-01").err == ""


def test_a_near_name_is_offered(project: Path) -> None:
    ok(project, "agent", "add", "fmt", "--command", "true")
    said = ok(project, "task", "add", "A", "--assignee", "fnt").err
    assert "the task waits for a person of that name. Did you mean fmt?" in said


def test_the_editor_is_git_s(project: Path, tmp_path: Path) -> None:
    task = add(project, "Old")
    git(project, "config", "core.editor", "sed -i 's/^title: .*/title: By core.editor/'")
    ok(project, "task", "edit", task, EDITOR="false")
    assert ok(project, "task", "show", task, "--json").data["title"] == "By core.editor"
    ok(project, "task", "edit", task, GIT_EDITOR="sed -i 's/^title: .*/title: By GIT_EDITOR/'")
    assert ok(project, "task", "show", task, "--json").data["title"] == "By GIT_EDITOR"
    said = type_(project, "task", "edit", task, GIT_EDITOR="no-such-editor --wait")
    assert said.code == 1
    assert "The editor could not be used: no-such-editor --wait ended with 127." in said.err


def test_edit_in_an_editor_refuses_the_engines_keys_and_keeps_what_was_typed(project: Path, tmp_path: Path) -> None:
    task = add(project, "Old")
    editor = make_script(tmp_path / "editor", 'sed -i "s/^status: todo/status: done/" "$1"')
    said = type_(project, "task", "edit", task, EDITOR=str(editor))
    assert said.code == 1
    assert "status: is not for hands to change here" in said.err
    kept = said.err.rstrip().rpartition("What you typed is in ")[2].removesuffix(".")
    assert "status: done" in Path(kept).read_text()


def test_assign_warns_of_a_name_that_is_no_agent(project: Path) -> None:
    task = add(project, "A")
    said = ok(project, "task", "assign", task, "Grace")
    assert "Grace is not an agent here" in said.err
    said = type_(project, "run", "--all")
    assert (said.code, f"{task} was not started: it is for Grace, who is not an agent here" in said.out) == (0, True)


def test_list_filters_and_is_plain_when_piped(project: Path) -> None:
    one = add(project, "One", "-l", "red", "--assignee", "Ada", "-p", "4")
    two = add(project, "Two", "-l", "blue", "-p", "1")
    said = ok(project, "task", "list").out
    assert [line.split()[0] for line in said.splitlines()] == ["ID", two, one]
    assert "\x1b" not in said
    assert [each["id"] for each in ok(project, "task", "list", "--label", "red", "--json").data] == [one]
    assert [each["id"] for each in ok(project, "task", "list", "--assignee", "Ada", "--json").data] == [one]
    assert ok(project, "task", "list", "--status", "done", "--json").data == []


def test_list_knows_a_goal_by_the_beginning_of_its_id_also_of_archived_tasks(project: Path) -> None:
    goal = ok(project, "goal", "add", "Ship").id
    one, closed = add(project, "One", "--goal", goal), add(project, "Closed", "--goal", goal)
    add(project, "Other")
    ok(project, "task", "cancel", closed)
    ok(project, "task", "archive", closed)
    for archived, found in (((), one), (("--archived",), closed)):
        said = ok(project, "task", "list", "--goal", goal[:8], *archived, "--json").data
        assert [each["id"] for each in said] == [found]


def test_list_is_whole_with_many_tasks_in_a_pipe(project: Path) -> None:
    folder = project / ".orchestry" / "tasks"
    for number in range(3000):
        (folder / f"tsk_{number:06d}.md").write_text(f"---\nid: tsk_{number:06d}\ntitle: Task {number}\n---\n")
    git(project / ".orchestry", "add", ".")
    git(project / ".orchestry", "commit", "-qm", "many")
    assert len(ok(project, "task", "list").out.splitlines()) == 3001
    assert len(ok(project, "task", "list", "--json").data) == 3000


def test_broken_files_are_named_and_hide_nothing_else(project: Path) -> None:
    good = add(project, "Good")
    state = project / ".orchestry"
    repos.write(
        state, {"tasks/bad.md": "---\nid: tsk_bad\ntitle: x\nstatus: dome\n---\n", "agents/no.md": "---\nenv: 3\n---\n"}
    )
    git(state, "add", ".")
    git(state, "commit", "-qm", "broken")
    (project / ".git" / "orchgit" / "settled").unlink()  # as in a clone that begins, and takes what it finds as it is
    said = ok(project, "task", "list", "--json")
    assert [each["id"] for each in said.data] == [good]
    assert "tasks/bad.md:4: status: 'dome' is not one of todo, in_progress" in said.err
    assert "agents/no.md:2: env: 3 is not a mapping" in said.err
    assert type_(project, "check").code == 1
    assert [each["path"] for each in ok(project, "status", "--json").data["broken"]] == ["agents/no.md", "tasks/bad.md"]


def test_delete_keeps_the_story(project: Path) -> None:
    task = add(project, "A")
    ok(project, "task", "delete", task)
    assert type_(project, "task", "show", task).code == 1
    assert [each["subject"] for each in ok(project, "log", task, "--json").data] == [
        f"task({task}): deleted",
        f"task({task}): created",
    ]


def test_agents_come_change_and_go(project: Path) -> None:
    ok(
        project,
        "agent",
        "add",
        "fmt",
        "--command",
        "true",
        "--role",
        "You format.",
        "--env",
        "A=1",
        "--env",
        "HOME_OF=$HOME",
        "--max-retries",
        "0",
    )
    data = ok(project, "agent", "status", "fmt", "--json").data
    assert (data["adapter"], data["role"], data["state"], data["max_retries"]) == ("shell", "You format.", "free", 0)
    assert data["env"] == {"A": "1", "HOME_OF": "$HOME"}
    assert type_(project, "agent", "add", "fmt", "--command", "true").code == 1
    ok(project, "agent", "disable", "fmt")
    assert ok(project, "agent", "list", "--json").data[0]["state"] == "disabled"
    ok(project, "agent", "enable", "fmt")
    ok(project, "agent", "edit", "fmt", "--timeout", "5000", "--role", "Else.")
    data = ok(project, "agent", "status", "fmt", "--json").data
    assert (data["timeout_ms"], data["role"]) == (5000, "Else.")
    ok(project, "agent", "remove", "fmt")
    assert ok(project, "agent", "list", "--json").data == []


def test_an_agent_written_as_yaml_is_one_too(project: Path) -> None:
    state = project / ".orchestry"
    repos.write(state, {"agents/y.yaml": "adapter: shell\ncommand: touch made  # here\nrole: |\n  You make.\n"})
    git(state, "add", ".")
    git(state, "commit", "-qm", "an agent")
    ok(project, "agent", "edit", "y", "--max-retries", "0")
    assert git(state, "show", "HEAD:agents/y.yaml").endswith("role: |\n  You make.\nmax_retries: 0")
    task = add(project, "A")
    ok(project, "run", task)
    assert "made" in ok(project, "task", "show", task).out


def test_config(project: Path) -> None:
    assert ok(project, "config", "get", "project.base").out == "main\n"
    before = git(project, "show", "orchestry:config.yaml")
    ok(project, "config", "set", "scheduling.max_concurrent_agents", "2")
    assert ok(project, "config", "get", "scheduling.max_concurrent_agents").out == "2\n"
    after = git(project, "show", "orchestry:config.yaml")
    assert set(before.splitlines()) <= set(after.splitlines())
    values = ok(project, "config", "get", "--json").data
    assert values["defaults.task.max_attempts"] == 3
    assert len(ok(project, "config", "get").out.splitlines()) == len(values) + 1


def test_logs(project: Path) -> None:
    ok(project, "agent", "add", "talker", "--command", "for i in 1 2 3; do echo line $i; done; echo oops >&2")
    task = add(project, "A")
    ok(project, "run", task)
    lines = [json.loads(line) for line in ok(project, "logs", "--json").out.splitlines()]
    assert [each["text"] for each in lines if each["type"] == "text"] == ["line 1", "line 2", "line 3"]
    assert [each["text"] for each in lines if each["type"] == "warning"] == ["oops"]
    assert len(ok(project, "logs", "--task", task, "--tail", "2").out.splitlines()) == 2
    assert len(ok(project, "logs", lines[0]["run"], "--follow").out.splitlines()) == 4
    assert "line 1" in ok(project, "logs", "--agent", "talker").out
    assert type_(project, "logs", "--agent", "nobody").code == 1


def test_commands_work_from_a_subfolder_a_worktree_and_the_state_folder(project: Path) -> None:
    task = add(project, "A")
    other = repos.add_worktree(project, project.parent / "elsewhere", "topic")
    for place in (project / "src", other, project / ".orchestry" / "tasks", project / ".git"):
        assert ok(place, "task", "list", "--json").data[0]["id"] == task
    assert ok(project.parent, "-C", str(project / "src"), "task", "list", "--json").data[0]["id"] == task


def test_commands_inside_a_hook_of_another_repository_are_not_misled(project: Path, tmp_path: Path) -> None:
    task = add(project, "A")
    other = repos.make_repo(tmp_path / "other")
    env = {"GIT_DIR": str(other / ".git"), "GIT_INDEX_FILE": str(other / ".git" / "index"), "GIT_WORK_TREE": str(other)}
    assert ok(project, "task", "list", "--json", **env).data[0]["id"] == task
    ok(project, "agent", "add", "a", "--command", "touch new", **env)
    ok(project, "run", "--all", **env)
    ok(project, "task", "approve", task, **env)
    assert (project / "new").exists()
    assert repos.is_clean(other)


@pytest.mark.parametrize("command", [("task", "list"), ("status",), ("run", "--all")])
def test_outside_of_a_project_the_next_step_is_said(tmp_path: Path, command: tuple[str, ...]) -> None:
    said = type_(tmp_path, *command)
    assert (said.code, "is not in a Git repository." in said.err) == (1, True)
    repo = repos.make_repo(tmp_path / "repo")
    said = type_(repo, *command)
    assert said.err == f"orchgit: {repo} is not an orchgit project yet.\nRun `orchgit init` in {repo}.\n"


def test_a_defect_says_where_its_log_is(project: Path) -> None:
    (project / ".git" / "orchgit" / "runs").mkdir(parents=True)
    (project / ".git" / "orchgit" / "runs" / "run_aaaaaa").mkdir()
    (project / ".git" / "orchgit" / "runs" / "run_aaaaaa" / "run.json").write_text("[]")
    said = type_(project, "logs")
    assert said.code == 3
    assert "This is a defect in orchgit: " in said.err
    log = said.err.rstrip().rpartition("The traceback is in ")[2].removesuffix(".")
    assert "Traceback" in Path(log).read_text()


def test_reading_commands_load_nothing_heavy(project: Path) -> None:
    add(project, "A")
    import subprocess
    import sys

    code = (
        "import sys; sys.argv = ['orchgit', 'task', 'list']\n"
        "from orchgit.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'git', 'rich', 'jinja2', 'psutil', 'yaml', 'frontmatter', 'watchdog', 'orchgit.engine'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ok(project, "task", "list")
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_was_typed_over_is_told(project: Path) -> None:
    task = add(project, "A")
    file = next((project / ".orchestry" / "tasks").iterdir())
    file.write_text(file.read_text().replace("status: todo", "status: done  # by me"))
    said = ok(project, "task", "cancel", task)
    assert "status as typed gave way to what orchgit had to write" in said.err
    assert "status: cancelled  # by me" in file.read_text()
    ref = git(project, "for-each-ref", "--format=%(refname)", "refs/orchgit/edits")
    assert "status: done  # by me" in git(project, "cat-file", "blob", ref)


def test_an_agent_is_known_by_its_processes_too(project: Path) -> None:
    waiting = add(project, "Waiting")
    ok(project, "agent", "add", "idle", "--command", "true")
    ok(project, "run", waiting)
    sneaky = 'env -i PATH="$PATH" HOME="$HOME" orchgit -C "$ROOT" task approve "$WAITING"'
    ok(project, "agent", "add", "sly", "--command", sneaky, "--env", f"ROOT={project}", "--env", f"WAITING={waiting}",
       "--max-retries", "0")  # fmt: skip
    task = add(project, "Sly", "--assignee", "sly")
    assert type_(project, "run", task).code == 1
    assert f"approve of {waiting} is not for an agent to do" in ok(project, "logs", "--task", task).out
    assert ok(project, "task", "show", waiting, "--json").data["status"] == "review"


def test_a_file_in_conflict_is_left_to_the_person_who_merges(project: Path) -> None:
    task, other = add(project, "One"), add(project, "Other")
    state = project / ".orchestry"
    file = next((state / "tasks").glob(f"{task}*"))
    git(state, "branch", "side")
    ok(project, "task", "edit", task, "--title", "Ours")
    theirs = repos.add_worktree(project, project.parent / "side", "scratch")
    git(theirs, "switch", "-q", "side")
    place = theirs / "tasks" / file.name
    place.write_text(place.read_text().replace("title: One", "title: Theirs"))
    git(theirs, "commit", "-qam", "theirs")
    assert type_(project, "task", "list").code == 0
    import subprocess

    subprocess.run(["git", "merge", "side"], cwd=state, capture_output=True, check=False)
    said = type_(project, "task", "edit", task, "-p", "2")
    assert said.code == 1
    assert f"tasks/{file.name} is in conflict: a merge is under way in .orchestry." in said.err
    ok(project, "task", "edit", other, "-p", "2")
    assert "UU" in git(state, "status", "--porcelain")


def test_nothing_is_staged_where_the_base_branch_could_not_move(project: Path) -> None:
    ok(project, "agent", "add", "w", "--command", "echo agent >> README.md; echo n > new.txt")
    task = add(project, "A")
    ok(project, "run", task)
    repos.write(project, {"mine.txt": "mine\n"})
    git(project, "add", "mine.txt")
    lock = project / ".git" / "refs" / "heads" / "main.lock"
    lock.touch()
    assert type_(project, "task", "approve", task).code == 1
    assert git(project, "status", "--porcelain") == "A  mine.txt"
    lock.unlink()
    ok(project, "task", "approve", task)
    assert git(project, "status", "--porcelain") == "A  mine.txt"


def test_closed_or_early_leaving_readers_are_no_defect(project: Path) -> None:
    import subprocess
    import sys

    add(project, "A")
    for shell in ('"$0" -m orchgit task list >&-', '"$0" -m orchgit config get | head -0; exit ${PIPESTATUS[0]}'):
        done = subprocess.run(["bash", "-c", shell, sys.executable], cwd=project, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")


def test_check_names_what_is_no_file(project: Path) -> None:
    state = project / ".orchestry" / "tasks"
    assert ok(project, "check").out == "Nothing is wrong.\n"
    (state / "folder.md").mkdir()
    (state / "link.md").symlink_to("nowhere")
    said = type_(project, "check")
    assert said.code == 1
    assert "tasks/folder.md:1: is not a file" in said.err
    assert "tasks/link.md:1: is not a file" in said.err


def test_a_config_that_says_too_little_is_refused(project: Path) -> None:
    said = type_(project, "config", "edit", EDITOR="truncate -s 0")
    assert (said.code, "config.yaml:1: project.base: is missing" in said.err) == (1, True)
    said = type_(project, "config", "set", "project.base", "nowhere")
    assert (said.code, "There is no branch 'nowhere'." in said.err) == (1, True)


def test_limits_and_labels_are_written_and_shown(project: Path) -> None:
    ok(project, "agent", "add", "bot", "--command", "true", "--labels", "auth, db", "--max-concurrent", "2")
    assert "labels: [auth, db]" in (project / ".orchestry/agents/bot.md").read_text()
    said = ok(project, "agent", "edit", "bot", "--labels", "", "--skills", "sql", "--json").data
    assert (said["labels"], said["skills"], said["max_concurrent"]) == ([], ["sql"], 2)
    shown = ok(project, "agent", "status", "bot").out
    assert "skills            sql\n" in shown
    assert "labels" not in shown
    task = add(project, "A", "--timeout", "1000", "--stall-timeout", "500", "--retry-delay-ms", "0")
    said = ok(project, "task", "edit", task, "--timeout", "2000", "--json").data
    assert (said["timeout_ms"], said["stall_timeout_ms"], said["retry_delay_ms"]) == (2000, 500, 0)


def test_who_waits_for_whom_is_named(project: Path) -> None:
    mine, other = add(project, "mine", "--scope", "src/**"), add(project, "other", "--scope", "src/app.py")
    ok(project, "task", "take", mine)
    assert f"other (its scope overlaps {mine}, which Ada Lovelace has)" in ok(project, "task", "list").out
    assert f"\n  {other}  its scope overlaps {mine}, which Ada Lovelace has  other\n" in ok(project, "status").out


def test_what_nobody_can_do_is_named(project: Path) -> None:
    add(project, "nobody's")
    status = ok(project, "status").out
    assert "\nnobody can do what waits: orchgit agent add NAME, or orchgit agent enable NAME\n" in status
    assert "ready:" not in status
    ok(project, "agent", "add", "bot", "--command", "true")
    ok(project, "agent", "add", "off", "--command", "true")
    ok(project, "agent", "disable", "off")
    ok(project, "team", "create", "crew", "--lead", "off")
    whys = {
        add(project, "typo", "--assignee", "bto"): "is for bto, who is not an agent here",
        add(project, "off", "--assignee", "off"): "is for off, an agent that is disabled",
        add(project, "crew", "--assignee", "crew"): "is for the team crew, which has no enabled agent",
    }
    mine = add(project, "mine", "--assignee", "Ada Lovelace")
    status = ok(project, "status").out
    assert "\nready: 1; orchgit run --all\n" in status
    assert "\nnobody can do these: orchgit task assign ID AGENT\n" in status
    for task, why in whys.items():
        assert f"  {task}  {why}  " in status
    assert mine not in status
    said = ok(project, "status", "--json").data["unstaffed"]
    assert {each["id"]: each["why"] for each in said} == whys


def test_why_a_task_failed_and_what_to_do_is_said(project: Path) -> None:
    ok(project, "agent", "add", "bot", "--command", "echo step 1; echo step 2; exit 3")
    failed = add(project, "Fails", "--max-attempts", "1")
    type_(project, "run", "--all")
    status = ok(project, "status").out
    assert "\nfailed: orchgit logs --task ID, orchgit task retry ID\n" in status
    assert f"  {failed}  bot           Fails  (exit code 3)\n" in status
    shown = ok(project, "task", "show", failed).out
    assert f"  next        orchgit logs --task {failed}, orchgit task retry {failed}\n" in shown


def test_of_what_a_program_put_out_the_last_line_stands_for_all(project: Path) -> None:
    ok(project, "agent", "add", "bot", "--command", "for i in 1 2 3; do echo step $i; done; date > out.txt")
    add(project, "Steps")
    ok(project, "run", "--all")
    assert "Steps (step 3)\n" in ok(project, "task", "list", "-s", "review").out


@pytest.mark.parametrize("command", [("status",), ("log",), ("task", "list"), ("org", "list")])
def test_no_line_is_wider_than_the_terminal(project: Path, command: tuple[str, ...]) -> None:
    ok(project, "agent", "add", "bot", "--command", "exit 3")
    add(project, f"{'Long ' * 30}title", "--max-attempts", "1")
    type_(project, "run", "--all")
    code, said = on_terminal(project, *command)
    assert code == 0
    assert max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", said).splitlines())) <= 80
    if command == ("status",):
        assert "(exit code 3)" in said


def test_that_there_is_nothing_is_said_to_a_person(project: Path) -> None:
    assert on_terminal(project, "msg", "list") == (0, "No messages.\n")
    assert on_terminal(project, "msg", "read") == (0, "Nothing is unread.\n")
    assert "Nothing was ready to be started.\n" in on_terminal(project, "run", "--all")[1]
    assert [ok(project, *each).out for each in (("msg", "list"), ("msg", "read"), ("run", "--all"))] == ["", "", ""]


def test_how_far_a_goal_that_is_over_came_is_listed(project: Path) -> None:
    goal = ok(project, "goal", "add", "Speed").id
    ok(project, "agent", "add", "bot", "--command", "true")
    task = add(project, "A", "--goal", goal)
    ok(project, "run", "--all")
    ok(project, "task", "approve", task)
    ok(project, "goal", "status", goal, "achieved")
    assert "  achieved  1/1  " in ok(project, "goal", "list").out
    assert "  enabled           yes\n" in ok(project, "agent", "status", "bot").out


def test_several_files_that_are_refused_are_counted_but_in_status(project: Path) -> None:
    for title in ("A", "B"):
        file = next((project / ".orchestry/tasks").glob(f"{add(project, title)}-*"))
        file.write_text(file.read_text().replace("status: todo", "status: todo\npriority: high"))
    said = ok(project, "task", "list").err
    assert said == "orchgit: 2 files were refused, stay as typed, and are not in force; `orchgit status` says why.\n"
    assert ok(project, "status").err.count("It stays as typed, and is not in force.") == 2


def test_a_circle_is_named(project: Path) -> None:
    one = add(project, "one")
    two = add(project, "two", "--depends-on", one)
    file = next((project / ".orchestry/tasks").glob(f"{one}-*"))
    file.write_text(file.read_text().replace("status:", f"depends_on: [{two}]\nstatus:"))
    git(project / ".orchestry", "commit", "--quiet", "--all", "--message=a circle")
    ok(project, "agent", "add", "bot", "--command", "true")
    assert f"  {one}  waits in a circle: {one} -> {two} -> {one}  one\n" in ok(project, "status").out
    said = type_(project, "run", "--all")
    assert said.code == 1
    assert f"{two} was not started: it waits in a circle: {two} -> {one} -> {two}\n" in said.out


def test_limits_of_what_a_run_may_use_are_set_and_taken_away(project: Path) -> None:
    limits = ("--max-turns", "40", "--max-tokens", "200000", "--max-cost-usd", "2.50")
    ok(project, "agent", "add", "bot", "--command", "true", *limits)
    task = add(project, "A", *limits)
    for said in (
        ok(project, "agent", "status", "bot", "--json").data,
        ok(project, "task", "show", task, "--json").data,
    ):
        assert (said["max_turns"], said["max_tokens"], said["max_cost_usd"]) == (40, 200_000, 2.5)
    assert ok(project, "task", "edit", task, "--max-cost-usd", "0", "--json").data["max_cost_usd"] == 0
    assert "max_cost_usd: 2.5\n" in (project / ".orchestry/agents/bot.md").read_text()
    for value in ("-1", "nan", "inf", "much", "1e3", "1e30", "99999999999999999999", ""):
        said = type_(project, "task", "edit", task, "--max-cost-usd", value)
        assert said.code == 2
        assert "is not an amount of US dollars such as 2.50, 0 or more." in said.err
    assert type_(project, "agent", "edit", "bot", "--max-tokens", "99999999999999999999").code == 2
    assert ok(project, "config", "set", "defaults.agent.max_cost_usd", "1.25").out == (
        "defaults.agent.max_cost_usd is 1.25.\n"
    )
    assert ok(project, "config", "get", "--json").data["defaults.agent.max_cost_usd"] == 1.25


def test_what_a_run_used_is_shown(project: Path) -> None:
    usage = "echo ::usage input=4200 output=812 cost-usd=0.0421 turns=1"
    ok(project, "agent", "add", "bot", "--command", f"echo hi; {usage}")
    task = add(project, "A")
    assert ok(project, "task", "show", task, "--json").data["used"] is None
    ok(project, "run", task)
    assert "\n  used        4200 in, 812 out, $0.0421, by its last run\n" in ok(project, "task", "show", task).out
    assert ok(project, "task", "show", task, "--json").data["used"] == {
        "input": 4200, "output": 812, "cache": 0, "reasoning": 0, "turns": 0, "cost_usd": 0.0421,
    }  # fmt: skip
    assert ok(project, "logs").out.splitlines()[-1].endswith("  bot  used 4200 in, 812 out, $0.0421, 1 turn")
    said = json.loads(ok(project, "logs", "--json").out.splitlines()[-1])
    assert (said["type"], said["usage"]["turns"], said["seconds"]) == ("usage", 1, None)


def test_an_agent_that_cools_down_is_shown_as_such(project: Path) -> None:
    limited = "test -e ../asked && exit 0; touch ../asked; echo ::limited seconds=2 later; exit 1"
    ok(project, "agent", "add", "bot", "--command", limited)
    task = add(project, "A")
    said = ok(project, "run", "--all")
    assert f"{task}  retrying     bot         A  (the provider's limit was hit: later)\n" in said.out
    assert "orchgit: bot cools down until " in said.err
    assert said.out.splitlines()[-1] == f"{task} waits for your review: orchgit task show {task}"


def test_a_full_review_is_said(project: Path) -> None:
    ok(project, "config", "set", "scheduling.max_in_review", "1")
    ok(project, "agent", "add", "bot", "--command", "true")
    first, second = add(project, "A", "-p", "1"), add(project, "B")
    said = ok(project, "run", "--all")
    assert said.out.splitlines()[-2:] == [
        f"{first} waits for your review: orchgit task show {first}",
        f"{second} was not started: it waits: 1 wait for your review, and scheduling.max_in_review is 1",
    ]
    assert (
        "waiting for your review, and nothing is started before (scheduling.max_in_review)" in ok(project, "status").out
    )


def test_an_agent_that_rests_is_shown_as_such(project: Path) -> None:
    ok(project, "agent", "add", "bot", "--command", "exit 1", "--max-retries", "0")
    *_, last = [add(project, title, "-p", str(number + 1)) for number, title in enumerate("abcd")]
    said = type_(project, "run", "--all")
    assert said.code == 1
    assert f"{last} was not started: it has to wait: bot rests until " in said.out
    assert said.err.count("orchgit: bot rests until ") == 1
    assert ok(project, "agent", "list").out.splitlines()[1].split()[:2] == ["bot", "resting"]
    assert "its last 3 runs died within seconds" in ok(project, "agent", "status", "bot").out
    assert ok(project, "agent", "status", "bot", "--json").data["rests_until"].endswith("Z")
    ok(project, "agent", "edit", "bot", "--command", "true")
    assert ok(project, "agent", "status", "bot", "--json").data["rests_until"] is None


def test_closed_tasks_are_archived_by_hand_and_still_found(project: Path) -> None:
    task = add(project, "Old one")
    ok(project, "task", "cancel", task)
    assert ok(project, "task", "archive").out == (
        "Nothing is due to be archived: closed tasks are, 14 days after they close.\n"
    )
    assert ok(project, "task", "archive", task).out == f"{task} is archived: Old one\n"
    assert ok(project, "task", "list").out == ""
    header, row = ok(project, "task", "list", "--archived").out.splitlines()
    assert header.split() == ["ID", "STATUS", "CLOSED", "WHO", "TITLE"]
    assert row.split()[:2] == [task, "cancelled"]
    assert ok(project, "task", "list", "--archived", "-s", "done").out == ""
    assert "Old one" in ok(project, "task", "show", task[4:9]).out
    assert "archive: 1 closed task" in ok(project, "log", task).out
    assert ok(project, "task", "list", "--archived", "--json").data[0]["id"] == task
    ok(project, "task", "retry", task)
    assert ok(project, "task", "list").out.splitlines()[1].split()[:2] == [task, "todo"]


def test_who_waits_for_the_checkout_is_said(project: Path) -> None:
    ok(project, "agent", "add", "slow", "--command", "sleep 60", "--workspace-mode", "shared")
    first, second = add(project, "First", "-p", "1"), add(project, "Second")
    layout, now = find.locate(project).layout, datetime.now(UTC)
    actions = scheduling.decide(Observer(layout).take(), now)
    perform.all_of(layout, actions, now=now, report=lambda _: None)
    try:
        why = f"waits for your checkout, which {first} works in"
        assert f"Second ({why})" in ok(project, "task", "list").out
        assert f"{second}  {why}  Second" in ok(project, "status").out
        assert ok(project, "workspace", "path", first).out == f"{project}\n"
    finally:
        ok(project, "task", "cancel", first)


def test_the_audit_trail(project: Path) -> None:
    task = ok(project, "task", "add", "One ✓").id
    assert ok(project, "verify").out == "2 commits verified.\n"
    ok(project, "task", "cancel", task)
    assert ok(project, "undo").out.rstrip().endswith(f"task({task}): todo -> cancelled")
    assert ok(project, "undo", task[4:]).out.rstrip().endswith(f"task({task}): undo todo -> cancelled")
    rows = [line.split(maxsplit=5) for line in ok(project, "blame", task).out.splitlines()[1:]]
    assert [row[-1] for row in rows][:3] == [f"id: {task}", "title: One ✓", "status: cancelled"]
    assert "todo" in ok(project, "task", "list", "--at", "HEAD~1").out
    assert "as of" in ok(project, "status", "--at", "HEAD~1").out
    assert ok(project, "task", "show", task, "--at", "orchestry~1", "--json").data["status"] == "todo"
    assert len(ok(project, "log", "--status", "cancelled", "--json").data) == 1
    assert len(ok(project, "log", task, "--graph").out.splitlines()) == 4
    assert type_(project, "log", "--graph").code == 2
    assert type_(project, "task", "list", "--at", "2020-01-01").code == 1


def test_verify_names_what_is_wrong(project: Path) -> None:
    task = ok(project, "task", "add", "One").id
    place = next((project / ".orchestry" / "tasks").iterdir())
    place.write_text(place.read_text().replace("status: todo", "status: done"))
    repos.git(project / ".orchestry", "commit", "--quiet", "--all", "--message=Be quick")
    said = type_(project, "verify")
    assert said.code == 1
    assert said.out.startswith("illegal-jump  ")
    assert f"tasks/{task}-one.md: todo can't become done" in said.out
    found = type_(project, "verify", "--json").data["offences"]
    assert [each["offence"] for each in found] == ["illegal-jump", "unpinned-approval"]
    assert ok(project, "verify", "orchestry~2..orchestry~1").out == "1 commit verified.\n"
    assert "is not of the branch orchestry" in type_(project, "verify", "main").err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("agent", "add", "x"), 1, "Nothing was made: give it `--command '...'`, or `--adapter claude`, say.\n"),
        (("task", "add", "-x leading"), 2, "task add -- '-...'\n"),
        (("task", "add", "x", "--attach", "missing"), 1, "orchgit: There is no file missing.\n"),
        (("task", "add", "x", "--attach", ".git"), 1, "a folder can be packed into one.\n"),
        (("task", "assign", "tsk_x", "-"), 2, "orchgit: Nobody has the name -.\n"),
        (("undo", "nope"), 1, "orchgit: There is no commit, task or goal 'nope'.\n`orchgit log` lists commits, "),
        (("config", "set", "schedling.x", "1"), 1, "Did you mean one of scheduling."),
        (("config", "set", "frob.x", "1"), 1, "`orchgit config get` shows all of them."),
    ],
)
def test_refusals_name_what_helps(project: Path, args: tuple[str, ...], code: int, message: str) -> None:
    said = type_(project, *args)
    assert (said.code, said.out) == (code, "")
    assert message in said.err


def test_an_approval_waits_for_a_merge_under_way(project: Path) -> None:
    ok(project, "agent", "add", "writer", "--command", "echo theirs > new.txt")
    task = add(project, "Write")
    git(project, "branch", "other")
    repos.commit(project, {"a.txt": "ours\n"}, "ours")
    git(project, "switch", "-q", "other")
    repos.commit(project, {"b.txt": "theirs\n"}, "theirs")
    git(project, "switch", "-q", "main")
    ok(project, "run", task)
    git(project, "merge", "-q", "--no-commit", "other")
    said = type_(project, "task", "approve", task)
    assert (said.code, "where a merge is under way" in said.err) == (1, True)
    assert f"`git -C {project} merge --continue` or `git -C {project} merge --abort`, then approve again" in said.err
    git(project, "merge", "--abort")
    ok(project, "task", "approve", task)


def test_the_help_of_verify_explains_every_offence(tmp_path: Path) -> None:
    said = ok(tmp_path, "verify", "--help").out
    assert [each for each in Offence if f"  {each} " not in said] == []


def test_tasks_of_several_statuses_are_listed(project: Path) -> None:
    first, second, third = (add(project, title) for title in ("A", "B", "C"))
    ok(project, "task", "take", second)
    ok(project, "task", "cancel", third)
    for words in (("-s", "todo", "-s", "in_progress"), ("-s", "todo,in_progress")):
        assert {each["id"] for each in ok(project, "task", "list", *words, "--json").data} == {first, second}
    said = type_(project, "task", "list", "-s", "open")
    assert (said.code, said.err.splitlines()[0]) == (2, "orchgit: 'open' is no status.")


def test_what_begins_the_work_is_named_on_a_terminal(project: Path) -> None:
    assert "Next" not in on_terminal(project, "task", "add", "A")[1]
    ok(project, "agent", "add", "bot", "--command", "true")
    assert on_terminal(project, "task", "add", "B")[1].endswith("  B\nNext: orchgit run --all\n")
    assert "Next" not in on_terminal(project, "task", "add", "B", "--quiet")[1]


def test_a_check_and_a_new_team_as_data(project: Path) -> None:
    assert ok(project, "check", "--json").data == []
    (project / ".orchestry/agents/bad.md").write_text("---\nadapter: [\n---\n")
    said = type_(project, "check", "--json")
    (found,) = said.data
    assert (said.code, found["path"], found["line"] > 0, found["reason"] != "") == (1, "agents/bad.md", True, True)
    again = ok(project, "init", "--json").data
    assert again == {"did": "unchanged", "state": str(project / ".orchestry"), "base": "main", "source": ""}


def test_the_priority_that_counts_is_in_the_data(project: Path) -> None:
    made = ok(project, "task", "add", "A", "--json").data
    assert made["priority"] == 3
    ok(project, "config", "set", "defaults.task.priority", "2")
    assert [each["priority"] for each in ok(project, "task", "list", "--json").data] == [2]
    assert ok(project, "task", "show", made["id"], "--json").data["priority"] == 2


def test_what_a_lock_left_behind_keeps_from_being_judged_is_told(project: Path) -> None:
    task = add(project, "One")
    (file,) = (project / ".orchestry/tasks").glob(f"{task}*.md")
    lock = project / ".git/worktrees/orchestry/index.lock"
    lock.touch()
    file.write_text(file.read_text().replace("title: One", "title: Two"))
    repos.write(project / ".orchestry", {"mine.txt": "x\n"})
    said = ok(project, "status")
    assert f"a git command holds {lock}" in said.err
    assert "What was typed waits for that. If no git runs in .orchestry any more" in said.err
    assert f"typed in .orchestry, and not judged yet\n  tasks/{file.name}\n" in said.out
    assert "none of orchgit's own (git -C .orchestry commit)\n  mine.txt\n" in said.out
    lock.unlink()
    assert "Two" in ok(project, "task", "list").out


def test_a_key_that_is_gone_keeps_typed_files_waiting_and_nobody_from_reading(project: Path) -> None:
    task = add(project, "One")
    (file,) = (project / ".orchestry/tasks").glob(f"{task}*.md")
    for key, value in (("commit.gpgsign", "true"), ("gpg.format", "ssh"), ("user.signingkey", "nowhere.pub")):
        repos.git(project, "config", key, value)
    file.write_text(file.read_text().replace("title: One", "title: Two"))
    said = ok(project, "task", "list")
    assert "One" in said.out
    assert "could not be signed" in said.err
    assert "What was typed waits for that." in said.err
    repos.git(project, "config", "commit.gpgsign", "false")
    assert "Two" in ok(project, "task", "list").out


def test_status_says_what_is_worked_on_in_another_clone(project: Path) -> None:
    task = add(project, "Theirs")
    (file,) = (project / ".orchestry/tasks").glob(f"{task}*.md")
    at_work = "status: in_progress\nagent: bot\nrun: run_zzzzzz\nmachine: abcdef\nattempts: 1"
    text = file.read_text().replace("status: todo", at_work)
    said = f"task({task}): todo -> in_progress\n\nTask: {task}\nTransition: todo -> in_progress\nRun: run_zzzzzz\n"
    repos.commit(project / ".orchestry", {f"tasks/{file.name}": text}, said)
    settled.note(find.locate(project).layout, repos.git(project, "rev-parse", "orchestry"))
    assert f"  {task}  bot           Theirs  (in another clone, abcdef)\n" in ok(project, "status").out
