"""What each coding agent is started with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from orchgit import adapters
from orchgit.adapters import codex, codexhooks
from orchgit.adapters.protocol import Hears, Job
from orchgit.model import mcp
from orchgit.model.agent import Agent

if TYPE_CHECKING:
    from orchgit.adapters.protocol import Launch

SLY = "--help; $(touch x)\n'\""
CODEX = ("codex", "exec", "--dangerously-bypass-approvals-and-sandbox")
CLIS = ("claude", "codex", "opencode", "cursor")
SERVERS = mcp.servers(
    {
        "tracker": {"command": "tracker", "args": ["-r", "a b"], "env": {"TOKEN": "$TRACKER_TOKEN", "LEVEL": "1"}},
        "search": {"url": "https://search.example.org", "headers": {"Authorization": "${AUTH}"}},
    }
)


def agent(adapter: str, **settings: Any) -> Agent:
    return Agent(name="bot", path="agents/bot.md", adapter=adapter, **settings)


def launch(adapter: str, job: Job | None = None, **settings: Any) -> Launch:
    return adapters.ADAPTERS[adapter].launch(agent(adapter, **settings), job or Job("Do it."))


@pytest.mark.parametrize(
    ("adapter", "argv", "hears"),
    [
        (
            "codex",
            " ".join((*CODEX, *codex.ALWAYS, *codexhooks.OPTIONS, "--json", "-")),
            Hears.HOOKS,
        ),
        ("opencode", "opencode run --format json --auto", Hears.HOOKS),
    ],
)
def test_the_prompt_is_only_ever_input(adapter: str, argv: str, hears: Hears | None) -> None:
    found = launch(adapter, Job(SLY))
    assert (" ".join(found.argv), found.stdin, found.hears) == (argv, SLY, hears)


def test_the_prompt_is_the_first_message_of_one_that_takes_more() -> None:
    found = launch("claude", Job(SLY))
    assert " ".join(found.argv) == (
        "claude -p --output-format stream-json --verbose --input-format stream-json --replay-user-messages "
        "--permission-mode bypassPermissions"
    )
    assert found.stdin.count("\n") == 1
    assert json.loads(found.stdin) == {"type": "user", "message": {"role": "user", "content": SLY}}
    assert found.hears is Hears.INPUT


@pytest.mark.parametrize("args", [["--input-format", "text"], ["--input-format=text"]])
def test_one_that_is_to_take_no_more_is_told_all_at_once(args: list[str]) -> None:
    found = launch("claude", Job(SLY), args=args)
    assert (found.argv[-len(args) :], found.stdin, found.hears) == (tuple(args), SLY, None)
    assert "--replay-user-messages" not in found.argv


def test_one_that_has_hooks_of_its_own_gets_none_of_ours() -> None:
    found = launch("codex", args=["-c", "hooks.Stop=[]"])
    assert [each for each in found.argv if "hooks" in each] == ["hooks.Stop=[]"]
    assert found.hears is None


@pytest.mark.parametrize(
    ("prompt", "last"),
    [
        ("Do it.", "Do it."),
        ("--help", "\n--help"),
        (
            "x" * 130_000,
            "Read the file that the environment variable ORCHGIT_PROMPT_FILE names. It holds your task. Do it.",
        ),
    ],
)
def test_where_the_prompt_is_an_argument_it_is_never_an_option(prompt: str, last: str) -> None:
    found = launch("cursor", Job(prompt, workspace="/there"))
    assert found.argv[:-1] == (
        *["cursor-agent", "-p", "--output-format", "stream-json", "--force", "--trust", "--workspace"], "/there",
    )  # fmt: skip
    assert (found.argv[-1], found.stdin) == (last, "")


@pytest.mark.parametrize(
    ("adapter", "policy", "words"),
    [
        ("claude", "auto", "--permission-mode bypassPermissions"),
        ("claude", "suggest", "--permission-mode acceptEdits"),
        ("claude", "manual", "--permission-mode default"),
        ("codex", "auto", "--dangerously-bypass-approvals-and-sandbox"),
        ("codex", "suggest", "-s workspace-write"),
        ("codex", "manual", "-s read-only"),
        ("opencode", "auto", "--auto"),
        ("cursor", "auto", "--force"),
    ],
)
def test_what_it_may_do_unasked(adapter: str, policy: str, words: str) -> None:
    assert f" {words}" in " ".join(launch(adapter, approval_policy=policy).argv)
    others = {"auto", "suggest", "manual"} - {policy}
    assert all(f" {words}" not in " ".join(launch(adapter, approval_policy=each).argv) for each in others)


@pytest.mark.parametrize(
    ("settings", "permission"),
    [
        ({"approval_policy": "auto"}, None),
        ({"approval_policy": "suggest"}, {"edit": "allow", "bash": "deny"}),
        ({"approval_policy": "manual"}, {"edit": "deny", "bash": "deny"}),
        ({"approval_policy": "manual", "allowed_tools": ("Edit", "WebFetch")},
         {"edit": "allow", "bash": "deny", "webfetch": "allow"}),
        ({"approval_policy": "suggest", "allowed_tools": ("Bash(git log:*)", "Bash(make *)")},
         {"edit": "allow", "bash": {"*": "deny", "git log*": "allow", "make *": "allow"}}),
    ],
)  # fmt: skip
def test_opencode_never_asks(settings: dict[str, Any], permission: object) -> None:
    found = json.loads(launch("opencode", **settings).env["OPENCODE_CONFIG_CONTENT"])
    assert found.get("permission") == permission


def test_opencodes_own_settings_stay_and_those_of_the_agent_win() -> None:
    own = {
        "provider": {"x": {}}, "permission": {"bash": "ask", "webfetch": "ask"}, "mcp": {"other": {}},
        "plugin": ["mine"],
    }  # fmt: skip
    env = (("OPENCODE_CONFIG_CONTENT", json.dumps(own)),)
    job = Job("Do it.", folder="/runs/a b")
    found = launch("opencode", job, env=env, approval_policy="suggest", mcp_servers=SERVERS[:1])
    assert json.loads(found.env["OPENCODE_CONFIG_CONTENT"]) == {
        "provider": {"x": {}},
        "plugin": ["mine", "file:///runs/a%20b/plugin.js"],
        "permission": {"bash": "deny", "webfetch": "ask", "edit": "allow"},
        "mcp": {"other": {}, "tracker": {
            "type": "local", "command": ["tracker", "-r", "a b"],
            "environment": {"TOKEN": "{env:TRACKER_TOKEN}", "LEVEL": "1"},
        }},
    }  # fmt: skip


def test_a_session_goes_on() -> None:
    job = Job("More.", session="abc-1")
    assert "--resume abc-1" in " ".join(launch("claude", job).argv)
    assert launch("codex", job, model="m", approval_policy="suggest").argv[2:6] == ("-m", "m", "-s", "workspace-write")
    assert launch("codex", job).argv[-4:] == ("resume", "abc-1", "--json", "-")
    assert "-s abc-1" in " ".join(launch("opencode", job).argv)
    assert "--resume abc-1" in " ".join(launch("cursor", job).argv)
    assert all(adapters.ADAPTERS[name].resumes(agent(name)) for name in CLIS)


def test_a_role_is_the_system_prompt_or_comes_first() -> None:
    role = '- You say "no".\n\\ é'
    claude, codexs = launch("claude", role=role).argv, launch("codex", role=role).argv
    assert claude[claude.index("--append-system-prompt") + 1] == role
    assert r'developer_instructions="- You say \"no\".\n\\ é"' in codexs
    assert launch("opencode", role=role).stdin == f"{role}\n\nDo it."
    assert launch("cursor", role=role).argv[-1] == f"\n{role}\n\nDo it."
    assert launch("opencode", Job("More.", session="s"), role=role).stdin == "More."
    assert launch("opencode", Job(f"You are: {role}"), role=role).stdin == f"You are: {role}"


def test_a_role_that_changed_reaches_a_session_of_claude() -> None:
    words = " ".join(launch("claude", Job("More.", session="s"), role="New.").argv)
    assert "--append-system-prompt New. --system-prompt-snapshot off" in words
    assert "--system-prompt-snapshot" not in launch("claude", role="New.").argv


def test_the_limits_that_claude_has() -> None:
    words = " ".join(launch("claude", Job("Do it.", max_turns=7, max_cost_usd=2.5)).argv)
    assert "--max-turns 7 --max-budget-usd 2.500000" in words
    assert "--max-" not in " ".join(launch("claude").argv)


def test_tools_of_claude_are_one_word_so_that_none_swallows_the_next_option() -> None:
    assert (
        "--allowedTools=Bash(git log:*),WebFetch"
        in launch("claude", allowed_tools=("Bash(git log:*)", "WebFetch")).argv
    )


@pytest.mark.parametrize(
    ("as_root", "policy", "told"), [(True, "auto", True), (True, "suggest", False), (False, "auto", False)]
)
def test_claude_is_told_that_the_superuser_is_meant(*, as_root: bool, policy: str, told: bool) -> None:
    assert ("IS_SANDBOX" in launch("claude", Job("x", as_root=as_root), approval_policy=policy).env) == told


def test_what_the_agent_sets_itself_stays() -> None:
    assert launch("claude").env["CLAUDE_CODE_MAX_RETRIES"] == "4"
    assert "CLAUDE_CODE_MAX_RETRIES" not in launch("claude", env=(("CLAUDE_CODE_MAX_RETRIES", "10"),)).env


def test_servers_are_told_of_variables_by_name() -> None:
    claude, codexs = launch("claude", mcp_servers=SERVERS), launch("codex", mcp_servers=SERVERS)
    assert "--strict-mcp-config" in claude.argv
    assert json.loads(claude.argv[claude.argv.index("--mcp-config") + 1]) == {"mcpServers": {
        "tracker": {"command": "tracker", "args": ["-r", "a b"], "env": {"TOKEN": "${TRACKER_TOKEN}", "LEVEL": "1"}},
        "search": {"type": "http", "url": "https://search.example.org", "headers": {"Authorization": "${AUTH}"}},
    }}  # fmt: skip
    assert (
        'mcp_servers.tracker={"command" = "tracker", "args" = ["-r", "a b"], "env" = {"LEVEL" = "1"}, '
        '"env_vars" = ["TOKEN"]}' in codexs.argv
    )
    assert (
        'mcp_servers.search={"url" = "https://search.example.org", "http_headers" = {}, '
        '"env_http_headers" = {"Authorization" = "AUTH"}}' in codexs.argv
    )
    for found in (claude, codexs, launch("opencode", mcp_servers=SERVERS)):
        assert (found.env["TRACKER_TOKEN"], found.env["AUTH"]) == ("$TRACKER_TOKEN", "$AUTH")
    assert codexs.env["TOKEN"] == "$TRACKER_TOKEN"


def test_orchgit_s_own_server_may_be_used_whatever_else_may_not() -> None:
    own: dict[str, Any] = {"mcp_servers": mcp.servers(["orchgit"]), "approval_policy": "suggest"}
    claude, codexs = launch("claude", allowed_tools=("Edit",), **own), launch("codex", **own)
    assert "--allowedTools=Edit,mcp__orchgit" in claude.argv
    assert '{"mcpServers": {"orchgit": {"command": "orchgit", "args": ["mcp"], "env": {}}}}' in claude.argv
    assert (
        'mcp_servers.orchgit={"command" = "orchgit", "args" = ["mcp"], "env" = {}, "env_vars" = [], '
        '"default_tools_approval_mode" = "approve", "required" = true}' in codexs.argv
    )
    found = json.loads(launch("opencode", **own).env["OPENCODE_CONFIG_CONTENT"])
    assert found["mcp"]["orchgit"]["command"] == ["orchgit", "mcp"]
    assert adapters.ADAPTERS["claude"].limitations(agent("claude", **own)) == ()


@pytest.mark.parametrize("adapter", CLIS)
def test_further_words_and_the_model_are_words_of_their_own(adapter: str) -> None:
    argv = launch(adapter, model="p/m; x", args=("--add-dir", "a b", "")).argv
    start = argv.index("--add-dir")
    assert argv[start : start + 3] == ("--add-dir", "a b", "")
    assert argv[argv.index("p/m; x") - 1] in ("--model", "-m")


@pytest.mark.parametrize("adapter", CLIS)
@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"model": "--p/m"}, "the model '--p/m' would be read as an option"),
        ({"allowed_tools": ("--x",)}, "a word of `allowed_tools` would be read as an option"),
        ({"role": "x" * 130_000}, "its role is longer than the 120 KB that a command line takes"),
        ({"model": "p/m", "role": "x"}, None),
    ],
)
def test_what_it_complains_about(adapter: str, settings: dict[str, Any], complaint: str | None) -> None:
    assert adapters.ADAPTERS[adapter].complaint(agent(adapter, **settings)) == complaint


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"model": "opus"}, "opencode's models are written provider/model, and 'opus' isn't"),
        (
            {"env": (("OPENCODE_CONFIG_CONTENT", "$MINE"),)},
            "OPENCODE_CONFIG_CONTENT in its env must be JSON as it stands: the settings of the agent are put into it",
        ),
    ],
)
def test_what_opencode_complains_about(settings: dict[str, Any], complaint: str) -> None:
    assert adapters.ADAPTERS["opencode"].complaint(agent("opencode", **settings)) == complaint


EVERYTHING: dict[str, Any] = {
    "command": "true", "allowed_tools": ("Edit",), "mcp_servers": SERVERS, "max_turns": 1, "max_tokens": 1,
    "max_cost_usd": 1.0, "approval_policy": "manual",
}  # fmt: skip


@pytest.mark.parametrize(
    ("adapter", "begins"),
    [
        ("claude", ["command is set", "With approval_policy manual nobody is there"]),
        ("codex", [
            "command is set", "allowed_tools is set", "With approval_policy manual Codex may only read",
            "Codex asks before it calls", "Codex doesn't say what it costs", "Codex tells its tokens at its end only",
            "Codex counts no turns",
        ]),
        ("opencode", ["command is set", "With approval_policy manual nobody is there"]),
        ("cursor", [
            "command is set", "allowed_tools is set", "mcp_servers is set", "But for approval_policy auto",
            "Cursor's CLI doesn't say what it costs", "Cursor's CLI doesn't tell its tokens",
            "Cursor's CLI counts no turns",
        ]),
        ("shell", [
            "allowed_tools is set", "mcp_servers is set", "With approval_policy manual its plans wait for a person",
        ]),
    ],
)  # fmt: skip
def test_what_it_cannot_do_is_known(adapter: str, begins: list[str]) -> None:
    found = adapters.ADAPTERS[adapter].limitations(agent(adapter, **EVERYTHING))
    assert len(found) == len(begins)
    assert [begin for words, begin in zip(found, begins, strict=True) if not words.startswith(begin)] == []
    assert adapters.ADAPTERS[adapter].limitations(agent(adapter, model="p/m", role="x")) == ()
