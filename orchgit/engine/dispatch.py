"""Starts runs: the folder, the prompt, the lock, and the runner's process."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

from orchgit.adapters.protocol import Job
from orchgit.engine import drivers
from orchgit.model import checkout, document, ids, limits, setup, standing, yamltext
from orchgit.model import task as task_file
from orchgit.model.errors import NotFoundError, RefusedError
from orchgit.repository import git, ledger, locks, machine, resources, runs, worktrees

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.adapters.protocol import Adapter
    from orchgit.model.agent import Agent
    from orchgit.model.config import Config
    from orchgit.model.run import Session
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


def branch_of(task: Task) -> str:
    return task.branch or f"{ids.WORK_BRANCHES}/{ids.named(task.id, task.title)}"


def check(agent: Agent, config: Config) -> None:
    """RefusedError where `agent` can't be started, whatever the task."""
    adapter, found = driver(agent, config)
    complaint = adapter.complaint(found)
    if complaint:
        raise RefusedError(
            f"Agent {agent.name} can't be started: {complaint}.", f"`orchgit agent edit {agent.name}` mends it."
        )


def driver(agent: Agent, config: Config) -> tuple[Adapter, Agent]:
    """Return what drives an agent, and the agent with the project's defaults where its file doesn't say."""
    name = agent.adapter or config.agent_adapter
    try:
        found = drivers.find(name)
    except RefusedError as error:
        raise RefusedError(f"Agent {agent.name} can't be started: {error.what}", error.next_step) from error
    policy = agent.approval_policy or config.agent_approval_policy
    return found, replace(agent, adapter=name, approval_policy=policy)


def prepare(layout: Layout, book: Book, place: Folder, task: Task, agent: Agent) -> None:
    """Write what the runner is told: the run's folder holds its spec, its prompt and its input when this returns."""
    config = book.state.config
    check(agent, config)
    where = _where(layout, config, task, agent)
    words = _prompt(book, task, agent, where)
    budget, session = limits.budget(task, agent, config), _session(place)
    adapter, agent = driver(agent, config)
    assert agent.adapter is not None
    job = Job(
        words, session.id if session else "", str(where.path), str(place.prompt), max_turns=budget.turns,
        max_cost_usd=budget.cost_usd, as_root=os.geteuid() == 0,
    )  # fmt: skip
    launch = adapter.launch(agent, job)
    place.prompt.write_text(words, encoding="utf-8")
    place.stdin.write_text(launch.stdin, encoding="utf-8")
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
    )  # fmt: skip
    if session:
        runs.write_session(place, session)  # the runner takes its counters from there
    runs.write_spec(place, spec)


def _session(_place: Folder) -> Session | None:
    """Return the session that a run goes on with, as the run before left it; None where it begins a new one."""
    return None


@dataclass(frozen=True, slots=True)
class _Where:
    """Where a run works: in which folder, on which branch, from which commit. `own_branch` is the task's, or ""."""

    mode: str
    path: Path
    branch: str
    own_branch: str
    base: str


def _where(layout: Layout, config: Config, task: Task, agent: Agent) -> _Where:
    mode, own, tip = checkout.mode(task, agent, config), _own_branch(task, agent, config), check_base(layout, config)
    if mode != setup.SHARED:
        return _Where(mode, worktrees.workspaces(layout, config) / task.id, own, own, tip)
    from orchgit.engine import shared

    branch, head = shared.check(layout)
    return _Where(mode, layout.root, branch, own, head or tip)


def _own_branch(task: Task, agent: Agent, config: Config) -> str:
    """Return the branch that the work is committed on for the agent; "" where none is."""
    uncommitted = checkout.is_shared(task, agent, config) and not config.shared_commit
    return "" if uncommitted else branch_of(task)


def keys(layout: Layout, config: Config, task: Task, agent: Agent, place: Folder) -> ledger.Values:
    """Return what the task's file says while the run owns it."""
    branch = _own_branch(task, agent, config) or yamltext.REMOVE
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


def check_base(layout: Layout, config: Config) -> str:
    """Return the tip of the base branch."""
    found = git.commit_of(f"refs/heads/{config.project_base}", cwd=layout.common)
    if found is None:
        raise NotFoundError(
            f"The base branch {config.project_base!r} doesn't exist.",
            "Set another: `orchgit config set project.base BRANCH`.",
        )
    return found


def _prompt(book: Book, task: Task, agent: Agent, where: _Where) -> str:
    from orchgit.model import prompt

    config = book.state.config
    body = document.parse(book.text(task.path)).body
    feedback = document.section(body, task_file.FEEDBACK)
    values = {
        "project": {"name": config.project_name, "base": config.project_base},
        "agent": {"name": agent.name, "role": agent.role, "model": agent.model or ""},
        "task": {
            "id": task.id, "title": task.title, "priority": standing.priority(task, config),
            "labels": list(task.labels), "branch": where.branch,
            "description": document.without_section(body, task_file.FEEDBACK).strip(), "feedback": feedback.strip(),
        },
        "attempt": task.attempts + 1,
        "max_attempts": limits.max_attempts(task, agent, config),
        "workspace_path": where.path.as_posix(),
        "workspace_mode": where.mode,
    }  # fmt: skip
    if book.exists(prompt.PATH):
        return prompt.render(book.text(prompt.PATH), values)
    return prompt.render(resources.template("prompt.md"), values, path="templates/prompt.md")
