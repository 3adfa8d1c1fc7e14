"""The goals of an open project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.api.tasks import Tasks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchgit.engine.plans import TakenBack
    from orchgit.engine.review import Approved
    from orchgit.model.goal import Goal, Progress
    from orchgit.model.goal import Status as GoalStatus
    from orchgit.model.task import Task


class Goals(Tasks):
    """Goals, and their plans."""

    __slots__ = ()

    def goals(self, *, status: GoalStatus | str | None = None) -> list[Goal]:
        """Return the goals, the oldest first; with `status` only those."""
        from orchgit.model.goal import Status as GoalStatus

        wanted = GoalStatus(status) if status else None
        found = (goal for goal in self.state.goals.values() if wanted in (None, goal.status))
        return sorted(found, key=lambda goal: goal.age_key)

    def progress(self, found: Iterable[Goal]) -> dict[str, Progress]:
        """Return how far each of the goals is, by its id; the tasks of those that are over may be in the archive."""
        from orchgit.model import goal as goals

        wanted = list(found)
        archived = self.archived()[0] if any(each.is_over for each in wanted) else []
        serving = goals.serving([*self.state.tasks.values(), *archived], [each.id for each in wanted])
        return {goal: goals.progress(each) for goal, each in serving.items()}

    def goal(self, word: str) -> Goal:
        """Return the goal that `word`, an id or a prefix of one, names."""
        return self.state.goal(word)

    def tasks_of_goal(self, word: str) -> list[Task]:
        """Return the tasks that serve the goal, most pressing first; those in the archive too."""
        from orchgit.model import standing

        goal = self.goal(word)
        found = [task for task in (*self.tasks(), *self.archived()[0]) if task.goal == goal.id]
        return sorted(found, key=lambda task: standing.order(task, self.state.config))

    def add_goal(self, title: str, *, description: str = "", assignee: str | None = None) -> Goal:
        """Make a goal; where an agent, or a team, has it, a task to plan it is made too."""
        from orchgit.engine import goals

        return goals.add(self.layout, self._decider(), title, description=description, assignee=assignee)

    def edit_goal(
        self, word: str, *, title: str | None = None, description: str | None = None, assignee: str | None = None
    ) -> Goal:
        from orchgit.engine import goals

        return goals.edit(self.layout, self._decider(), word, title=title, description=description, assignee=assignee)

    def rewrite_goal(self, word: str, *, base: str, typed: str) -> Goal:
        from orchgit.engine import goals

        return goals.rewrite(self.layout, self._decider(), word, base=base, typed=typed)

    def set_goal_status(self, word: str, status: GoalStatus | str) -> Goal:
        from orchgit.engine import goals
        from orchgit.model.goal import Status as GoalStatus

        return goals.set_status(self.layout, self._decider(), word, GoalStatus(status))

    def delete_goal(self, word: str) -> Goal:
        from orchgit.engine import goals

        return goals.delete(self.layout, self._decider(), word)

    def plan_goal(self, word: str) -> Task:
        """Make the task in which the goal's agent plans it."""
        from orchgit.engine import goals

        return goals.plan(self.layout, self._decider(), word)

    def approve_goal(self, word: str) -> Approved:
        """Approve the goal's plan, or its assessment, that waits for review: what it made may start."""
        from orchgit.engine import goals

        return self.approve(goals.approvable(self.state, word).id)

    def undo_plan(self, word: str, *, stop: bool = False) -> TakenBack:
        """Remove the tasks that the goal's last plan made, and cancel those that were begun.

        RefusedError where one is being worked on, unless `stop`: then that ends.
        """
        from orchgit.engine import plans

        return plans.undo(self.layout, self._decider(), word, stop=stop)

    def reject_goal(self, word: str, *, reason: str = "") -> tuple[Task, TakenBack]:
        """Take back what the plan in review made, and send it back; return its task, and what became of those."""
        from orchgit.engine import goals, plans

        waiting = goals.in_review(self.state, word)
        taken = plans.undo(self.layout, self._decider(), word, plan=waiting.id)
        return self.reject(waiting.id, reason=reason), taken
