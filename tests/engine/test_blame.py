"""Each field and each line of a task has a commit that made it what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.engine import blame, tasks
from orchgit.engine.tasks import Wish
from tests.engine.team import ADA
from tests.support import repos

if TYPE_CHECKING:
    from tests.engine.team import Team


def told(team: Team, task: str) -> dict[str, tuple[str, str]]:
    found = blame.of(team.layout, team.git("rev-parse", "orchestry"), team.task(task))
    return {each.key: (each.origin.subject.rpartition(": ")[2], each.origin.actor) for each in found.fields}


def test_fields_and_lines_come_from_who_wrote_them_last(team: Team) -> None:
    team.agent("true")
    task = team.add("One", description="First.\n\nSecond.")
    tasks.edit(team.layout, ADA, team.task(task), Wish(title="Two"))
    team.run()
    team.reject(task, "Third.")
    found = told(team, task)
    assert found["id"] == ("created", "Ada Lovelace")
    assert found["title"] == ("edit title", "Ada Lovelace")
    assert found["status"] == ("review -> todo", "Ada Lovelace")
    assert found["branch"] == ("todo -> in_progress", "orchgit")
    body = blame.of(team.layout, team.git("rev-parse", "orchestry"), team.task(task)).body
    assert [(part.origin.subject.rpartition(": ")[2], part.lines[0]) for part in body] == [
        ("created", "First."), ("review -> todo", ""),
    ]  # fmt: skip
    text = team.show("orchestry", team.task(task).path).splitlines()
    assert [text[part.first - 1] for part in body] == [part.lines[0] for part in body]


def test_a_file_that_was_moved_keeps_its_story(team: Team) -> None:
    task = team.add("One")
    old = team.layout.state / team.task(task).path
    new = old.with_name(f"{task}.md")
    old.rename(new)
    text = new.read_text().replace("title: One", "title: Two")
    new.write_text(text)
    repos.git(team.layout.state, "add", "--all")
    repos.git(team.layout.state, "commit", "--quiet", "--message=Move and rename it")
    found = told(team, task)
    assert found["created"] == ("created", "Ada Lovelace")
    assert found["title"] == ("Move and rename it", "Ada Lovelace")
