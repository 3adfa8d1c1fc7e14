"""A team at work in a real repository: agents are shell commands, the loop runs in the test's own process."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psutil

from orchgit.engine import agents, clearing, descendants, loop, moves, perform, review, settings, tasks
from orchgit.engine.snapshot import Observer
from orchgit.engine.tasks import Wish
from orchgit.model import scheduling
from orchgit.model.actor import Actor, Kind
from orchgit.repository import find, git, locks, mount, runs, store
from orchgit.repository.layout import STATE_REF
from tests.support import copies, repos

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orchgit.engine.loop import Control
    from orchgit.engine.review import Approved
    from orchgit.engine.telling import Happening, Notice
    from orchgit.model.scheduling import Snapshot
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.runs import Folder
    from orchgit.repository.states import State

ADA = Actor(Kind.PERSON, "Ada Lovelace", "ada@example.org")


@dataclass
class Team:
    layout: Layout
    happened: list[Happening] = field(default_factory=list)
    noticed: list[Notice] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.layout.root

    @property
    def workspaces(self) -> Path:
        return self.root.with_name(f"{self.root.name}.orchgit")

    @property
    def state(self) -> State:
        return store.read(self.layout, git.text("rev-parse", STATE_REF, cwd=self.layout.common))

    def agent(self, command: str, name: str = "bot", **values: Any) -> None:
        agents.add(self.layout, ADA, name, {"adapter": "shell", "command": command, **values})

    def add(self, title: str = "Do it", **wishes: Any) -> str:
        """Add a task and return its id."""
        return tasks.add(self.layout, ADA, Wish(title=title, **wishes)).id

    def task(self, word: str) -> Task:
        return self.state.task(word)

    def statuses(self) -> dict[str, str]:
        return {task.title: task.status.value for task in self.state.tasks.values()}

    def set(self, key: str, value: object) -> None:
        settings.change(self.layout, ADA, key, str(value))

    def lose_base(self) -> None:
        """Let the base branch be one that is gone."""
        self.git("branch", "nowhere")
        self.set("project.base", "nowhere")
        self.git("branch", "--quiet", "-D", "nowhere")

    def run(self, *, watch: bool = False, control: Control | None = None, only: str | None = None) -> Snapshot:
        until = loop.Until.STOPPED if watch else loop.Until.SETTLED
        report, notify = self.happened.append, self.noticed.append
        return loop.run(self.layout, until=until, report=report, notify=notify, control=control, only=only)

    def tick(self) -> None:
        """Decide and perform once, as a loop that is killed right after it."""
        now = datetime.now(UTC)
        actions = scheduling.decide(Observer(self.layout).take(), now)
        perform.all_of(self.layout, actions, now=now, report=self.happened.append)
        clearing.wait()

    def reasons(self) -> list[str]:
        return [each.reason for each in self.happened if each.reason]

    def rests(self) -> list[str]:
        """Return what was told of agents that are given nothing for a while."""
        return [each.text for each in self.noticed if each.kind == "rest"]

    def approve(self, task: str, *, commit: str | None = None) -> Approved:
        return review.approve(self.layout, self.state, self.task(task), ADA, commit=commit)

    def reject(self, task: str, reason: str = "") -> Task:
        return review.reject(self.layout, self.task(task), ADA, reason=reason)

    def cancel(self, task: str) -> Task:
        return moves.cancel(self.layout, self.state, ADA, self.task(task))

    def release(self, task: str) -> Task:
        return moves.release(self.layout, ADA, self.task(task))

    def place(self, task: str) -> Folder:
        """Return the folder of the run that owns the task."""
        run = self.task(task).run
        assert run is not None
        return runs.folder(self.layout, run)

    def runs(self) -> list[Folder]:
        """Return the folders of all runs, oldest first."""
        return list(runs.all_of(self.layout))[::-1]

    def attempts(self, task: str) -> list[str]:
        """Return the commits that are kept of the task."""
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/orchgit/attempts/{task}").split()

    def keeps(self, task: str, path: str, content: str | None = None) -> bool:
        """Does any kept commit of the task have the file, with that content?"""
        found = [commit for commit in self.attempts(task) if path in self.files(commit)]
        return any(content in (None, self.show(commit, path)) for commit in found)

    def files(self, revision: str) -> list[str]:
        return self.git("ls-tree", "-r", "--name-only", revision).splitlines()

    def show(self, revision: str, path: str) -> str:
        return self.git("show", f"{revision}:{path}")

    def git(self, *args: str | Path) -> str:
        return repos.git(self.root, *args)

    def story(self, task: str) -> list[str]:
        """Return the task's transitions, oldest first."""
        said = self.git("log", "--reverse", "--format=%s", "--fixed-strings", f"--grep=Task: {task}", STATE_REF)
        return [line.partition("): ")[2] for line in said.splitlines()]

    def trailers(self, revision: str) -> dict[str, str]:
        said = self.git("log", "-1", "--format=%(trailers:only,unfold)", revision).splitlines()
        return {key: value for key, _, value in (line.partition(": ") for line in said if line)}

    def is_sound(self) -> bool:
        return repos.is_sound(self.root) and repos.is_clean(self.root) and repos.is_clean(self.layout.state)

    def runner(self, place: Folder) -> psutil.Process:
        while True:  # between fork and exec it is not to be told from us
            for each in psutil.Process().children():
                if str(place.path) in _words(each):
                    return each
            assert locks.is_held(place.runner_lock), "the runner has ended"

    def kill_runner(self, place: Folder) -> None:
        runner = self.runner(place)
        runner.send_signal(signal.SIGKILL)
        runner.wait()

    def end(self) -> None:
        """End whatever a test left at work."""
        for place in runs.all_of(self.layout):
            if locks.is_held(place.runner_lock) or locks.is_held(place.agent_lock):
                descendants.end(place.id, lock=place.runner_lock)
                descendants.end(place.id, lock=place.agent_lock)


def make_team(root: Path) -> Iterator[Team]:
    team = Team(find.locate(copies.of(_make_project, root)).layout)
    yield team
    team.end()


def _make_project(root: Path) -> None:
    Team(mount.init(repos.make_repo(root)).layout).set("scheduling.retry_base_delay_ms", 0)


def remembered(call: Callable[..., Any], into: list[Any]) -> Callable[..., Any]:
    """Return `call`, which notes its first argument each time."""

    def noting(*args: Any, **options: Any) -> Any:
        into.append(args[0])
        return call(*args, **options)

    return noting


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
