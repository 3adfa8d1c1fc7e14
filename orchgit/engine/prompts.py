"""What an agent is told: what is known of a task, filled into the agent's template, the project's, or our own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchgit.engine import pasts
from orchgit.model import agent as agent_file
from orchgit.model import context, criteria, document, feedback, foreign, limits, standing, team
from orchgit.model import task as task_file
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError
from orchgit.repository import resources, states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orchgit.engine.moved import Moved
    from orchgit.engine.pasts import Past, Pasts
    from orchgit.engine.whereabouts import Where
    from orchgit.model.agent import Agent
    from orchgit.model.letter import Letter
    from orchgit.model.skill import Skill
    from orchgit.model.task import Task
    from orchgit.repository.states import State

    Values = dict[str, object]

_NEW, _AGAIN, _AT_WORK = "prompt.md", "resume.md", "message.md"
_LONGEST_VALUE = 20_000  # characters of a value of the context; the agent can ask for all of it
_A_PERSONS = "mind it as far as it concerns your task"


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is to be told, of which task. `behind` holds the pasts of it and of what it depends on.

    `read` returns what a file of the state folder says, None where there is none. `letters` are the messages to carry,
    `attached` where the files lie that belong to the task, `skills` the agent's, of which its CLI loads `loaded` by
    itself. `moved` says how far the base branch has gone on without the task's.
    """

    state: State
    task: Task
    agent: Agent
    behind: Pasts
    read: Callable[[str], str | None]
    letters: tuple[Letter, ...] = ()
    attached: tuple[str, ...] = ()
    skills: tuple[Skill, ...] = ()
    loaded: tuple[Skill, ...] = ()
    moved: Moved | None = None

    @property
    def text(self) -> str:
        """What the task's file says."""
        return self.read(self.task.path) or ""

    @property
    def past(self) -> Past | None:
        return self.behind.get(self.task.id)


def words(subject: Subject, where: Where) -> str:
    """Return the prompt of a run that begins afresh; InvalidFileError names the template and its line."""
    from orchgit.model import prompt

    filled = _values(subject, where)
    for path in (agent_file.prompt_path(subject.agent.name), states.PROMPT):
        if (own := subject.read(path)) is not None:
            return prompt.render(own, filled, path=path)
    return prompt.render(resources.template(_NEW), filled, path=f"templates/{_NEW}")


def further_words(subject: Subject, where: Where, *, known: str, told: str, had: Mapping[str, str]) -> str:
    """Return what is new to an agent that goes on with a session, which ended when the task's file said `known`.

    `told` is the prompt that it was given last: what stands there of the context is not told again. `had` are the
    digests of the skills that it had, by name.
    """
    from orchgit.model import prompt

    changed = subject.task.review_criteria != _criteria(subject.task.path, known)
    now, section = _description(subject.text), feedback.added(_feedback(known), _feedback(subject.text))
    news = {
        "description": now if now != _description(known) else "",
        "feedback": feedback.told(section, subject.state.agents),
        "review_criteria": [criteria.words(each) for each in subject.task.review_criteria] if changed else [],
        "skills": [_skill(each) for each in _spoken(subject) if had.get(each.name) != each.digest],
        "reload": [each.name for each in subject.loaded if had.get(each.name, each.digest) != each.digest],
    }
    filled = {**_values(subject, where), "news": news}
    filled["context"] = [each for each in _context(subject) if each["value"] not in told]
    return prompt.render(resources.template(_AGAIN), filled, path=f"templates/{_AGAIN}")


def _values(subject: Subject, where: Where) -> Values:
    """Return what `model.prompt.SAMPLE` has an example of."""
    task, agent, config = subject.task, subject.agent, subject.state.config
    text, past = subject.text, subject.past
    said = feedback.told(_feedback(text), subject.state.agents)
    return {
        "project": {"name": config.project_name, "base": config.project_base},
        "agent": {
            "name": agent.name, "role": agent.role, "model": agent.model or "",
            "adapter": agent.adapter or config.agent_adapter,
            "mcp_servers": [each.name for each in agent.mcp_servers],
        },
        "task": {
            "id": task.id, "title": task.title, "priority": standing.priority(task, config),
            "labels": list(task.labels), "scope": list(task.scope),
            "review_criteria": [criteria.words(each) for each in task.review_criteria],
            "goal": task.goal or "", "branch": where.branch,
            "attachments": list(subject.attached), "description": _description(text), "feedback": said,
        },
        "feedback": said,
        "goal": _goal(subject),
        "teams": list(_teams(subject)),
        "dependencies": list(_dependencies(subject)),
        "context": _context(subject),
        "messages": [_message(each) for each in subject.letters],
        "skills": [_skill(each) for each in _spoken(subject)],
        "attempt": task.attempts + 1,
        "max_attempts": limits.max_attempts(task, agent, config),
        "previous": _previous(past, agent) if past else None,
        "moved": _moved(subject.moved) if subject.moved else None,
        "workspace_path": where.path.as_posix(),
        "workspace_mode": where.mode,
    }  # fmt: skip


def _spoken(subject: Subject) -> list[Skill]:
    """Return the skills that a prompt has to tell of."""
    return [each for each in subject.skills if each not in subject.loaded]


def _skill(each: Skill) -> Values:
    return {"name": each.name, "text": each.text}


def _goal(subject: Subject) -> Values | None:
    goal = subject.state.goals.get(subject.task.goal or "")
    if goal is None:
        return None
    body = document.body_of(subject.read(goal.path) or "")
    return {
        "id": goal.id, "title": goal.title, "status": goal.status.value,
        "description": foreign.marked(body.strip(), f"the goal {goal.id}"),
    }  # fmt: skip


def _teams(subject: Subject) -> Iterator[Values]:
    for each in team.of_agent(subject.agent.name, subject.state.teams):
        yield {
            "name": each.name, "lead": each.lead, "members": list(each.everyone),
            "description": foreign.marked(each.description, f"the team {each.name}"),
        }  # fmt: skip


def _dependencies(subject: Subject) -> Iterator[Values]:
    for each in pasts.done(subject.task, subject.state.known):
        past = subject.behind.get(each.id)
        yield {
            "id": each.id, "title": each.title, "agent": past.by if past else each.agent or "",
            "summary": foreign.marked(past.summary, f"{past.by}, on {each.id}") if past else "",
            "commit": each.review_commit or "", "branch": each.branch or "",
        }  # fmt: skip


def _context(subject: Subject) -> list[dict[str, str]]:
    """Return what the task's keys hold; the value of one that holds nothing is ""."""
    return [
        {"key": key, "value": foreign.marked(_kept(subject, key), f"the team's context, {key}")}
        for key in subject.task.context
    ]


def _kept(subject: Subject, key: str) -> str:
    path = context.path_of(key)
    try:
        text = subject.read(path)
        value = context.parse(path, document.encode(text)) if text is not None else None
    except InvalidFileError:
        return ""  # `orchgit check` names it
    if value is None or value.is_over(datetime.now(UTC)):
        return ""
    if len(value.text) <= _LONGEST_VALUE:
        return value.text
    more = f"... ({len(value.text):,} characters in all: orchgit context get {key})"
    return f"{value.text[:_LONGEST_VALUE]}\n{more}"


def _message(said: Letter) -> Values:
    return {
        "id": said.id, "sender": said.sender, "by_agent": said.by_agent, "channel": said.channel,
        "reply_to": said.reply_to or "", "text": marked(said),
    }  # fmt: skip


def told_at_work(said: Letter) -> str:
    """Return a message as an agent is told it in the middle of its work."""
    from orchgit.model import prompt

    return prompt.render(resources.template(_AT_WORK), {"message": _message(said)}, path=f"templates/{_AT_WORK}")


def marked(said: Letter) -> str:
    """Return a message as a prompt has it, its subject inside: all that its sender chose stands between the marks."""
    words = f"Subject: {said.subject}\n\n{said.text}" if said.subject else said.text
    if said.by_agent:
        return foreign.marked(words, said.sender)
    return foreign.marked(words, f"{said.sender}, a person", weight=_A_PERSONS)


def _previous(past: Past, agent: Agent) -> Values:
    said = past.ended.message
    attempt, reason = (said.get("Attempt") or "").partition("/")[0], said.get("Reason") or ""
    return {
        "attempt": int(attempt) if attempt.isdecimal() else None, "agent": past.by, "status": past.status,
        "reason": reason if past.by == agent.name else foreign.marked(reason, f"{past.by}'s CLI"),
        "summary": foreign.marked(past.summary, past.by),
    }  # fmt: skip


def _moved(moved: Moved) -> Values:
    return {"commits": moved.commits, "conflicts": list(moved.conflicts), "merge": moved.merge}


def _description(text: str) -> str:
    return document.without_section(text, task_file.FEEDBACK).strip()


def _criteria(path: str, text: str) -> tuple[str, ...]:
    try:
        return task_file.read(path, text).review_criteria
    except InvalidFileError:
        return ()


def _feedback(text: str) -> str:
    return document.section(text, task_file.FEEDBACK)
