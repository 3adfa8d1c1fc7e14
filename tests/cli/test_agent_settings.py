"""What a coding agent's CLI can't do is said where a person sets it up."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.cli import ok, type_


def without(program: str) -> str:
    """Return our PATH but for the folders that have the program."""
    return os.pathsep.join(each for each in os.environ["PATH"].split(os.pathsep) if not Path(each, program).exists())


def test_what_a_cli_cannot_do_is_said_when_the_agent_is_added(project: Path) -> None:
    said = ok(
        project, "agent", "add", "tester", "--adapter", "codex", "--approval-policy", "suggest", "--max-cost-usd", "2",
        PATH=without("codex"),
    )  # fmt: skip
    assert said.out == "tester is on the team (agents/tester.md).\n"
    assert said.err == (
        "orchgit: Codex's sandbox lets it neither commit nor reach the network: its work is committed for it.\n"
        "orchgit: Codex doesn't say what it costs: max_cost_usd has no effect on it.\n"
        "orchgit: codex is not on the PATH: runs of tester fail until it is installed.\n"
    )
    data = ok(project, "agent", "status", "tester", "--json").data
    assert len(data["limitations"]) == 2
    assert "max_cost_usd has no effect" in ok(project, "agent", "status", "tester").out
    found = [each["what"] for each in type_(project, "doctor", "--json").data if each["check"] == "agents"]
    assert any("max_cost_usd has no effect" in what for what in found)


def test_an_organisation_whose_program_is_missing_says_so_once(project: Path) -> None:
    said = ok(project, "org", "deploy", "bugfix-dept", "--adapter", "claude", PATH=without("claude"))
    who = "triage, bug-hunter, bug-hunter-2 and reviewer"
    assert said.err == f"orchgit: claude is not on the PATH: runs of {who} fail until it is installed.\n"


def test_a_server_that_must_be_described_is_refused_in_terms_of_the_option(project: Path) -> None:
    said = type_(project, "agent", "add", "x", "--adapter", "claude", "--mcp-servers", "orchgit,other")
    assert said.code == 2
    assert said.err.startswith(
        "orchgit: --mcp-servers takes orchgit alone by its name: of 'other' it must be said how it is reached.\n"
        "Add `other: {url: https://...}` or "
    )
    assert ok(project, "agent", "list", "--json").data == []


def test_words_of_a_call_are_split_as_a_shell_does(project: Path) -> None:
    ok(project, "agent", "add", "own", "--adapter", "command", "--argv", "mycli run '--a b'")
    ok(
        project,
        "agent",
        "add",
        "other",
        "--adapter",
        "claude",
        "--args",
        "--add-dir '../a b'",
        "--allowed-tools",
        "Bash,Edit",
    )
    listed = {each["name"]: each for each in ok(project, "agent", "list", "--json").data}
    assert listed["own"]["argv"] == ["mycli", "run", "--a b"]
    assert (listed["other"]["args"], listed["other"]["allowed_tools"]) == (["--add-dir", "../a b"], ["Bash", "Edit"])
    said = type_(project, "agent", "add", "x", "--adapter", "command", "--argv", "'open")
    assert said.code == 2
    assert "can't be split into words" in said.err
