"""What a person may do next about a goal: where it waits for them, and where nobody would go on by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.model import goal as goals
from orchgit.model.dataclass import dataclass
from orchgit.model.task import CLOSED, Purpose, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchgit.api import Project
    from orchgit.model.goal import Goal
    from orchgit.model.task import Task


@dataclass(frozen=True, slots=True)
class Step:
    """`why` is a clause, `command` what answers it; `more` follows where there is room for it."""

    why: str
    command: str
    more: str = ""

    def __str__(self) -> str:
        end = "" if self.why.endswith("?") else ":"
        return f"{self.why}{end} {self.command}"

    @property
    def whole(self) -> str:
        words = str(self)
        return f"{words[:1].upper()}{words[1:]}{self.more}"


def step(project: Project, goal: Goal, tasks: Sequence[Task]) -> Step | None:
    """Return what a person may do next about an active goal, whose tasks these are; None where it goes on by itself."""
    if goal.status is not goals.Status.ACTIVE:
        return None
    asked = [each for each in tasks if each.purpose and each.status not in CLOSED]
    if failed := next((each for each in asked if each.status is Status.FAILED), None):
        return _once_more(project, failed)
    if _waits_for_word(project, goal, tasks):
        more = f"\nIf not, `orchgit task add TITLE --goal {goal.id}` adds what is missing."
        return Step("is it achieved?", f"orchgit goal status {goal.id} achieved", more)
    if goals.has_work(goal.id, tasks):
        return None
    if any(each.status is Status.REVIEW and each.review_commit == each.review_base for each in asked):
        more = "\nThat has it made again, with your reason."
        return Step("nothing is left of its plan", f"orchgit goal reject {goal.id} -r WHY", more)
    return None if asked else _begin(project, goal)


def words(project: Project, goal: Goal, tasks: Sequence[Task]) -> str:
    """Return what a person may do next about any goal, or what comes by itself, in a sentence or two; "": nothing."""
    waits = next((each for each in tasks if each.purpose and each.status is Status.REVIEW), None)
    if waits and waits.purpose is Purpose.ASSESS:
        return (
            f"{waits.id} waits for you. If it is achieved: orchgit goal status {goal.id} achieved. If not: orchgit "
            f"goal approve {goal.id} starts what it found missing, orchgit goal reject {goal.id} -r WHY has it look "
            "again."
        )
    if found := step(project, goal, tasks):
        return found.whole
    if waits:
        return f"{waits.id} waits for you: orchgit goal approve {goal.id}, or orchgit goal reject {goal.id} -r WHY"
    if goal.status is goals.Status.ACTIVE and goals.awaits_verdict(tasks):
        agent = _planner(project, goal)
        return f"All of its tasks are closed: {agent} is asked whether it is achieved when the team runs."
    if goal.status is goals.Status.PAUSED and any(each.status not in CLOSED for each in tasks):
        return f"None of its tasks is started: orchgit goal status {goal.id} active resumes it."
    return ""


def _once_more(project: Project, failed: Task) -> Step:
    what = "its plan" if failed.purpose is Purpose.PLAN else "the task that asks whether it is achieved"
    reason = project.reason(failed.id)
    return Step(f"{what} failed", f"orchgit task retry {failed.id}", f"\nIt failed because: {reason}" if reason else "")


def _begin(project: Project, goal: Goal) -> Step:
    if agent := _planner(project, goal):
        return Step("no task serves it", f"orchgit goal plan {goal.id}", f"\nThat has {agent} plan it.")
    return Step("no task serves it", f"orchgit task add TITLE --goal {goal.id}")


def _waits_for_word(project: Project, goal: Goal, tasks: Sequence[Task]) -> bool:
    """Is all of the goal's work closed, and is a person to say whether it is achieved?"""
    asked = [task for task in tasks if task.purpose is Purpose.ASSESS and task.status is Status.REVIEW]
    tasks = [task for task in tasks if task not in asked]
    if not goals.is_worked_off(tasks):
        return False
    return bool(asked) or _planner(project, goal) is None or not goals.awaits_verdict(tasks)


def _planner(project: Project, goal: Goal) -> str | None:
    return goals.planner(goal, project.state.agents, project.state.teams)
