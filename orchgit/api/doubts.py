"""What whoever asks an open project may not have meant, though it is granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.api.opened import Opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchgit.model.agent import Agent
    from orchgit.model.goal import Goal
    from orchgit.model.task import Task

_NAMED = 5  # files that can't be read, before a count stands for the rest


class Doubts(Opened):
    """Sentences that the command line prints on stderr, and tools give back; of two lines where a next step follows."""

    __slots__ = ()

    def doubts_of_task(self, task: Task) -> list[str]:
        """Return what is doubtful about a task that was made or changed: its goal or its assignee is nobody's here."""
        goal = f"{task.goal} is not a goal here: `orchgit goal list` shows them."
        lost = task.goal and task.goal not in self.state.goals
        stranger = self.state.stranger(task.assignee) if task.assignee else ""
        return [*([goal] if lost else []), *([stranger] if stranger else [])]

    def doubts_of_agent(self, agent: Agent) -> list[str]:
        """Return that a new agent is called what Git calls the person, where that is so."""
        from orchgit.repository import identity

        if identity.machine(self.layout.common).name != agent.name:
            return []
        what = f"Git calls you {agent.name} too: what is sent to that name goes to the agent, and never to you."
        return [f"{what}\nGive it another name, or set `git config user.name` to one of your own."]

    def doubts_of_goal(self, goal: Goal) -> list[str]:
        """Return what is doubtful about a goal that was made or changed."""
        name, state = goal.assignee, self.state
        if not name or name in state.agents or name in state.teams:
            return []
        return [f"{name} is no agent and no team here: {goal.id} is a person's to plan."]

    def doubts_of_name(self, name: str | None) -> list[str]:
        """Return that no agent, no team and no task knows the name that tasks were asked for by, where that is so."""
        known = (each for task in self.state.tasks.values() for each in (task.assignee, task.agent))
        if not name or not self.state.stranger(name) or name in known:
            return []
        return [f"{name!r} is no agent and no team here, and no task is for them."]

    def doubts_of_removal(self, removed: Sequence[Task]) -> list[str]:
        """Return which open tasks wait for one of those that were removed or cancelled."""
        from orchgit.model.task import CLOSED

        gone = {each.id for each in removed}
        return [
            f"{each.id} depends on what is taken back, and waits for good now: {each.title}"
            for each in self.refresh().tasks.values()
            if each.status not in CLOSED and gone & set(each.depends_on)
        ]

    def doubts_of_files(self, *, wholly: bool = False) -> list[str]:
        """Return which files were refused or can't be read: they are in nobody's list, or not as typed.

        Several that were refused are only counted, unless `wholly`.
        """
        broken, refused = self.state.broken, self.refused()
        said = [_refused(error.what, error.next_step) for error in refused]
        if len(refused) > 1 and not wholly:
            said = [
                f"{len(refused)} files were refused, stay as typed, and are not in force; `orchgit status` says why."
            ]
        said += [error.what for error in broken[:_NAMED]]
        if more := len(broken[_NAMED:]):
            said.append(f"{more} more can't be read; `orchgit check` names all of them.")
        return said


def _refused(what: str, next_step: str) -> str:
    words = f"{what.removesuffix('.')}. It stays as typed, and is not in force."
    return f"{words}\n{next_step}" if next_step else words
