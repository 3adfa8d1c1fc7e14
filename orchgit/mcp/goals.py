"""What may be asked of goals, a method a tool; its docstring is what an agent reads of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from orchgit import api
from orchgit.mcp.said import beginning, plain, short, warned, whole
from orchgit.model import document
from orchgit.model import goal as goals
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import UsageError
from orchgit.model.goal import Status
from orchgit.model.task import Status as TaskStatus

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.api import Project
    from orchgit.model.goal import Goal

_SUMMARY = 1_000  # characters of what was said of each task; task_show has all


@dataclass(frozen=True, slots=True)
class Goals:
    """Of the project that `place` lies in."""

    place: Path

    def goal_list(self, status: str = "") -> dict[str, Any]:
        """List the goals, the oldest first, and how many of their tasks are done, of all that were not cancelled.

        status: active, paused, achieved or abandoned.
        """
        project = self._project()
        found = project.goals(status=_status(status) if status else None)
        count = project.progress(found)
        return plain({
            "goals": [{**_goal(each), "done": count[each.id].done, "all": count[each.id].all} for each in found]
        })  # fmt: skip

    def goal_show(self, id: str) -> dict[str, Any]:  # noqa: A002
        """Show a goal: what is wanted, its tasks and what they wait for, what was said last of those that have ended.

        id: the goal's id, or its first characters, three or more.
        """
        project = self._project()
        found = project.goal(id)
        tasks = project.tasks_of_goal(found.id)
        pasts = project.pasts(tasks)
        told = [
            {
                **short(project, each),
                "purpose": each.purpose,
                "summary": beginning(pasts[each.id].summary, _SUMMARY) if each.id in pasts else "",
                "reason": (project.reason(each.id) or "") if each.status is TaskStatus.FAILED else "",
            }
            for each in tasks
        ]
        body = document.parse(project.text(found.path)).body.strip()
        count, work = Counter(each.status.value for each in tasks), goals.progress(tasks)
        return plain({
            **_goal(found), "body": body, "done": work.done, "all": work.all, "count": dict(count), "tasks": told,
        })  # fmt: skip

    def goal_status(self, id: str, status: str) -> dict[str, Any]:  # noqa: A002
        """Say how a goal stands: active, paused, achieved or abandoned. Only an active goal's tasks are started.

        An agent of the team may say only that a goal is achieved, and only where it was given the task to judge that.
        """
        return plain(_goal(self._project().set_goal_status(id, _status(status))))

    def goal_add(self, title: str, *, description: str = "", assignee: str = "") -> dict[str, Any]:
        """Set a goal and return it with its id. description: what is true when it is achieved, in Markdown.

        assignee: an agent, or a team, that plans it: a task to do so is made, and its plan waits for approval where
        that agent's approval policy asks for it. Without one, add its tasks yourself: task_add with `goal`.
        """
        project = self._project()
        made = project.add_goal(title, description=description, assignee=assignee or None)
        return plain({**_goal(made), **warned(project.doubts_of_goal(made))})

    def goal_plan(self, id: str) -> dict[str, Any]:  # noqa: A002
        """Give the goal's agent the task to plan it, once more or for the first time."""
        return whole(self._project().plan_goal(id))

    def goal_approve(self, id: str) -> dict[str, Any]:  # noqa: A002
        """Approve the plan, or the assessment, of a goal that waits for review: what it made may start.

        Only where the person you work for has said that you may.
        """
        return whole(self._project().approve_goal(id).task)

    def goal_reject(self, id: str, reason: str) -> dict[str, Any]:  # noqa: A002
        """Send the plan of a goal that waits for review back; the tasks that it made are removed. reason: why."""
        project = self._project()
        task, taken = project.reject_goal(id, reason=reason)
        named = {"removed": [each.id for each in taken.removed], "cancelled": [each.id for each in taken.cancelled]}
        said = warned(project.doubts_of_removal([*taken.removed, *taken.cancelled]))
        return plain({"task": whole(task), **named, **said})

    def _project(self) -> Project:
        return api.open_project(self.place)


def _goal(found: Goal) -> dict[str, Any]:
    return {key: getattr(found, key) for key in found.__slots__}


def _status(word: str) -> Status:
    try:
        return Status(word)
    except ValueError:
        raise UsageError(f"{word!r} is no status of a goal.", f"There are: {', '.join(Status)}.") from None
