"""The archive: what goes there, what it still says, and that nobody reads it who doesn't ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from orchgit import api
from orchgit.engine import moves, tasks
from orchgit.engine.tasks import Wish
from orchgit.model.actor import Actor, Kind
from orchgit.model.errors import InvalidFileError, NotFoundError, RefusedError
from orchgit.model.task import Status
from orchgit.repository import archive, cache, ledger, objects, store
from tests.engine.team import ADA
from tests.support import repos
from tests.support.states import disorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchgit.model.task import Task
    from orchgit.repository.objects import Reader
    from tests.engine.team import Team


def cancelled(team: Team, title: str = "Old") -> str:
    task = team.add(title)
    team.cancel(task)
    return task


def done(team: Team, title: str = "Old") -> str:
    team.agent("true", "worker")
    task = team.add(title)
    team.run(only=task)
    team.approve(task)
    return task


def closed_long_ago(team: Team, task: str, *, days: int = 20) -> datetime:
    """Let the task have closed that long ago, as if it had."""
    closed = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)
    path = team.task(task).path
    with ledger.writing(team.layout, ADA) as book:
        text = "\n".join(
            f"closed: {closed:%Y-%m-%dT%H:%M:%SZ}" if line.startswith("closed:") else line
            for line in book.text(path).split("\n")
        )
        book.put(path, text, "as if it had closed long ago")
    return closed


def put_by(team: Team, *names: str) -> list[Task]:
    return moves.archive(team.layout, ADA, [team.task(each) for each in names])


def project(team: Team) -> api.Project:
    return api.open_project(team.root)


def test_the_loop_moves_what_closed_long_ago_in_one_commit(team: Team) -> None:
    first, second, fresh = cancelled(team, "One"), cancelled(team, "Two"), cancelled(team, "Fresh")
    when = closed_long_ago(team, first)
    closed_long_ago(team, second)
    text = (team.layout.state / team.task(first).path).read_bytes()
    team.run()
    assert set(team.state.tasks) == {fresh}
    assert repos.subjects(team.layout.state)[0] == "archive: 2 closed tasks"
    assert not (team.layout.state / "tasks" / f"{first}-one.md").exists()
    assert (team.layout.state / "archive" / f"{when:%Y-%m}" / f"{first}-one.md").read_bytes() == text
    assert not disorder(team.layout)
    before = team.git("rev-parse", "orchestry")
    team.run()
    assert team.git("rev-parse", "orchestry") == before


def test_by_hand_it_is_at_once_and_only_what_is_closed(team: Team) -> None:
    old, new = cancelled(team), team.add("New")
    assert moves.archive(team.layout, ADA, None) == []
    assert [each.path for each in put_by(team, old)] == [f"archive/{datetime.now(UTC):%Y-%m}/{old}-old.md"]
    with pytest.raises(RefusedError, match=f"{new} is todo: only what is done or cancelled"):
        put_by(team, new)
    with pytest.raises(RefusedError, match="An agent may not archive tasks"):
        moves.archive(team.layout, Actor(Kind.AGENT, "bot", "bot@orchgit"), None)


def test_a_file_that_is_being_edited_is_left(team: Team) -> None:
    old = cancelled(team)
    closed_long_ago(team, old)
    place = team.layout.state / team.task(old).path
    place.write_text(place.read_text().replace("title: ", "title: [") + "More.\n")  # refused, and so it lies there
    team.run()
    assert old in team.state.tasks
    assert place.read_text().endswith("More.\n")
    with pytest.raises(RefusedError, match="is being edited"):
        put_by(team, old)


def test_what_is_done_there_lets_others_go_and_what_is_cancelled_never(team: Team) -> None:
    good, bad = done(team, "Good"), cancelled(team, "Bad")
    after, never = team.add("After", depends_on=(good,)), team.add("Never", depends_on=(bad,))
    put_by(team, good, bad)
    assert {each.id: each.status for each in team.state.archived.values()} == {
        good: Status.DONE,
        bad: Status.CANCELLED,
    }
    team.run()
    assert (team.task(after).status, team.task(never).status) == (Status.REVIEW, Status.TODO)


def test_a_dependency_can_be_added_on_what_is_there(team: Team) -> None:
    good = done(team)
    put_by(team, good)
    task = team.add("After", depends_on=(good[:8],))
    assert team.task(task).depends_on == (good,)
    assert team.state.known[good].status is Status.DONE
    other = team.add("Other")
    tasks.edit(team.layout, ADA, team.task(other), Wish(depends_on=(good,)))
    team.run()
    assert team.statuses() == {"After": "review", "Other": "review"}


def test_it_is_shown_told_of_and_listed(team: Team) -> None:
    old, older = cancelled(team, "Old"), cancelled(team, "Older")
    closed_long_ago(team, older)
    put_by(team, old, older)
    assert project(team).task(old).title == "Old"
    assert project(team).task(old.removeprefix("tsk_")[:5]).id == old
    assert [each.id for each in project(team).archived()[0]] == [old, older]
    subjects = [each.message.subject for each in project(team).history(task=old)]
    assert subjects[0] == "archive: 2 closed tasks"
    assert subjects[-1].endswith("created")
    with pytest.raises(NotFoundError, match="There is no task 'tsk_zzzzzz'"):
        project(team).task("tsk_zzzzzz")


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda it, task: it.edit_task(task, Wish(priority=1)), id="edit"),
        pytest.param(lambda it, task: it.take(task), id="take"),
        pytest.param(lambda it, task: it.approve(task), id="approve"),
        pytest.param(lambda it, task: it.delete_task(task), id="delete"),
        pytest.param(lambda it, task: it.archive(task), id="archive"),
    ],
)
def test_nothing_moves_there(team: Team, ask: Callable[[api.Project, str], object]) -> None:
    old = cancelled(team)
    put_by(team, old)
    with pytest.raises(RefusedError, match=f"{old} is cancelled, and archived"):
        ask(project(team), old)


def test_a_cancelled_one_comes_back_by_a_retry_and_one_that_is_done_does_not(team: Team) -> None:
    bad, good = cancelled(team, "Bad"), done(team, "Good")
    waits = team.add("Waits", depends_on=(bad,))
    put_by(team, bad, good)
    assert bad in team.state.archived
    back = project(team).retry(bad)
    assert (bad in team.state.archived, bad in team.state.tasks) == (False, True)
    assert team.state.known[bad].status is Status.TODO
    assert team.task(waits).depends_on == (bad,)
    assert (back.status, back.path) == (Status.TODO, f"tasks/{bad}-bad.md")
    assert repos.subjects(team.layout.state)[:2] == [
        f"task({bad}): cancelled -> todo",
        f"task({bad}): back from the archive",
    ]
    assert project(team).task(bad).status is Status.TODO
    with pytest.raises(RefusedError, match=f"{good} is done"):
        project(team).retry(good)
    assert not disorder(team.layout)


def test_no_other_task_gets_an_id_that_is_there(team: Team) -> None:
    old = cancelled(team)
    text = team.git("show", f"orchestry:{team.task(old).path}")
    put_by(team, old)
    assert tasks.add(team.layout, ADA, Wish(title="Copy"), text=text).id != old


def test_a_broken_file_there_is_named_where_somebody_asks(team: Team) -> None:
    old = cancelled(team)
    (moved,) = put_by(team, old)
    (team.layout.state / moved.path).write_text("nothing\n")
    repos.git(team.layout.state, "commit", "--quiet", "--all", "--message=break it")
    with pytest.raises(InvalidFileError, match="has no front matter"):
        project(team).task(old)
    tasks_, broken = project(team).archived()
    assert (tasks_, [error.path for error in broken]) == ([], [moved.path])
    team.run()
    assert team.state.broken == ()


class Asked:
    """Counts which objects of the archive are read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        real = objects.Reader._ask

        def noting(reader: Reader, name: str) -> tuple[str, bytes, bytes] | None:
            self.names.append(name)
            return real(reader, name)

        monkeypatch.setattr(objects.Reader, "_ask", noting)


def test_who_does_not_ask_reads_nothing_of_it(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    old = cancelled(team)
    put_by(team, old)
    top = team.git("rev-parse", "orchestry:archive")
    blob = team.git("rev-parse", f"orchestry:archive/{datetime.now(UTC):%Y-%m}/{old}-old.md")
    team.add("Another")
    store._last.clear()
    archive._known.clear()
    cache.save(team.layout, "", {})
    asked = Asked(monkeypatch)
    assert len(store.read(team.layout, team.git("rev-parse", "orchestry")).tasks) == 1
    assert top not in asked.names
    assert blob not in asked.names
    team.add("Depends", depends_on=(old,))
    assert old in team.state.archived
    assert blob in asked.names
