"""What may be asked of tasks, a method a tool; its docstring is what an agent reads of it."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from orchgit import api
from orchgit.engine.tasks import Wish
from orchgit.mcp.said import count_of, plain, priority_of, short, warned, whole, words
from orchgit.model import document, standing
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import NotFoundError, UsageError
from orchgit.model.task import Status

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.api import Project

_DIFF = 60_000  # characters: what a context window bears
_LINES = 500


@dataclass(frozen=True, slots=True)
class Tasks:
    """Of the project that `place` lies in."""

    place: Path

    def status(self) -> dict[str, Any]:
        """How the team stands: how many tasks, what runs, what waits for review, what failed, who there is."""
        project = self._project()
        tasks = project.tasks()
        return plain({
            "project": project.config().project_name,
            "base": project.config().project_base,
            "team_is_running": project.is_team_running(),
            "you_are": project.caller.name,
            "tasks": dict(Counter(each.status.value for each in tasks)),
            "running": [short(project, each) for each in tasks if each.status is Status.IN_PROGRESS],
            "in_review": [short(project, each) for each in tasks if each.status is Status.REVIEW],
            "failed": [short(project, each) for each in tasks if each.status is Status.FAILED],
            "agents": [each.name for each in project.agents() if each.enabled],
            **warned(project.doubts_of_files(wholly=True)),
        })  # fmt: skip

    def task_list(
        self, status: str = "", assignee: str = "", label: str = "", goal: str = "", limit: int = 50
    ) -> dict[str, Any]:
        """List tasks, most pressing first. status: todo, in_progress, review, done, retrying, failed or cancelled.

        goal: those that serve it. limit: how many at most; left_off says how many more there are.
        """
        project = self._project()
        try:
            wanted = Status(status) if status else None
        except ValueError:
            raise UsageError(f"{status!r} is no status.", f"There are: {', '.join(Status)}.") from None
        found = project.tasks(status=wanted, assignee=assignee or None, label=label or None, goal=goal or None)
        listed = found[: count_of(limit, most=_LINES)]
        doubts = project.doubts_of_files() + ([] if found else project.doubts_of_name(assignee))
        return plain({
            "tasks": [short(project, each) for each in listed], "left_off": len(found) - len(listed),
            **warned(doubts),
        })  # fmt: skip

    def task_show(self, id: str) -> dict[str, Any]:  # noqa: A002
        """Show all of a task: its text, how it stands, what blocks it, what its agent said last, why it failed.

        id: the task's id, or its first characters, three or more.
        """
        project = self._project()
        found = project.task(id)
        past = project.past(found.id)
        return whole(
            found,
            body=document.parse(project.text(found.path)).body.strip(),
            blocked_by=dict(standing.blockers(found, project.state.known)),
            attachments=[str(project.layout.state / path) for path in project.attachments(found.id)],
            summary=past.summary if past else "",
            reason=project.reason(found.id) or "",
            used=project.last_used(found.id),
        )

    def task_add(
        self,
        title: str,
        *,
        description: str = "",
        assignee: str = "",
        priority: int | None = None,
        depends_on: list[str] | None = None,
        labels: list[str] | None = None,
        scope: list[str] | None = None,
        goal: str = "",
        context: list[str] | None = None,
        review_criteria: list[str] | None = None,
    ) -> dict[str, Any]:
        """Add a task for the team and return it with its id.

        description: Markdown that says what to change, where, and how to tell that it is done; the agent knows nothing
        else. assignee: an agent of agent_list; without one any free agent takes it. priority: 1 urgent to 4 low.
        depends_on: ids of tasks that must be merged before. scope: globs of the files that it may write to; tasks whose
        scopes overlap don't run side by side. context: keys of the shared context that its prompt carries.
        """
        wish = Wish(
            title=title,
            description=description or None,
            assignee=assignee or None,
            priority=priority_of(priority),
            depends_on=words(depends_on),
            labels=words(labels),
            scope=words(scope),
            goal=goal or None,
            context=words(context),
            review_criteria=words(review_criteria),
        )
        project = self._project()
        made = project.add_task(wish)
        return whole(made, **warned(project.doubts_of_task(made)))

    def task_edit(
        self,
        id: str,  # noqa: A002
        *,
        title: str | None = None,
        description: str | None = None,
        assignee: str | None = None,
        priority: int | None = None,
        depends_on: list[str] | None = None,
        labels: list[str] | None = None,
        scope: list[str] | None = None,
        goal: str | None = None,
    ) -> dict[str, Any]:
        """Change a task: what is given, and nothing else. A list replaces the one that is there; [] and "" empty it."""
        wish = Wish(
            title=title,
            description=description,
            assignee=assignee,
            priority=priority_of(priority),
            depends_on=words(depends_on),
            labels=words(labels),
            scope=words(scope),
            goal=goal,
        )
        project = self._project()
        after = project.edit_task(id, wish)
        return whole(after, **warned(project.doubts_of_task(after)))

    def task_logs(self, id: str, tail: int = 50) -> dict[str, Any]:  # noqa: A002
        """What the agent said in the newest run of a task: the last lines of it, 500 at most."""
        project = self._project()
        wanted = project.task(id).id
        from orchgit.repository import runs

        for place in project.runs():
            if runs.read_spec(place).task == wanted:
                lines = project.output(place, tail=count_of(tail, most=_LINES))
                said = [{"at": each.at, "type": each.kind, "text": each.text} for each in lines]
                return plain({"run": place.id, "lines": said})
        raise NotFoundError(f"No run of {wanted} is known here.", "It begins when the team runs.")

    def task_diff(self, id: str) -> dict[str, Any]:  # noqa: A002
        """The diff of the commit that a task has in review, or was done by. A long one is cut, and says so."""
        from orchgit.repository import git

        project = self._project()
        found = project.task(id)
        if not (found.review_base and found.review_commit):
            raise NotFoundError(f"{found.id} is {found.status}, and has handed in no commit.")
        command = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", found.review_base, found.review_commit, "--")
        text = git.run(*command, cwd=project.layout.common).out.decode(errors="replace")
        return {
            "base": found.review_base, "commit": found.review_commit, "branch": found.branch or "",
            "diff": text[:_DIFF], "is_cut": len(text) > _DIFF,
        }  # fmt: skip

    def task_history(self, id: str, limit: int = 20) -> dict[str, Any]:  # noqa: A002
        """What happened to a task, newest first: each transition, by whom, when, and why."""
        project = self._project()
        entries = project.history(task=project.task(id).id, limit=count_of(limit, most=_LINES))
        told = [
            {"at": each.at, "by": each.author, "what": each.message.subject, "reason": each.message.get("Reason") or ""}
            for each in islice(entries, _LINES)
        ]
        return plain({"history": told})

    def task_approve(self, id: str, commit: str = "") -> dict[str, Any]:  # noqa: A002
        """Approve a task in review: its reviewed commit is merged into the base branch, and it is done.

        Only where the person you work for has said that you may. commit: approve this one, where the branch moved on.
        """
        done = self._project().approve(id, commit=commit or None)
        return whole(done.task, merge=done.merge, base=done.base)

    def task_reject(self, id: str, reason: str) -> dict[str, Any]:  # noqa: A002
        """Send a task in review back to be done again. reason: what must change; its agent is told so."""
        return whole(self._project().reject(id, reason=reason))

    def task_retry(self, id: str) -> dict[str, Any]:  # noqa: A002
        """Start over a task that failed or was cancelled, or end the wait of one that is to be retried."""
        return whole(self._project().retry(id))

    def task_cancel(self, id: str) -> dict[str, Any]:  # noqa: A002
        """Cancel a task. A run of it is stopped first; what it did is kept under a ref."""
        return whole(self._project().cancel(id))

    def _project(self) -> Project:
        return api.open_project(self.place)
