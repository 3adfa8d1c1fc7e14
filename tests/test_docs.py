"""The documents say what is so: their commands run, their tables are whole, their links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from orchgit import api
from orchgit.adapters import ADAPTERS
from orchgit.cli.main import COMMANDS, DEFECT, INTERRUPTED, REFUSED, USAGE, orchgit
from orchgit.engine import doctor
from orchgit.engine.environment import MARKER
from orchgit.model import agent, goal, letter, task, team
from orchgit.model.audit import Offence
from orchgit.model.config import SETTINGS, Config, value_of
from orchgit.model.errors import InvalidFileError
from orchgit.model.lifecycle import RULES
from tests.support import repos
from tests.support.cli import ok, type_

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", ".orchestry.example/README.md")),
    *DOCS,
]
PLAYED = [
    "README.md",
    *(
        f"docs/{name}.md"
        for name in (
            "agents",
            "context",
            "doctor",
            "edits",
            "goals",
            "hooks",
            "lifecycle",
            "messages",
            "prompts",
            "review",
            "state",
            "tasks",
            "templates",
            "teams",
        )
    ),
]

HOME = "/home/ada"  # where the documents' own shop lies
APP = "import os,sys\ndef  add( a,b ):\n  return a+b\n"
_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ID = re.compile(r"\b(?:tsk|run|gol|msg)_[0-9a-z]{6}\b")
_VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\d"), "DATE"),
    (re.compile(r"\d\d:\d\d:\d\d(?:\.\d+)?"), "TIME"),
    (re.compile(r"\b[0-9a-f]{7,64}\b"), "COMMIT"),
)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@dataclass
class Step:
    """One command of a document: what it should print, and how it should exit."""

    command: str
    expected: list[str] = field(default_factory=list)
    code: int = 0


def steps(text: str) -> list[Step]:
    """Return the commands of the `console` blocks; `console exit=1` says that the last one of the block is refused."""
    found: list[Step] = []
    for block in _FENCE.finditer(text):
        language, _, exits = block["info"].partition(" exit=")
        if language != "console":
            continue
        for line in block["text"].splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:]))
            elif found[-1].command.endswith("\\"):
                found[-1].command += f"\n{line}"
            else:
                found[-1].expected.append(line)
        found[-1].code = int(exits or 0)
    return found


@dataclass
class Stage:
    """A scratch repository in which the commands of a document are typed, one after the other."""

    shop: Path
    known: dict[str, str] = field(default_factory=dict)  # an id of the document: the one that stands for it here

    def play(self, step: Step) -> str:
        command = _ID.sub(lambda found: self.known.get(found[0], found[0]), step.command)
        bin_folder = f"{self.shop.parent / 'bin'}{os.pathsep}{Path(sys.executable).parent}"
        env = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "GIT_PAGER": "cat"}
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=self.shop, env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        said = done.stdout.replace(str(self.shop.parent), HOME)
        assert done.returncode == step.code, f"$ {command}\n{said}exit code {done.returncode}, not {step.code}"
        self._learn("\n".join(step.expected), said)
        return said

    def _learn(self, expected: str, said: str) -> None:
        fresh = dict.fromkeys(each for each in _ID.findall(said) if each not in self.known.values())
        unknown = dict.fromkeys(each for each in _ID.findall(expected) if each not in self.known)
        self.known.update(zip(unknown, fresh, strict=False))


def make_stage(folder: Path) -> Stage:
    for name in ("orchgit", "orch"):
        repos.make_script(folder / "bin" / name, f'exec "{sys.executable}" -m orchgit "$@"')
    for name in ("claude", "codex", "opencode"):
        repos.make_script(folder / "bin" / name, "exit 0")  # who reads on has it, and hears of none that is missing
    return Stage(repos.make_repo(folder / "shop", files={"README.md": "# Shop\n", "src/app.py": APP}))


def stable(text: str) -> list[str]:
    """Return the lines of an output without what differs from run to run."""
    text = _ID.sub("ID", text)
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return [line.rstrip() for line in text.rstrip().splitlines()]


def agrees(expected: list[str], said: list[str]) -> bool:
    """Do the lines agree? A line `...` stands for any number of them."""
    if not expected:
        return not said
    if expected[0] == "...":
        return any(agrees(expected[1:], said[skipped:]) for skipped in range(len(said) + 1))
    return bool(said) and expected[0] == said[0] and agrees(expected[1:], said[1:])


@pytest.mark.parametrize("name", PLAYED)
def test_the_commands_of_a_document_do_what_it_shows(name: str, tmp_path: Path) -> None:
    stage = make_stage(tmp_path / "ada")
    script = steps(page(name))
    assert script
    for step in script:
        said = stage.play(step)
        expected = stable("\n".join(step.expected))
        assert agrees(expected, stable(said)), f"$ {step.command}\n{said}\nthe document says\n" + "\n".join(
            step.expected
        )
    assert repos.is_sound(stage.shop)


def test_the_readme_shows_the_five_commands_of_the_main_job() -> None:
    typed = [step.command for step in steps(page("README.md"))]
    for beginning in (
        "orchgit init",
        "orchgit agent add",
        "orch task add",
        "orchgit run --all",
        "orchgit task approve",
    ):
        assert any(command.startswith(beginning) for command in typed), beginning


def test_the_readme_opens_with_the_two_commands() -> None:
    first = next(_FENCE.finditer(page("README.md")))
    assert [line.split("#")[0].strip() for line in first["text"].splitlines()][:2] == ["make demo", "make test"]


def test_the_example_of_the_python_api_runs(tmp_path: Path) -> None:
    stage = make_stage(tmp_path / "ada")
    blocks = [block["text"] for block in _FENCE.finditer(page("docs/api.md")) if block["info"] == "python"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-W", "error", "-c", "\n".join(blocks)]
    done = subprocess.run(argv, cwd=stage.shop, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "is done" in done.stdout


def test_every_public_name_of_the_api_is_documented() -> None:
    text = page("docs/api.md")
    names = [name for name in dir(api.Project) if not name.startswith("_") and name != "layout"]
    assert {"tasks", "approve", "run"} <= set(names)
    for name in (*api.__all__, *names):
        assert f"`{name}" in text or f".{name}" in text, name


def commands(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(words), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, (*words, name))


ALL_COMMANDS = list(commands(orchgit, ("orchgit",)))


def section(text: str, heading: str) -> str:
    """Return what stands under `heading` up to the next one of any level."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {heading!r}"
    return found[1]


@pytest.mark.parametrize(("name", "command"), ALL_COMMANDS)
def test_a_command_is_in_the_reference_with_all_its_options(name: str, command: click.Command) -> None:
    said = section(page("docs/commands.md"), f"`{name}`")
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            assert str(parameter.name).upper() in said
            continue
        if isinstance(parameter, click.Option) and parameter.hidden:
            continue
        for option in (*parameter.opts, *parameter.secondary_opts):
            assert re.search(rf"`[^`]*(?<![\w-]){re.escape(option)}(?![\w-])", said), f"{name} {option}"


def test_the_reference_has_no_command_or_option_that_does_not_exist() -> None:
    text = page("docs/commands.md")
    known = {name for name, _ in ALL_COMMANDS}
    assert set(re.findall(r"^#+ `(orchgit[^`]*)`$", text, re.MULTILINE)) == known
    for name, command in ALL_COMMANDS:
        taken = (option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts))
        options = {*taken, "-h", "--help"}
        rows = re.findall(r"^\| `(-[^|]*)\|", section(text, f"`{name}`"), re.MULTILINE)
        assert set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", " ".join(rows))) <= options, name


def test_every_command_is_in_the_table_of_the_readme() -> None:
    table = section(page("README.md"), "Commands")
    for name in COMMANDS:
        assert f"`orchgit {name}" in table, name


def test_the_readme_names_the_exit_codes() -> None:
    said = section(page("README.md"), "Exit codes")
    assert re.findall(r"^\| (\d+) \|", said, re.MULTILINE) == [
        str(code) for code in (0, REFUSED, USAGE, DEFECT, INTERRUPTED)
    ]


def rows(text: str) -> dict[str, list[str]]:
    """Return the rows of Markdown tables by the first cell, which stands in backticks."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip().strip("`"): [cell.strip() for cell in cells[1:]] for cells in lines}


def test_every_key_of_a_task_is_documented() -> None:
    assert list(rows(page("docs/tasks.md"))) == list(task.READERS)


@pytest.mark.parametrize(
    "line",
    [
        "id: 12", "title:", "status: open", "priority: high", "goal: a b", "labels: {a: 1}", "created: soon",
        "branch: main", "review_commit: abc", "labels: [a",
    ],
)  # fmt: skip
def test_the_faults_of_a_task_are_documented_in_their_words(line: str) -> None:
    lines = {"id": "id: tsk_7k3m9q", "title": "title: Any", line.partition(":")[0]: line}
    with pytest.raises(InvalidFileError) as caught:
        task.read("tasks/x.md", "\n".join(["---", *lines.values(), "---", ""]))
    assert ": ".join(filter(None, [caught.value.key, caught.value.reason])) in page("docs/tasks.md")


def test_every_key_of_an_agent_is_documented() -> None:
    assert set(agent.READERS) <= rows(page("docs/agents.md")).keys()


def test_every_check_of_the_doctor_is_documented() -> None:
    assert list(rows(page("docs/doctor.md"))) == [check.name for check in doctor.CHECKS]


def test_every_setting_is_documented_with_its_default() -> None:
    table = {key: cells for key, cells in rows(page("docs/state.md")).items() if key in SETTINGS}
    assert list(table) == list(SETTINGS)
    for key, (default, _) in table.items():
        value = value_of(Config(), key)
        value = str(value).lower() if isinstance(value, bool) else value
        assert default == (f"`{value}`" if value != "" else default), key
        assert default


def test_every_rule_of_the_lifecycle_is_documented() -> None:
    table = section(page("docs/lifecycle.md"), "The table")
    written = re.findall(r"^\| (?!from)([\w, ]+) \| (\w+) \| ([\w ]+) \|", table, re.MULTILINE)
    known = {(rule.ask.value, source.value, rule.target.value) for rule in RULES for source in rule.sources}
    assert {(ask, source, to) for sources, to, ask in written for source in sources.split(", ")} == known


def test_every_variable_of_an_agent_is_documented() -> None:
    said = page("docs/agents.md")
    for name in (MARKER, "ORCHGIT_TASK", "ORCHGIT_AGENT", "ORCHGIT_ATTEMPT", "ORCHGIT_PROMPT_FILE"):
        assert f"`{name}`" in said
    for name in ADAPTERS:
        assert f"`{name}`" in said


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,),
    "object": (dict,), "null": (type(None),),
}  # fmt: skip


def is_documented(value: object, types: str) -> bool:
    allowed = tuple(kind for word, kinds in _TYPES.items() if re.search(rf"\b{word}", types) for kind in kinds)
    return isinstance(value, allowed) and (not isinstance(value, bool) or bool in allowed)


def check_documented(data: Any, heading: str, *further: str) -> None:
    """Every key of the object, or of each object of the array, is in the tables under the headings, with its type."""
    text = page("docs/json.md")
    table = {key: cells for name in (heading, *further) for key, cells in rows(section(text, name)).items()}
    for entry in data if isinstance(data, list) else [data]:
        assert entry.keys() == table.keys()
        for key, value in entry.items():
            assert is_documented(value, table[key][0]), f"{heading}: {key} is {value!r}, not {table[key][0]}"


@pytest.fixture
def worked(tmp_path: Path) -> Path:
    """Return a project with a task in review, one that waits for it, one without any key, and a broken file."""
    shop = make_stage(tmp_path / "ada").shop
    ok(shop, "init")
    ok(
        shop,
        "agent",
        "add",
        "writer",
        "--command",
        "echo hi > hi.txt; echo done; echo ::usage input=2 cost-usd=0.5",
        "--env",
        "A=b",
        "--role",
        "Writes.",
    )
    first = ok(shop, "task", "add", "Write", "-d", "Say hi.", "-l", "a", "--scope", "*.txt").id
    ok(shop, "task", "add", "Read", "--depends-on", first, "--assignee", "writer", "--max-attempts", "2", "--goal", "g")
    ok(shop, "run", first)
    (shop / ".orchestry" / "tasks" / "broken.md").write_text("no front matter\n")
    repos.git(shop / ".orchestry", "add", "tasks/broken.md")
    repos.git(shop / ".orchestry", "commit", "--quiet", "--message=broken")
    (shop / ".git" / "orchgit" / "settled").unlink()  # as in a clone that begins, and takes what it finds as it is
    return shop


def test_the_json_of_tasks_is_documented(worked: Path) -> None:
    listed = ok(worked, "task", "list", "--json").data
    check_documented(listed, "A task", "`task list --json`")
    waiting, blocked = sorted(listed, key=lambda each: each["title"] == "Read")
    shown = ok(worked, "task", "show", waiting["id"], "--json").data
    check_documented(shown, "A task", "`task show --json`")
    check_documented(shown["changes"], "A changed file")
    check_documented(shown["used"], "What was used")
    check_documented(shown["used_in_all"], "What was used")
    for args in (("edit", blocked["id"], "-p", "1"), ("assign", blocked["id"], "writer"), ("reject", waiting["id"])):
        check_documented(ok(worked, "task", *args, "--json").data, "A task")
    check_documented(ok(worked, "task", "add", "More", "--json").data, "A task")
    ok(worked, "run", waiting["id"])
    check_documented(ok(worked, "task", "approve", waiting["id"], "--json").data, "A task", "`task approve --json`")


def test_the_json_of_everything_else_is_documented(worked: Path) -> None:
    check_documented(ok(worked, "agent", "list", "--json").data, "An agent")
    check_documented(ok(worked, "agent", "shop", "--json").data, "A role")
    check_documented(ok(worked, "agent", "status", "writer", "--json").data, "An agent", "`agent status --json`")
    spent = ok(worked, "stats", "--by", "task", "--json").data
    check_documented(spent, "`stats --json`")
    check_documented([*spent["rows"], spent["total"]], "A sum")
    check_documented(ok(worked, "workspace", "list", "--json").data, "`workspace list --json`")
    status = ok(worked, "status", "--json").data
    check_documented(status, "`status --json`")
    assert status["broken"]
    check_documented(status["broken"], "A broken file")
    hooks = ok(worked, "hooks", "status", "--json").data
    check_documented(hooks, "`hooks status --json`")
    check_documented(hooks["hooks"], "A hook")
    check_documented(ok(worked, "status", "--at", "HEAD~1", "--json").data, "`status --json`")
    log = ok(worked, "log", "--json").data
    check_documented(log, "`log --json`")
    trailers = {key for entry in log for key in entry["trailers"]}
    assert trailers <= rows(page("docs/lifecycle.md")).keys()
    (place,) = (each["path"] for each in ok(worked, "workspace", "list", "--json").data)
    for file in ("README.md", f"{place}/hi.txt:1"):
        check_documented(ok(worked, "why", file, "--json").data, "`why --json`")
    check_documented(type_(worked, "doctor", "--json").data, "`doctor --json`")
    lines = [json.loads(line) for line in ok(worked, "logs", "--json").out.splitlines()]
    check_documented(lines, "`logs --json`")
    check_documented([line["usage"] for line in lines if line["type"] == "usage"], "What was used")
    logged = [json.loads(line) for line in ok(worked, "serve", "--once", "--log-format", "json").out.splitlines()]
    check_documented(logged, "`serve --log-format json`")
    assert rows(page("docs/state.md")).keys() >= ok(worked, "config", "get", "--json").data.keys()


def test_the_json_of_goals_and_teams_is_documented(worked: Path) -> None:
    made = ok(worked, "goal", "add", "Be fast", "-d", "In 5 ms.", "--assignee", "writer", "--json").data
    check_documented(made, "A goal")
    check_documented(ok(worked, "goal", "list", "--json").data, "A goal")
    waiting = next(each for each in ok(worked, "task", "list", "--json").data if each["status"] == "review")
    ok(worked, "task", "edit", waiting["id"], "--goal", made["id"])
    shown = ok(worked, "goal", "show", made["id"], "--json").data
    check_documented(shown, "A goal", "`goal show --json`")
    check_documented([shown["used"]], "What was used")
    assert (shown["done"], shown["all"]) == (0, 1)
    assert [each["summary"] for each in shown["tasks"] if each["id"] == waiting["id"]] == ["done"]
    ok(worked, "goal", "status", made["id"], "abandoned")
    check_documented(ok(worked, "goal", "list", "--json").data, "A goal")
    check_documented(ok(worked, "team", "create", "core", "--lead", "writer", "--json").data, "A team")
    check_documented(ok(worked, "team", "list", "--json").data, "A team")


def test_every_key_of_a_goal_and_of_a_team_is_documented() -> None:
    assert list(rows(page("docs/goals.md")))[: len(goal.READERS)] == list(goal.READERS)
    assert list(rows(page("docs/teams.md"))) == list(team.READERS)


def test_the_json_of_what_the_team_keeps_and_says_is_documented(worked: Path) -> None:
    check_documented(ok(worked, "context", "set", "a/b", "x", "--ttl", "1h", "--json").data, "A value")
    check_documented(ok(worked, "context", "get", "a/b", "--json").data, "A value")
    check_documented(ok(worked, "context", "list", "--json").data, "A value")
    check_documented(ok(worked, "context", "log", "a/b", "--json").data, "`log --json`")
    sent = ok(worked, "msg", "send", "writer", "x", "--json").data
    check_documented(sent, "A message", "`msg send --json`")
    check_documented(ok(worked, "msg", "broadcast", "x", "--json").data, "A message", "`msg send --json`")
    for args in (("inbox", "writer"), ("list",), ("read", sent["id"])):
        found = ok(worked, "msg", *args, "--json").data
        assert found
        check_documented(found, "A message")


def test_every_key_of_a_message_is_documented() -> None:
    assert rows(page("docs/messages.md")).keys() == letter.READERS.keys() - {"to"}


def test_the_json_of_organisations_is_documented(worked: Path) -> None:
    check_documented(ok(worked, "org", "list", "--json").data, "An organisation")
    check_documented(ok(worked, "org", "show", "data-lab", "--json").data, "An organisation")
    check_documented(ok(worked, "org", "deploy", "startup-mvp", "--json").data, "`org deploy --json`")
    trailers = {key for entry in ok(worked, "log", "--json").data for key in entry["trailers"]}
    assert trailers <= rows(page("docs/lifecycle.md")).keys()


def test_the_json_of_the_audit_trail_is_documented(worked: Path) -> None:
    waiting = next(each for each in ok(worked, "task", "list", "--json").data if each["status"] == "review")
    found = ok(worked, "blame", waiting["id"], "--json").data
    check_documented(found, "`blame --json`")
    check_documented(found["fields"], "A field")
    check_documented(found["body"], "A part of the body")
    said = type_(worked, "verify", "--json")
    assert said.code == 1
    check_documented(said.data, "`verify --json`")
    check_documented(said.data["offences"], "An offence")
    ok(worked, "task", "cancel", waiting["id"])
    check_documented(ok(worked, "undo", "--json").data, "`undo --json`")


def test_every_offence_is_documented() -> None:
    assert list(rows(section(page("docs/audit.md"), "Offences"))) == [each.value for each in Offence]


def test_every_json_option_has_its_place_in_the_document() -> None:
    text = page("docs/json.md")
    for name, command in ALL_COMMANDS:
        if (
            any("--json" in each.opts and not getattr(each, "hidden", False) for each in command.params)
            and name != "orchgit"
        ):
            assert f"`{name.removeprefix('orchgit ')} --json`" in text, name


def test_the_json_shown_is_json() -> None:
    shown = [block["text"] for block in _FENCE.finditer(page("docs/json.md")) if block["info"] == "json"]
    assert shown
    for text in shown:
        values: Any = json.loads(text)
        assert values


def slugs(text: str) -> set[str]:
    """Return the anchors that GitHub gives the headings."""
    outside = _FENCE.sub("", text)
    titles = re.findall(r"^#+ +(.*)$", outside, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", [path.relative_to(ROOT).as_posix() for path in PAGES])
def test_every_link_within_the_project_leads_somewhere(name: str) -> None:
    place = ROOT / name
    for target in re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", page(name))):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        there = (place.parent / file).resolve() if file else place
        assert there.exists(), target
        assert not anchor or anchor in slugs(there.read_text(encoding="utf-8")), target


def test_every_document_is_linked_from_the_readme() -> None:
    for path in DOCS:
        assert f"](docs/{path.name})" in page("README.md"), path.name
