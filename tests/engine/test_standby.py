"""Stop, pause, resume, and what a loop makes of faults that may pass."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from watchdog.observers import Observer as Watcher

from orchgit.engine import dispatch, loop, standby
from orchgit.engine.loop import Control, Until
from orchgit.engine.telling import Level, Notice
from orchgit.model.actor import agent
from orchgit.model.errors import BusyError, InvalidFileError, NotFoundError, RefusedError
from orchgit.model.task import Status
from orchgit.repository import locks, orders
from orchgit.repository.orders import Order
from tests.engine.team import ADA, make_team
from tests.support import disks, repos
from tests.support.agents import until, waits_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.team import Team


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_REST", 0.01)


@contextmanager
def serving(team: Team, *, tick: float | None = None) -> Iterator[list[Notice]]:
    """Run a loop beside the test that ends by itself or is left at the end; yield what it notifies of."""
    control, faults = Control(), []
    told: list[Notice] = []

    def work() -> None:
        try:
            loop.run(
                team.layout, until=Until.STOPPED, report=team.happened.append, notify=told.append, control=control,
                tick=tick,
            )  # fmt: skip
        except BaseException as error:
            faults.append(error)
            raise

    thread = threading.Thread(target=work)
    before = orders.running(team.layout)
    thread.start()
    try:
        until(lambda: faults or orders.running(team.layout) not in (None, before))
        yield told
    finally:
        control.leave()
        thread.join()
    assert not faults


def texts(told: list[Notice], kind: str) -> list[str]:
    return [each.text for each in told if each.kind == kind]


def test_stop_waits_for_what_runs(team: Team, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    team.agent(waits_for(gate))
    task, later = team.add("now", priority=1), team.add("later")
    with serving(team) as told:
        until(lambda: team.task(task).status is Status.IN_PROGRESS)
        with pytest.raises(BusyError, match="had not ended after 0 s"):
            standby.stop(team.layout, ADA, Order.DRAIN, wait=0)
        until(lambda: texts(told, "asked"))
        gate.touch()
        until(lambda: not locks.is_held(team.layout.orchestrator_lock))
    assert (team.task(task).status, team.task(later).status) == (Status.REVIEW, Status.TODO)


def test_stop_now_gives_the_tasks_back(team: Team, tmp_path: Path) -> None:
    team.agent(f"echo half > half.txt; {waits_for(tmp_path / 'never')}")
    task = team.add()
    with serving(team):
        until(lambda: team.task(task).run and team.place(task).events.exists())
        standby.stop(team.layout, ADA, Order.NOW, wait=None)
        assert not locks.is_held(team.layout.orchestrator_lock)
    after = team.task(task)
    assert (after.status, after.attempts, after.run) == (Status.TODO, 0, None)
    assert team.reasons() == ["stopped by Ada Lovelace"]
    assert team.story(task) == ["created", "todo -> in_progress", "in_progress -> todo"]
    assert team.is_sound()


def test_stop_and_leave(team: Team, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    team.agent(waits_for(gate))
    task = team.add()
    with serving(team):
        until(lambda: team.task(task).status is Status.IN_PROGRESS)
        standby.stop(team.layout, ADA, Order.LEAVE, wait=None)
    assert locks.is_held(team.place(task).runner_lock)
    gate.touch()
    team.run()
    assert team.task(task).status is Status.REVIEW


def test_stop_now_ends_what_was_left_to_go_on(team: Team, tmp_path: Path) -> None:
    team.agent(f"echo half > half.txt; {waits_for(tmp_path / 'never')}")
    task = team.add()
    with serving(team):
        until(lambda: team.task(task).run and team.place(task).heard.exists())
    place = team.place(task)
    with pytest.raises(NotFoundError, match=f"{place.id} .{task}.*`orchgit stop --now` ends that"):
        standby.stop(team.layout, ADA, Order.DRAIN, wait=None)
    assert locks.is_held(place.runner_lock)
    standby.stop(team.layout, ADA, Order.NOW, wait=None)
    assert not locks.is_held(place.runner_lock)
    after = team.task(task)
    assert (after.status, after.attempts, after.run) == (Status.TODO, 0, None)
    assert team.story(task) == ["created", "todo -> in_progress", "in_progress -> todo"]
    assert team.is_sound()
    with pytest.raises(NotFoundError, match="none to stop"):
        standby.stop(team.layout, ADA, Order.NOW, wait=None)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own that can be filled."""
    with disks.small(tmp_path / "disk", size="6m") as place:
        yield place


@contextmanager
def filling(path: Path, *, once: Path) -> Iterator[None]:
    """Take what room there is, and each bit that is freed, from the moment on that the file `once` is there."""
    over = threading.Event()

    def fill() -> None:
        until(once.exists)
        with path.open("wb", buffering=0) as file:
            while not over.is_set():
                with suppress(OSError):
                    file.write(b"x" * 4096)

    thread = threading.Thread(target=fill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("how", ["now", "signal"])
def test_on_a_full_disk_a_team_can_be_stopped_and_the_run_says_why_it_failed(disk: Path, how: str) -> None:
    with contextmanager(make_team)(disk / "project") as team:
        team.agent("cat /dev/zero > big 2>&-; exit 0")
        task = team.add()
        argv = [sys.executable, "-m", "orchgit", "serve"]
        with (
            filling(disk / "filler", once=team.workspaces / task / "big"),
            subprocess.Popen(argv, cwd=team.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as serve,
        ):
            until(lambda: any(each.result.exists() for each in team.runs()))
            assert serve.poll() is None
            if how == "now":
                standby._stop_loop(team.layout, ADA, Order.NOW, None, None)
            else:
                serve.terminate()
            said, _ = serve.communicate()
        run = team.task(task).run
        assert (serve.returncode, run is None) in ((1, False), (0, True))  # the room of its result may do to record it
        (disk / "filler").unlink()
        if run is not None:
            assert f"No space left on device: {team.layout.local}. Nothing is lost; " in said
            assert f"ERROR    run={run}  task={task}  agent=bot  " in said
            team.run(control=Control(draining=True))
        assert team.story(task)[:2] == ["created", "todo -> in_progress"]
        assert team.task(task).run is None
        assert team.trailers("orchestry")["Reason"].startswith("its work could not be committed: ")
        assert team.is_sound()


def test_where_none_runs_there_is_none_to_stop(team: Team) -> None:
    orders.appear(team.layout)  # one that has died
    with pytest.raises(NotFoundError, match="No team is running here"):
        standby.stop(team.layout, ADA, Order.DRAIN, wait=None)


def test_an_agent_stops_and_pauses_nobody(team: Team) -> None:
    by = agent("bot")
    with pytest.raises(RefusedError, match="An agent may not pause"):
        standby.pause(team.layout, by)
    with pytest.raises(RefusedError, match="An agent may not resume"):
        standby.resume(team.layout, by)
    with pytest.raises(RefusedError, match="An agent may not stop"):
        standby.stop(team.layout, by, Order.NOW, wait=0)


def test_paused_nothing_starts_until_resumed_whoever_runs(team: Team) -> None:
    team.agent("true")
    task = team.add()
    assert standby.pause(team.layout, ADA)
    assert not standby.pause(team.layout, ADA)
    assert team.run().paused
    assert team.task(task).status is Status.TODO
    with serving(team) as told:
        until(lambda: texts(told, "paused"))
        assert standby.resume(team.layout, ADA)
        until(lambda: team.task(task).status is Status.REVIEW)
    assert texts(told, "paused") == [
        "paused by Ada Lovelace: nothing is started until `orchgit resume`",
        "resumed",
    ]
    assert not standby.resume(team.layout, ADA)


def test_a_fault_that_passes_is_told_once_and_ends_nothing(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.agent("true")
    faults: list[str] = []

    def full(*_: object, **__: object) -> None:
        faults.append("once more")
        raise OSError(errno.ENOSPC, "No space left on device")

    task = team.add()
    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "prepare", full)
        with serving(team, tick=0.01) as told:
            until(lambda: len(faults) > 2)
            assert team.task(task).status is Status.TODO
            assert list(team.layout.runs.iterdir()) == []
            patch.undo()
            until(lambda: team.task(task).status is Status.REVIEW)
    fault, over = texts(told, "error")
    assert fault.startswith(f"No space left on device: {team.layout.local}. Nothing is lost; ")
    assert [each.task and each.task.id for each in told if each.kind == "error"] == [task, None]
    assert over == "what failed works again"
    assert team.story(task) == ["created", "todo -> in_progress", "in_progress -> review"]


def test_a_fault_ends_a_loop_that_is_to_end_by_itself(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.agent("true")
    team.add()
    team.git("branch", "--move", "main", "trunk")
    with pytest.raises(NotFoundError, match="The base branch 'main'"):
        team.run()


def test_where_no_process_can_be_started_nothing_is_committed(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.agent("true")
    task = team.add()

    def refuse(*_: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "start", refuse)
        with pytest.raises(BlockingIOError):
            team.tick()
    assert list(team.layout.runs.iterdir()) == []
    team.run()
    assert team.story(task) == ["created", "todo -> in_progress", "in_progress -> review"]


def test_a_runner_that_never_starts_fails_its_task_in_the_end(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.agent("true")
    task = team.add()
    monkeypatch.setattr(dispatch, "_RUNNER", "import sys; sys.exit('no module named anything')")
    team.run()
    assert team.task(task).status is Status.FAILED
    assert team.reasons()[-1] == "its runner never started: no module named anything (3 times in a row)"
    assert team.story(task) == ["created", *("todo -> in_progress", "in_progress -> todo") * 2,
                                "todo -> in_progress", "in_progress -> failed"]  # fmt: skip


def test_without_watches_the_slow_tick_does_it_all(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(Watcher, "start", refuse)
    with serving(team, tick=0.02) as told:
        assert texts(told, "watch") == [
            "Files can't be watched ([Errno 28] inotify watch limit reached): changes are seen at the slow tick."
        ]
        team.agent("true")
        task = team.add()
        until(lambda: team.task(task).status is Status.REVIEW)


def test_a_broken_config_is_told_and_the_last_good_one_stays(team: Team) -> None:
    team.set("scheduling.max_concurrent_agents", 1)
    good = (team.layout.state / "config.yaml").read_text()
    with serving(team) as told:
        repos.write(team.layout.state, {"config.yaml": f"{good}\nscheduling: nonsense\n"})
        until(lambda: texts(told, "edit"))
        team.agent("true")
        task = team.add()
        until(lambda: team.task(task).status is Status.REVIEW)
    line = good.count("\n") + 2
    assert [each for each in told if each.level is Level.WARNING] == [
        Notice("edit", told[[each.kind for each in told].index("edit")].text, Level.WARNING)
    ]
    assert texts(told, "edit")[0].startswith(f"config.yaml:{line}: ")
    assert team.state.config.max_concurrent_agents == 1


def test_a_team_does_not_begin_with_a_broken_config(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchgit.repository import store

    team.agent("true")
    team.add()
    repos.commit(team.layout.state, {"config.yaml": "project: [\n"}, "break it")
    monkeypatch.setattr(store, "_last", {})  # as a process that begins
    with pytest.raises(InvalidFileError, match=r"^config\.yaml:\d: "):
        team.run()
    repos.commit(team.layout.state, {"config.yaml": "project:\n  base: main\n"}, "mend it")
    team.run()
    assert set(team.statuses().values()) == {"review"}
