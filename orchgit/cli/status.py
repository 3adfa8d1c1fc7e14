"""`orchgit status`: how things stand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from orchgit import api
from orchgit.cli import goalnext, show, tasklist
from orchgit.cli.tasklist import in_the_way
from orchgit.model import goal as goals
from orchgit.model import standing
from orchgit.model.task import Status
from orchgit.repository import machine, states

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.api import Project
    from orchgit.model.config import Config
    from orchgit.model.errors import InvalidFileError
    from orchgit.model.task import Task


@click.command()
@show.at
@show.as_json
@click.pass_obj
def status(directory: Path, at: str | None, *, wants_json: bool) -> None:
    """Show how things stand: what runs, what waits for you, what is stuck."""
    project = api.open_project(directory, at=at)
    show.warn(project.doubts_of_files(wholly=True))
    if wants_json:
        show.dump(_data(project, at=at))
        return
    config = project.config()
    team = f"as of {project.state.tip[:9]}" if at else _team(project)
    click.echo(
        f"{show.style(config.project_name or project.layout.root.name, bold=True)}, base {config.project_base}; {team}"
    )
    counts = Counter(task.status for task in project.tasks())
    said = [f"{counts[each]} {show.status(each)}" for each in Status if counts[each]]
    click.echo(f"tasks: {', '.join(said) or 'none'}; agents: {len(project.agents())}")
    if at is None and (unread := project.unread()):
        click.echo(f"unread messages: {', '.join(f'{name} {count}' for name, count in unread.items())}")
    if at is None:
        _ready(project)
    _section(project, "working", Status.IN_PROGRESS)
    _section(project, _review_heading(config, counts[Status.REVIEW]), Status.REVIEW)
    again = "waiting for a retry: orchgit logs --task ID; orchgit task retry ID starts one at once"
    _section(project, again, Status.RETRYING)
    _section(project, "failed: orchgit logs --task ID, orchgit task retry ID", Status.FAILED)
    _goals(project)
    _away(project)
    _unstaffed(project)
    _stuck(project)
    _in_the_way(project)
    if at is None:
        _uncommitted(project)


def _team(project: Project) -> str:
    team = "the team is running" if project.is_team_running() else "the team is not running"
    if found := project.paused():
        team += f", and paused by {found.by} (orchgit resume)"
    return team


def _ready(project: Project) -> None:
    """Say what would begin if a team ran."""
    waits = project.tasks(status=Status.TODO) and not project.is_team_running()
    if waits and (count := len(project.ready())):
        click.echo(f"ready: {count}; {'orchgit resume, then ' if project.paused() else ''}orchgit run --all")


def _section(project: Project, heading: str, status: Status) -> None:
    found = project.tasks(status=status)
    if found:
        click.echo(f"\n{heading}")
    for task in found:
        why = _why(project, task)
        click.echo(show.fitted(f"  {task.id}  {task.agent or '-':<12}  ", task.title, f"  ({why})" if why else ""))
        if newer := project.moved_on(task):
            click.echo(f"    its branch has moved on since: orchgit task approve {task.id} --commit {newer[:12]}")


def _why(project: Project, task: Task) -> str:
    """Return why a task failed, and when it is tried again, or that it is another clone's; "" for any other."""
    if task.run is not None and task.machine != machine.known_id(project.layout):
        return f"in another clone, {task.machine}"
    if task.status not in (Status.RETRYING, Status.FAILED):
        return ""
    reason = show.one_line((project.reason(task.id) or "").partition("\n")[0])
    return "; ".join(filter(None, (reason, tasklist.again(task))))


def _review_heading(config: Config, count: int) -> str:
    full = 0 < config.max_in_review <= count
    return "waiting for your review" + (", and nothing is started before (scheduling.max_in_review)" if full else "")


def _goals(project: Project) -> None:
    """Name the goals that are not over, and what a person may do about those that don't go on by themselves."""
    found = [goal for goal in project.goals() if not goal.is_over]
    if found:
        click.echo("\ngoals")
    serving = goals.serving(project.state.tasks.values(), [goal.id for goal in found])
    for goal in found:
        tasks = serving[goal.id]
        count = goals.progress(tasks)
        said = f"{goal.status}, " if goal.status is not goals.Status.ACTIVE else ""
        step = goalnext.step(project, goal, tasks)
        asks = f" - {step}" if step else ""
        click.echo(show.fitted(f"  {goal.id}  {said}{count.done} of {count.all} done  ", goal.title, asks))


def _away(project: Project) -> None:
    """Name the agents that are given nothing for a while, where anything waits to be started."""
    waits = project.tasks(status=Status.TODO) or project.tasks(status=Status.RETRYING)
    rests = project.rests() if waits else {}
    if rests:
        click.echo("\nagents that are given nothing for a while")
    for name, rest in sorted(rests.items()):
        click.echo(f"  {name} {rest}")


def _unstaffed(project: Project) -> None:
    """Name the tasks that no agent can do, and how one is given to an agent that can."""
    waits = project.tasks(status=Status.TODO) + project.tasks(status=Status.RETRYING)
    found = project.unstaffed() if waits else {}
    if found and not any(agent.enabled for agent in project.agents()):
        click.echo("\nnobody can do what waits: orchgit agent add NAME, or orchgit agent enable NAME")
        return
    if found:
        click.echo("\nnobody can do these: orchgit task assign ID AGENT")
    for task in waits:
        if task.id in found:
            click.echo(show.fitted(f"  {task.id}  {found[task.id]}  ", task.title))


def _stuck(project: Project) -> None:
    waiting = [task for task in project.tasks(status=Status.TODO) if standing.blockers(task, project.state.known)]
    if waiting:
        click.echo("\nblocked")
    knots = standing.tangled(project.state.known) if waiting else frozenset()
    for task in waiting:
        why = standing.dependency(task, project.state.known, knots)
        click.echo(show.fitted(f"  {task.id}  {why}  ", task.title))


def _in_the_way(project: Project) -> None:
    at_work, user = standing.at_work(project.state.tasks), project.in_checkout()
    waiting = [(task, in_the_way(project, task, at_work, user)) for task in project.tasks(status=Status.TODO)]
    found = [(task, why) for task, why in waiting if why and not standing.blockers(task, project.state.known)]
    if found:
        click.echo("\nwaiting for others to leave their files")
    for task, why in found:
        click.echo(show.fitted(f"  {task.id}  {why}  ", task.title))


def _uncommitted(project: Project) -> None:
    refused = {error.path for error in project.refused()}
    found = [path for path in project.uncommitted() if path not in refused]
    ours = list(filter(states.belongs, found))
    for heading, paths in (
        ("typed in .orchestry, and not judged yet", ours),
        ("not committed in .orchestry, and none of orchgit's own (git -C .orchestry commit)", set(found) - set(ours)),
    ):
        if paths:
            click.echo(f"\n{heading}")
        for path in sorted(paths):
            click.echo(f"  {path}")


def _data(project: Project, *, at: str | None) -> dict[str, object]:
    """Return it all; of the past nobody knows whether a team ran, and what was typed and not committed."""
    counts = Counter(task.status for task in project.tasks())
    config = project.config()
    return {
        "project": config.project_name,
        "root": str(project.layout.root),
        "base": config.project_base,
        "commit": project.state.tip,
        "running": None if at else project.is_team_running(),
        "paused": None if at else project.paused() is not None,
        "tasks": {each.value: counts[each] for each in Status},
        "agents": [agent.name for agent in project.agents()],
        "goals": {each.value: sum(goal.status is each for goal in project.goals()) for each in goals.Status},
        "teams": [team.name for team in project.teams()],
        "uncommitted": None if at else list(project.uncommitted()),
        "refused": None if at else [_fault(error) for error in project.refused()],
        "unstaffed": [{"id": task, "why": why} for task, why in project.unstaffed().items()],
        "broken": [_fault(error) for error in project.state.broken],
    }


def _fault(error: InvalidFileError) -> dict[str, object]:
    return {"path": error.path, "line": error.line, "key": error.key, "reason": error.reason}
