"""What people and agents ask of tasks, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orchgit import api
from orchgit.engine import moves, tasks
from orchgit.engine.tasks import Wish
from orchgit.model import actor
from orchgit.model.errors import AmbiguousError, InvalidFileError, NotFoundError, RefusedError, UsageError
from orchgit.model.lifecycle import Ask
from orchgit.model.task import Status
from orchgit.repository import ledger
from tests.engine.team import ADA
from tests.support import repos
from tests.support.cli import ok, type_

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orchgit.model.task import Task
    from tests.engine.team import Team

BOT = actor.agent("bot")


def text(team: Team, task: Task | str) -> str:
    found = team.task(task) if isinstance(task, str) else task
    return (team.layout.state / found.path).read_text()


def in_review(team: Team) -> str:
    team.agent("echo it > it.txt")
    task = team.add()
    team.run()
    return task


def add(team: Team, file: str, **wishes: Any) -> Task:
    return tasks.add(team.layout, ADA, Wish(**wishes), text=file)


class TestAdd:
    def test_a_file_is_written_and_committed(self, team: Team) -> None:
        wish = Wish(
            title="Add OAuth2: $(touch x)", description="Do it.", priority=2, labels=("auth",), assignee="bot",
            goal="speed", scope=("src/**",), max_attempts=5,
        )  # fmt: skip
        made = tasks.add(team.layout, ADA, wish)
        assert made.path == f"tasks/{made.id}-add-oauth2-touch-x.md"
        lines = text(team, made).splitlines()
        created = next(line for line in lines if line.startswith("created: "))
        assert lines == [
            "---", f"id: {made.id}", "title: 'Add OAuth2: $(touch x)'", "status: todo", "priority: 2",
            "assignee: bot", "labels: [auth]", "goal: speed", "scope: [src/**]", "max_attempts: 5", created, "---",
            "Do it.",
        ]  # fmt: skip
        assert repos.subjects(team.layout.state)[0] == f"task({made.id}): created"
        assert team.trailers("orchestry") == {"Task": made.id, "Actor": "Ada Lovelace"}
        assert team.is_sound()

    @pytest.mark.parametrize(
        ("file", "title", "body"),
        [
            ("# From a heading\n\nDo it.\n", "From a heading", "# From a heading\n\nDo it.\n"),
            ("---\ntitle: Named\n---\n# Heading\n", "Named", "# Heading\n"),
            ("---\nlabels: [a]\n---\n\n# Heading\n", "Heading", "\n# Heading\n"),
        ],
    )
    def test_from_a_file(self, team: Team, file: str, title: str, body: str) -> None:
        made = add(team, file)
        assert made.title == title
        assert text(team, made).endswith(f"---\n{body}")

    def test_from_a_file_keeps_what_it_does_not_know_and_drops_what_is_the_engines(self, team: Team) -> None:
        file = (
            "---\n# a comment\ntitle: 'Named'   # quoted\nstatus: done\nattempts: 7\nrun: run_abcdef\n"
            "review_commit: " + "a" * 40 + "\nestimate: 3h\nclosed: 2026-01-01\n---\nBody\n"
        )
        made = add(team, file)
        written = text(team, made)
        assert (made.status, made.attempts, made.run, made.review_commit, made.closed) == (
            Status.TODO,
            0,
            None,
            None,
            None,
        )
        for kept in ("# a comment\n", "title: 'Named'   # quoted\n", "estimate: 3h\n", "---\nBody\n"):
            assert kept in written
        for dropped in ("attempts", "run:", "review_commit", "closed"):
            assert dropped not in written

    def test_the_options_win_over_the_file(self, team: Team) -> None:
        made = add(team, "---\ntitle: Named\npriority: 1\n---\nOld\n", title="Better", priority=4, description="New")
        assert (made.title, made.priority) == ("Better", 4)
        assert text(team, made).endswith("---\nNew\n")

    def test_an_id_that_is_given_is_kept_where_it_is_free(self, team: Team) -> None:
        file = "---\nid: tsk_mine\ntitle: Named\n---\n"
        assert add(team, file).id == "tsk_mine"
        copy = add(team, file)
        assert copy.id != "tsk_mine"
        assert f"id: {copy.id}\n" in text(team, copy)

    def test_dependencies_are_whole_ids_whoever_names_them(self, team: Team) -> None:
        first = team.add("first")
        short = first.removeprefix("tsk_")[:4]
        assert team.task(team.add("second", depends_on=(short,))).depends_on == (first,)
        assert add(team, f"---\ntitle: third\ndepends_on: [{short}]\n---\n").depends_on == (first,)
        with pytest.raises(NotFoundError, match="There is no task 'zzzzzz'"):
            add(team, "---\ntitle: fourth\ndepends_on: [zzzzzz]\n---\n")

    @pytest.mark.parametrize("file", ["", "Only words.\n", "---\nlabels: []\n---\n"])
    def test_without_a_title_it_is_refused(self, team: Team, file: str) -> None:
        with pytest.raises(UsageError, match="A task needs a title"):
            add(team, file)

    @pytest.mark.parametrize(
        ("file", "fault"),
        [
            ("---\ntitle: x\npriority: 9\n---\n", "task.md:3: priority: 9 is not a whole number from 1 to 4"),
            ("---\ntitle: x\n", "task.md:1: opens a front matter that is never closed"),
            ("---\ntitle: [x]\n---\n", "task.md:2: title: "),
            ("---\ntitle: x\ndepends_on: {a: b}\n---\n", "task.md:3: depends_on: "),
        ],
    )
    def test_a_file_that_is_wrong_is_refused_by_its_line(self, team: Team, file: str, fault: str) -> None:
        with pytest.raises(InvalidFileError) as refusal:
            add(team, file)
        assert refusal.value.what.startswith(fault)
        assert not team.state.tasks

    def test_agents_may(self, team: Team) -> None:
        made = tasks.add(team.layout, BOT, Wish(title="Found on the way"))
        assert team.git("log", "-1", "--format=%an <%ae>, %cn", "orchestry") == "bot <bot@orchgit>, Ada Lovelace"
        assert made.status is Status.TODO


class TestEdit:
    def test_changes_what_is_named_and_nothing_else(self, team: Team) -> None:
        made = add(team, "---\ntitle: Old  # keep\nlabels: [a, b]\nassignee: bot\n---\nBody\n")
        before = text(team, made)
        wish = Wish(title="New", labels=(), assignee="")
        after = tasks.edit(team.layout, ADA, made, wish)
        assert (after.title, after.labels, after.assignee, after.path) == ("New", (), None, made.path)
        assert text(team, made) == before.replace("title: Old ", "title: New ").replace("labels: [a, b]\n", "").replace(
            "assignee: bot\n", ""
        )
        assert repos.subjects(team.layout.state)[0] == f"task({made.id}): edit title, assignee, labels"

    def test_a_description_leaves_the_feedback(self, team: Team) -> None:
        made = add(team, "---\ntitle: x\n---\nOld.\n\n## Feedback\n\nToo short.\n")
        tasks.edit(team.layout, ADA, made, Wish(description="New."))
        assert text(team, made).endswith("---\nNew.\n\n## Feedback\n\nToo short.\n")

    def test_nothing_changed_is_no_commit(self, team: Team) -> None:
        task = team.add("x")
        before = team.git("rev-parse", "orchestry")
        tasks.edit(team.layout, ADA, team.task(task), Wish(title="x"))
        assert team.git("rev-parse", "orchestry") == before

    def test_circles_are_refused_and_named(self, team: Team) -> None:
        first = team.add("first")
        second = team.add("second", depends_on=(first,))
        third = team.add("third", depends_on=(second,))
        with pytest.raises(RefusedError, match=f"wait for each other: {first} -> {third} -> {second} -> {first}"):
            tasks.edit(team.layout, ADA, team.task(first), Wish(depends_on=(third,)))
        with pytest.raises(RefusedError, match=f"{first} -> {first}"):
            tasks.edit(team.layout, ADA, team.task(first), Wish(depends_on=(first,)))
        base = text(team, first)
        typed = base.replace("status:", f"depends_on: [{third}]\nstatus:")
        with pytest.raises(RefusedError, match="wait for each other"):
            tasks.rewrite(team.layout, ADA, team.task(first), base=base, typed=typed)


class TestRewrite:
    def test_takes_the_bytes_as_typed(self, team: Team) -> None:
        made = add(team, "---\ntitle: x\n---\nBody\n")
        base = text(team, made)
        typed = base.replace("title: x", "title:   'y'  # mine").replace("Body", "Other") + "\n\n"
        tasks.rewrite(team.layout, ADA, made, base=base, typed=typed)
        assert text(team, made) == typed

    def test_what_changed_meanwhile_stays_changed(self, team: Team) -> None:
        made = add(team, "---\ntitle: x\npriority: 3\n---\nOne.\n\nTwo.\n\nThree.\n")
        base = text(team, made)
        tasks.edit(team.layout, ADA, made, Wish(priority=1))
        with ledger.writing(team.layout, ADA) as book:
            book.transition(made.id, Ask.TAKE, sets={"agent": "Ada"})
        typed = base.replace("title: x", "# why\ntitle: y").replace("Three.", "Drei.")
        after = tasks.rewrite(team.layout, ADA, made, base=base, typed=typed)
        assert (after.title, after.priority, after.status) == ("y", 1, Status.IN_PROGRESS)
        assert "# why\ntitle: y\n" in text(team, made)
        assert text(team, made).endswith("One.\n\nTwo.\n\nDrei.\n")

    def test_the_same_key_changed_twice_is_refused(self, team: Team) -> None:
        made = add(team, "---\ntitle: x\n---\n")
        base = text(team, made)
        tasks.edit(team.layout, ADA, made, Wish(title="theirs"))
        with pytest.raises(RefusedError, match=r"title was changed by somebody else meanwhile"):
            tasks.rewrite(team.layout, ADA, made, base=base, typed=base.replace("title: x", "title: mine"))
        assert team.task(made.id).title == "theirs"

    @pytest.mark.parametrize(
        ("old", "new", "line", "key"),
        [
            ("status: todo", "status: done", 4, "status"),
            ("status: todo", "attempts: 7\nstatus: todo", 4, "attempts"),
            ("status: todo", "status: todo\nreview_commit: " + "a" * 40, 5, "review_commit"),
            ("id: tsk_mine", "id: tsk_other", 2, "id"),
        ],
    )
    def test_what_is_not_for_hands_is_refused_by_its_line(
        self, team: Team, old: str, new: str, line: int, key: str
    ) -> None:
        made = add(team, "---\nid: tsk_mine\ntitle: x\n---\n")
        base = text(team, made)
        with pytest.raises(InvalidFileError) as refusal:
            tasks.rewrite(team.layout, ADA, made, base=base, typed=base.replace(old, new))
        assert (refusal.value.line, refusal.value.key) == (line, key)
        assert text(team, made) == base


class TestTakeAndSubmit:
    def test_by_hand_from_a_branch_of_ones_own(self, team: Team) -> None:
        task = team.add()
        taken = moves.take(team.layout, ADA, team.task(task))
        assert (taken.status, taken.agent, taken.attempts, taken.run) == (Status.IN_PROGRESS, "Ada Lovelace", 1, None)
        team.git("switch", "--quiet", "--create", "mine")
        mine = repos.commit(team.root, {"x.txt": "x"}, "mine")
        done = moves.submit(team.layout, team.state, ADA, team.task(task), commit=None, start=team.root)
        assert (done.status, done.review_commit, done.branch) == (Status.REVIEW, mine, f"orchgit/{task}-do-it")
        assert done.review_base == team.git("rev-parse", "main")
        team.approve(task)
        assert "x.txt" in team.files("main")
        assert "Run" not in team.trailers("main")
        assert team.git("rev-parse", "mine") == mine

    def test_as_take_says(self, team: Team) -> None:
        task = team.add()
        said = ok(team.root, "task", "take", task).out
        branch = f"orchgit/{task}-do-it"
        assert said == (
            f"{task} is yours. `git switch -c {branch} main`, commit there, "
            f"and `orchgit task submit {task}` hands it in.\n"
        )
        team.git("switch", "--quiet", "-c", branch, "main")
        mine = repos.commit(team.root, {"x.txt": "x"}, "mine")
        ok(team.root, "task", "submit", task)
        assert (team.task(task).review_commit, team.task(task).branch) == (mine, branch)
        team.git("switch", "--quiet", "main")
        team.reject(task)
        assert f"`git switch {branch}`, commit there" in ok(team.root, "task", "take", task).out

    def test_what_an_agent_began_is_worked_on_in_its_worktree(self, team: Team) -> None:
        task = in_review(team)
        team.reject(task)
        assert f'`cd "$(orchgit workspace path {task})"`, commit there' in ok(team.root, "task", "take", task).out
        mine = repos.commit(team.workspaces / task, {"mine.txt": "x"}, "mine")
        ok(team.root, "task", "submit", task)
        assert team.task(task).review_commit == mine

    def test_what_changes_no_file_is_not_handed_in_by_mistake(self, team: Team) -> None:
        task = team.add()
        ok(team.root, "task", "take", task)
        said = type_(team.root, "task", "submit", task)
        tip = team.git("rev-parse", "main")
        assert said.code == 1
        assert said.err == (
            f"orchgit: {tip[:12]} changes no file of main.\n"
            f"Did you mean --commit BRANCH? `orchgit task submit {task} --allow-empty` hands it in all the same.\n"
        )
        assert team.task(task).status is Status.IN_PROGRESS
        ok(team.root, "task", "submit", task, "--allow-empty")
        assert team.task(task).status is Status.REVIEW

    def test_on_its_work_branch(self, team: Team) -> None:
        task = team.add()
        branch = moves.take(team.layout, ADA, team.task(task), branch=True).branch
        assert branch == f"orchgit/{task}-do-it"
        assert team.git("worktree", "list", "--porcelain").count(branch) == 0
        team.git("switch", "--quiet", branch)
        mine = repos.commit(team.root, {"x.txt": "x"}, "mine")
        assert (
            moves.submit(team.layout, team.state, ADA, team.task(task), commit=None, start=team.root).review_commit
            == mine
        )

    def test_on_the_branch_that_an_agent_began(self, team: Team) -> None:
        team.agent("echo x > x.txt")
        task = team.add()
        team.run()
        team.reject(task)
        (team.workspaces / task / "half.txt").write_text("half")
        branch = moves.take(team.layout, ADA, team.task(task), branch=True).branch
        assert branch is not None
        team.git("switch", "--quiet", branch)
        assert (team.root / "x.txt").exists()
        assert team.keeps(task, "half.txt")

    def test_no_agent_is_given_what_somebody_took(self, team: Team) -> None:
        team.agent("true")
        task = team.add()
        moves.take(team.layout, ADA, team.task(task))
        team.run()
        assert team.task(task).agent == "Ada Lovelace"
        after = moves.release(team.layout, ADA, team.task(task))
        assert (after.status, after.attempts, after.agent) == (Status.TODO, 0, None)

    def test_a_commit_that_is_named(self, team: Team) -> None:
        task = team.add()
        moves.take(team.layout, ADA, team.task(task), branch=True)
        first = repos.commit(team.root, {"x.txt": "x"}, "mine")
        repos.commit(team.root, {"y.txt": "y"}, "not this")
        done = moves.submit(team.layout, team.state, ADA, team.task(task), commit="HEAD~1", start=team.root)
        assert done.review_commit == first == team.git("rev-parse", f"orchgit/{task}-do-it")

    def test_what_the_branch_had_besides_is_kept(self, team: Team) -> None:
        task = team.add()
        branch = str(moves.take(team.layout, ADA, team.task(task), branch=True).branch)
        team.git("switch", "--quiet", branch)
        old = repos.commit(team.root, {"old.txt": "x"}, "old")
        team.git("switch", "--quiet", "--detach", "main")
        new = repos.commit(team.root, {"new.txt": "x"}, "new")
        moves.submit(team.layout, team.state, ADA, team.task(task), commit=new, start=team.root)
        assert team.git("rev-parse", branch) == new
        assert old in team.attempts(task)

    def test_a_branch_never_moves_under_a_checkout(self, team: Team) -> None:
        task = team.add()
        branch = str(moves.take(team.layout, ADA, team.task(task), branch=True).branch)
        team.git("switch", "--quiet", branch)
        tip = repos.commit(team.root, {"old.txt": "x"}, "old")
        with pytest.raises(RefusedError, match=f"{branch} is checked out in {team.root}"):
            moves.submit(team.layout, team.state, ADA, team.task(task), commit="main", start=team.root)
        assert team.git("rev-parse", branch) == tip
        assert team.task(task).status is Status.IN_PROGRESS

    @pytest.mark.parametrize(("commit", "why"), [("nonsense", "There is no commit"), ("void", "shares no history")])
    def test_what_can_not_be_handed_in(self, team: Team, commit: str, why: str) -> None:
        task = team.add()
        moves.take(team.layout, ADA, team.task(task))
        tree = team.git("rev-parse", "HEAD^{tree}")
        team.git("branch", "void", team.git("commit-tree", tree, "-m", "void"))
        with pytest.raises(RefusedError, match=why):
            moves.submit(team.layout, team.state, ADA, team.task(task), commit=commit, start=team.root)
        assert team.task(task).status is Status.IN_PROGRESS

    def test_an_agents_task_is_not_handed_in_by_hand(self, team: Team) -> None:
        team.agent("sleep 300")
        task = team.add()
        team.tick()
        with pytest.raises(RefusedError, match="agent bot is working on it"):
            moves.submit(team.layout, team.state, ADA, team.task(task), commit=None, start=team.root)


class TestStartOverAndDelete:
    def test_what_failed_or_was_cancelled_starts_over(self, team: Team) -> None:
        team.agent("no-such-command", "bad")
        team.add("failed", assignee="bad")
        team.run()
        team.cancel(team.add("cancelled"))
        assert team.statuses() == {"failed": "failed", "cancelled": "cancelled"}
        for task in team.state.tasks.values():
            after = moves.retry(team.layout, ADA, task)
            assert (after.status, after.attempts, after.agent, after.closed) == (Status.TODO, 0, None, None)

    def test_what_is_deleted_is_in_the_history(self, team: Team) -> None:
        team.agent("echo x > x.txt")
        task = team.add()
        team.run()
        path = team.task(task).path
        moves.delete(team.layout, team.state, ADA, team.task(task))
        assert not (team.layout.state / path).exists()
        assert task not in team.state.tasks
        assert team.git("show", f"orchestry~1:{path}")
        assert team.keeps(task, "x.txt")
        assert not (team.workspaces / task).exists()
        assert team.git("branch", "--list", "orchgit/*") == ""

    def test_what_runs_is_not_deleted(self, team: Team) -> None:
        team.agent("sleep 300")
        task = team.add()
        team.tick()
        with pytest.raises(RefusedError, match=f"{task} is being worked on by bot"):
            moves.delete(team.layout, team.state, ADA, team.task(task))

    def test_what_was_started_meanwhile_is_not_cancelled_unseen(self, team: Team) -> None:
        team.agent("sleep 300")
        task = team.add()
        seen = team.task(task)
        team.tick()
        with pytest.raises(RefusedError, match=f"{task} was started again meanwhile"):
            moves.cancel(team.layout, team.state, ADA, seen)

    def test_what_runs_in_another_clone_is_not_stopped_here(self, team: Team) -> None:
        team.agent("sleep 300")
        task = team.add()
        team.tick()
        place = team.layout.local / "machine"
        here = place.read_text()
        place.write_text("abcdef\n")
        with pytest.raises(RefusedError, match=f"is being worked on in another clone \\({here.strip()}\\)"):
            team.cancel(task)
        team.run()
        assert team.task(task).status is Status.IN_PROGRESS
        place.write_text(here)

    def test_agents_may_not(self, team: Team) -> None:
        task = team.add()
        state, waiting = team.state, team.task(task)
        asks: list[Callable[[], Task]] = [
            lambda: moves.delete(team.layout, state, BOT, waiting),
            lambda: moves.retry(team.layout, BOT, waiting),
            lambda: moves.take(team.layout, BOT, waiting),
            lambda: moves.cancel(team.layout, state, BOT, waiting),
        ]
        for ask in asks:
            with pytest.raises(RefusedError, match=r"not for an agent to do|An agent may not"):
                ask()
        assert team.task(task).status is Status.TODO


@pytest.mark.parametrize("length", [3, 6])
def test_a_prefix_will_do(team: Team, length: int) -> None:
    task = team.add()
    assert team.task(task.removeprefix("tsk_")[:length]).id == task
    assert team.task(task[: 4 + length]).id == task


@pytest.mark.parametrize("length", [1, 2])
def test_a_letter_or_two_approve_and_delete_nothing(team: Team, length: int) -> None:
    task = in_review(team)
    project = api.open_project(team.root)
    for short in (task[4 : 4 + length], task[: 4 + length]):
        for ask in (project.approve, project.delete_task, project.cancel):
            with pytest.raises(
                AmbiguousError, match=rf"too short: at least 3 characters of an id\.\nIt could be {task}"
            ):
                ask(short)
    assert team.task(task).status is Status.REVIEW


def test_what_was_in_review_can_be_found_when_its_task_is_deleted(team: Team) -> None:
    task = in_review(team)
    commit = team.task(task).review_commit
    ref = f"refs/orchgit/attempts/{task}/1"
    said = ok(team.root, "task", "delete", task)
    assert said.out.endswith(f"Its work is kept: git log {ref}\n")
    assert team.git("rev-parse", ref) == commit


def test_a_prefix_that_could_be_several_is_refused(team: Team) -> None:
    for name in ("tsk_aaa1", "tsk_aaa2"):
        add(team, f"---\nid: {name}\ntitle: {name}\n---\n")
    with pytest.raises(NotFoundError, match="'aaa' could be any of 2 tasks: tsk_aaa1, tsk_aaa2"):
        team.task("aaa")


def test_nothing_in_a_task_ever_reaches_a_shell(team: Team, tmp_path: Path) -> None:
    bait = tmp_path / "pwned"
    hostile = f"$(touch {bait}) `touch {bait}` '; touch {bait}; ' \"; touch {bait}; \" --output={bait} -n"
    team.agent('cp "$ORCHGIT_PROMPT_FILE" prompt.txt; cmp - prompt.txt && git commit -q --allow-empty -m mine')
    task = team.add(hostile, description=f"{hostile}\n\n--- \n{hostile}", labels=("-n", "--help"))
    team.run()
    team.approve(task)
    assert team.task(task).status is Status.DONE
    assert hostile in team.show("main", "prompt.txt")
    assert not bait.exists()
