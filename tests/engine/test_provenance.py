"""From lines to tasks: what is behind a line, however it came into the base branch, and what is no line at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orchgit.engine import history, lines, moves, provenance, story
from orchgit.engine.story import Where
from orchgit.model.errors import NotFoundError, OrchgitError, RefusedError, UsageError
from orchgit.repository import mount
from tests.engine.team import ADA, Team
from tests.support import repos

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.engine.provenance import Origin


def why(team: Team, word: str, *, start: Path | None = None) -> tuple[Origin, ...]:
    asked = lines.named(team.layout, word, start=start or team.root)
    return provenance.of(team.layout, team.state, asked)


def only(team: Team, word: str, *, start: Path | None = None) -> Origin:
    (found,) = why(team, word, start=start)
    return found


def task_of(origin: Origin) -> str | None:
    return origin.story.task if origin.story else None


def merged_by_hand(team: Team, command: str, *options: str) -> str:
    """Let an agent commit by itself, merge its branch with Git alone, and return the task's id."""
    team.agent(command)
    task = team.add("By hand")
    team.run()
    team.git("merge", "--quiet", *options, str(team.task(task).branch))
    return task


COMMITS = "echo one > a.txt; git add a.txt; git commit -qm 'mine'"


def test_a_line_leads_to_the_task_its_run_its_approval_and_its_feedback(team: Team) -> None:
    team.agent("echo $ORCHGIT_ATTEMPT >> a.txt")
    task = team.add("Count")
    team.run()
    team.reject(task, "Count on.")
    team.run()
    done = team.approve(task)
    first, second = team.runs()
    one, two = only(team, "a.txt:1"), only(team, "a.txt:2")
    assert (one.story and one.story.run, two.story and two.story.run) == (first.id, second.id)
    assert one.merge is not None
    assert one.merge.id == done.merge
    past = two.story
    assert past is not None
    assert (past.task, past.title, past.status, past.where) == (task, "Count", "done", Where.TASKS)
    assert (past.agent, past.attempt, past.prompt) == ("bot", "1/3", second.prompt)
    assert past.approved is not None
    assert past.approved.by == "Ada Lovelace"
    assert [(each.by, each.words) for each in past.feedback] == [("Ada Lovelace", "Count on.")]
    assert one.story is not None
    assert one.story.feedback == ()


def test_a_commit_without_trailers_is_its_merge_s_task(team: Team) -> None:
    team.agent(COMMITS)
    task = team.add()
    team.run()
    team.approve(task)
    found = only(team, "a.txt:1")
    assert (found.commit and found.commit.task, found.merge and found.merge.task, task_of(found)) == (None, task, task)
    assert found.story is not None
    assert found.story.run == team.runs()[0].id


@pytest.mark.parametrize("options", [("--no-ff", "--no-edit"), ("--ff-only",)])
def test_a_merge_by_hand_is_known_by_what_was_in_review(team: Team, options: tuple[str, ...]) -> None:
    task = merged_by_hand(team, f"{COMMITS}; echo two > b.txt; git add b.txt; git commit -qm 'mine too'", *options)
    for file in ("a.txt:1", "b.txt:1"):
        past = only(team, file).story
        assert past is not None
        assert (past.task, past.run) == (task, team.runs()[0].id)


def test_a_squash_is_known_by_its_own_trailers(team: Team) -> None:
    team.agent(COMMITS)
    task = team.add()
    team.run()
    team.git("merge", "--squash", str(team.task(task).branch))
    team.git("commit", "--quiet", f"--message=All of it\n\nTask: {task}\nRun: {team.runs()[0].id}\n")
    found = only(team, "a.txt:1")
    assert (task_of(found), found.merge) == (task, None)


def test_of_merges_in_merges_the_one_on_the_base_s_own_line_counts(team: Team) -> None:
    team.git("switch", "--quiet", "--create", "inner")
    repos.commit(team.root, {"deep.txt": "deep\n"}, "deep")
    team.git("switch", "--quiet", "--create", "outer", "main")
    team.git("merge", "--quiet", "--no-ff", "--message=inner merge\n\nTask: tsk_inner", "inner")
    team.git("switch", "--quiet", "main")
    team.git("merge", "--quiet", "--no-ff", "--message=outer merge\n\nTask: tsk_outer", "outer")
    repos.commit(team.root, {"later.txt": "later\n"}, "later")
    found = only(team, "deep.txt")
    assert (found.merge and found.merge.subject, task_of(found)) == ("outer merge", "tsk_outer")
    assert found.story is not None
    assert (found.story.where, found.story.title, found.story.status) == (Where.UNKNOWN, None, None)
    assert only(team, "later.txt").merge is None


def test_a_line_that_no_task_made_has_its_commit_alone(team: Team) -> None:
    found = only(team, "README.md:1")
    assert found.story is None
    assert found.commit is not None
    assert (found.commit.subject, found.commit.author) == ("first", "Ada Lovelace")


def test_a_trailer_that_is_no_task_id_is_somebody_else_s(team: Team) -> None:
    repos.commit(team.root, {"b.txt": "b\n"}, "b\n\nTask: JIRA-12")
    assert only(team, "b.txt").story is None


def test_a_deleted_task_is_told_from_the_history(team: Team) -> None:
    team.agent("echo x > a.txt")
    task = team.add("Gone")
    team.run()
    team.approve(task)
    moves.delete(team.layout, team.state, ADA, team.task(task))
    past = only(team, "a.txt:1").story
    assert past is not None
    assert (past.task, past.title, past.where, past.status, past.agent) == (task, "Gone", Where.DELETED, "done", "bot")


def test_an_archived_task_is_told_from_the_history(team: Team) -> None:
    team.agent("echo x > a.txt")
    task = team.add("Old")
    team.run()
    team.approve(task)
    path = team.task(task).path
    (team.layout.state / "archive" / "2026-11").mkdir(parents=True)
    repos.git(team.layout.state, "mv", path, f"archive/2026-11/{path.removeprefix('tasks/')}")
    repos.git(team.layout.state, "commit", "--quiet", "--message=archive")
    past = only(team, "a.txt:1").story
    assert past is not None
    assert (past.title, past.where, past.status) == ("Old", Where.ARCHIVE, "done")


def test_a_run_of_another_clone_has_no_prompt_here(team: Team) -> None:
    team.agent("echo x > a.txt")
    task = team.add()
    team.run()
    team.approve(task)
    team.runs()[0].prompt.unlink()
    past = only(team, "a.txt:1").story
    assert past is not None
    assert (past.run, past.prompt) == (team.runs()[0].id, None)


def test_in_an_agent_s_worktree_its_own_commits_are_its_task_s(team: Team) -> None:
    team.agent(f"{COMMITS}; echo two >> a.txt")
    task = team.add()
    team.run()
    space = team.workspaces / task
    repos.commit(space, {"c.txt": "c\n"}, "not handed in yet")
    assert task_of(only(team, "c.txt", start=space)) == task
    assert [task_of(each) for each in why(team, "a.txt", start=space)] == [task, task]
    assert task_of(only(team, "README.md:1", start=space)) is None


def test_what_was_moved_is_its_first_writer_s(team: Team) -> None:
    text = "".join(f"a line that is long enough to be known again, number {n}\n" for n in range(9))
    repos.commit(team.root, {"old.txt": text}, "written\n\nTask: tsk_one")
    (team.root / "new name.txt").write_text(text)
    (team.root / "old.txt").unlink()
    team.git("add", "--all")
    team.git("commit", "--quiet", "--message=moved\n\nTask: tsk_two")
    found = only(team, "new name.txt")
    assert (task_of(found), found.path, found.lines) == ("tsk_one", "old.txt", ((1, 9),))


def test_lines_are_gathered_by_where_they_come_from(team: Team) -> None:
    repos.commit(team.root, {"a.txt": "1\n2\n3\n4\n5\n"}, "one")
    repos.commit(team.root, {"a.txt": "1\nB\n3\nD\n5\n"}, "two")
    (team.root / "a.txt").write_text("1\nB\n3\nD\n5\nnew\n")
    found = [(each.lines, each.commit and each.commit.subject) for each in why(team, "a.txt")]
    assert found == [(((1, 1), (3, 3), (5, 5)), "one"), (((2, 2), (4, 4)), "two"), (((6, 6),), None)]
    assert [each.lines for each in why(team, "a.txt:2-4")] == [((2, 2), (4, 4)), ((3, 3),)]


@pytest.mark.parametrize(
    "name", ["with space.txt", "co:lon", "co:lon:3", "-dash", "ü☃.txt", 'quo"te\\', "a\tb", "new\nline", ":(glob)*"]
)
def test_any_name_is_a_name(team: Team, name: str) -> None:
    repos.write(team.root, {f"sub/{name}": "x\ny\n"})
    team.git("add", "--all")
    team.git("commit", "--quiet", "--message=odd\n\nTask: tsk_odd")
    for word, start in ((f"sub/{name}:2", team.root), (f"./{name}:1-2", team.root / "sub")):
        found = only(team, word, start=start)
        assert (task_of(found), found.path) == ("tsk_odd", f"sub/{name}")
    assert only(team, f"sub/{name}").lines == ((1, 2),)


def test_a_file_that_was_deleted_is_read_from_its_newest_commit(team: Team) -> None:
    (team.root / "README.md").unlink()
    found = only(team, "README.md:1")
    assert found.commit is not None
    assert found.commit.subject == "first"


def test_a_link_is_a_line_of_its_own(team: Team) -> None:
    (team.root / "link").symlink_to("README.md")
    team.git("add", "link")
    team.git("commit", "--quiet", "--message=link\n\nTask: tsk_link")
    assert task_of(only(team, "link:1")) == "tsk_link"


def test_a_shallow_clone_says_that_a_line_may_be_older(team: Team, tmp_path: Path) -> None:
    repos.commit(team.root, {"later.txt": "later\n"}, "later")
    shallow = repos.clone(team.root, tmp_path / "shallow", "--depth=1")
    other = Team(mount.init(shallow).layout)
    assert only(other, "README.md:1").cut
    assert not only(team, "README.md:1").cut


def test_what_has_no_lines_or_no_past_is_said(team: Team, tmp_path: Path) -> None:
    repos.commit(team.root, {"binary": b"a\0b\n", "empty": ""}, "odd")
    repos.write(team.root, {"unknown.txt": "x\n"})
    refusals: dict[str, tuple[type[OrchgitError], str]] = {
        "binary:1": (RefusedError, "binary is a binary file: it has no lines."),
        "empty:1": (NotFoundError, "empty has 0 lines, and no line 1."),
        "README.md:2": (NotFoundError, "README.md has 1 line, and no line 2."),
        "README.md:0": (UsageError, "There are no lines 0."),
        "README.md:3-2": (UsageError, "There are no lines 3-2."),
        "nothing.txt:3": (NotFoundError, "There is no file nothing.txt."),
        "nothing.txt:x": (NotFoundError, "There is no file nothing.txt:x."),
        "unknown.txt": (RefusedError, "unknown.txt is not known to Git yet, so nothing says where it is from."),
        "src": (RefusedError, "src is a folder."),
        ".": (RefusedError, f"{team.root} is a folder."),
        os.fspath(tmp_path / "x"): (RefusedError, f"{tmp_path / 'x'} is not in a worktree of {team.root}."),
    }
    for word, (kind, what) in refusals.items():
        with pytest.raises(kind) as refused:
            why(team, word)
        assert refused.value.what == what
    assert why(team, "empty") == ()


def test_the_history_of_many_tasks_is_read_at_once(team: Team) -> None:
    ids = [team.add(f"Task {n}") for n in range(3)]
    told = history.of_tasks(team.layout, team.state.tip, ids[:2])
    assert {task: [each.message.subject for each in entries] for task, entries in told.items()} == {
        task: [f"task({task}): created"] for task in ids[:2]
    }
    assert history.of_tasks(team.layout, team.state.tip, []) == {}
    past = story.of(team.layout, team.state, ids[0], told[ids[0]], run=None)
    assert (past.status, past.agent, past.attempt, past.approved, past.feedback) == ("todo", None, None, None, ())
