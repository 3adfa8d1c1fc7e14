"""A project in which a team works while somebody kills it, again and again, and a person does what persons do."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from orchgit import api
from orchgit.engine.environment import MARKER
from orchgit.engine.tasks import Wish
from orchgit.model.errors import OrchgitError
from orchgit.model.task import Status, Task
from orchgit.repository import locks, mount
from tests.support import repos
from tests.support.soak import plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchgit.api import Project
    from orchgit.repository.layout import Layout
    from tests.support.soak.plan import Planned

_SETTINGS = {
    "scheduling.max_concurrent_agents": "8",
    "scheduling.max_concurrent_retries": "8",
    "scheduling.poll_interval_ms": "2000",
    "scheduling.retry_base_delay_ms": "200",
    "scheduling.retry_max_delay_ms": "1000",
    "defaults.task.max_attempts": str(plan.ATTEMPTS),
    "defaults.agent.stall_timeout_ms": "6000",
}
_LOOK = 0.25  # seconds between two looks of the person and of whoever kills
_AT_ONCE = 3  # of the person's commands a look
_SETTLED = (Status.DONE, Status.FAILED, Status.CANCELLED)


@dataclass
class World:
    """`killed` are the runs whose runner was killed, `struck` those whose agent was; both may have ended before."""

    folder: Path
    seed: int
    planned: list[Planned]
    pause: float
    tell: Callable[[str], None]
    layout: Layout = field(init=False)
    killed: set[str] = field(default_factory=set)
    struck: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    faults: dict[str, int] = field(default_factory=dict)
    serves: int = 0
    _server: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.chance, self.fate = random.Random(f"{self.seed} person"), random.Random(f"{self.seed} faults")
        self.layout = mount.init(repos.make_repo(self.folder / "project"), offline=True).layout
        project = self.project()
        for key, value in _SETTINGS.items():
            project.set_config(key, value)
        script = plan.write(self.folder / "script", self.seed, self.planned)
        for name in plan.AGENTS:
            project.add_agent(name, {"adapter": "shell", "command": f"exec sh '{script}'"})
        for each in self.planned:
            wish = Wish(title=each.title, priority=each.priority, depends_on=each.depends_on)
            project.add_task(wish, text=f"---\nid: {each.id}\ntitle: {each.title}\n---\nDo it.\n")

    @property
    def seen(self) -> Path:
        return self.folder / "script" / "seen"

    @property
    def log(self) -> Path:
        return self.folder / "serve.log"

    def project(self) -> Project:
        return api.open_project(self.layout.root)

    def live(self, *, until: float) -> None:
        """Let the team work under faults until every task is settled, or until the time `until` (monotonic)."""
        over = threading.Event()
        haunting = threading.Thread(target=self._haunt, args=(over,))
        haunting.start()
        try:
            while time.monotonic() < until and not self._is_settled():
                self._serve()
                self._be_a_person()
                time.sleep(_LOOK)
        finally:
            over.set()
            haunting.join()
            self._kill_server()

    def calm_down(self) -> None:
        """Let what is left come to its end, without faults: a team that ends by itself, and a person between."""
        for _ in range(len(self.planned)):
            self._rouse()
            self._orchgit("serve", "--once", "--log-file", str(self.log), quiet=True)
            waiting = self.project().tasks(status="review")
            for task in waiting:
                self._approve(task)
            if not waiting and not self.project().rests() and self._is_settled():
                return
        raise AssertionError("it never settles")

    def _serve(self) -> None:
        if self._server is None or self._server.poll() is not None:
            assert self._server is None or self._server.returncode == -signal.SIGKILL, self.log.read_text()[-3000:]
            self._server = subprocess.Popen(
                [sys.executable, "-m", "orchgit", "serve", "--log-file", str(self.log)],
                cwd=self.layout.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            self.serves += 1

    def _is_settled(self) -> bool:
        tasks = {task.id: task for task in self.project().tasks()}
        return all(_is_over(task, tasks) for task in tasks.values())

    # A person

    def _be_a_person(self) -> None:
        project = self.project()
        tasks = project.tasks()
        waiting = [task for task in tasks if task.status is Status.REVIEW]
        for task in waiting[:_AT_ONCE]:
            with suppress(OrchgitError):
                if self.chance.random() < 0.04:
                    project.reject(task.id, reason="Once more, please.")
                else:
                    self._approve(task)
        with suppress(OrchgitError):
            self._rouse()
            self._meddle(project, [task for task in tasks if task.status not in _SETTLED])

    def _approve(self, task: Task) -> None:
        if self.chance.random() < 0.2:
            self._orchgit("task", "approve", task.id, quiet=True)
        else:
            self.project().approve(task.id)

    def _rouse(self) -> None:
        """See to the agents that rest: a change of their file is what ends it."""
        project = self.project()
        for name in project.rests():
            project.edit_agent(name, {}, role=f"Roused at {time.monotonic():g}.")

    def _meddle(self, project: Project, tasks: list[Task]) -> None:
        if not tasks or self.chance.random() > 0.1:
            return
        task = self.chance.choice(tasks)
        if self.chance.random() < 0.15:
            self.cancelled.add(task.id)
            project.cancel(task.id)
        else:
            project.edit_task(task.id, Wish(priority=self.chance.randint(1, 4), description="Do it well."))

    def _orchgit(self, *args: str, quiet: bool = False) -> int:
        return subprocess.run(
            [sys.executable, "-m", "orchgit", *args], cwd=self.layout.root, check=not quiet, capture_output=True
        ).returncode

    # Faults

    def _haunt(self, over: threading.Event) -> None:
        while not over.wait(self.fate.uniform(0.3, 1.7) * self.pause):
            self._fault()

    def _fault(self) -> None:
        faults: dict[str, tuple[int, Callable[[], None]]] = {
            "the team": (35, self._kill_server),
            "a runner": (25, self._kill_a_runner),
            "an agent": (15, self._kill_an_agent),
            "a runner and its agent": (10, self._kill_a_run),
            "a command": (8, self._kill_a_command),
            "everything": (7, self._kill_everything),
        }
        name = self.fate.choices(list(faults), [weight for weight, _ in faults.values()])[0]
        self.faults[name] = self.faults.get(name, 0) + 1
        self.tell(f"kill {name}")
        faults[name][1]()

    def _kill_server(self) -> None:
        if self._server is not None and self._server.poll() is None:
            self._server.kill()
            self._server.wait()

    def _kill_a_runner(self) -> None:
        if found := self._chosen(self.runners()):
            self._kill(found, self.killed)

    def _kill_an_agent(self) -> None:
        if found := self._chosen(self.marked()):
            self._kill(found, self.struck)

    def _kill_a_run(self) -> None:
        if found := self._chosen(self.runners()):
            self._kill(found, self.killed)
            for run, process in self.marked():
                if run == found[0]:
                    self._kill((run, process), self.struck)

    def _kill_a_command(self) -> None:
        """Kill a command in the middle of what it does, if it takes that long."""
        tasks = [task for task in self.project().tasks() if task.status not in _SETTLED]
        if not tasks:
            return
        task = self.fate.choice(tasks)
        words = ("approve", task.id) if task.status is Status.REVIEW else ("edit", task.id, "--title", f"{task.title}!")
        argv = [sys.executable, "-m", "orchgit", "task", *words]
        with subprocess.Popen(
            argv, cwd=self.layout.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as typed:
            time.sleep(self.fate.uniform(0.1, 0.5))
            typed.kill()

    def _kill_everything(self) -> None:
        self._kill_server()
        for each in self.runners():
            self._kill(each, self.killed)
        for each in self.marked():
            self._kill(each, self.struck)

    def _chosen(self, found: list[tuple[str, psutil.Process]]) -> tuple[str, psutil.Process] | None:
        return self.fate.choice(found) if found else None

    def _kill(self, found: tuple[str, psutil.Process], into: set[str]) -> None:
        into.add(found[0])
        with suppress(psutil.Error):
            found[1].kill()

    def runners(self) -> list[tuple[str, psutil.Process]]:
        """Return the runners that live, each with its run."""
        runs_folder = str(self.layout.runs)
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                last = (process.cmdline() or [""])[-1]
                if last.startswith(runs_folder):
                    found.append((Path(last).name, process))
        return found

    def marked(self) -> list[tuple[str, psutil.Process]]:
        """Return the processes that carry a run's mark, each with that run; those of other projects are not ours."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                run = process.environ().get(MARKER)
                if run and (self.layout.runs / run).exists():
                    found.append((run, process))
        return found

    def end(self) -> None:
        """End whatever is left, whatever went wrong."""
        self._kill_server()
        for _, process in [*self.runners(), *self.marked(), *self.hidden()]:
            with suppress(psutil.Error):
                process.kill()

    def hidden(self) -> list[tuple[str, psutil.Process]]:
        """Return the agents' children that hide and live on."""
        found = []
        for path in self.seen.glob("*.hidden"):
            with suppress(psutil.Error, ValueError):
                process = psutil.Process(int(path.read_text()))
                if process.cmdline()[-2:] == ["sleep", "900"] and process.status() != psutil.STATUS_ZOMBIE:
                    found.append((path.stem, process))
        return found

    def held_locks(self) -> list[str]:
        """Return the locks that somebody holds still, and those that git has left lying."""
        found = list(self.layout.common.rglob("*.lock"))
        ours = [path for path in found if self.layout.local in path.parents or path.name == "orchgit.lock"]
        held = [path for path in [self.layout.lock, *ours] if locks.is_held(path)]
        return sorted(str(path.relative_to(self.layout.common)) for path in {*held, *set(found).difference(ours)})

    def run_ids(self) -> set[str]:
        return {path.name for path in self.layout.runs.iterdir()} if self.layout.runs.is_dir() else set()


def _is_over(task: Task, tasks: dict[str, Task]) -> bool:
    """Will nothing more become of it: is it closed or failed, or does it wait for what will never be done?"""
    if task.status in _SETTLED:
        return True
    needed = [tasks[each] for each in task.depends_on]
    return task.status is Status.TODO and any(_is_lost(each, tasks) for each in needed)


def _is_lost(task: Task, tasks: dict[str, Task]) -> bool:
    return task.status in (Status.FAILED, Status.CANCELLED) or (
        task.status is not Status.DONE and _is_over(task, tasks)
    )
