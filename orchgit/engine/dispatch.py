"""Starts runs: the folder, the prompt, the lock, and the runner's process."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

from orchgit.adapters.protocol import Hears, Job
from orchgit.engine import briefing, deliveries, prompts, whereabouts
from orchgit.engine.prompts import Subject
from orchgit.model import foreign, ids, letter, limits, yamltext
from orchgit.model.errors import RefusedError
from orchgit.repository import ledger, locks, machine, runs

if TYPE_CHECKING:
    from orchgit.engine.pasts import Pasts
    from orchgit.model.agent import Agent
    from orchgit.model.config import Config
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.ledger import Book
    from orchgit.repository.runs import Folder


_RUNNER = "from orchgit.engine.runner import main; main()"


def new_run(layout: Layout) -> Folder:
    """Return the folder of a run that nobody has used yet, made."""
    while True:
        place = runs.folder(layout, ids.make(ids.RUN, secrets.randbelow(ids.SPACE)))
        if not place.path.exists():
            place.path.mkdir(parents=True)
            return place


def discard(place: Folder) -> None:
    """Forget a run that never came to be."""
    shutil.rmtree(place.path, ignore_errors=True)


def check(agent: Agent, config: Config, *, next_step: str = "") -> None:
    """RefusedError where `agent` can't be started, whatever the task; `next_step` where not that it is to be edited."""
    adapter, found = briefing.driver(agent, config)
    complaint = adapter.complaint(found)
    if complaint:
        next_step = next_step or f"`orchgit agent edit {agent.name}` mends it."
        raise RefusedError(f"Agent {agent.name} can't be started: {complaint}.", next_step)


def limitations(agent: Agent, config: Config) -> tuple[str, ...]:
    """Return which of the agent's settings its CLI can't do, a sentence each; nothing where it can't start anyway."""
    try:
        adapter, found = briefing.driver(agent, config)
    except RefusedError:
        return ()
    return adapter.limitations(found)


def prepare(layout: Layout, book: Book, place: Folder, task: Task, agent: Agent, *, behind: Pasts) -> None:
    """Write what the runner is told: the run's folder holds its spec, its prompt and its input when this returns.

    The messages that the prompt carries count as read, in the same write. `behind` holds the pasts of the task and of
    what it depends on.
    """
    config = book.state.config
    check(agent, config)

    def read(path: str) -> str | None:
        return book.text(path) if book.exists(path) else None

    mail = tuple(deliveries.waiting(book, agent.name, datetime.now(UTC)))
    told = briefing.brief(layout, Subject(book.state, task, agent, behind, read, mail))
    carried = [each for each in mail if foreign.stands_in(told.words, prompts.marked(each))]
    budget, agent, where = limits.budget(task, agent, config), told.agent, told.where
    assert agent.adapter is not None
    job = Job(
        told.words, told.session.id if told.session else "", str(where.path), str(place.prompt),
        max_turns=budget.turns, max_cost_usd=budget.cost_usd, as_root=os.geteuid() == 0,
        folder=str(place.path), skills=told.loaded,
    )  # fmt: skip
    launch = told.adapter.launch(agent, job)
    place.prompt.write_text(told.words, encoding="utf-8")
    place.stdin.write_text(launch.stdin, encoding="utf-8")
    for name, text in launch.files.items():
        (place.path / name).parent.mkdir(parents=True, exist_ok=True)
        (place.path / name).write_text(text, encoding="utf-8")
    if launch.hears == Hears.HOOKS:
        place.offers.mkdir()
    hook_timeout = agent.hook_timeout_ms if agent.hook_timeout_ms is not None else config.hook_timeout_ms
    spec = runs.Spec(
        run=place.id, task=task.id, agent=agent.name, title=task.title, attempt=task.attempts + 1,
        adapter=agent.adapter, argv=launch.argv, env=tuple({**dict(agent.env), **launch.env}.items()),
        root=str(layout.root), common=str(layout.common),
        workspace=str(where.path), branch=where.own_branch, base=where.base,
        timeout=limits.timeout(task, agent, config), stall_timeout=limits.stall_timeout(task, agent, config),
        started=datetime.now(UTC).isoformat(timespec="seconds"), agent_file=book.state.items[agent.path][0],
        hooks=tuple({**dict(config.hooks), **dict(agent.hooks)}.items()), hook_timeout=hook_timeout / 1000,
        bring=config.bring, bring_mode=config.bring_mode,
        max_turns=budget.turns, max_tokens=budget.tokens, max_cost_usd=budget.cost_usd,
        mode=where.mode, session=job.session, memo=launch.memo,
        messages=tuple(letter.read_path(each.path) for each in carried), hears=launch.hears or "",
        skills=tuple((each.name, each.digest) for each in told.skills),
    )  # fmt: skip
    if told.session:
        runs.write_session(place, told.session)  # the runner takes its counters from there
    runs.write_spec(place, spec)
    deliveries.deliver(book, place, carried)


def keys(layout: Layout, config: Config, task: Task, agent: Agent, place: Folder) -> ledger.Values:
    """Return what the task's file says while the run owns it."""
    branch = whereabouts.own_branch(task, agent, config) or yamltext.REMOVE
    return {"agent": agent.name, "run": place.id, "machine": machine.machine_id(layout), "branch": branch}


def start(place: Folder, lock: int) -> IO[bytes]:
    """Start the runner, which inherits `lock`, the held lock of its folder, and keeps it for as long as it lives.

    It loads what it needs and waits for `go` on what is returned; where that is closed without, it ends.
    """
    with place.runner_log.open("ab") as log:
        runner = subprocess.Popen(
            [sys.executable, "-c", _RUNNER, os.fspath(place.path)],
            cwd=place.path, stdin=subprocess.PIPE, stdout=log, stderr=log,
            pass_fds=(lock,), start_new_session=True, bufsize=0,
        )  # fmt: skip
    assert runner.stdin is not None
    threading.Thread(target=runner.wait, daemon=True, name=f"reap {place.id}").start()  # or it stays as a zombie
    return runner.stdin


def go(runner: IO[bytes]) -> None:
    """Let a runner that was started begin; one that has died meanwhile is found to be gone."""
    with suppress(BrokenPipeError):
        runner.write(b"\n")


def lock(place: Folder) -> int:
    held = locks.take(place.runner_lock)
    assert held is not None, f"{place.id} is new and yet somebody holds it"
    return held
