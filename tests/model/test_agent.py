from __future__ import annotations

from dataclasses import replace

import pytest

from orchgit.model import actor, agent
from orchgit.model.agent import Agent
from orchgit.model.errors import InvalidFileError

SETTINGS = """\
adapter: shell
command: |
  ruff format .
  ruff check
model: opus
max_retries: 2
retry_delay_ms: 500
timeout_ms: 60000
stall_timeout_ms: 1000
max_turns: 12
max_tokens: 0
max_cost_usd: 1
env: {TOKEN: $TOKEN, LEVEL: 3}
enabled: false
team: an unknown key
"""
FULL = Agent(
    name="backend", path="", adapter="shell", command="ruff format .\nruff check\n", role="You write Python.\n\nWell.",
    model="opus", max_retries=2, retry_delay_ms=500, timeout_ms=60_000, stall_timeout_ms=1000, max_turns=12,
    max_tokens=0, max_cost_usd=1,
    env=(("TOKEN", "$TOKEN"), ("LEVEL", "3")), enabled=False,
)  # fmt: skip
NAMES = "use letters, digits, '_', '-' and single dots, 64 at most"


def test_a_markdown_file_says_everything() -> None:
    read = agent.read("agents/backend.md", f"---\n{SETTINGS}---\n\nYou write Python.\n\nWell.\n\n")
    assert read == replace(FULL, path="agents/backend.md")


@pytest.mark.parametrize("suffix", ["yaml", "yml"])
def test_a_yaml_file_says_the_same_with_a_role(suffix: str) -> None:
    path = f"agents/backend.{suffix}"
    assert agent.read(path, f"{SETTINGS}role: |\n  You write Python.\n\n  Well.\n") == replace(FULL, path=path)


@pytest.mark.parametrize(
    ("path", "text", "role"),
    [
        ("agents/a.md", "", ""),
        ("agents/a.md", "---\n---\n", ""),
        ("agents/a.md", "Just a role.\n", "Just a role."),
        ("agents/a.md", "---\nrole: not the body\n---\n", ""),
        ("agents/a.yaml", "", ""),
        ("agents/a.yaml", "role:\nadapter: ~\nenabled:\n", ""),
        ("agents/a.yaml", "role: '  Review.  '\n", "Review."),
    ],
)
def test_an_agent_may_say_nothing(path: str, text: str, role: str) -> None:
    assert agent.read(path, text) == Agent(name="a", path=path, role=role)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("adapter: ../x", f"'../x' is not a name: {NAMES}"),
        ("adapter: [shell]", "['shell'] is not text; put it in quotes"),
        ("command: true", "true is not text; put it in quotes"),
        ("command: [make, test]", "['make', 'test'] is not text; put it in quotes"),
        ('command: "a\\0b"', "holds a NUL character, which no process can be given"),
        ("model: 1.5", "1.5 is not text; put it in quotes"),
        ("model: ''", "is empty"),
        ("max_retries: -1", "-1 is not a whole number from 0 to 99"),
        ("max_retries: 1.0", "1.0 is not a whole number from 0 to 99"),
        ("max_retries: 100", "100 is not a whole number from 0 to 99"),
        ("retry_delay_ms: 5s", "'5s' is not a whole number from 0 to 31622400000"),
        ("timeout_ms: 0", "0 is not a whole number from 1 to 31622400000"),
        ("timeout_ms: 99999999999999", "99999999999999 is not a whole number from 1 to 31622400000"),
        ("stall_timeout_ms: 12:30", "'12:30' is not a whole number from 1 to 31622400000"),
        ("env: A=1", "'A=1' is not a mapping of names to values"),
        ("env: [A]", "['A'] is not a mapping of names to values"),
        ("env: {A: true}", "A: true is not text; put it in quotes"),
        ("env: {A: [b]}", "A: ['b'] is not text; put it in quotes"),
        ("env: {A: }", "A: nothing is not text; put it in quotes"),
        ("env: {a-b: c}", "'a-b' is not the name of an environment variable"),
        ("enabled: yes", "'yes' is not true or false"),
        ("enabled: 0", "0 is not true or false"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(line: str, reason: str) -> None:
    key = line.partition(":")[0]
    with pytest.raises(InvalidFileError) as caught:
        agent.read("agents/a.md", f"---\nx: 1\n{line}\n---\n")
    assert str(caught.value) == f"agents/a.md:3: {key}: {reason}"
    with pytest.raises(InvalidFileError) as caught:
        agent.read("agents/a.yaml", f"x: 1\n{line}\n")
    assert str(caught.value) == f"agents/a.yaml:2: {key}: {reason}"


def test_a_role_that_is_not_text_is_refused() -> None:
    with pytest.raises(InvalidFileError) as caught:
        agent.read("agents/a.yaml", "role: [a]\n")
    assert str(caught.value) == "agents/a.yaml:1: role: ['a'] is not text; put it in quotes"


@pytest.mark.parametrize("file", ["-x.md", ".md", "a b.yaml", "a..b.md", "x.lock.md", "é.yml"])
def test_a_file_is_called_as_an_agent_may_be(file: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        agent.read(f"agents/{file}", "")
    name = file.rpartition(".")[0]
    expected = f"{name!r} is not a name: {NAMES}"
    assert str(caught.value) == f"agents/{file}:1: {expected}"


def test_no_agent_signs_as_the_engine() -> None:
    with pytest.raises(InvalidFileError) as caught:
        agent.read("agents/orchgit.md", "")
    reason = "'orchgit' is what the engine itself signs with; give the agent another name"
    assert str(caught.value) == f"agents/orchgit.md:1: {reason}"
    assert actor.agent("orchgit").email == actor.ENGINE.email


@pytest.mark.parametrize("path", ["agents/a.md", "agents/a.yaml"])
def test_a_file_that_is_no_yaml_is_refused(path: str) -> None:
    with pytest.raises(InvalidFileError, match=rf"^{path}:\d: has a second `: `"):
        agent.read(path, "---\na: b: c\n---\n")


def test_an_agent_signs_with_its_name() -> None:
    assert actor.agent("backend") == actor.Actor(actor.Kind.AGENT, "backend", "backend@orchgit")
