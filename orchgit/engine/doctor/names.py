"""What agents, tasks and settings name: does it exist?"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

from orchgit.engine import dispatch, programs, readiness, whereabouts
from orchgit.engine.doctor.finding import Finding, Level, of_error
from orchgit.model import standing
from orchgit.model.actor import Kind
from orchgit.model.errors import OrchgitError
from orchgit.model.task import CLOSED, Status
from orchgit.repository import git, loose

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchgit.engine.doctor.finding import Scene
    from orchgit.model.agent import Agent
    from orchgit.model.task import Task

_VERSION_WITHIN = 5.0  # seconds
_PLAIN = re.compile(r"[\w./+@%~-]+")  # a word of a command that no shell makes another one of
_ASSIGNMENT = re.compile(r"\w+=.*", re.DOTALL)


def base(scene: Scene) -> Iterator[Finding]:
    if scene.state.fault is not None:
        return
    if not scene.state.config.project_base:
        fix = "Add it to config.yaml, and commit that."
        yield Finding(Level.ERROR, "config.yaml doesn't say `project.base`.", "No work can begin or be merged.", fix)
        return
    try:
        whereabouts.check_base(scene.layout, scene.state.config)
    except OrchgitError as error:
        yield of_error(error, "No work can begin or be merged.")


def agents(scene: Scene) -> Iterator[Finding]:
    known = sorted(scene.state.agents.values(), key=lambda each: each.name)
    if not known:
        fix = "`orchgit agent add NAME --command '...'` makes one."
        yield Finding(Level.INFO, "The team has no agents.", "Tasks wait, but for those that you take yourself.", fix)
    if scene.by.kind is Kind.PERSON and scene.by.name in scene.state.agents:
        what = f"{scene.by.name} is an agent, and what Git calls you."
        fix = "`git config user.name` sets your name, or give the agent another."
        yield Finding(Level.WARNING, what, "What is sent to that name goes to the agent, and never to you.", fix)
    for agent in known:
        if agent.enabled:
            yield _startable(scene, agent)
            for words in dispatch.limitations(agent, scene.state.config):
                yield Finding(Level.INFO, f"{agent.name}: {words}", "", _edit(agent))


def _startable(scene: Scene, agent: Agent) -> Finding:
    try:
        dispatch.check(agent, scene.state.config)
        program = programs.find(agent, scene.state.config)
    except OrchgitError as error:
        return of_error(error, f"{agent.name} can do nothing.")
    if (agent.adapter or scene.state.config.agent_adapter) == "shell":
        return _shell(scene, agent, program.env)
    if program.place is None:
        return _missing(agent, program.name)
    return Finding(Level.OK, f"{agent.name}: {program.place}{_version(program.place, program.env)}")


def _shell(scene: Scene, agent: Agent, env: Mapping[str, str]) -> Finding:
    word = _program(agent.command or "")
    if word is None:
        return Finding(Level.OK, f"{agent.name}: a command of the shell")
    if "/" in word and not os.path.isabs(os.path.expanduser(word)):  # noqa: PTH111, PTH117 - a word, not a path of ours
        in_base = f"refs/heads/{scene.state.config.project_base}:{os.path.normpath(word)}"
        if git.call("cat-file", "-e", in_base, cwd=scene.layout.common).code == 0:
            return Finding(Level.OK, f"{agent.name}: {word}, in the project")
        what = f"{agent.name} runs {word}, which the base branch doesn't have."
        return Finding(Level.WARNING, what, "Its runs fail, unless something puts that file there.", _edit(agent))
    asked = ["/bin/sh", "-c", 'command -v -- "$1"', "sh", os.path.expanduser(word)]  # noqa: PTH111
    done = subprocess.run(asked, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return _missing(agent, word)
    return Finding(Level.OK, f"{agent.name}: {done.stdout.strip() or word}")


def _missing(agent: Agent, program: str) -> Finding:
    what = f"{agent.name} runs {program}, which is not on the PATH."
    return Finding(Level.ERROR, what, "Its runs fail at once.", f"Install {program}. {_edit(agent)}")


def _edit(agent: Agent) -> str:
    return f"`orchgit agent edit {agent.name}` changes what it runs."


def _program(command: str) -> str | None:
    """Return the program that a shell command begins with; None where only a shell could tell."""
    try:
        words = shlex.split(command, comments=True)
    except ValueError:
        return None
    word = next((word for word in words if not _ASSIGNMENT.fullmatch(word)), "").rstrip(";")
    return word if _PLAIN.fullmatch(word) else None


def _version(program: str, env: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            [program, "--version"], env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=_VERSION_WITHIN, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ", which doesn't say its version"
    return f", {done.stdout.strip().partition(chr(10))[0]}" if done.stdout.strip() else ""


def tasks(scene: Scene) -> Iterator[Finding]:
    known = scene.state.tasks
    knots = standing.tangled(known)
    unstaffed = readiness.unstaffed(scene.state, by=scene.by.name)
    told: set[str] = set()
    kept = loose.keys(scene.layout, scene.state.tip)
    for task in sorted(known.values(), key=lambda each: each.id):
        if task.status in CLOSED:
            continue
        way = standing.deadlock(task, known) if task.id in knots else ()
        if way and not told & set(way):
            told |= set(way)
            what = f"These wait for each other: {' -> '.join(way)}."
            yield Finding(Level.WARNING, what, "None of them ever starts.", _edit_needs(way[0]))
        yield from _needs(scene, task)
        if task.id in unstaffed:
            yield _unstaffed(scene, task, unstaffed[task.id])
        yield from _goal(scene, task)
        yield from _context(task, kept)


def goals(scene: Scene) -> Iterator[Finding]:
    for goal in sorted(scene.state.goals.values(), key=lambda each: each.id):
        known = {**scene.state.agents, **scene.state.teams}
        if goal.assignee is not None and goal.assignee not in known and not goal.is_over:
            what = f"{goal.id} is for {goal.assignee}, who is no agent and no team here."
            fix = f"`orchgit goal update {goal.id} --assignee NAME` gives it to another."
            yield Finding(Level.INFO, what, "A person plans it, and says when it is achieved.", fix)


def teams(scene: Scene) -> Iterator[Finding]:
    for team in sorted(scene.state.teams.values(), key=lambda each: each.name):
        lost = [name for name in team.everyone if name not in scene.state.agents]
        if lost:
            what = f"The team {team.name} has members who are no agents here: {', '.join(lost)}."
            fix = f"`orchgit team leave {team.name} {lost[0]}` takes one out."
            if team.lead in lost:
                fix = f"`orchgit team set-lead {team.name} AGENT` gives it another lead."
            yield Finding(Level.WARNING, what, "They are given nothing.", fix)


def _needs(scene: Scene, task: Task) -> Iterator[Finding]:
    for needed, how in standing.blockers(task, scene.state.tasks):
        if how == Status.CANCELLED or (how == "missing" and scene.is_gone(needed)):
            said = "doesn't exist" if how == "missing" else "was cancelled"
            what = f"{task.id} depends on {needed}, which {said}."
            yield Finding(Level.WARNING, what, "It waits for good.", _edit_needs(task.id))


def _edit_needs(task: str) -> str:
    return f"`orchgit task edit {task} --depends-on ...` says what it is to wait for."


def _unstaffed(scene: Scene, task: Task, why: str) -> Finding:
    known = {**scene.state.agents, **scene.state.teams}
    is_unknown = task.assignee is not None and task.assignee not in known
    meaning = "Only a person of that name may take it." if is_unknown else "No run of it ever starts."
    return Finding(
        Level.WARNING, f"{task.id} {why}.", meaning, f"`orchgit task assign {task.id} AGENT` gives it to another."
    )


def _context(task: Task, kept: frozenset[str]) -> Iterator[Finding]:
    missing = [key for key in task.context if key not in kept]
    if missing and task.status in (Status.TODO, Status.RETRYING):
        what = f"{task.id} names what the context doesn't have: {', '.join(missing)}."
        yield Finding(Level.INFO, what, "Its prompt says so.", f"`orchgit context set {missing[0]} VALUE` sets it.")


def _goal(scene: Scene, task: Task) -> Iterator[Finding]:
    if task.goal is not None and task.goal not in scene.state.goals:
        what = f"{task.id} serves the goal {task.goal}, of which there is no file."
        yield Finding(
            Level.INFO, what, "Nothing waits for it.", f"`orchgit task edit {task.id} --goal NAME` names another."
        )
