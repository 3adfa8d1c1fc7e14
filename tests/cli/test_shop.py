"""The shop: what it lists, whose file wins, and what becomes of a role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import repos
from tests.support.cli import ok, on_terminal, type_

if TYPE_CHECKING:
    from pathlib import Path

_OWN = "---\ndescription: Ours\nlabels: [go]\nmodel: large-2\nadapter: codex\n---\nYou write Go.\n"


@pytest.fixture
def mine(world: Path) -> Path:
    """Return the person's own folder of roles."""
    folder = world / ".config" / "orchgit" / "templates" / "agents"
    folder.mkdir(parents=True)
    return folder


def test_the_list_says_name_labels_and_a_line(tmp_path: Path) -> None:
    said = ok(tmp_path, "agent", "shop", "--list")
    assert said.out.splitlines()[0].split() == ["NAME", "LABELS", "WHAT", "IT", "IS"]
    assert "qa           qa, test, testing, regression" in said.out
    assert said.err == ""
    assert len(ok(tmp_path, "agent", "shop", "--json").data) == len(said.out.splitlines()) - 1


def test_a_name_shows_the_file(tmp_path: Path) -> None:
    path, empty, *text = ok(tmp_path, "agent", "shop", "qa").out.splitlines()
    assert (path.endswith("templates/agents/qa.md"), empty, text[0]) == (True, "", "---")
    said = type_(tmp_path, "agent", "shop", "poet")
    assert (said.code, said.err.splitlines()[0]) == (1, "orchgit: The shop has no role 'poet'.")
    assert type_(tmp_path, "agent", "shop", "../agents/qa").code == 1


def test_the_persons_own_file_wins_and_adds(mine: Path, project: Path) -> None:
    repos.write(mine, {"qa.md": _OWN, "poet.md": "You write poems.\nShort ones.\n"})
    listed = {each["name"]: each for each in ok(project, "agent", "shop", "--json").data}
    assert (listed["qa"]["description"], listed["qa"]["path"]) == ("Ours", str(mine / "qa.md"))
    assert (listed["poet"]["description"], listed["poet"]["labels"]) == ("You write poems.", [])
    assert [(listed[each]["own"], listed[each]["hides_ours"]) for each in ("qa", "poet")] == [
        (True, True),
        (True, False),
    ]
    assert "reviewer" in listed
    ok(project, "agent", "add", "tester", "--from", "qa")
    assert (project / ".orchestry" / "agents" / "tester.md").read_text() == _OWN


def test_a_broken_file_is_named_with_its_line_and_hides_no_other(mine: Path, project: Path) -> None:
    repos.write(mine, {"qa.md": "---\nlabels: [a]\nmax_retries: many\n---\nYou test.\n", "empty.md": "---\n---\n"})
    said = ok(project, "agent", "shop")
    assert f"orchgit: {mine / 'qa.md'}:3: max_retries: 'many' is not a whole number" in said.err
    assert f"orchgit: {mine / 'empty.md'}:1: says nothing below its front matter" in said.err
    assert "reviewer" in said.out
    missing = type_(project, "agent", "add", "x", "--from", "nobody").err
    assert ("reviewer" in missing, "qa" in missing, "empty" in missing) == (True, False, False)
    refused = type_(project, "agent", "add", "qa", "--from", "qa")
    assert (refused.code, f"{mine / 'qa.md'}:3: max_retries" in refused.err) == (1, True)
    assert ok(project, "agent", "list", "--json").data == []


def test_options_overrule_the_role(project: Path) -> None:
    made = ok(
        project, "agent", "add", "api", "--from", "backend", "--adapter", "codex", "--model", "m", "--labels", "x",
        "--role", "You write Rust.", "--json",
    ).data  # fmt: skip
    assert (made["adapter"], made["model"], made["labels"], made["role"]) == ("codex", "m", ["x"], "You write Rust.")
    assert made["skills"] == ["evidence", "small-change"]
    subject, *_ = repos.subjects(project, "orchestry")
    assert subject == "agent(api): created"


def test_the_adapter_is_the_projects_unless_that_is_a_shell_without_a_command(project: Path) -> None:
    def adapter(name: str, *args: str) -> object:
        return ok(project, "agent", "add", name, "--from", "qa", "--json", *args).data["adapter"]

    assert adapter("a") == "claude"
    assert adapter("b", "--command", "true") == "shell"
    ok(project, "config", "set", "defaults.agent.adapter", "opencode")
    assert adapter("c") == "opencode"
    assert adapter("d", "--adapter", "codex") == "codex"


def test_a_name_that_is_taken_is_refused(project: Path) -> None:
    ok(project, "agent", "add", "qa", "--command", "true")
    assert type_(project, "agent", "add", "qa", "--from", "qa").code == 1


def test_on_a_terminal_a_role_can_be_picked(project: Path) -> None:
    code, said = on_terminal(project, "agent", "shop", keys="reviewer\n\n")
    assert code == 0
    assert "reviewer is on the team" in said
    code, said = on_terminal(project, "agent", "shop", keys="poet\n")
    assert code == 1
    assert "The shop has no role 'poet'." in said
    assert "Its name in the team" not in said
    assert [each["name"] for each in ok(project, "agent", "list", "--json").data] == ["reviewer"]
