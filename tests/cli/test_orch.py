"""The commands of ORCH, as its users type them: each is understood, and does here what it did there."""

from __future__ import annotations

import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from orchgit.cli import everywhere
from orchgit.cli.main import COMMANDS, orchgit
from orchgit.repository import personal
from tests.support import repos
from tests.support.cli import ok, type_

ROOT = Path(__file__).parent.parent.parent

# Every command of ORCH and the options it has. What isn't here yet is skipped until it is.
SURFACE = {
    "init": "--name",
    "doctor": "",
    "update": "--check",
    "status": "",
    "tui": "",
    "task add": "-d --description -p --priority -l --labels --depends-on --assignee --scope --review-criteria "
    "--workspace-mode --goal --goal-id --attach --max-attempts --file -e --edit",
    "task list": "--status",
    "task show": "", "task assign": "", "task cancel": "", "task approve": "", "task reject": "-r --reason",
    "task retry": "", "task edit": "",
    "agent add": "--adapter --role --model --command --max-turns --timeout --approval-policy --workspace-mode --skills "
    "-e --edit",
    "agent shop": "--list",
    "agent list": "", "agent status": "", "agent edit": "", "agent remove": "", "agent disable": "", "agent enable": "",
    "agent autonomous": "--on --off",
    "run": "--all --watch --verbose",
    "serve": "--once --tick-interval --log-file --log-format --verbose",
    "goal add": "--description -d --assignee", "goal list": "--status", "goal show": "", "goal status": "",
    "goal update": "", "goal delete": "",
    "team create": "--lead --members -d --no-auto-claim", "team list": "", "team show": "", "team join": "",
    "team leave": "", "team add-task": "", "team set-lead": "", "team disband": "",
    "org list": "", "org deploy": "--goal", "org export": "",
    "msg send": "-s --subject --from --ttl",
    "msg broadcast": "-s --subject --team", "msg inbox": "", "msg list": "--agent",
    "context set": "--ttl", "context get": "", "context list": "", "context delete": "",
    "config get": "", "config set": "", "config edit": "",
    "config global get": "", "config global set": "", "config global show": "",
    "logs": "--agent --task --follow --since --tail",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A command as it is typed, and what must come of it; `learn` names the id that it prints first."""

    typed: str
    says: str = ""
    code: int = 0
    learn: str = ""


WALKS = {
    "the project": [
        Row("--version", "orchgit "),
        Row("init --name other", "its project.name is 'shop', not 'other'", code=1),
        Row("status", "tasks: none; agents: 1"),
        Row("doctor"),
        Row("update --check", "To update it: "),
        Row("update", "What installed orchgit updates it: "),
        Row("tui", "There is no terminal interface yet: ", code=2),
    ],
    "tasks": [
        Row(
            "task add 'Implement OAuth2 middleware' -d 'Add OAuth2 bearer token validation. Files: src/auth.ts' -p 2"
            " --assignee backend",
            "Implement OAuth2 middleware",
            learn="first",
        ),
        Row(
            "task add Sessions --priority 1 --labels auth,web --depends-on {first} --scope 'src/**'"
            " --goal-id fame --review-criteria test_pass,typecheck,lint --workspace-mode worktree"
            " --max-attempts 5 --attach a.txt,b.txt",
            learn="second",
        ),
        Row("task add --file task.md", "From a file", learn="third"),
        Row("task add 'In an editor' -e --description x", "In an editor"),
        Row("task list", "{first}"),
        Row("task list --status todo", "{second}"),
        Row("task list --status in_progress"),
        Row("task list --status review"),
        Row("task list --status retrying"),
        Row("task show {second}", "checks      test_pass, typecheck, lint"),
        Row("task show {second}", "attached    .orchestry/attachments/{second}/b.txt"),
        Row("task edit {third} --priority 1", "{third}"),
        Row("task edit {third}", "{third}"),
        Row("task assign {third} backend", "{third} is for backend."),
        Row("task cancel {third}", "{third} is cancelled."),
        Row("task retry {third}", "{third} is todo"),
        Row("task approve {third}", "approve needs it to be review", code=1),
        Row("run {first}", "{first} waits for your review"),
        Row("task list --status review", "{first}"),
        Row("task reject {first} -r 'Use UTC'", "{first} is to do again."),
        Row("run --all --verbose", "{first} waits for your review"),
        Row("task approve {first}", "{first} is done: "),
        Row("logs --tail 50", "working"),
        Row("logs --task {first} --since 1d --tail 100", "working"),
        Row("logs --agent backend --since 5m", "working"),
        Row("logs --since 1h", "working"),
        Row("logs --since soon", "is neither a commit of the state branch nor a date", code=2),
        Row("serve --once --tick-interval 1000 --log-file serve.log --log-format json --verbose", '"event": "ended"'),
    ],
    "agents": [
        Row(
            "agent add ann --adapter claude --role 'You write.' --model opus --max-turns 40 --timeout 600000"
            " --approval-policy suggest --workspace-mode isolated --skills tests,docs",
            "ann is on the team",
        ),
        Row("agent add bob --adapter shell --command true -e", "bob is on the team"),
        Row("agent list", "ann"),
        Row("agent status ann", "max_turns         40"),
        Row("agent edit ann --model sonnet", "ann is changed"),
        Row("agent disable ann", "ann is disabled."),
        Row("agent enable ann", "ann is enabled."),
        Row("agent autonomous ann", "ann does only what is assigned to it."),
        Row("agent autonomous ann", "ann takes up tasks that are nobody's, too."),
        Row("agent autonomous ann --off", "ann does only what is assigned to it."),
        Row("agent autonomous ann --on", "ann takes up tasks that are nobody's, too."),
        Row("agent remove bob", "bob is removed."),
    ],
    "goals": [
        Row("goal add 'Implement authentication' -d 'OAuth2 + 2FA. Target: Sprint 24.'", learn="goal"),
        Row("goal add Planned --assignee backend --description 'By an agent'", "Planned"),
        Row("task add 'Session store (Redis)' -p 2 --goal {goal}", learn="first"),
        Row("task add Cookies --goal-id {goal} --depends-on {first}", "Cookies"),
        Row("goal list", "Implement authentication"),
        Row("goal list --status active", "{goal}"),
        Row("goal show {goal}", "Session store (Redis)"),
        Row("goal status {goal} paused", "{goal} is paused."),
        Row("goal status {goal} active", "{goal} is active."),
        Row("goal update {goal} --title Login", "Login"),
        Row("goal status {goal} abandoned", "{goal} is abandoned."),
        Row("goal delete {goal}", "serve", code=1),
    ],
    "teams": [
        Row("agent add ann --command true", "ann"),
        Row("agent add bob --command true", "bob"),
        Row("team create core --lead backend --members ann -d 'The core' --no-auto-claim", "core"),
        Row("team list", "core"),
        Row("team show core", "ann"),
        Row("team join core bob", "bob"),
        Row("team leave core ann", "ann"),
        Row("team set-lead core bob", "bob"),
        Row("task add One", learn="task"),
        Row("team add-task core {task}", "{task} is for core."),
        Row("team disband core", "core is disbanded."),
    ],
    "settings": [
        Row("config get project.name", "shop"),
        Row("config set project.name bookshop", "project.name is bookshop."),
        Row("config set defaults.agent.adapter claude"),
        Row("config set defaults.agent.approval_policy manual"),
        Row("config set defaults.agent.max_turns 50"),
        Row("config set defaults.agent.timeout_ms 60000"),
        Row("config set defaults.agent.stall_timeout_ms 60000"),
        Row("config set defaults.agent.workspace_mode isolated"),
        Row("config set defaults.task.max_attempts 4"),
        Row("config set defaults.task.priority 2"),
        Row("config set scheduling.poll_interval_ms 5000"),
        Row("config set scheduling.max_concurrent_agents 3"),
        Row("config set scheduling.retry_base_delay_ms 1000"),
        Row("config set scheduling.retry_max_delay_ms 60000"),
        Row("config get prompt.template", "The prompt template is a file here: .orchestry/prompt.md.", code=2),
        Row("config edit"),
        Row("config global show", "scheduling.max_concurrent_agents   6"),
        Row("config global set scheduling.max_concurrent_agents 2", "is 2 in new projects."),
        Row("config global get scheduling.max_concurrent_agents", "2"),
        Row("config global set project.base main", "is one project's own", code=2),
        Row("config get scheduling.max_concurrent_agents", "3"),
    ],
    "what every command takes": [
        Row("--json agent list", '"name": "backend"'),
        Row("agent list --json --ascii", '"name": "backend"'),
        Row("--no-color --ascii agent list", "backend"),
        Row("task add Quiet --quiet", learn="quiet"),
        Row("--quiet task cancel {quiet}"),
        Row("agent enable backend --json", "has nothing to print as JSON", code=2),
        Row("--json workspace clean", "has nothing to print as JSON", code=2),
    ],
}


def leaf(words: str) -> click.Command | None:
    """Return the command that the words name, where there is one."""
    command: click.Command | None = orchgit
    for word in words.split():
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
        if command is None:
            return None
    return command


@pytest.mark.parametrize("words", SURFACE)
def test_a_command_of_orch_has_its_options(words: str) -> None:
    command = leaf(words)
    if command is None:
        assert words.split(maxsplit=1)[0] not in COMMANDS or words == "agent shop", words
        pytest.skip(f"{words} is still to come")
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert set(SURFACE[words].split()) <= known


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with an agent, some files to attach, and an editor that changes nothing."""
    repo = repos.make_repo(tmp_path / "shop", files={"README.md": "# Shop\n", "a.txt": "A", "b.txt": "B"})
    (repo / "task.md").write_text("# From a file\n\nDo it.\n")
    monkeypatch.setenv("EDITOR", "true")
    ok(repo, "init")
    ok(repo, "agent", "add", "backend", "--command", "echo working; date +%N >> work.txt")
    return repo


@pytest.mark.parametrize("name", WALKS)
def test_what_orch_users_type_does_what_it_did(shop: Path, name: str) -> None:
    ids: dict[str, str] = {}
    for row in WALKS[name]:
        typed = row.typed.format(**ids)
        said = type_(shop, *shlex.split(typed))
        assert said.code == row.code, f"orch {typed}\n{said.out}{said.err}"
        wanted = row.says.format(**ids) if "{" in row.says else row.says
        assert wanted in said.out + said.err, f"orch {typed}\n{said.out}{said.err}"
        if row.learn:
            ids[row.learn] = said.id


def test_quiet_prints_data_alone(shop: Path) -> None:
    task = ok(shop, "--quiet", "task", "add", "A").out.strip()
    assert task.startswith("tsk_")
    assert ok(shop, "task", "assign", task, "backend", "--quiet").out == ""
    assert ok(shop, "--quiet", "agent", "list").out.startswith("backend ")


def test_ascii_writes_json_that_any_terminal_shows(shop: Path) -> None:
    said = ok(shop, "--ascii", "task", "add", "Añadir", "--json")
    assert (said.out.isascii(), said.data["title"]) == (True, "Añadir")


def test_ascii_draws_a_goal_that_any_terminal_shows(shop: Path) -> None:
    goal = ok(shop, "goal", "add", "Ship", "--quiet").out.strip()
    first = ok(shop, "task", "add", "One", "--goal", goal).id
    ok(shop, "task", "add", "Two", "--goal", goal, "--depends-on", first)
    assert ok(shop, "goal", "show", goal, "--ascii").out.isascii()
    assert not ok(shop, "goal", "show", goal).out.isascii()


def test_the_options_of_all_commands_are_in_no_commands_help(shop: Path) -> None:
    assert "--ascii" in ok(shop, "--help").out
    assert "--ascii" not in ok(shop, "task", "list", "--help").out
    assert {"--json", "--quiet", "--no-color", "--ascii"} == {
        word for option in everywhere.options(hidden=False) for word in option.opts
    }


def test_an_attachment_is_kept_with_its_task_and_told_to_its_agent(shop: Path) -> None:
    (shop / "blob.bin").write_bytes(b"\0\xff")
    task = ok(shop, "task", "add", "A", "--attach", "blob.bin", "--attach", "a.txt").id
    path = f"attachments/{task}/blob.bin"
    assert ok(shop, "task", "show", task, "--json").data["attachments"] == [f"attachments/{task}/a.txt", path]
    assert repos.git(shop, "diff-tree", "--no-commit-id", "--name-only", "-r", "orchestry").splitlines() == [
        f"attachments/{task}/a.txt", path, f"tasks/{task}-a.md",
    ]  # fmt: skip
    assert (shop / ".orchestry" / path).read_bytes() == b"\0\xff"
    assert f"{shop}/.orchestry/{path}" in ok(shop, "task", "show", task, "--prompt").out
    assert repos.is_sound(shop)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.txt", "There is no file gone.txt."),
        (".env", "no file here may be called that"),
        ("src", "There is no file"),
    ],
)
def test_what_cannot_be_attached_is_refused_and_no_task_made(shop: Path, name: str, message: str) -> None:
    (shop / ".env").write_text("KEY=1")
    (shop / "src").mkdir()
    said = type_(shop, "task", "add", "A", "--attach", name)
    assert (said.code, message in said.err) == (1, True)
    assert ok(shop, "task", "list", "--json").data == []


def test_an_agent_that_is_not_autonomous_gets_only_what_is_its_own(shop: Path) -> None:
    ok(shop, "agent", "autonomous", "backend", "--off")
    task = ok(shop, "task", "add", "Anyone").id
    said = type_(shop, "run", "--all")
    assert (said.code, "no agent here is autonomous" in said.out) == (1, True)
    ok(shop, "task", "assign", task, "backend")
    assert f"{task} waits for your review" in ok(shop, "run", "--all").out


def test_a_new_project_begins_with_ones_own_settings(shop: Path, tmp_path: Path) -> None:
    ok(shop, "config", "global", "set", "defaults.task.priority", "1")
    ok(shop, "config", "global", "set", "workspace.shared_commit", "true")
    other = repos.make_repo(tmp_path / "other")
    ok(other, "init")
    assert ok(other, "config", "get", "defaults.task.priority").out == "1\n"
    assert ok(other, "config", "get", "workspace.shared_commit").out == "true\n"
    assert ok(shop, "config", "get", "defaults.task.priority").out == "3\n"
    personal.path().write_text("scheduling:\n  max_concurrent_agents: none\n")
    third = repos.make_repo(tmp_path / "third")
    said = type_(third, "init")
    assert (said.code, str(personal.path()) in said.err, "max_concurrent_agents" in said.err) == (1, True, True)
    assert not (third / ".orchestry").exists()


def test_the_commands_go_by_four_names() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == dict.fromkeys(("orchgit", "orch", "orchestry", "ao"), "orchgit.cli.main:main")
