from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from orchgit.engine import edits, goals, undo
from orchgit.model.task import Status
from orchgit.repository import files, judged, ledger, locks, store
from tests.engine.team import ADA
from tests.support import repos, standing
from tests.support.agents import until, waits_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.team import Team


def look(team: Team, *, patient: bool = True) -> edits.Taken:
    """Judge what was typed, as the next command would."""
    taken = edits.Taken()
    edits.take_in(team.layout, ADA, team.state, taken, patient=patient)
    return taken


def place(team: Team, task: str) -> Path:
    return team.layout.state / team.task(task).path


def type_(team: Team, task: str, old: str, new: str) -> None:
    """Change the first `old` in the task's file to `new`, as an editor that writes in place."""
    file = place(team, task)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def drop(team: Team, name: str, text: str) -> Path:
    path = team.layout.state / "tasks" / name
    path.write_text(text)
    return path


def commit_all(team: Team) -> None:
    """Commit all that lies in the state folder, as somebody does who asks nobody."""
    repos.git(team.layout.state, "add", "--all")
    repos.git(team.layout.state, "commit", "--quiet", "--no-verify", "--message=by hand")


def subjects(team: Team) -> list[str]:
    """Return the subjects of the state branch but the first two (made, and a setting), oldest first."""
    return repos.subjects(team.layout.state)[::-1][2:]


def trailers(team: Team) -> list[str]:
    return team.git("log", "-1", "--format=%(trailers:only)", "orchestry").strip().split("\n")


def reasons(team: Team) -> list[str]:
    return [str(verdict.error) for verdict in judged.read(team.layout).values() if verdict.reason]


class TestAnEdit:
    def test_is_one_commit_of_its_author_s(self, team: Team) -> None:
        task = team.add("Old", priority=3)
        type_(team, task, "title: Old", "title: New  # better")
        type_(team, task, "priority: 3", "priority: 1")
        assert look(team).refused == []
        assert (team.task(task).title, team.task(task).priority) == ("New", 1)
        assert subjects(team)[1:] == [f"task({task}): edit title, priority"]
        assert trailers(team) == [f"Task: {task}", "Actor: Ada Lovelace", "Via: edit"]
        assert team.git("log", "-1", "--format=%an <%ae>", "orchestry") == "Ada Lovelace <ada@example.org>"
        assert "title: New  # better" in place(team, task).read_text()
        assert team.is_sound()

    def test_of_several_files_is_a_commit_each(self, team: Team) -> None:
        one, two = team.add("One"), team.add("Two")
        for task in (one, two):
            type_(team, task, "title: ", "title: Really ")
        look(team)
        assert sorted(team.statuses()) == ["Really One", "Really Two"]
        assert len(subjects(team)) == 4

    def test_that_is_no_change_makes_no_commit(self, team: Team) -> None:
        task = team.add()
        place(team, task).touch()
        look(team)
        assert len(subjects(team)) == 1

    def test_of_the_text_alone(self, team: Team) -> None:
        task = team.add(description="Do it.")
        type_(team, task, "Do it.", "Do it well.\n\n---\nid: not a key\n")
        look(team)
        assert subjects(team)[-1] == f"task({task}): edit body"
        assert "not a key" in team.show("orchestry", team.task(task).path)

    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            ("priority: 3", "priority: high", ":5: priority: 'high' is not a whole number from 1 to 4"),
            ("status: todo", "status: open", ":4: status: 'open' is not one of "),
            ("status: todo", "status: done", ":4: status: todo can't become done."),
            ("status: todo", "status: review", ":4: status: todo can't become review."),
            ("status: todo", "status: todo\nattempts: 7", ":5: attempts: is 0 by now, and orchgit's to write"),
            ("status: todo", "status: todo\nrun: run_abcdef", ":5: run: is not there by now"),
            ("title: Do it", "title: [", ": "),
            ("id: tsk_", "id: tsk_zz", ":2: id: is tsk_"),
            ("---\nid", "--\nid", ": "),
        ],
    )
    def test_that_may_not_be_stays_as_typed_and_is_told(self, team: Team, old: str, new: str, reason: str) -> None:
        task = team.add("Do it", priority=3)
        path, tip = place(team, task), team.git("rev-parse", "orchestry")
        type_(team, task, old, new)
        typed = path.read_bytes()
        look(team)
        if old.startswith("---"):  # it reads as a text without any keys: they are filled in again
            assert team.task(task).title == "Do it"
            return
        assert path.read_bytes() == typed
        assert team.git("rev-parse", "orchestry") == tip
        assert len(reasons(team)) == 1
        assert reason in reasons(team)[0]

    def test_is_not_judged_while_a_merge_is_under_way(self, team: Team) -> None:
        task = team.add()
        (team.layout.common / "worktrees" / "orchestry" / "MERGE_HEAD").write_text(team.git("rev-parse", "orchestry"))
        type_(team, task, "title: Do it", "title: Other")
        assert look(team).hindered.startswith("A merge or a rebase is under way")
        assert team.task(task).title == "Do it"

    def test_waits_for_whoever_still_writes_the_file(self, team: Team) -> None:
        task = team.add()
        with place(team, task).open("a") as writer:
            writer.write("half of it")
            writer.flush()
            assert files.is_open_for_writing(place(team, task)) == sys.platform.startswith("linux")
            look(team)
            writer.write(", and the rest\n")
        look(team)
        assert place(team, task).read_text().endswith("half of it, and the rest\n")
        assert team.show("orchestry", team.task(task).path).endswith("half of it, and the rest")


class TestARefusal:
    def test_is_final(self, team: Team) -> None:
        """A refused `done` doesn't turn into an approval when the work is ready."""
        team.agent("echo x > x.txt")
        task = team.add()
        type_(team, task, "status: todo", "status: done")
        look(team)
        team.run()
        look(team)
        assert team.statuses() == {"Do it": "review"}
        assert "status: review" in place(team, task).read_text()
        kept = team.git("for-each-ref", "--format=%(refname)", "refs/orchgit/edits")
        assert kept == f"refs/orchgit/edits/{task}/1"
        assert "status: done" in team.git("cat-file", "blob", kept)
        assert reasons(team) == []

    def test_is_not_judged_again_where_orchgit_changed_another_line(self, team: Team) -> None:
        task = team.add()
        type_(team, task, "status: todo", "status: done")
        look(team)
        with ledger.writing(team.layout, ADA) as book:
            book.edit(task, {"priority": 1})
        before = judged.read(team.layout)
        assert "priority: 1" in place(team, task).read_text()
        assert look(team).refused == []
        assert judged.read(team.layout) == before

    def test_ends_when_the_line_is_put_back(self, team: Team) -> None:
        task = team.add()
        type_(team, task, "status: todo", "status: done")
        look(team)
        type_(team, task, "status: done", "status: todo")
        look(team)
        assert reasons(team) == []
        assert not team.layout.judged.exists()

    def test_of_one_file_holds_up_no_other(self, team: Team) -> None:
        bad, good = team.add("Bad"), team.add("Good")
        type_(team, bad, "title: Bad", "title: [")
        type_(team, good, "title: Good", "title: Better")
        look(team)
        assert sorted(team.statuses()) == ["Bad", "Better"]


class TestATypedStatus:
    def test_approves_rejects_takes_and_so_on(self, team: Team) -> None:
        team.agent("echo $ORCHGIT_ATTEMPT >> x.txt")
        task = team.add()
        team.run()
        type_(team, task, "status: review", "status: todo")
        look(team)
        team.run()
        type_(team, task, "status: review", "status: done")
        assert look(team).refused == []
        assert team.task(task).status is Status.DONE
        assert team.show("main", "x.txt") == "1\n1"
        assert [line for line in team.story(task) if "in_progress" not in line] == [
            "created", "review -> todo", "review -> done",
        ]  # fmt: skip
        assert "Via: edit" in trailers(team)

    def test_done_approves_only_the_commit_that_the_file_names(self, team: Team) -> None:
        team.agent("date +%N > x.txt")
        task = team.add()
        team.run()
        stale = place(team, task).read_text()
        team.reject(task)
        team.run()
        place(team, task).write_text(stale.replace("status: review", "status: done"))
        look(team)
        assert team.task(task).status is Status.REVIEW
        assert "review_commit: is " in reasons(team)[0]

    def test_done_is_refused_where_an_approval_would_be(self, team: Team) -> None:
        team.agent("echo theirs > README.md")
        task = team.add()
        team.run()
        (team.root / "README.md").write_text("mine, uncommitted\n")
        type_(team, task, "status: review", "status: done")
        look(team)
        assert team.task(task).status is Status.REVIEW
        assert "these files there would be overwritten: README.md" in reasons(team)[0]
        assert "status: done" in place(team, task).read_text()
        assert (team.root / "README.md").read_text() == "mine, uncommitted\n"

    def test_with_an_edit_is_two_commits(self, team: Team) -> None:
        task = team.add(description="Do it.")
        type_(team, task, "status: todo", "status: cancelled")
        type_(team, task, "Do it.", "Not needed.")
        look(team)
        assert team.story(task) == ["created", "edit body", "todo -> cancelled"]
        assert team.is_sound()

    def test_cancelled_stops_the_run(self, team: Team, tmp_path: Path) -> None:
        team.agent(f"echo half > half.txt; touch {tmp_path / 'on'}; sleep 300")
        task = team.add()
        team.tick()
        until((tmp_path / "on").exists)
        type_(team, task, "status: in_progress", "status: cancelled")
        look(team)
        assert team.task(task).status is Status.CANCELLED
        assert team.keeps(task, "half.txt")
        assert team.is_sound()

    def test_todo_starts_over_what_failed_and_in_progress_takes_it(self, team: Team) -> None:
        team.agent("exit 127")
        task = team.add()
        team.run()
        type_(team, task, "status: failed", "status: todo")
        look(team)
        type_(team, task, "status: todo", "status: in_progress")
        look(team)
        assert (team.task(task).status, team.task(task).agent) == (Status.IN_PROGRESS, "Ada Lovelace")
        assert team.story(task)[-2:] == ["failed -> todo", "todo -> in_progress"]

    def test_failed_gives_up_on_a_retry(self, team: Team) -> None:
        team.set("scheduling.retry_base_delay_ms", 300_000)
        team.agent("exit 1")
        task = team.add()
        team.tick()
        locks.wait_until_free(team.place(task).runner_lock)
        team.tick()
        assert team.task(task).status is Status.RETRYING
        type_(team, task, "status: retrying", "status: failed")
        look(team)
        assert team.task(task).status is Status.FAILED


class TestAStaleBuffer:
    def test_saved_again_after_a_dispatch_changes_nothing(self, team: Team) -> None:
        team.agent("true")
        task = team.add()
        stale = place(team, task).read_bytes()
        team.run()
        committed = place(team, task).read_bytes()
        tip = team.git("rev-parse", "orchestry")
        place(team, task).write_bytes(stale)
        assert look(team).refused == []
        assert place(team, task).read_bytes() == committed
        assert team.git("rev-parse", "orchestry") == tip

    def test_with_a_change_brings_just_that(self, team: Team) -> None:
        team.agent("true")
        task = team.add(description="Do it.")
        stale = place(team, task).read_text()
        team.run()
        place(team, task).write_text(stale.replace("Do it.", "Do it well.").replace("title: Do it", "title: Better"))
        look(team)
        after = team.task(task)
        assert (after.title, after.status, after.attempts) == ("Better", Status.REVIEW, 1)
        assert place(team, task).read_text().endswith("Do it well.\n")
        assert subjects(team)[-1] == f"task({task}): edit title, body"
        assert team.is_sound()

    def test_against_a_change_of_the_same_key_is_refused_and_kept(self, team: Team) -> None:
        team.agent("true")
        task = team.add("First")
        stale = place(team, task).read_text()
        team.run()
        with ledger.writing(team.layout, ADA) as book:
            book.edit(task, {"title": "Second"})
        place(team, task).write_text(stale.replace("title: First", "title: Third"))
        look(team)
        assert team.task(task).title == "Second"
        assert "title was changed by somebody else meanwhile" in reasons(team)[0]
        assert "Third" in team.git("cat-file", "blob", f"refs/orchgit/edits/{task}/1")

    def test_from_before_it_was_adopted_is_the_same_task(self, team: Team) -> None:
        path = drop(team, "mine.md", "# Mine\n\nDo it.\n")
        look(team)
        path.write_text("# Mine\n\nDo it, please.\n")
        look(team)
        [task] = team.state.tasks.values()
        assert path.read_text().startswith(f"---\nid: {task.id}\ntitle: Mine\nstatus: todo\n")
        assert path.read_text().endswith("Do it, please.\n")


class TestANewFile:
    @pytest.mark.parametrize(
        ("name", "text", "title"),
        [
            ("a.md", "# By its heading\n\nDo it.\n", "By its heading"),
            ("fix-the_login.md", "Do it.\n", "fix the login"),
            ("a.md", "---\ntitle: By its key # so\npriority: 1\n---\nDo it.\n", "By its key"),
            ("a.md", "---\r\ntitle: Windows\r\n---\r\nDo it.\r\n", "Windows"),
            ("a b ü 🙂.md", "# Any name\n", "Any name"),
            ("-rf.md", "# A dash\n", "A dash"),
            ("line\nend.md", "# Two lines\n", "Two lines"),
            ("tsk_mine01.md", "---\nid: tsk_mine01\ntitle: Its own id\n---\n", "Its own id"),
        ],
    )
    def test_is_adopted_in_place(self, team: Team, name: str, text: str, title: str) -> None:
        path = drop(team, name, text)
        taken = look(team)
        [task] = team.state.tasks.values()
        assert (task.title, task.status, task.path) == (title, Status.TODO, f"tasks/{name}")
        assert task.created is not None
        assert len(taken.news) == 1
        assert path.read_bytes().decode().endswith(text.partition("---\n")[2].partition("---\n")[2] or text[-4:])
        assert team.is_sound()

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "is empty"),
            ("\n \n", "is empty"),
            (
                "---\nid: tsk_mine01\ntitle: x\nstatus: done\n---\n",
                ":4: status: a new task begins as todo, not as done",
            ),
            ("---\ntitle: x\nattempts: 2\n---\n", ":3: attempts: is orchgit's to write"),
            ("---\ntitle: x\n", "never closed"),
            ("# A NUL \0\n", "its title would be one that holds a NUL character"),
            ("---\ntitle: [\n---\n", "tasks/a.md:2"),
            ("---\ntitle: x\ndepends_on: [nobody]\n---\n", ":3: depends_on: 'nobody' is no id of a task"),
            ("---\nid: x\ntitle: x\n---\n", ":2: id: 'x' is not a task id"),
        ],
    )
    def test_that_can_be_no_task_is_told(self, team: Team, text: str, reason: str) -> None:
        path = drop(team, "a.md", text)
        look(team)
        assert reason in reasons(team)[0]
        assert path.read_text() == text
        assert team.state.tasks == {}

    def test_in_no_encoding_is_told(self, team: Team) -> None:
        (team.layout.state / "tasks" / "a.md").write_bytes(b"# caf\xe9\n")
        look(team)
        assert "has the byte 0xe9" in reasons(team)[0]

    def test_that_is_a_folder_or_a_link_is_told(self, team: Team, tmp_path: Path) -> None:
        (team.layout.state / "tasks" / "a.md").mkdir()
        (tmp_path / "secret.md").write_text("# Secret\n")
        (team.layout.state / "tasks" / "b.md").symlink_to(tmp_path / "secret.md")
        look(team)
        assert reasons(team) == ["tasks/a.md:1: is not a file\nMove it elsewhere.",
                                 "tasks/b.md:1: is not a file\nMove it elsewhere."]  # fmt: skip
        assert team.state.tasks == {}

    def test_depends_on_what_its_prefix_names(self, team: Team) -> None:
        first = team.add("First")
        drop(team, "second.md", f"---\ndepends_on: {first.removeprefix('tsk_')[:5]}\n---\n# Second\n")
        look(team)
        second = next(task for task in team.state.tasks.values() if task.title == "Second")
        assert second.depends_on == (first,)

    def test_that_is_a_copy_gets_an_id_of_its_own_and_begins_anew(self, team: Team) -> None:
        team.agent("true")
        task = team.add("Twice")
        team.run()
        drop(team, "copy.md", place(team, task).read_text())
        look(team)
        copy = next(each for each in team.state.tasks.values() if each.id != task)
        assert (copy.path, copy.title, copy.status, copy.attempts) == ("tasks/copy.md", "Twice", Status.TODO, 0)
        assert copy.branch is copy.review_commit is None
        assert team.task(task).status is Status.REVIEW

    @pytest.mark.parametrize("text", ["labels: [x]\n---\nid: {id}\n", "---\nid: {id}\ntitle: Other\n---\nText.\n"])
    def test_that_was_committed_as_a_copy_stays_apart(self, team: Team, text: str) -> None:
        task = team.add()
        path = drop(team, "copy.md", place(team, task).read_text())
        commit_all(team)
        team.run()
        before = team.task(task)
        path.write_text(text.format(id=task))
        look(team)
        assert team.task(task) == before
        assert "tasks/copy.md" in {each.path for each in team.state.tasks.values() if each.status is Status.TODO}
        assert standing.faults(team.layout) == []

    def test_that_was_committed_as_a_copy_can_go(self, team: Team) -> None:
        task = team.add()
        path = drop(team, "copy.md", place(team, task).read_text())
        commit_all(team)
        path.unlink()
        look(team)
        assert team.task(task).title == "Do it"
        assert subjects(team)[-1] == "tasks/copy.md: removed"
        assert team.state.broken == ()
        assert standing.faults(team.layout) == []

    def test_is_none_where_an_editor_leaves_its_own(self, team: Team) -> None:
        for name in (".a.md.swp", "a.md~", "#a.md#", "4913", "a.md.tmp", ".goutputstream-X", "a.bak"):
            drop(team, name, "# Not a task\n")
        (team.layout.state / "tasks" / ".#a.md").symlink_to("ada@host.1:1")
        look(team)
        assert team.state.tasks == {}
        assert reasons(team) == []


class TestAFileThatIsGone:
    def test_is_a_task_that_is_gone_its_text_stays_in_the_history(self, team: Team) -> None:
        task = team.add()
        path = team.task(task).path
        place(team, task).unlink()
        look(team)
        assert team.state.tasks == {}
        assert subjects(team)[-1] == f"task({task}): deleted"
        assert f"id: {task}" in team.show("orchestry~1", path)
        assert team.is_sound()

    def test_of_a_task_at_work_is_refused_and_comes_back(self, team: Team, tmp_path: Path) -> None:
        team.agent(waits_for(tmp_path / "gate"))
        task = team.add()
        team.tick()
        path = place(team, task)
        path.unlink()
        look(team)
        assert "was deleted, and bot is working on it" in reasons(team)[0]
        (tmp_path / "gate").touch()
        team.run()
        assert "status: review" in path.read_text()
        assert reasons(team) == []

    def test_was_renamed_where_another_has_its_id(self, team: Team) -> None:
        task = team.add("Old name")
        place(team, task).rename(team.layout.state / "tasks" / "new name.md")
        look(team)
        assert team.task(task).path == "tasks/new name.md"
        assert subjects(team)[-1] == f"task({task}): renamed"
        assert team.git("show", "--format=", "--name-status", "orchestry").startswith("R100")
        assert team.is_sound()

    def test_was_renamed_and_edited(self, team: Team) -> None:
        task = team.add("Old name")
        place(team, task).rename(team.layout.state / "tasks" / "new.md")
        type_path = team.layout.state / "tasks" / "new.md"
        type_path.write_text(type_path.read_text().replace("Old name", "New name"))
        look(team)
        assert team.task(task).title == "New name"
        assert team.story(task) == ["created", "renamed", "edit title"]


class TestOtherFiles:
    def test_an_agent_is_made_changed_and_removed(self, team: Team) -> None:
        file = team.layout.state / "agents" / "tidy.md"
        file.write_text("---\nadapter: shell\ncommand: 'true'\n---\nYou tidy.\n")
        look(team)
        file.write_text(file.read_text().replace("'true'", "'false'"))
        look(team)
        file.unlink()
        look(team)
        assert subjects(team) == ["agent(tidy): created", "agent(tidy): edit", "agent(tidy): removed"]

    @pytest.mark.parametrize(
        ("name", "text", "reason"),
        [
            ("agents/x.md", "---\nadapter: nobody\n---\n", "has the adapter 'nobody'"),
            ("agents/x.yaml", "adapter: shell\n", "a shell agent needs a `command`"),
            ("agents/x.yaml", "adapter: [\n", "agents/x.yaml:1"),
            ("config.yaml", "version: 1\n", "project.base: is missing"),
            ("config.yaml", "project: {base: nowhere}\n", "There is no branch 'nowhere'."),
            ("config.yaml", "scheduling:\n  max_concurrent_agents: none\n", "config.yaml:2"),
        ],
    )
    def test_what_the_command_would_refuse_is_refused(self, team: Team, name: str, text: str, reason: str) -> None:
        (team.layout.state / name).write_text(text)
        look(team)
        assert reason in reasons(team)[0]
        assert (team.layout.state / name).read_text() == text

    def test_settings_are_in_force_at_once(self, team: Team) -> None:
        file = team.layout.state / "config.yaml"
        file.write_text(file.read_text() + "\ndefaults: {task: {priority: 1}}\n")
        look(team)
        assert team.state.config.task_priority == 1
        assert subjects(team) == ["config: edit"]

    def test_settings_can_not_go(self, team: Team) -> None:
        (team.layout.state / "config.yaml").unlink()
        look(team)
        assert "was deleted, and the team needs it" in reasons(team)[0]
        assert team.state.config.project_base == "main"

    def test_the_prompt_is_kept_and_notes_are_left_alone(self, team: Team) -> None:
        (team.layout.state / "prompt.md").write_text("Do {{ task.title }}.\n")
        (team.layout.state / "notes.txt").write_text("mine\n")
        look(team)
        assert subjects(team) == ["prompt.md: created"]


def test_an_agent_s_command_judges_nobody_s_edits(team: Team) -> None:
    task = team.add()
    type_(team, task, "title: Do it", "title: Other")
    command = [sys.executable, "-m", "orchgit", "task", "list"]
    env = {"ORCHGIT_RUN": "run_abcdef", "ORCHGIT_AGENT": "bot"}
    subprocess.run(["env", *(f"{key}={value}" for key, value in env.items()), *command], cwd=team.root, check=True)
    assert team.task(task).title == "Do it"


def test_the_next_command_of_a_person_does(team: Team) -> None:
    task = team.add()
    type_(team, task, "title: Do it", "title: Other")
    said = subprocess.run(
        [sys.executable, "-m", "orchgit", "task", "list"], cwd=team.root, check=True, capture_output=True
    )
    assert re.search(rb"Other", said.stdout)
    assert team.task(task).title == "Other"


def test_a_state_folder_that_can_not_be_written_is_still_read(team: Team) -> None:
    task = team.add()
    type_(team, task, "title: Do it", "title: Other")
    team.layout.lock.unlink()
    team.layout.lock.mkdir()
    look(team)
    assert store.read(team.layout, team.git("rev-parse", "orchestry")).tasks[task].title == "Do it"


def test_a_misspelt_key_is_told_once_and_stands(team: Team) -> None:
    file = drop(team, "typo.md", "---\ntitle: Mend it\npriorty: 1\n---\n")
    adopted, told = look(team).news
    assert adopted.startswith("tasks/typo.md is tsk_")
    assert told == "tasks/typo.md:3: unknown key 'priorty': did you mean priority?"
    assert "priorty: 1\n" in file.read_text()
    file.write_text(file.read_text().replace("Mend it", "Mend that"))
    assert look(team).news == []


def test_what_a_new_task_names_in_vain_is_told_with_its_line(team: Team) -> None:
    team.agent("true", name="fmt")
    drop(team, "dark-mode.md", "# Dark mode\n")
    drop(team, "second.md", "---\ntitle: Second\ndepends_on: [dark-mode]\nassignee: fnt\n---\n")
    drop(team, "third.md", "---\ntitle: Third\npriority: 1\ndepends_on: light\n---\n")
    taken = look(team)
    [first] = team.state.tasks.values()
    waits = "the task waits for a person of that name. Did you mean fmt?"
    assert taken.news[1:] == [f"tasks/second.md:4: assignee: fnt is not an agent here: {waits}"]
    vain = "is no id of a task, nor how one begins"
    assert [str(each).splitlines() for each in taken.refused] == [
        [f"tasks/second.md:3: depends_on: 'dark-mode' {vain}", f"tasks/dark-mode.md is {first.id}."],
        [f"tasks/third.md:4: depends_on: 'light' {vain}", "`orchgit task list` shows them."],
    ]


def test_what_is_gone_is_told_with_the_way_back(team: Team) -> None:
    task, goal = team.add("One"), goals.add(team.layout, ADA, "Ship").id
    for path in (team.task(task).path, team.state.goals[goal].path):
        (team.layout.state / path).unlink()
    gone, other = look(team).news
    assert gone.endswith(f"is gone, and {goal} is deleted: `orchgit undo {goal}` brings it back.")
    assert other.endswith(f"is gone, and {task} is deleted: `orchgit undo {task}` brings it back.")
    for word in (task, goal):
        undo.undo(team.layout, team.state, ADA, word)
    assert (team.task(task).title, team.state.goals[goal].title) == ("One", "Ship")


def test_what_can_be_typed_of_a_task_at_work_leaves_out_what_is_its_agents(team: Team, tmp_path: Path) -> None:
    team.agent(f"touch {tmp_path / 'on'}; sleep 300")
    task = team.add()
    team.tick()
    for typed, reason in (("done", "in_progress can't become done"), ("review", "agent bot is working on it")):
        type_(team, task, "status: in_progress", f"status: {typed}")
        (refused,) = look(team).refused
        assert reason in refused.what
        assert refused.next_step == "From in_progress you can type: todo, cancelled."
        type_(team, task, f"status: {typed}", "status: in_progress")
    team.release(task)
