from __future__ import annotations

import pytest

from orchgit.model import team
from orchgit.model.errors import InvalidFileError
from orchgit.model.task import Status, Task
from orchgit.model.team import Team

FULL = "---\nlead: a\nmembers: [b, a]\nmax_concurrent_tasks: 2\nauto_claim: false\n---\nYou own src.\n"


def test_a_team() -> None:
    found = team.read("teams/core.md", FULL)
    assert found == Team("core", "teams/core.md", "a", ("b", "a"), 2, auto_claim=False, description="You own src.")
    assert found.everyone == ("a", "b")
    least = team.read("teams/core.md", "---\nlead: a\n---\n")
    assert (least.everyone, least.max_concurrent_tasks, least.auto_claim) == (("a",), 0, True)


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [
        ("teams/core.md", "Ours.\n", "teams/core.md:1: lead: is missing"),
        ("teams/core.md", "---\nlead: ../a\n---\n", "teams/core.md:2: lead: '../a' is not a name"),
        ("teams/core.md", "---\nlead: a\nmembers: [b c]\n---\n", "teams/core.md:3: members: 'b c' is not a name"),
        ("teams/core.md", "---\nlead: a\nauto_claim: 1\n---\n", "teams/core.md:3: auto_claim: 1 is not true or false"),
        ("teams/a b.md", FULL, "teams/a b.md:1: 'a b' is not a name"),
        ("teams/orchgit.md", FULL, "'orchgit' is what the engine itself signs with"),
    ],
)
def test_what_is_no_team(path: str, text: str, why: str) -> None:
    with pytest.raises(InvalidFileError, match=why):
        team.read(path, text)


def test_who_takes_what_is_nobodys() -> None:
    teams = {
        "core": Team("core", "teams/core.md", "a", ("b",)),
        "closed": Team("closed", "teams/closed.md", "b", auto_claim=False),
    }
    assert [each.name for each in team.of_agent("b", teams)] == ["closed", "core"]
    assert [team.claims(name, teams) for name in ("a", "b", "c")] == [True, False, True]


@pytest.mark.parametrize(("most", "expected"), [(0, False), (1, True), (2, True), (3, False)])
def test_a_team_is_full(most: int, *, expected: bool) -> None:
    at_work = [
        Task(f"tsk_{name}", name, f"tasks/{name}.md", Status.IN_PROGRESS, assignee=name) for name in ("core", "a")
    ]
    at_work += [Task("tsk_2", "2", "tasks/2.md", Status.IN_PROGRESS, assignee="core", agent="a person")]
    assert team.is_full(Team("core", "teams/core.md", "a", max_concurrent_tasks=most), at_work) is expected
