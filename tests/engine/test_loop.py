"""The loop: what starts when, what becomes of it, and that whoever dies, the next one goes on."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psutil
import pytest

from orchgit.engine import agents as agent_files
from orchgit.engine import descendants, dispatch, moves, perform, tasks, verify
from orchgit.engine.loop import Control
from orchgit.engine.snapshot import Observer
from orchgit.model import scheduling
from orchgit.model.errors import BusyError, NotFoundError
from orchgit.model.lifecycle import Ask
from orchgit.model.task import Status
from orchgit.repository import ledger, locks, runs, stream
from orchgit.repository.layout import STATE_BRANCH
from tests.engine.team import ADA
from tests.support import repos
from tests.support.agents import lives, until, waits_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.team import Team


NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@contextmanager
def watching(team: Team) -> Iterator[Control]:
    """Run `--watch` beside the test; drain it at the end."""
    control, faults = Control(), []

    def work() -> None:
        try:
            team.run(watch=True, control=control)
        except BaseException as error:
            faults.append(error)
            raise

    thread = threading.Thread(target=work)
    thread.start()
    try:
        until(lambda: faults or locks.is_held(team.layout.orchestrator_lock))
        yield control
    finally:
        control.leave()
        thread.join()
    assert not faults


def begins(team: Team) -> list[str]:
    """Return the titles of the tasks in the order in which they came to work."""
    return [each.task.title for each in team.happened if each.task.status is Status.IN_PROGRESS]


class TestWhatStartsWhen:
    def test_dependencies_first(self, team: Team) -> None:
        team.agent("true")
        first = team.add("first", priority=4)
        team.add("second", priority=1, depends_on=(first,))
        team.run()
        assert team.statuses() == {"first": "review", "second": "todo"}
        team.approve(first)
        team.run()
        assert team.statuses() == {"first": "done", "second": "review"}

    def test_priority_then_age_one_at_a_time_for_one_agent(self, team: Team) -> None:
        team.agent("true")
        for title, priority in (("low", 4), ("old", 2), ("young", 2), ("urgent", 1)):
            task = team.add(title, priority=priority)
            year = 2020 if title == "old" else 2021
            with ledger.writing(team.layout, ADA) as book:
                path = book.state.task(task).path
                text = "".join(
                    f"created: {year}-01-01T00:00:00Z\n" if line.startswith("created:") else line
                    for line in book.text(path).splitlines(keepends=True)
                )
                book.rewrite(task, text)
        team.run()
        assert begins(team) == ["urgent", "old", "young", "low"]

    def test_who_it_is_for(self, team: Team) -> None:
        for name in ("ann", "ben"):
            team.agent("true", name)
        team.agent("true", "off", enabled=False)
        wanted = {"for ann": "ann", "for ben": "ben", "for off": "off", "for a person": "Ada"}
        for title, assignee in wanted.items():
            team.add(title, assignee=assignee)
        team.run()
        found = {task.title: (task.status.value, task.agent) for task in team.state.tasks.values()}
        assert found == {
            "for ann": ("review", "ann"),
            "for ben": ("review", "ben"),
            "for off": ("todo", None),
            "for a person": ("todo", None),
        }

    def test_no_more_at_once_than_allowed(self, team: Team, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        for name in ("a", "b", "c"):
            team.agent(waits_for(gate), name)
        for title in ("1", "2", "3"):
            team.add(title)
        team.set("scheduling.max_concurrent_agents", 2)
        team.tick()
        team.tick()
        assert sorted(team.statuses().values()) == ["in_progress", "in_progress", "todo"]
        gate.touch()
        team.run()
        assert set(team.statuses().values()) == {"review"}

    def test_only_one(self, team: Team) -> None:
        team.agent("true")
        wanted, _ = team.add("wanted"), team.add("other", priority=1)
        team.run(only=wanted)
        assert team.statuses() == {"wanted": "review", "other": "todo"}


class TestWhatBecomesOfIt:
    def test_retried_and_then_failed(self, team: Team) -> None:
        team.agent("echo try >> tries.txt; exit 3")
        task = team.add(max_attempts=2)
        team.run()
        assert team.story(task) == [
            "created", "todo -> in_progress", "in_progress -> retrying", "retrying -> in_progress",
            "in_progress -> failed",
        ]  # fmt: skip
        assert team.task(task).attempts == 2
        assert [each.reason for each in team.happened if each.reason] == ["exit code 3", "exit code 3"]
        assert [team.show(commit, "tries.txt") for commit in team.attempts(task)] == ["try", "try\ntry"]

    def test_a_retry_waits_for_its_time(self, team: Team) -> None:
        team.set("scheduling.retry_base_delay_ms", 3_600_000)
        team.agent("test $ORCHGIT_ATTEMPT = 2")
        task = team.add()
        team.tick()
        locks.wait_until_free(team.place(task).runner_lock)
        team.tick()
        team.tick()
        waiting = team.task(task)
        assert waiting.status is Status.RETRYING
        assert waiting.retry_at is not None
        moves.retry(team.layout, ADA, waiting)
        team.run()
        assert team.task(task).status is Status.REVIEW

    def test_a_command_that_is_not_there_fails_at_once(self, team: Team) -> None:
        team.agent("no-such-command")
        task = team.add()
        team.run()
        assert team.story(task)[1:] == ["todo -> in_progress", "in_progress -> failed"]
        assert "127" in team.trailers("orchestry")["Reason"]

    def test_a_success_is_told_whole(self, team: Team) -> None:
        team.agent("echo x > x.txt")
        task = team.add()
        team.run()
        run = team.runs()[0].id
        tip = team.git("rev-parse", f"orchgit/{task}-do-it")
        assert team.trailers("orchestry") == {
            "Task": task, "Transition": "in_progress -> review", "Actor": "bot", "Run": run, "Attempt": "1/3",
            "Review-Commit": tip, "Base-Commit": team.git("rev-parse", "main"),
        }  # fmt: skip
        assert team.git("log", "-1", "--format=%an <%ae>, %cn", "orchestry") == "bot <bot@orchgit>, Ada Lovelace"
        assert (team.task(task).run, team.task(task).review_commit) == (None, tip)
        assert team.is_sound()


class TestOneFaultStopsNoOther:
    def test_an_adapter_that_is_unknown(self, team: Team) -> None:
        team.agent("true", "good")
        repos.commit(team.layout.state, {"agents/odd.md": "---\nadapter: telepathy\n---\n"}, "by hand")
        team.add("odd", assignee="odd")
        team.add("good", assignee="good")
        team.run()
        assert team.statuses() == {"odd": "failed", "good": "review"}
        assert any("'telepathy', which this orchgit doesn't know" in reason for reason in team.reasons())

    @pytest.mark.parametrize("template", ["{{ task.nothing }}", "{% if %}", "{{ [].pop() }}", "{{ 1 / 0 }}"])
    def test_a_prompt_template_that_is_broken(self, team: Team, template: str) -> None:
        team.agent("true")
        task = team.add("any")
        repos.commit(team.layout.state, {"prompt.md": f"# Do it\n{template}\n"}, "by hand")
        team.run()
        assert team.statuses() == {"any": "failed"}
        assert any("prompt.md:2" in reason for reason in team.reasons())
        repos.commit(team.layout.state, {"prompt.md": "{{ task.title }}\n"}, "by hand")
        moves.retry(team.layout, ADA, team.task(task))
        team.run()
        assert team.statuses() == {"any": "review"}

    def test_a_file_that_can_not_be_read(self, team: Team) -> None:
        team.agent("true")
        team.add("good")
        repos.commit(team.layout.state, {"tasks/bad.md": "---\nid: [\n---\n", "agents/bad.md": "---\n- 1\n---\n"}, "x")
        team.run()
        assert team.statuses() == {"good": "review"}

    def test_a_missing_base_branch_is_the_loops_error_and_fails_no_task(self, team: Team, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        team.agent(waits_for(gate), "a")
        team.agent("true", "b")
        ends = team.add("ends", assignee="a")
        team.tick()
        team.add("waits", assignee="b")
        team.lose_base()
        gate.touch()
        locks.wait_until_free(team.place(ends).runner_lock)
        for _ in range(2):
            with pytest.raises(NotFoundError, match="The base branch 'nowhere' doesn't exist"):
                team.run()
        assert team.statuses() == {"ends": "review", "waits": "todo"}
        assert len(team.runs()) == 1


class TestWhileItRuns:
    def test_what_is_added_or_saved_is_picked_up(self, team: Team) -> None:
        with watching(team):
            team.agent("true")
            team.add("added")
            until(lambda: team.statuses() == {"added": "review"})
            repos.write(team.layout.state, {"tasks/by-hand.md": "# By hand\n\nDo it.\n"})
            until(lambda: team.statuses() == {"added": "review", "By hand": "review"})

    def test_cancelled_it_stops_and_stays_cancelled(self, team: Team, tmp_path: Path) -> None:
        pidfile = tmp_path / "pid"
        team.agent(f"echo half > half.txt; echo $$ > {pidfile}; sleep 300")
        task = team.add()
        with watching(team):
            until(pidfile.exists)
            workspace = team.workspaces / task
            assert team.cancel(task).status is Status.CANCELLED
            assert not lives(int(pidfile.read_text()))
            until(lambda: not workspace.exists())
        assert team.story(task)[-1] == "in_progress -> cancelled"
        assert team.keeps(task, "half.txt")
        assert team.git("branch", "--list", "orchgit/*") == ""
        team.run()
        assert team.task(task).status is Status.CANCELLED

    @pytest.mark.parametrize("status", ["cancelled", "todo"])
    def test_stopped_by_what_was_typed_it_is_theirs_who_typed(self, team: Team, tmp_path: Path, status: str) -> None:
        team.agent(f"touch {tmp_path / 'on'}; sleep 300", max_concurrent=1)
        task = team.add()
        with watching(team) as control:
            until((tmp_path / "on").exists)
            control.drain()
            path = team.layout.state / team.task(task).path
            path.write_text(path.read_text().replace("status: in_progress", f"status: {status}"))
            until(lambda: team.story(task)[-1] == f"in_progress -> {status}")
        said = team.git(
            "log", "-1", "--format=%an %(trailers:key=Actor,key=Via,valueonly,separator=%x20)", STATE_BRANCH
        )
        assert said == "Ada Lovelace Ada Lovelace edit"
        assert verify.check(team.layout.common).is_clean

    def test_released_it_stops_and_is_to_do_again(self, team: Team, tmp_path: Path) -> None:
        pidfile = tmp_path / "pid"
        team.agent(f"test -e {pidfile} || {{ echo $$ > {pidfile}.new; mv {pidfile}.new {pidfile}; sleep 300; }}")
        task = team.add(max_attempts=1)
        team.tick()
        until(pidfile.exists)
        after = moves.release(team.layout, ADA, team.task(task))
        assert (after.status, after.attempts, after.run) == (Status.TODO, 0, None)
        assert not lives(int(pidfile.read_text()))
        team.run()
        assert team.task(task).status is Status.REVIEW

    def test_its_agent_is_removed(self, team: Team, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        team.agent(f"{waits_for(gate)}; echo x > x.txt")
        task = team.add()
        team.tick()
        with pytest.raises(Exception, match=f"bot is working on {task}"):
            agent_files.remove(team.layout, ADA, "bot")
        team_file = team.layout.state / "agents" / "bot.md"
        team_file.unlink()
        repos.git(team.layout.state, "commit", "-qam", "by hand: no bot")
        gate.touch()
        team.run()
        assert team.task(task).status is Status.REVIEW

    def test_its_file_is_edited(self, team: Team, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        team.agent(waits_for(gate))
        task = team.add()
        team.tick()
        tasks.edit(team.layout, ADA, team.task(task), tasks.Wish(title="Another title", priority=1))
        gate.touch()
        team.run()
        assert team.statuses() == {"Another title": "review"}

    def test_its_file_is_deleted_by_hand_and_comes_back(self, team: Team, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        team.agent(waits_for(gate))
        task = team.add("gone", priority=1)
        team.add("next")
        team.tick()
        gone = team.place(task)
        (team.layout.state / team.task(task).path).unlink()
        repos.git(team.layout.state, "commit", "-qam", "by hand")
        gate.touch()
        locks.wait_until_free(gone.runner_lock)
        team.run()
        assert team.statuses() == {"gone": "review", "next": "review"}


class TestHowItEnds:
    def test_drained_it_starts_nothing_more_and_waits_for_what_runs(self, team: Team, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        team.agent(waits_for(gate))
        for title in ("1", "2"):
            team.add(title)
        with watching(team) as control:
            until(lambda: len(begins(team)) == 1)
            control.drain()
            assert locks.is_held(team.layout.orchestrator_lock)
            gate.touch()
            until(lambda: not locks.is_held(team.layout.orchestrator_lock))
        assert sorted(team.statuses().values()) == ["review", "todo"]

    def test_left_alone_the_runs_go_on_and_the_next_loop_takes_them_up(self, team: Team, tmp_path: Path) -> None:
        gate = tmp_path / "gate"
        team.agent(waits_for(gate))
        task = team.add()
        with watching(team) as control:
            until(lambda: begins(team))
            control.leave()
            until(lambda: not locks.is_held(team.layout.orchestrator_lock))
        assert locks.is_held(team.place(task).runner_lock)
        gate.touch()
        team.run()
        assert team.statuses() == {"Do it": "review"}
        assert len(team.runs()) == 1

    def test_there_is_one_at_a_time_and_it_is_named(self, team: Team) -> None:
        with watching(team), pytest.raises(BusyError, match=rf"The team already runs here: process {os.getpid()} \("):
            team.run()

    def test_with_nothing_to_do_it_ends(self, team: Team) -> None:
        team.run()
        assert team.happened == []


class TestWhoeverDies:
    def test_the_loop_killed_its_runs_are_adopted_and_nothing_starts_twice(self, team: Team, tmp_path: Path) -> None:
        gate, pids = tmp_path / "gate", tmp_path / "pids"
        team.agent(f"echo $$ >> {pids}; {waits_for(gate)}; echo x > x.txt")
        task = team.add()
        with subprocess.Popen(
            [sys.executable, "-m", "orchgit", "run", "--watch"], cwd=team.root, stdout=subprocess.DEVNULL
        ) as loop:
            until(pids.exists)
            loop.send_signal(signal.SIGKILL)
        gate.touch()
        team.run()
        assert team.task(task).status is Status.REVIEW
        assert len(pids.read_text().split()) == 1
        assert [line for line in team.story(task) if line == "todo -> in_progress"] == ["todo -> in_progress"]

    @pytest.mark.parametrize("dead", ["runner", "agent", "both"])
    def test_a_run_that_died_is_kept_and_retried(self, team: Team, tmp_path: Path, dead: str) -> None:
        pidfile = tmp_path / "pid"
        team.agent(
            "test $ORCHGIT_ATTEMPT = 2 && exit 0; echo half > half.txt; "
            f"echo $$ > {pidfile}.x; mv {pidfile}.x {pidfile}; sleep 300"
        )
        task = team.add()
        team.tick()
        until(pidfile.exists)
        place, agent = team.place(task), psutil.Process(int(pidfile.read_text()))
        if dead in ("runner", "both"):
            team.kill_runner(place)
        if dead in ("agent", "both"):
            agent.kill()
        team.run()
        assert not lives(agent.pid)
        result = runs.read_result(place)
        assert result is not None
        assert result.outcome == ("failed" if dead == "agent" else "vanished")
        assert team.keeps(task, "half.txt", "half")
        assert (team.task(task).status, team.task(task).attempts) == (Status.REVIEW, 2)
        assert team.story(task)[1:4] == ["todo -> in_progress", "in_progress -> retrying", "retrying -> in_progress"]

    def test_a_run_that_never_started_is_released_and_counts_nothing(
        self, team: Team, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As after kill -9 between the commit and the runner's start."""
        team.agent("true")
        task = team.add(max_attempts=1)
        with monkeypatch.context() as patch:
            patch.setattr(dispatch, "start", lambda *_: io.BytesIO())
            team.tick()
        assert team.task(task).status is Status.IN_PROGRESS
        team.run()
        assert team.story(task)[1:4] == ["todo -> in_progress", "in_progress -> todo", "todo -> in_progress"]
        assert (team.task(task).status, team.task(task).attempts) == (Status.REVIEW, 1)

    def test_the_folder_of_a_run_is_lost(self, team: Team) -> None:
        team.agent("true")
        task = team.add()
        team.tick()
        place = team.place(task)
        locks.wait_until_free(place.runner_lock)
        dispatch.discard(place)
        team.run()
        assert team.task(task).status is Status.REVIEW

    def test_a_result_that_nobody_has_taken_is_taken(self, team: Team) -> None:
        """As after kill -9 between a run's result and its transition."""
        team.agent("true")
        task = team.add()
        team.tick()
        locks.wait_until_free(team.place(task).runner_lock)
        team.run()
        assert team.task(task).status is Status.REVIEW
        assert len(team.runs()) == 1

    def test_closed_tasks_that_were_not_cleared_away_are(self, team: Team) -> None:
        """As after kill -9 between the last transition and the removal of the worktree."""
        team.agent("echo x > x.txt")
        task = team.add()
        team.run()
        with ledger.writing(team.layout, ADA) as book:
            done = team.task(task)
            book.transition(task, Ask.CANCEL, sets={"closed": done.created})
        assert (team.workspaces / task).exists()
        team.run()
        assert not (team.workspaces / task).exists()
        assert team.git("branch", "--list", "orchgit/*") == ""
        assert team.keeps(task, "x.txt")

    def test_what_survives_its_runner_is_ended_before_anything_starts_again(self, team: Team, tmp_path: Path) -> None:
        pidfile = tmp_path / "pid"
        team.agent(
            "test $ORCHGIT_ATTEMPT = 2 && exit 0; "
            f'env -i setsid sh -c \'trap "" TERM; echo $$ > {pidfile}.x; mv {pidfile}.x {pidfile}; '
            "sleep 300; sleep 300'"
        )
        task = team.add()
        team.tick()
        until(pidfile.exists)
        team.kill_runner(team.place(task))
        team.run()
        assert not lives(int(pidfile.read_text()))
        assert team.task(task).status is Status.REVIEW

    def test_what_can_not_be_stopped_is_named_and_holds_up_its_task_alone(
        self, team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pidfile = tmp_path / "pid"
        team.agent(f"echo $$ > {pidfile}.x; mv {pidfile}.x {pidfile}; sleep 300", "stuck")
        team.agent("true", "free")
        stuck = team.add("stuck", assignee="stuck")
        team.tick()
        until(pidfile.exists)
        team.kill_runner(team.place(stuck))
        team.add("free", assignee="free")
        with monkeypatch.context() as patch:
            patch.setattr(descendants, "end", lambda *_, **__: ["process 4711"])
            team.tick()
        assert team.statuses() == {"stuck": "in_progress", "free": "in_progress"}
        assert any("process 4711" in reason for reason in team.reasons())


def test_a_start_that_fails_leaves_nothing_behind(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.agent("true")
    task = team.add()

    def refuse(*_: object, **__: object) -> None:
        raise BusyError("refs/heads/orchestry moved on")

    with monkeypatch.context() as patch:
        patch.setattr(stream, "write", refuse)
        with pytest.raises(BusyError):
            team.tick()
    assert team.task(task).status is Status.TODO
    assert list(team.layout.runs.iterdir()) == []


def test_a_task_that_changed_since_the_snapshot_is_left_alone(team: Team) -> None:
    team.agent("true")
    task = team.add()
    actions = scheduling.decide(Observer(team.layout).take(), NOW)
    assert len(actions) == 1
    moves.take(team.layout, ADA, team.task(task))
    assert not perform.all_of(team.layout, actions, now=NOW, report=team.happened.append)
    assert team.task(task).agent == "Ada Lovelace"
    assert team.happened == []
    assert list(team.layout.runs.iterdir()) == []
