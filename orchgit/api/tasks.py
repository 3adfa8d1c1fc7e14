"""The tasks of an open project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.api.opened import Opened
from orchgit.model.errors import AmbiguousError, NotFoundError, RefusedError
from orchgit.model.task import Status
from orchgit.repository import store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchgit.engine.review import Approved
    from orchgit.engine.tasks import Wish
    from orchgit.model.errors import InvalidFileError
    from orchgit.model.task import Task


class Tasks(Opened):
    """Tasks: read them, make and change them, answer what waits for review."""

    __slots__ = ()

    def tasks(
        self,
        *,
        status: Status | str | None = None,
        assignee: str | None = None,
        label: str | None = None,
        goal: str | None = None,
    ) -> list[Task]:
        """Return the tasks that fit every filter given, most pressing first."""
        from orchgit.model import standing

        found = self._fitting(self.state.tasks.values(), status, assignee, label, goal)
        return sorted(found, key=lambda task: standing.order(task, self.state.config))

    def _fitting(
        self, tasks: Iterable[Task], status: str | None, assignee: str | None, label: str | None, goal: str | None
    ) -> list[Task]:
        from orchgit.model import standing

        wanted = Status(status) if status else None
        assignee = self.state.who(assignee) if assignee else None
        if goal:
            from orchgit.engine.tasks import whole_goal

            goal = whole_goal(self.state, goal)
        return [task for task in tasks if standing.fits(task, status=wanted, assignee=assignee, label=label, goal=goal)]

    def ready(self) -> list[str]:
        """Return the ids of the tasks that wait for nothing but a team that runs."""
        from orchgit.engine import readiness

        return readiness.ready(self.state)

    def unstaffed(self) -> dict[str, str]:
        """Return why no agent here can do them, by the ids of the waiting tasks of which that is so."""
        from orchgit.engine import readiness

        return readiness.unstaffed(self.state, by=self.caller.name)

    def task(self, word: str) -> Task:
        """Return the task that `word`, an id or a prefix of one, names; where no other does, one in the archive."""
        try:
            return self.state.task(word)
        except AmbiguousError:
            raise
        except NotFoundError:
            found = store.in_archive(self.layout, self.state.tip, word)
            if found is None:
                raise
            return found

    def _movable(self, word: str) -> Task:
        """Return the task that `word` names; RefusedError where it is in the archive, since nothing moves there."""
        found = self.task(word)
        if found.is_archived:
            what = f"{found.id} is {found.status}, and archived."
            raise RefusedError(what, f"`orchgit task retry {found.id}` starts a cancelled one over.")
        return found

    def archived(
        self,
        *,
        status: Status | str | None = None,
        assignee: str | None = None,
        label: str | None = None,
        goal: str | None = None,
    ) -> tuple[list[Task], list[InvalidFileError]]:
        """Return the archived tasks that fit every filter given, the last closed first, and what is wrong with files.

        It reads the whole archive.
        """
        tasks, broken = store.all_archived(self.layout, self.state.tip)
        fitting = self._fitting(tasks, status, assignee, label, goal)
        return sorted(fitting, key=lambda task: (task.closed is not None, task.closed, task.id), reverse=True), broken

    def archive(self, *words: str) -> list[Task]:
        """Move closed tasks to the archive, those named or all that are due, and return them."""
        from orchgit.engine import moves

        wanted = [self._movable(word) for word in words] if words else None
        return moves.archive(self.layout, self.caller, wanted)

    def attachments(self, word: str) -> tuple[str, ...]:
        """Return where the attachments of a task lie, relative to the state folder."""
        from orchgit.repository import attachments

        return attachments.of(self.layout, self.state.tip, self.task(word).id)

    def add_task(self, wish: Wish, *, text: str = "", source: str = "task.md", attach: Iterable[Path] = ()) -> Task:
        """Make a task of `wish`, on top of the Markdown `text` where one is given; errors in it name `source`.

        The files `attach` are kept with it on the state branch, in the same commit.
        """
        from orchgit.engine import tasks
        from orchgit.repository import attachments

        attached = attachments.load(attach)
        return tasks.add(self.layout, self._planner(), wish, text=text, source=source, attached=attached)

    def edit_task(self, word: str, wish: Wish) -> Task:
        from orchgit.engine import tasks

        return tasks.edit(self.layout, self._planner(), self._movable(word), wish)

    def rewrite_task(self, word: str, *, base: str, typed: str) -> Task:
        """Take over a task's file as somebody typed it, who began with the text `base`."""
        from orchgit.engine import tasks

        return tasks.rewrite(self.layout, self._planner(), self._movable(word), base=base, typed=typed)

    def take(self, word: str, *, branch: bool = False) -> Task:
        from orchgit.engine import moves

        return moves.take(self.layout, self.caller, self._movable(word), branch=branch)

    def submit(
        self, word: str, *, commit: str | None = None, start: str | Path = ".", allow_empty: bool = True
    ) -> Task:
        """Hand in `commit`, else the tip of the task's branch, else what is checked out where `start` lies.

        RefusedError where nobody named a commit and this one changes no file, unless `allow_empty`.
        """
        from orchgit.engine import moves

        found = self._movable(word)
        return moves.submit(
            self.layout, self.state, self.caller, found, commit=commit, start=Path(start), allow_empty=allow_empty
        )

    def way_to_work(self, task: Task) -> str:
        """Return the command that brings a person to where they can work at a task that they took."""
        from orchgit.engine import whereabouts
        from orchgit.repository import worktrees

        if task.branch is None:
            return f"git switch -c {whereabouts.branch_of(task)} {self.state.config.project_base}"
        if worktrees.of_branch(self.layout, task.branch) is not None:
            return f'cd "$(orchgit workspace path {task.id})"'
        return f"git switch {task.branch}"

    def release(self, word: str) -> Task:
        from orchgit.engine import moves

        return moves.release(self.layout, self.caller, self._movable(word))

    def cancel(self, word: str) -> Task:
        from orchgit.engine import moves

        return moves.cancel(self.layout, self.state, self.caller, self._movable(word))

    def retry(self, word: str) -> Task:
        from orchgit.engine import moves

        return moves.retry(self.layout, self.caller, self.task(word))

    def delete_task(self, word: str) -> Task:
        from orchgit.engine import moves

        return moves.delete(self.layout, self.state, self.caller, self._movable(word))

    def kept_work(self, task: Task) -> str | None:
        """Return the ref or the branch under which the work of a task is kept that is gone; None where it had none."""
        from orchgit.repository import attempts, refs

        tip = refs.branch(task.branch, common=self.layout.common) if task.branch else None
        if tip is not None:
            return task.branch
        return attempts.recorded(self.layout, task.id, task.review_commit) if task.review_commit else None

    def moved_on(self, task: Task) -> str | None:
        """Return the tip of the branch of a task in review, where it has moved on since the review began."""
        from orchgit.repository import refs

        if task.status is not Status.REVIEW or not task.branch or self._now is None:
            return None
        tip = refs.branch(task.branch, common=self.layout.common)
        return tip if tip != task.review_commit else None

    def approve(self, word: str, *, commit: str | None = None) -> Approved:
        from orchgit.engine import review

        return review.approve(self.layout, self.state, self._movable(word), self._decider(), commit=commit)

    def reject(self, word: str, *, reason: str = "") -> Task:
        from orchgit.engine import review

        return review.reject(self.layout, self._movable(word), self._decider(), reason=reason)
