"""`orchgit demo`: a team at work on a scratch repository, from the first task to the merged result."""

from __future__ import annotations

import ast
import shlex
import sys
import time
from contextlib import contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import progress, scratch, show
from orchgit.engine.tasks import Wish
from orchgit.model.errors import OrchgitError
from orchgit.model.run import Stop
from orchgit.model.task import Status
from orchgit.repository import git, locks, resources, runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.api import Project
    from orchgit.model.task import Task
    from orchgit.repository.layout import Layout
    from orchgit.repository.runs import Folder

TEAM = ("janitor", "librarian", "scribe", "mapper", "checker")

# A task is a file of templates/demo/tasks; it is added after the ones that it depends on.
TASKS: dict[str, tuple[str, ...]] = {
    "unused-imports": (),
    "modules": (),
    "api": (),
    "import-graph": ("unused-imports",),
    "check": ("unused-imports", "modules", "api"),
}
_RETRY_DELAY = "100"  # milliseconds


@click.command()
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Keep all of it in DIR, a new folder.")
@click.pass_obj
def demo(directory: Path, keep: Path | None) -> None:
    """Watch a team work on a scratch repository.

    Five shell agents work on the source of click in parallel: they remove imports that nothing uses, write documents,
    and check the result. One of them fails at first and is retried; two tasks wait for others. What they did is
    approved and merged, and Git tells the story. It takes a few seconds, and leaves nothing behind without --keep.
    """
    began = time.monotonic()
    kept = directory / keep if keep else None
    with scratch.interruptible(), scratch.own_git_settings(), scratch.folder(kept) as place:
        project = _set_up(place / scratch.NAME)
        with _stopping_agents(project):
            _work(project)
        _tell(project)
        check(project)
        _conclude(project, seconds=time.monotonic() - began)
    if keep is None:
        _say("All of it is removed again; `orchgit demo --keep DIR` leaves it for you.")
    else:
        _say(f"Kept in {place / scratch.NAME}: try `git log`, `orchgit task list` and `orchgit log` there.")


def _set_up(root: Path) -> Project:
    """Make the repository, the team and its tasks, and say so."""
    changed = scratch.make(root)
    modules = len(list((root / "src").rglob("*.py")))
    _heading(f"A repository, {root}", "git log --oneline")
    _say(_git(root, "log", "--oneline"))
    _say(f"{modules} modules of real code, and {len(changed)} unused imports that this demo put there.")
    api.init(root, offline=True)
    project = api.open_project(root)
    project.set_config("scheduling.retry_base_delay_ms", _RETRY_DELAY)
    _heading("A team", "orchgit agent add NAME --adapter shell --command ...")
    for name in TEAM:
        _add_agent(project, name)
    _heading("Its tasks", "orchgit task add --file TASK.md")
    ids: dict[str, str] = {}
    for name, needed in TASKS.items():
        task = _add_task(project, name, tuple(ids[each] for each in needed))
        ids[name] = task.id
    project.refresh()
    return project


def _add_agent(project: Project, name: str) -> None:
    script = resources.folder("templates") / "demo" / f"{name}.py"
    role = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    command = f"{shlex.quote(sys.executable)} -B {shlex.quote(str(script))}"
    project.add_agent(name, {"adapter": "shell", "command": command}, role=role)
    _say(f"{_agent(name)}  {role.partition(':')[0].rstrip('.')}.")


def _add_task(project: Project, name: str, needed: tuple[str, ...]) -> Task:
    file = resources.folder("templates") / "demo" / "tasks" / f"{name}.md"
    task = project.add_task(Wish(depends_on=needed), text=file.read_text(encoding="utf-8"))
    after = show.style(f"  after {', '.join(needed)}", dim=True) if needed else ""
    _say(f"{task.id}  {_agent(task.assignee or '')}  {task.title}{after}")
    return task


def _work(project: Project) -> None:
    """Let the team work and approve what it did, until nothing waits."""
    while any(task.status is not Status.DONE for task in project.tasks()):
        _heading("At work", "orchgit run --all")
        with progress.shown(project) as screen:
            project.run(report=screen.report)
        project.refresh()
        waiting = project.tasks(status=Status.REVIEW)
        if not waiting:
            return
        _heading("Review", "orchgit task approve ID")
        for task in waiting:
            _approve(project, task)
        project.refresh()


def _approve(project: Project, task: Task) -> None:
    for attempt, place in _runs_of(project, task):
        for line in project.output(place, tail=1):
            said = f"attempt {attempt}: {line.text}" if task.attempts > 1 else line.text
            _say(f"{task.id}  {_agent(task.agent or '')}  {said}")
    size = _git(project.layout.root, "diff", "--shortstat", f"{task.review_base}..{task.review_commit}")
    merge = project.approve(task.id).merge
    how = f"merged as {merge[:9]}: {size}" if merge else "nothing had to be changed"
    _say(f"{task.id}  {show.style('approved  ', fg='green')}  {how}")


def _runs_of(project: Project, task: Task) -> list[tuple[int, Folder]]:
    """Return the attempts at `task`, by number."""
    found = ((runs.read_spec(place), place) for place in project.runs())
    return sorted(((spec.attempt, place) for spec, place in found if spec.task == task.id), key=itemgetter(0))


@contextmanager
def _stopping_agents(project: Project) -> Iterator[None]:
    """Leave no agent at work behind the `with`: agents outlive whoever started them, as they should elsewhere."""
    try:
        yield
    finally:
        left = [place for place in project.runs() if locks.is_held(place.runner_lock)]
        for place in left:
            runs.ask_to_stop(place, Stop.RELEASE, by=scratch.IDENTITY[0])
        for place in left:
            locks.wait_until_free(place.runner_lock)


def _tell(project: Project) -> None:
    """Print what Git says happened."""
    layout, color = project.layout, f"--color={'always' if show.colored() else 'never'}"
    _heading("What the project sees", "git log --graph --oneline --decorate")
    _say(_git(layout.root, "log", "--graph", "--oneline", "--decorate", color))
    _heading("What came of it", f"git diff --stat HEAD~{len(TASKS)}")
    _say(_git(layout.root, "diff", "--stat", color, f"HEAD~{len(TASKS)}"))
    _heading("The audit trail", "git -C .orchestry log --reverse --format='%h  %an  %s'")
    _say(_git(layout.state, "log", "--reverse", "--format=%C(auto)%h  %<(12)%an  %s", color))


def check(project: Project) -> None:
    """Hold the result against what the demo promises; OrchgitError says what is wrong with it."""
    wrong = [*_unfinished(project), *_broken_source(project.layout.root), *_git_complaints(project.layout)]
    if wrong:
        next_step = "`orchgit demo --keep DIR` leaves you what it did, to look into."
        raise OrchgitError(f"The demo went wrong: {'; '.join(wrong)}.", next_step)


def _unfinished(project: Project) -> Iterator[str]:
    return (f"{task.id} ({task.title}) is {task.status}" for task in project.tasks() if task.status is not Status.DONE)


def _broken_source(root: Path) -> Iterator[str]:
    for path in sorted((root / "src").rglob("*.py")):
        try:
            compile(path.read_bytes(), path, "exec", dont_inherit=True)
        except SyntaxError as error:
            yield f"{path.relative_to(root)} does not compile: {error}"


def _git_complaints(layout: Layout) -> Iterator[str]:
    sound = git.call("fsck", "--strict", "--no-dangling", "--no-progress", cwd=layout.root)
    if sound.code:
        yield f"git fsck says: {sound.err or sound.text}"
    for folder in (layout.root, layout.state):
        if changed := _git(folder, "status", "--porcelain"):
            yield f"git status in {folder} says: {changed}"


def _conclude(project: Project, *, seconds: float) -> None:
    layout, tasks = project.layout, project.tasks()
    commits = {name: _git(layout.root, "rev-list", "--count", name) for name in ("main", "orchestry")}
    attempts = sum(task.attempts for task in tasks)
    with suppress(OSError):
        layout.root.with_name(f"{layout.root.name}.orchgit").rmdir()
    _heading("All well")
    _say(f"{len(tasks)} tasks done by {len(TEAM)} agents in {attempts} attempts, {seconds:.1f} s.")
    _say(f"{commits['main']} commits on main, {commits['orchestry']} on orchestry.")
    _say("The merged source compiles, git fsck finds nothing wrong, and git status is clean.")


def _heading(words: str, command: str = "") -> None:
    typed = show.style(f"  $ {command}", fg="bright_black") if command else ""
    click.echo(f"\n{show.style(words, bold=True)}{typed}")


def _say(text: str) -> None:
    click.echo(text)


def _agent(name: str) -> str:
    return show.style(f"{name:<10}", fg="cyan")


def _git(where: Path, *args: str) -> str:
    return git.run(*args, cwd=where).out.decode(errors="replace").rstrip()
