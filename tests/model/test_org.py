"""What a file of an organisation may say, and that one which is written reads as it was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchgit.model import org
from orchgit.model.errors import InvalidFileError

WHOLE = """\
description: Two who build
goal: A house
rules: Build slowly.
team:
  lead: one
  description: Builders
  max_concurrent_tasks: 1
agents:
  one:
  two:
    from: backend
    labels: [wall]
    env: {SITE: x}
  three:
    role: |
      You paint.
tasks:
  last:
    title: "Paint {goal}"
    depends_on: [first]
    assignee: three
  first:
    title: "Plan {goal}"
    priority: 1
"""


def test_it_is_read_whole() -> None:
    found = org.read("/somewhere/builders.yaml", WHOLE)
    assert (found.name, found.description, found.goal) == ("builders", "Two who build", "A house")
    assert found.rules == "Build slowly."
    assert [(each.name, each.origin, each.role) for each in found.agents] == [
        ("one", "one", None), ("two", "backend", None), ("three", None, "You paint."),
    ]  # fmt: skip
    assert found.agents[1].settings == {"labels": ["wall"], "env": {"SITE": "x"}}
    assert found.team == org.Lineup("one", "Builders", {"max_concurrent_tasks": 1})
    assert [(each.key, each.needs, each.assignee) for each in found.tasks] == [
        ("first", (), None), ("last", ("first",), "three"),
    ]  # fmt: skip
    assert found.tasks[0].keys == {"priority": 1}


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "reason"),
    [
        ("description: Two who build\n", "", 1, "description", "is missing"),
        ("description: Two who build", "description: [", 3, "", ""),
        ("goal: A house", "gaol: A house", 2, "gaol", "is not known"),
        ("goal: A house\n", "", 17, "tasks.last", "says {goal}, and the file has no `goal`"),
        ("lead: one", "lead: four", 5, "team.lead", "there is no 'four' in this file"),
        ("  lead: one\n", "", 4, "team.lead", "is missing"),
        ("    labels: [wall]", "    labels: {a: b}", 12, "agents.two.labels", "is not a list"),
        ("    labels: [wall]", "    lables: [wall]", 12, "agents.two.lables", "is not known"),
        ("  three:", "  a b:", 14, "agents", "is not a name"),
        ("    priority: 1", "    priority: 9", 24, "tasks.first.priority", "is not a whole number from 1 to 4"),
        ("depends_on: [first]", "depends_on: [third]", 20, "tasks.last.depends_on", "there is no 'third'"),
        ("assignee: three", "assignee: Ada", 21, "tasks.last.assignee", "there is no 'Ada' in this file"),
        ("    priority: 1", "    depends_on: [last]", 20, "tasks.last.depends_on", "wait for each other: last, first"),
        ('    title: "Plan {goal}"\n', "", 22, "tasks.first.title", "is missing"),
        ("  one:\n", "  one: text\n", 9, "agents.one", "is not a group of keys"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, line: int, key: str, reason: str) -> None:
    assert WHOLE.count(old) == 1 or old.startswith("  one")
    text = WHOLE.replace(old, new, 1)
    with pytest.raises(InvalidFileError) as caught:
        org.read("builders.yaml", text)
    assert (caught.value.path, caught.value.key) == ("builders.yaml", key)
    assert reason in caught.value.reason
    if new != "description: [":
        assert caught.value.line == line


_WORDS = st.text(min_size=1, max_size=60).map(str.strip).filter(lambda text: text and "\0" not in text)


@given(role=_WORDS, lines=st.lists(st.sampled_from(["", "a", "  b", "- c: d # e", "\ttab", "é"]), max_size=4))
def test_what_is_written_is_read_again(role: str, lines: list[str]) -> None:
    said = "\n".join([role, *lines]).strip()
    try:
        said.encode()
    except UnicodeEncodeError:
        return
    agents: dict[str, dict[str, object]] = {
        "one": {"labels": ["a b"], "role": said, "env": {"A": "1"}},
        "two": {"role": "x"},
    }
    text = org.written("A line: of words", goal="G", lead="one", team={"description": "x\ny"}, agents=agents)
    found = org.read("o.yaml", text)
    assert found.agents[0].role == said
    assert (found.agents[0].settings, found.agents[0].origin) == ({"labels": ["a b"], "env": {"A": "1"}}, None)
    assert found.team == org.Lineup("one", "x\ny", {})
    assert (found.description, found.goal) == ("A line: of words", "G")
