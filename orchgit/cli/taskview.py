"""One task on the screen: its settings, what to do, and what waits for review."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchgit.cli import show
from orchgit.model import criteria, document, limits, spending, standing
from orchgit.model.dataclass import dataclass
from orchgit.model.task import Status
from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.api import Project
    from orchgit.engine.pasts import Past
    from orchgit.model.spending import Sum
    from orchgit.model.task import Task
    from orchgit.model.usage import Usage

_NEXT = {
    Status.RETRYING: "orchgit logs --task {0}; orchgit task retry {0} starts it at once",
    Status.FAILED: "orchgit logs --task {0}, orchgit task retry {0}",
}


@dataclass(frozen=True, slots=True)
class _Runs:
    """What is known of a task's runs: `used` and `session` are those of the one at work, else of the last.

    `past` is how the last one ended, `all` what those that have ended come to together.
    """

    used: Usage | None
    session: str | None
    past: Past | None
    all: Sum | None

    @property
    def words(self) -> str:
        """What was used, for a person."""
        if self.used is None:
            return ""
        several = f"; {self.all.used} by all {self.all.runs}" if self.all and self.all.runs > 1 else ""
        return f"{self.used}, by its last run{several}"


def show_task(project: Project, task: Task, *, wants_json: bool) -> None:
    body = document.parse(project.text(task.path)).body.strip()
    runs = _runs(project, task)
    if wants_json:
        show.dump(show.task_data(project,
            task, body=body, blocked_by=[needed for needed, _ in standing.blockers(task, project.state.known)],
            changes=_changes(project, task), used=runs.used, used_in_all=runs.all.used if runs.all else None,
            attachments=project.attachments(task.id), session=runs.session,
            summary=runs.past.summary if runs.past else "", note=runs.past.note if runs.past else "",
        ))  # fmt: skip
        return
    click.echo(show.style(f"{task.id}  {task.title}", bold=True))
    for name, value in _facts(project, task, runs):
        click.echo(f"  {name:<12}{value}")
    if body:
        click.echo(f"\n{body}")
    if runs.past and runs.past.summary:
        click.echo("\n" + show.style(f"{runs.past.by} said last", bold=True))
        click.echo("\n".join(f"  {line}".rstrip() for line in runs.past.summary.split("\n")))
    if runs.past and runs.past.note:
        click.echo("\n" + show.style(f"Note: {runs.past.note}", fg="yellow"))
    if task.status is Status.REVIEW:
        click.echo("\n" + "\n".join(_review(project, task)))


def _runs(project: Project, task: Task) -> _Runs:
    past = project.past(task.id)
    together = spending.total(project.spent_on(task.id)) if past and past.run else None
    if task.run:
        return _Runs(project.used(task.run), project.session(task.run), past, together)
    return _Runs(past.used, past.session, past, together) if past else _Runs(None, None, None, None)


def _facts(project: Project, task: Task, runs: _Runs) -> Iterator[tuple[str, str]]:
    unmet = standing.blockers(task, project.state.known)
    yield "status", show.status(task.status) + (" (blocked)" if unmet and task.status is Status.TODO else "")
    yield "priority", str(standing.priority(task, project.state.config))
    named = (
        ("assignee", task.assignee),
        ("agent", task.agent),
        ("labels", ", ".join(task.labels)),
        ("goal", task.goal),
        ("scope", ", ".join(task.scope)),
        ("context", ", ".join(task.context)),
        ("checks", ", ".join(task.review_criteria)),
        ("branch", task.branch),
        ("run", task.run),
    )
    yield from ((name, value) for name, value in named if value)
    needs = {**dict.fromkeys(task.depends_on, "done"), **dict(unmet)}
    if needs:
        yield "depends on", ", ".join(f"{needed} ({how})" for needed, how in needs.items())
    agent = project.state.agents.get(task.agent or task.assignee or "")
    in_all = (runs.all.runs if runs.all else 0) + bool(task.run)
    several = f" ({in_all} runs in all)" if in_all > task.attempts else ""
    yield "attempts", f"{task.attempts} of {limits.max_attempts(task, agent, project.state.config)}{several}"
    if task.status in (Status.FAILED, Status.RETRYING) and (reason := project.reason(task.id)):
        yield "reason", reason
    if runs.session:
        yield "session", runs.session
    if runs.used:
        yield "used", f"{runs.used}, by its run so far" if task.run else runs.words
    if task.retry_at:
        yield "retry at", show.local(task.retry_at)
    if next_step := _NEXT.get(task.status):
        yield "next", next_step.format(task.id)
    if task.created:
        yield "created", show.local(task.created)
    if task.closed:
        yield "closed", show.local(task.closed)
    yield "file", f".orchestry/{task.path}"
    yield from (("attached", f".orchestry/{path}") for path in project.attachments(task.id))


def _review(project: Project, task: Task) -> Iterator[str]:
    if not task.review_commit or git.commit_of(task.review_commit, cwd=project.layout.common) is None:
        yield f"In review: {task.review_commit or 'no commit is named'}, which this repository doesn't have."
        return
    changes = _changes(project, task)
    yield show.style(f"In review: {task.review_commit[:12]}", bold=True)
    newer = project.moved_on(task)
    if newer:
        yield show.style(f"  {task.branch} has moved on since, to {newer[:12]}: look at that too.", fg="yellow")
    if not changes:
        yield "  It changes no file."
    for change in changes:
        lines = f"+{change['added']} -{change['removed']}" if change["added"] is not None else "binary"
        yield f"  {change['path']}  {lines}"
    if task.branch:
        there = git.branch_exists(task.branch, cwd=project.layout.common)
        yield f"\n  git diff {project.config().project_base}...{task.branch if there else task.review_commit[:12]}"
    else:
        yield f"\n  git diff {str(task.review_base)[:12]} {task.review_commit[:12]}"
        yield from _in_checkout(project, task.review_commit)
    if task.review_criteria:
        yield "\n  To be checked:"
        yield from (f"  [ ] {criteria.words(each)}" for each in task.review_criteria)
        yield ""
    yield f"  orchgit task approve {task.id}" + (f" --commit {newer[:12]}" if newer else "")
    yield f'  orchgit task reject {task.id} -r "what must change"'


def _in_checkout(project: Project, commit: str) -> Iterator[str]:
    """Say where the work of a task lies that was done in the checkout: it is nobody's to move but the person's."""
    base, common = project.config().project_base, project.layout.common
    if git.is_ancestor(commit, f"refs/heads/{base}", cwd=common):
        yield f"  All of it is in {base} already: it was committed there."
        return
    loose = git.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", "HEAD", commit, cwd=project.layout.root)
    changed = set(git.run("diff-index", "-z", "--name-only", "HEAD", cwd=project.layout.root).fields)
    changed |= set(git.run("ls-files", "-z", "--others", "--exclude-standard", cwd=project.layout.root).fields)
    if found := [path for path in loose.fields if path in changed]:
        yield f"  Not committed in {project.layout.root}: {', '.join(found)}. Commit what you want of it, then approve."


def _changes(project: Project, task: Task) -> list[dict[str, str | int | None]]:
    """Return the changed files of the commit in review, with git's own counts of lines (None: binary)."""
    if not (task.review_base and task.review_commit):
        return []
    what = ("--numstat", "-z", "--no-renames", task.review_base, task.review_commit, "--")
    said = git.call("diff", *what, cwd=project.layout.common)
    entries = (entry.split("\t", 2) for entry in said.fields)
    return [{"path": path, "added": _count(added), "removed": _count(removed)} for added, removed, path in entries]


def _count(word: str) -> int | None:
    return None if word == "-" else int(word)
