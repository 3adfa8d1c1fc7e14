"""What a run begins with: the place, the session that it goes on with, and its prompt."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.engine import deliveries, drivers, letters, moved, pasts, prompts, sessions, skills, whereabouts
from orchgit.engine.prompts import Subject
from orchgit.model import choosing, team
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import NotFoundError, RefusedError
from orchgit.model.task import Status
from orchgit.repository import attachments, loose, runs, store

if TYPE_CHECKING:
    from orchgit.adapters.protocol import Adapter
    from orchgit.engine.pasts import Past
    from orchgit.engine.whereabouts import Where
    from orchgit.model.agent import Agent
    from orchgit.model.config import Config
    from orchgit.model.run import Session
    from orchgit.model.skill import Skill
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State


@dataclass(frozen=True, slots=True)
class Brief:
    """`agent` has the project's defaults where its file doesn't say; with a `session`, `words` are only what is new.

    `skills` are the agent's, of which its CLI loads `loaded` itself.
    """

    agent: Agent
    adapter: Adapter
    where: Where
    words: str
    session: Session | None
    skills: tuple[Skill, ...]
    loaded: tuple[Skill, ...]


def driver(agent: Agent, config: Config) -> tuple[Adapter, Agent]:
    """Return what drives an agent, and the agent with the project's defaults where its file doesn't say."""
    name = agent.adapter or config.agent_adapter
    try:
        found = drivers.find(name)
    except RefusedError as error:
        raise RefusedError(f"Agent {agent.name} can't be started: {error.what}", error.next_step) from error
    policy = agent.approval_policy or config.agent_approval_policy
    return found, replace(agent, adapter=name, approval_policy=policy)


def brief(layout: Layout, subject: Subject) -> Brief:
    """Return what a run begins with."""
    task, config = subject.task, subject.state.config
    where, (adapter, agent) = whereabouts.of(layout, config, task, subject.agent), driver(subject.agent, config)
    said = replace(agent, role="") if adapter.takes_role(agent) else agent
    known_skills = tuple(skills.of(agent, subject.read))
    loaded = tuple(each for each in known_skills if each.wanted and adapter.takes_skills(agent))
    attached = tuple(attachments.lying(layout, task.id))
    gone_on = moved.of(layout, where, base=config.project_base) if task.branch else None
    subject = replace(subject, agent=said, attached=attached, skills=known_skills, loaded=loaded, moved=gone_on)
    session, past = sessions.to_go_on_with(layout, subject, adapter, where), subject.past
    if session is None or past is None:
        return Brief(agent, adapter, where, prompts.words(subject, where), None, known_skills, loaded)
    known = ""
    with suppress(NotFoundError):  # its file was called otherwise then: all that it says counts as new
        known = store.text(layout, past.ended.commit, task.path)
    had = dict(runs.read_spec(runs.folder(layout, past.run or "")).skills)
    words = prompts.further_words(subject, where, known=known, told=_last_prompt(layout, past), had=had)
    return Brief(agent, adapter, where, words, session, known_skills, loaded)


def _last_prompt(layout: Layout, past: Past) -> str:
    place = runs.folder(layout, past.run) if past.run else None
    return place.prompt.read_text(encoding="utf-8") if place and place.prompt.is_file() else ""


def prompt(layout: Layout, state: State, task: Task) -> str:
    """Return the prompt of the next run, where there is one to come; else of the run that has the task, or the last."""
    if task.status not in (Status.TODO, Status.RETRYING):
        return _given(layout, state, task)

    def read(path: str) -> str | None:
        if path not in state.items and path != task.path and not loose.belongs(path):
            return None
        with suppress(NotFoundError):
            return store.text(layout, state.tip, path)
        return None

    behind, agent = pasts.behind(layout, state, [task]), _likely(state, task)
    mail = deliveries.carried(letters.unread(layout, state.tip, agent.name, now=datetime.now(UTC)))
    return brief(layout, Subject(state, task, agent, behind, read, tuple(mail))).words


def _given(layout: Layout, state: State, task: Task) -> str:
    past = None if task.run else pasts.of(layout, state.tip, [task.id]).get(task.id)
    run = task.run or (past.run if past else None)
    if run is None:
        raise NotFoundError(f"{task.id} is {task.status}, and no agent has worked on it.")
    place = runs.folder(layout, run)
    if not place.prompt.is_file() and not place.spec.is_file() and (result := runs.read_result(place)):
        step = f"Once that is mended, `orchgit task retry {task.id}` begins it anew."
        raise NotFoundError(f"{run} never had a prompt: {result.reason.partition(chr(10))[0]}", step)
    if not place.prompt.is_file():
        raise NotFoundError(f"The prompt of {run} is not in this clone.", "It is kept where the run was.")
    return place.prompt.read_text(encoding="utf-8")


def _likely(state: State, task: Task) -> Agent:
    """Return the agent that the task would be given to, were all of them free."""
    if task.assignee is not None and task.assignee in state.agents:
        return state.agents[task.assignee]
    if task.assignee is not None and task.assignee not in state.teams:
        raise RefusedError(f"{task.id} waits for {task.assignee}, who is no agent and is given no prompt.")
    free = choosing.room((each for each in state.agents.values() if each.enabled), ())
    claiming = [name for name in free if team.claims(name, state.teams)]
    free = choosing.able(task, free, claiming=claiming, teams=state.teams)
    if not free:
        raise RefusedError("There is no agent to give a prompt to.", "`orchgit agent add NAME` makes one.")
    return choosing.suited(task, state.agents, free, dict.fromkeys(free, 0))
