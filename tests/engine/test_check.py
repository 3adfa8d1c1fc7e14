"""What is wrong with the files of the state folder, as they are staged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.engine import check
from orchgit.repository import states
from tests.engine.team import remembered
from tests.support import repos

if TYPE_CHECKING:
    from tests.engine.team import Team


def test_only_what_is_staged_anew_is_read(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        team.add(f"task {number}")
    repos.write(team.layout.state, {"tasks/old.md": "---\nid: [\n"})
    repos.git(team.layout.state, "add", "--all")
    repos.git(team.layout.state, "commit", "--quiet", "--message=broken, and committed")
    assert team.state.broken
    repos.write(team.layout.state, {"tasks/new.md": "---\nid: tsk_x\ntitle: x\npriority: 9\n---\n"})
    repos.git(team.layout.state, "add", "--all")
    parsed: list[str] = []
    monkeypatch.setattr(states, "parse", remembered(states.parse, parsed))
    assert [fault.path for fault in check.faults(team.layout, staged=True)] == ["tasks/new.md", "tasks/old.md"]
    assert parsed == ["tasks/new.md"]


def test_links_and_files_that_claim_one_id_are_faults(team: Team) -> None:
    first = team.add("one")
    state = team.layout.state
    repos.write(state, {"tasks/copy.md": f"---\nid: {first}\ntitle: x\n---\n"})
    (state / "tasks" / "link.md").symlink_to("copy.md")
    repos.git(state, "add", "--all")
    found = {fault.path: fault.reason for fault in check.faults(team.layout, staged=True)}
    assert found == {
        "tasks/copy.md": f"{first} is taken by {team.task(first).path}",
        "tasks/link.md": "is not a file",
    }


def test_a_misspelt_key_is_no_fault_and_is_named(team: Team) -> None:
    state = team.layout.state
    repos.write(state, {"goals/ship.md": "---\nid: gol_x\ntitle: Ship\nasignee: fmt\n---\n"})
    told = ["goals/ship.md:4: unknown key 'asignee': did you mean assignee?"]
    assert list(map(str, check.near_misses(team.layout))) == told
    assert check.near_misses(team.layout, staged=True) == []
    repos.git(state, "add", "--all")
    assert list(map(str, check.near_misses(team.layout, staged=True))) == told
    assert check.faults(team.layout) == check.faults(team.layout, staged=True) == ()
    repos.git(state, "commit", "--quiet", "--no-verify", "--message=by hand")
    assert check.near_misses(team.layout, staged=True) == []


@pytest.mark.parametrize("staged", [False, True])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# Mend it\n", None),
        ("---\npriority: 1\n---\n", None),
        ("---\ntitle: Mend it\ndepends_on: abc\n---\n", None),
        ("", "tasks/new.md:1: is empty"),
        ("---\ntitle: Mend it\npriority: 1\nstatus: tood\n---\n", "tasks/new.md:4: status: 'tood' is not one of"),
        ("---\nstatus: done\n---\n", "tasks/new.md:2: status: a new task begins as todo"),
        ("---\nid: tsk_x\nstatus: done\n---\n", "tasks/new.md:3: status: a new task begins as todo"),
    ],
)
def test_a_new_file_is_judged_as_it_is_adopted(team: Team, text: str, told: str | None, *, staged: bool) -> None:
    repos.write(team.layout.state, {"tasks/new.md": text, "goals/new.md": "Ship it.\n"})
    repos.git(team.layout.state, "add", "--all")
    found = [str(fault) for fault in check.faults(team.layout, staged=staged)]
    assert [fault.startswith(told or "-") for fault in found] == [True] * (told is not None), found
