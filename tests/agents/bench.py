"""A project with a team of real agents, each of which asks the scripted model at an address of its own."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from orchgit.model import config, document, usage, yamltext
from orchgit.model.trailers import Message
from orchgit.repository import runs, store
from orchgit.repository.layout import STATE_REF, Layout
from tests.support import cli, clis, repos
from tests.support.model_server import server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from orchgit.model.run import Result
    from orchgit.model.usage import Usage
    from orchgit.repository.states import State
    from tests.support.cli import Said
    from tests.support.clis import Cli
    from tests.support.model_server.script import Thought, Turn
    from tests.support.model_server.server import Model

PATIENCE = 240.0  # seconds until a test that waits gives up: real agents are slow where machines are busy
SETTINGS = {("scheduling", "retry_base_delay_ms"): 0, ("defaults", "agent", "stall_timeout_ms"): 120_000}
# A command that a tool is at work on until it is ended; `held` knows it by its pid.
HOLDS = "echo $$ > \"$HOME/holds.pid\"; exec python3 -c 'import time; time.sleep(600)'"
_GIT_CONFIG = (
    "[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
)


@dataclass
class Bench:
    project: Path
    home: Path
    model: Model
    env: dict[str, str]
    tasks: dict[str, str] = field(default_factory=dict)  # an agent's name: the task that it was given last
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def layout(self) -> Layout:
        return Layout(self.project, self.project / ".git")

    def ok(self, *args: str, stdin: str = "") -> Said:
        return cli.ok(self.project, *args, stdin=stdin, **self.env)

    def type_(self, *args: str) -> Said:
        return cli.type_(self.project, *args, **self.env)

    @property
    def state(self) -> State:
        return store.read(self.layout, self.git("rev-parse", STATE_REF))

    def agent(self, kind: Cli, name: str, *turns: Turn | Thought, role: str = "", **settings: Any) -> None:
        """Put an agent on the team whose model plays `turns`: by its file, for a command takes a process."""
        url = self.model.play(name, *turns)
        env = dict(clis.environment(kind, self.home, name, url))
        given = {"adapter": kind.name, "model": kind.model, "max_retries": 0, **settings, "env": env}
        self._type(f"agents/{name}.md", given, role)

    def task(self, agent: str, title: str = "", *, description: str = "") -> str:
        """Give an agent a task, by its file too, and return its id."""
        made = f"tsk_{next(self._numbers):06}"
        given = {"id": made, "title": title or f"Do what {agent} does", "status": "todo", "assignee": agent}
        self._type(f"tasks/{made}.md", given, description)
        self.tasks[agent] = made
        return made

    def _type(self, path: str, keys: Mapping[str, Any], body: str) -> None:
        text = document.edit("", keys)
        (self.layout.state / path).write_text(document.replace_body(text, f"{body}\n"))

    def configure(self, settings: Mapping[tuple[str, ...], Any]) -> None:
        place = self.layout.state / config.PATH
        place.write_text(yamltext.edit(place.read_text(), settings))

    def show(self, task: str) -> Any:
        return self.ok("task", "show", task, "--json").data

    def status(self, task: str) -> str:
        """Return the task's status; "" where its file was not taken in yet."""
        found = self.state.tasks.get(task)
        return found.status.value if found else ""

    @contextmanager
    def served(self) -> Iterator[subprocess.Popen[bytes]]:
        """Let the team work; what still runs at the end is stopped, and the team has ended."""
        argv = [sys.executable, "-m", "orchgit", "serve", "--tick-interval", "1000"]
        with (self.home / "serve.log").open("ab") as log:
            process = subprocess.Popen(argv, cwd=self.project, env={**os.environ, **self.env}, stdout=log, stderr=log)
        try:
            yield process
        finally:
            if process.poll() is None:
                self.type_("stop", "--now")
            assert process.wait(PATIENCE) == 0, (self.home / "serve.log").read_text()

    def results(self, task: str) -> list[Result]:
        """Return how the task's runs ended, oldest first."""
        found = [runs.read_result(each) for each in runs.all_of(self.layout) if runs.task_of(each) == task]
        return [each for each in reversed(found) if each is not None]

    def ended(self) -> list[Result]:
        """Return how all runs ended that have."""
        return [found for each in runs.all_of(self.layout) if (found := runs.read_result(each)) is not None]

    def result(self, task: str) -> Result:
        """Return how the task's first run ended, once it has."""
        until(lambda: self.results(task), f"{task} never ended: {self._log()}")
        return self.results(task)[0]

    def settled(self, task: str, *statuses: str) -> None:
        """Return when the task's status is one of these."""
        until(lambda: self.status(task) in statuses, f"{task} was never {statuses}: {self._log()}")

    def held(self) -> int:
        """Return the pid of the tool that holds, once it is at work."""
        place = self.home / "holds.pid"
        until(lambda: place.exists() and place.read_text().strip(), f"the tool was never started: {self._log()}")
        return int(place.read_text())

    def story(self, task: str) -> list[dict[str, str]]:
        """Return the trailers of the task's transitions, oldest first."""
        said = self.git("log", "--reverse", "-z", "--format=%(trailers:only,unfold)", f"--grep=Task: {task}", STATE_REF)
        records = (record.splitlines() for record in said.split("\0"))
        found = [{key: value for key, _, value in (line.partition(": ") for line in record)} for record in records]
        return [each for each in found if "Transition" in each]

    def total(self, tasks: Iterable[str]) -> Usage:
        """Return what the commits say that the runs of these tasks used."""
        said = (each["Tokens"] for task in tasks for each in self.story(task) if "Tokens" in each)
        found = (usage.from_trailers(Message("", trailers=(("Tokens", tokens),))) for tokens in said)
        return _plain(sum((each for each in found if each), usage.Usage()))

    def stats(self, agent: str) -> Usage:
        """Return what `orchgit stats` says that an agent used."""
        (used,) = (row["used"] for row in self.ok("stats", "--json").data["rows"] if row["key"] == agent)
        return _plain(usage.Usage(**used))

    def git(self, *args: str) -> str:
        return repos.git(self.project, *args)

    def left(self) -> list[str]:
        """Return the processes that live in this home still."""
        return [" ".join(words(each)) for each in psutil.process_iter() if variable(each, "HOME") == str(self.home)]

    def _log(self) -> str:
        return (self.home / "serve.log").read_text()[-3000:]


def make(root: Path) -> Iterator[Bench]:
    """Make a project and a model, and end both; AssertionError where a process is left."""
    home = root / "home"
    home.mkdir(parents=True)
    (home / "gitconfig").write_text(_GIT_CONFIG)
    with server.serving() as model:
        env = _environment(home, clis.link_all(root / "bin"), model.url)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in env.items():
                patch.setenv(name, value)
            project = repos.make_repo(root / "project")
        bench = Bench(project, home, model, env)
        bench.ok("init")
        bench.configure(SETTINGS)
        yield bench
    assert bench.left() == []


def until(condition: Callable[[], object], words: str = "it never held") -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, words
        time.sleep(0.2)


def _environment(home: Path, binaries: Path, url: str) -> dict[str, str]:
    """Return what a person's shell has: a home of its own, the agents on the PATH, and no way out but `url`."""
    return {
        "HOME": str(home),
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "HTTPS_PROXY": url,
        "HTTP_PROXY": url,
        "NO_PROXY": "127.0.0.1,localhost",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        clis.KEY: "made-up-key-of-nobody",
    }


def words(process: psutil.Process) -> list[str]:
    """Return the command line of a process; none where it is gone or not ours."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def variable(process: psutil.Process, name: str) -> str | None:
    """Return a variable of a process; None where it has none, is gone or not ours."""
    try:
        return process.environ().get(name)
    except (psutil.Error, OSError):
        return None


def given(model: Model, name: str) -> Usage:
    """Return what whole answers to `name` used."""
    found = model.given[name]
    return usage.Usage(found.fresh + found.stored, found.output + found.reasoning, found.cached)


def _plain(used: Usage) -> Usage:
    """Return tokens alone, with the reasoning in the output: Anthropic's counters don't tell them apart."""
    return usage.Usage(used.input, used.output + used.reasoning, used.cache)
