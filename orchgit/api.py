"""The public Python API, used by every face: open a project, ask it, and ask things of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model.actor import Kind
from orchgit.model.errors import AmbiguousError, BusyError, NotFoundError, RefusedError
from orchgit.model.task import Status
from orchgit.repository import entry, index, judged, settled, store
from orchgit.repository.layout import STATE_REF

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchgit.engine.agents import Settings
    from orchgit.engine.blame import Blame
    from orchgit.engine.doctor.finding import Finding
    from orchgit.engine.githooks import Report as Hooks
    from orchgit.engine.guide import Places
    from orchgit.engine.history import Entry, Wanted
    from orchgit.engine.letters import Draft
    from orchgit.engine.lines import Target
    from orchgit.engine.loop import Control
    from orchgit.engine.orch.bring import Brought
    from orchgit.engine.orgs import Deployed
    from orchgit.engine.output import Line
    from orchgit.engine.pasts import Past
    from orchgit.engine.provenance import Origin
    from orchgit.engine.review import Approved
    from orchgit.engine.tasks import Wish
    from orchgit.engine.telling import Notify, Report
    from orchgit.engine.undo import Undone
    from orchgit.engine.verify import Report as Verified
    from orchgit.engine.workspaces import Cleaned, Place
    from orchgit.model.actor import Actor
    from orchgit.model.agent import Agent
    from orchgit.model.breaker import Rest
    from orchgit.model.config import Config
    from orchgit.model.context import Value
    from orchgit.model.cooldown import CoolDown
    from orchgit.model.errors import InvalidFileError
    from orchgit.model.goal import Goal
    from orchgit.model.goal import Status as GoalStatus
    from orchgit.model.letter import Letter
    from orchgit.model.org import Org
    from orchgit.model.role import Role
    from orchgit.model.scheduling import Snapshot
    from orchgit.model.spending import Spent
    from orchgit.model.task import Task
    from orchgit.model.team import Team
    from orchgit.model.usage import Usage
    from orchgit.repository.layout import Layout
    from orchgit.repository.mount import Outcome
    from orchgit.repository.orders import Order, Pause
    from orchgit.repository.runs import Folder
    from orchgit.repository.store import State


def init(path: str | Path = ".", *, base: str | None = None, name: str | None = None, offline: bool = False) -> Outcome:
    """Give the project at `path` its state branch, or attach it to the one that its remote has."""
    from orchgit.repository import mount

    return mount.init(Path(path), base=base, name=name, offline=offline)


def own_config() -> Config:
    """Return the person's own settings: what their new projects begin with; a default where they don't say."""
    from orchgit.model import config
    from orchgit.repository import personal

    personal.given()
    return config.read(personal.text())


def set_own_config(key: str, value: str) -> Config:
    """Set one of them; a project that is there already stays as it is."""
    from orchgit.engine import settings

    return settings.change_own(key, value)


def install_skill(path: str | Path = ".", *, home: bool = False) -> list[tuple[Path, bool]]:
    """Teach other agents to use a team, in the repository that `path` lies in or in the person's home.

    Return each file that teaches them, and whether it changed.
    """
    from orchgit.engine import guide

    return guide.install(_places(Path(path), home=home))


def uninstall_skill(path: str | Path = ".", *, home: bool = False) -> list[Path]:
    """Take that away again; return the files that had it."""
    from orchgit.engine import guide

    return guide.uninstall(_places(Path(path), home=home))


def _places(path: Path, *, home: bool) -> Places:
    from orchgit.engine import guide
    from orchgit.model import actor
    from orchgit.repository import find, identity

    root = Path.home() if home else find.locate(path).layout.root
    actor.refuse_agent(identity.caller(root), "change what agents are taught")
    return guide.in_home() if home else guide.in_project(root)


def judge_push(path: str | Path, words: str, *, remote: str = "") -> None:
    """Judge what git tells a pre-push hook run at `path`; RefusedError where the state branch doesn't verify."""
    from orchgit.engine import pushed
    from orchgit.repository import find

    pushed.before_push(find.common(Path(path)), pushed.going_out(words), remote=remote)


def judge_receipt(path: str | Path, words: str) -> None:
    """Judge what git tells a pre-receive hook, in a bare repository too; RefusedError as above."""
    from orchgit.engine import pushed
    from orchgit.repository import find, git

    git.see_what_is_pushed()
    pushed.on_receipt(find.common(Path(path)), pushed.coming_in(words))


def hook_script(name: str) -> bytes:
    """Return the script of one of Git's hooks, `pre-receive` for a server included."""
    from orchgit.repository import githooks

    return githooks.script(name)


def open_project(path: str | Path = ".", *, at: str | None = None, edits: bool = True) -> Project:
    """Open the initialised project that `path` lies in: a folder of it, of any worktree of it, an agent's too.

    NotFoundError where it isn't one; whatever a writer that died left half done is finished first. With `edits` what
    was typed in the state folder is judged, as `Project.take_in_edits` does. With `at`, a revision of the state branch
    or a date, the state is the one of that time, to be read.
    """
    located = entry.open(Path(path))
    assert located.tip is not None
    if index.is_left(located.layout):
        from orchgit.repository import ledger

        ledger.mend(located.layout)
        located = entry.open(Path(path))
    assert located.tip is not None
    if at is not None:
        from orchgit.engine import past

        commit = past.commit_at(located.layout, located.tip, at)
        return Project(located.layout, commit, store.at(located.layout, commit), _is_past=True)
    project = Project(located.layout, located.tip)
    if edits and (settled.is_behind(project.layout, located.tip) or judged.unjudged(project.layout, project.state)):
        project.take_in_edits()
    return project


def doctor(path: str | Path = ".", *, fix: bool = False) -> Iterator[Finding]:
    """Yield what is right and wrong at `path`, a project or not; with `fix`, what is safe is mended on the way."""
    from orchgit.engine import doctor as checks

    return checks.examine(Path(path).absolute(), mend=fix)


def roles() -> tuple[list[Role], list[InvalidFileError]]:
    """Return the roles of the shop, and what is wrong with the files there that can't be read."""
    from orchgit.engine import shop

    return shop.roles()


def role(name: str) -> Role:
    """Return a role of the shop; NotFoundError names those that there are."""
    from orchgit.engine import shop

    return shop.role(name)


def orgs() -> tuple[list[Org], list[InvalidFileError]]:
    """Return the organisations that can be deployed, and what is wrong with the files that can't be read."""
    from orchgit.engine import orgs

    return orgs.orgs()


def org(name: str) -> Org:
    """Return an organisation that can be deployed; NotFoundError names those that there are."""
    from orchgit.engine import orgs

    return orgs.org(name)


@dataclass(slots=True)
class Project:
    """One initialised project. Every method reads the state afresh unless it says otherwise."""

    layout: Layout
    _tip: str
    _state: State | None = field(default=None, repr=False)
    _is_past: bool = False

    @property
    def state(self) -> State:
        """The state as it was when the project was opened or last refreshed: read once."""
        if self._state is None:
            self._state = store.read(self.layout, self._tip)
        return self._state

    def refresh(self) -> State:
        """Read the state as it is now."""
        self._tip = entry.open(self.layout.root).tip or self._tip
        self._state = None
        return self.state

    @property
    def caller(self) -> Actor:
        """Who asks: the agent in whose run this process lives, else the machine's Git identity."""
        from orchgit.repository import identity

        return identity.caller(self.layout.common)

    def take_in_edits(self, *, widely: bool = False) -> None:
        """Judge what was typed in the state folder: commit what may be, as a person's; `refused` is what may not.

        Context and messages are looked at with `widely`. Nothing is done on behalf of an agent: what it finds there is
        not its own to ask for.
        """
        from orchgit.engine import edits, incoming
        from orchgit.repository import ledger

        by = self._decider()
        if by.kind is not Kind.PERSON:
            return
        taken = edits.Taken()
        with suppress(BusyError, OSError):  # who only wants to read isn't held up: the next command judges
            incoming.settle(self.layout, self.state.tip, taken, patient=True)
        edits.take_in(self.layout, by, self.refresh(), taken, patient=True, widely=widely)
        ledger.tell(filter(None, [*taken.news, taken.hindered]))
        self.refresh()

    def refused(self) -> list[InvalidFileError]:
        """Return what was typed in the state folder and refused, and lies there as it was typed."""
        return [verdict.error for verdict in judged.read(self.layout).values() if verdict.reason]

    def faults(self, *, staged: bool = False) -> tuple[InvalidFileError, ...]:
        """Return what is wrong with the files that lie in the state folder, or with those staged there."""
        from orchgit.engine import check

        return check.faults(self.layout, staged=staged)

    def uncommitted(self, *, widely: bool = False) -> tuple[str, ...]:
        """Return the files of the state folder that are not as committed, context and messages too with `widely`."""
        from orchgit.engine import check

        return check.uncommitted(self.layout, widely=widely)

    # Tasks

    def tasks(
        self, *, status: Status | str | None = None, assignee: str | None = None, label: str | None = None
    ) -> list[Task]:
        """Return the tasks that fit every filter given, most pressing first."""
        from orchgit.model import standing

        wanted = Status(status) if status else None
        found = (
            task
            for task in self.state.tasks.values()
            if standing.fits(task, status=wanted, assignee=assignee, label=label)
        )
        return sorted(found, key=lambda task: standing.order(task, self.state.config))

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

    def archived(self) -> tuple[list[Task], list[InvalidFileError]]:
        """Return the tasks in the archive, the last closed first, and what is wrong with files there: it reads all."""
        tasks, broken = store.all_archived(self.layout, self.state.tip)
        return sorted(tasks, key=lambda task: (task.closed is not None, task.closed, task.id), reverse=True), broken

    def archive(self, *words: str) -> list[Task]:
        """Move closed tasks to the archive, those named or all that are due, and return them."""
        from orchgit.engine import moves

        wanted = [self._movable(word) for word in words] if words else None
        return moves.archive(self.layout, self.caller, wanted)

    def text(self, path: str) -> str:
        """Return a file of the state branch as it stands there."""
        return store.text(self.layout, self.state.tip, path)

    def add_task(self, wish: Wish, *, text: str = "", source: str = "task.md", attach: Iterable[Path] = ()) -> Task:
        """Make a task of `wish`, on top of the Markdown `text` where one is given; errors in it name `source`.

        The files `attach` are kept with it on the state branch, in the same commit.
        """
        from orchgit.engine import tasks
        from orchgit.repository import attachments

        attached = attachments.load(attach)
        return tasks.add(self.layout, self._planner(), wish, text=text, source=source, attached=attached)

    def attachments(self, word: str) -> tuple[str, ...]:
        """Return where the attachments of a task lie, relative to the state folder."""
        from orchgit.repository import attachments

        return attachments.of(self.layout, self.state.tip, self.task(word).id)

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

    def submit(self, word: str, *, commit: str | None = None, start: str | Path = ".") -> Task:
        """Hand in `commit`, else the tip of the task's branch, else what is checked out where `start` lies."""
        from orchgit.engine import moves

        return moves.submit(self.layout, self.state, self.caller, self._movable(word), commit=commit, start=Path(start))

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

    # Review

    def approve(self, word: str, *, commit: str | None = None) -> Approved:
        from orchgit.engine import review

        return review.approve(self.layout, self.state, self._movable(word), self._decider(), commit=commit)

    def reject(self, word: str, *, reason: str = "") -> Task:
        from orchgit.engine import review

        return review.reject(self.layout, self._movable(word), self._decider(), reason=reason)

    def _decider(self) -> Actor:
        """Who decides: an agent is known here by its processes too, whatever became of its environment."""
        from orchgit.engine import ancestors

        return ancestors.agent(self.layout) or self.caller

    def _planner(self) -> Actor:
        """Who makes or changes a task: known by its processes while somebody plans, for it takes a while to look."""
        is_planned = any(task.purpose and task.run for task in self.state.tasks.values())
        return self._decider() if is_planned else self.caller

    # Context

    def context(self, key: str) -> Value:
        """Return what `key` of the team's context holds; NotFoundError where that is nothing, or nothing any more."""
        from orchgit.engine import context

        self._look_widely()
        return context.get(self.layout, self._tip, key, now=self._now)

    def contexts(self, prefix: str = "") -> list[Value]:
        """Return what the keys that begin with `prefix` hold, by key."""
        from orchgit.engine import context

        self._look_widely()
        return context.all_of(self.layout, self._tip, prefix, now=self._now)

    def set_context(self, key: str, value: str | bytes, *, ttl: timedelta | None = None) -> Value:
        """Let `key` hold `value`, text of a megabyte at most, for `ttl` or for good."""
        from orchgit.engine import context

        self._look_widely()
        data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        return context.set_(self.layout, self._decider(), key, data, ttl=ttl)

    def delete_context(self, key: str) -> None:
        from orchgit.engine import context

        self._look_widely()
        context.delete(self.layout, self._decider(), key)

    def context_log(self, key: str) -> Iterator[Entry]:
        """Yield the commits that set or deleted `key`, newest first."""
        from orchgit.engine import context

        self._look_widely()
        return context.log(self.layout, self._tip, key)

    # Messages

    def send(self, to: str, draft: Draft) -> Letter:
        """Put a message into the mailbox of an agent or a person; NotFoundError where nobody is called `to`."""
        from orchgit.engine import letters

        return letters.send(self.layout, self._decider(), to, draft)

    def broadcast(self, draft: Draft, *, team: str | None = None) -> list[Letter]:
        """Put a message into the mailbox of each agent, or of each of `team`, but for the one who sends it."""
        from orchgit.engine import letters

        return letters.broadcast(self.layout, self._decider(), draft, team=team)

    def inbox(self, name: str | None = None) -> list[Letter]:
        """Return the unread messages of `name`, or of the one who asks, oldest first; they stay unread."""
        from orchgit.engine import letters

        self._look_widely()
        owner = letters.recipient(self.layout, self.state, name) if name else self.caller.name
        return letters.unread(self.layout, self._tip, owner, now=self._now)

    def unread(self) -> dict[str, int]:
        """Return how many messages lie unread in whose mailbox: names of files are all that it looks at."""
        from orchgit.repository import loose

        return loose.unread(self.layout)

    def messages(self, name: str | None = None) -> list[Letter]:
        """Return every message for `name`, or for anybody, read and expired ones too, oldest first: this reads all."""
        from orchgit.engine import letters

        self._look_widely()
        owner = letters.recipient(self.layout, self.state, name) if name else None
        return letters.all_of(self.layout, self._tip, owner)

    def read_messages(self, *words: str) -> list[Letter]:
        """Return the messages with these ids, or all unread ones of the one who asks; its own count as read then."""
        from orchgit.engine import letters

        self._look_widely()
        by = self._decider()
        if words:
            wanted = [letters.named(self.layout, self._tip, word, owner=by.name) for word in words]
        else:
            wanted = letters.unread(self.layout, self._tip, by.name, now=self._now)
        return letters.read(self.layout, by, wanted)

    def delivery(self, message: Letter) -> str:
        """Return when a message gets to whom it is for: "at-work", "next-attempt", "disabled" or "inbox"."""
        from orchgit.engine import letters

        return letters.delivery(self.refresh(), message)

    def _look_widely(self) -> None:
        """Judge what was typed of context and messages too: other commands leave that to the running team."""
        if self._is_past:
            return
        self.refresh()
        if judged.unjudged(self.layout, self.state, widely=True):
            self.take_in_edits(widely=True)

    @property
    def _now(self) -> datetime | None:
        """The time, where the project is open as it is now, and not as it was."""
        return None if self._is_past else datetime.now(UTC)

    # Agents

    def agents(self) -> list[Agent]:
        return sorted(self.state.agents.values(), key=lambda agent: agent.name)

    def agent(self, name: str) -> Agent:
        return self.state.agent(name)

    def rests(self) -> Mapping[str, Rest | CoolDown]:
        """Return the agents that are given nothing for a while.

        Their last runs in this clone died at once (Rest), or their provider's limit was hit (CoolDown).
        """
        from orchgit.engine import endings

        return endings.rests(endings.latest(self.layout), self.state)

    def add_agent(
        self, name: str, settings: Settings, *, role: str | None = None, template: str | None = None
    ) -> Agent:
        """Make an agent; `template` is a role of the shop to begin with, which `settings` and `role` overrule."""
        from orchgit.engine import agents

        return agents.add(self.layout, self.caller, name, settings, role=role, template=template)

    def limitations(self, agent: Agent) -> tuple[str, ...]:
        """Return which of the agent's settings its CLI can't do, a sentence each."""
        from orchgit.engine import dispatch

        return dispatch.limitations(agent, self.config())

    def edit_agent(self, name: str, settings: Settings, *, role: str | None = None) -> Agent:
        from orchgit.engine import agents

        return agents.edit(self.layout, self.caller, name, settings, role=role)

    def rewrite_agent(self, name: str, *, base: str, typed: str) -> Agent:
        from orchgit.engine import agents

        return agents.rewrite(self.layout, self.caller, name, base=base, typed=typed)

    def remove_agent(self, name: str) -> None:
        from orchgit.engine import agents

        agents.remove(self.layout, self.caller, name)

    def deploy(self, name: str, *, goal: str = "", settings: Settings | None = None, prefix: str = "") -> Deployed:
        """Make all that the organisation `name` is, in one write; `settings` go to each of its agents."""
        from orchgit.engine import orgs

        return orgs.deploy(self.layout, self.caller, name, goal=goal, settings=settings, prefix=prefix)

    def export(self, name: str, *, description: str = "", team: str | None = None) -> str:
        """Return the team called `team`, or all agents, as the text of an organisation called `name`."""
        from orchgit.engine import orgs

        return orgs.exported(self.layout, self.state, name, description=description, team=team)

    def keep_org(self, name: str, text: str, *, force: bool = False) -> Path:
        """Put what `export` returned among the person's own templates, and return where that is."""
        from orchgit.engine import orgs

        return orgs.keep(self.caller, name, text, force=force)

    # Goals

    def goals(self, *, status: GoalStatus | str | None = None) -> list[Goal]:
        """Return the goals, the oldest first; with `status` only those."""
        from orchgit.model.goal import Status as GoalStatus

        wanted = GoalStatus(status) if status else None
        found = (goal for goal in self.state.goals.values() if wanted in (None, goal.status))
        return sorted(found, key=lambda goal: goal.age_key)

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

        return self.approve(goals.in_review(self.state, word).id)

    def undo_plan(self, word: str) -> list[Task]:
        """Remove the tasks that the goal's last plan made, in one commit, and return them."""
        from orchgit.engine import goals

        return goals.undo_plan(self.layout, self._decider(), word)

    def reject_goal(self, word: str, *, reason: str = "") -> tuple[Task, list[Task]]:
        """Undo the goal's plan that waits for review and send it back; return its task, and those that it had made."""
        from orchgit.engine import goals

        waiting = goals.in_review(self.state, word)
        removed = goals.undo_plan(self.layout, self._decider(), word, plan=waiting.id)
        return self.reject(waiting.id, reason=reason), removed

    # Teams

    def teams(self) -> list[Team]:
        return sorted(self.state.teams.values(), key=lambda team: team.name)

    def team(self, name: str) -> Team:
        return self.state.team(name)

    def add_team(self, name: str, settings: Settings, *, description: str = "") -> Team:
        """Make a team; `settings` are the keys of its file."""
        from orchgit.engine import teams

        return teams.add(self.layout, self.caller, name, settings, description=description)

    def join_team(self, name: str, agent: str) -> Team:
        from orchgit.engine import teams

        return teams.join(self.layout, self.caller, name, agent)

    def leave_team(self, name: str, agent: str) -> Team:
        from orchgit.engine import teams

        return teams.leave(self.layout, self.caller, name, agent)

    def set_lead(self, name: str, agent: str) -> Team:
        from orchgit.engine import teams

        return teams.set_lead(self.layout, self.caller, name, agent)

    def disband_team(self, name: str) -> None:
        from orchgit.engine import teams

        teams.disband(self.layout, self.caller, name)

    # Runs

    def run(
        self,
        *,
        report: Report,
        notify: Notify | None = None,
        only: str | None = None,
        watch: bool = False,
        control: Control | None = None,
        tick: float | None = None,
    ) -> Snapshot:
        """Run the team: until nothing is left to do, or with `watch` until `control` ends it; `only` names one task.

        `notify` is told what is no transition: what was refused, what failed. `tick` is in seconds.
        """
        from orchgit.engine import loop, telling

        until = loop.Until.STOPPED if watch else loop.Until.SETTLED
        notify = notify or telling.ignore
        return loop.run(self.layout, until=until, report=report, notify=notify, only=only, control=control, tick=tick)

    def stop(self, order: Order | str = "drain", *, wait: float | None = None) -> None:
        """Ask the running team to `drain`, to `leave` its runs or to end them `now`, and return when it has ended.

        NotFoundError where none runs; BusyError where it has not ended within `wait` seconds.
        """
        from orchgit.engine import standby

        standby.stop(self.layout, self.caller, order, wait=wait)

    def pause(self) -> bool:
        """Let nothing be started until `resume`, by whatever team runs here; was it not paused already?"""
        from orchgit.engine import standby

        return standby.pause(self.layout, self.caller)

    def resume(self) -> bool:
        """Let the team start runs again; was it paused?"""
        from orchgit.engine import standby

        return standby.resume(self.layout, self.caller)

    def paused(self) -> Pause | None:
        """Return who paused the team and when, or None."""
        from orchgit.repository import orders

        return orders.paused(self.layout)

    def in_checkout(self) -> Task | None:
        """Return the task whose run works in this clone's checkout now, if one does."""
        from orchgit.model import checkout, standing
        from orchgit.repository import machine

        running = [task for task in standing.at_work(self.state.tasks) if task.run]
        here = machine.machine_id(self.layout) if running else ""
        mine = (task for task in running if task.machine == here)
        return checkout.user(mine, self.state.agents, self.state.config)

    def is_team_running(self) -> bool:
        from orchgit.repository import locks

        return locks.is_held(self.layout.orchestrator_lock)

    def runs(self) -> Iterator[Folder]:
        """Yield the folders of the runs that this clone remembers, newest first."""
        from orchgit.repository import runs

        return runs.all_of(self.layout)

    def output(self, run: Folder, *, tail: int | None = None, follow: bool = False) -> Iterator[Line]:
        """Yield what the agent said in a run; with `follow`, go on until the run has ended."""
        from orchgit.engine import output

        return output.lines(run, tail=tail, follow=follow)

    # Workspaces

    def workspaces(self) -> list[Place]:
        """Return the workspaces of tasks, and whether all in them is kept."""
        from orchgit.engine import workspaces

        return workspaces.listed(self.layout, self.state)

    def workspace(self, word: str) -> Path:
        """Return where the workspace of the task that `word` names is; NotFoundError where it has none."""
        from orchgit.engine import workspaces

        return workspaces.of(self.layout, self.state, self.task(word))

    def clean_workspaces(self, *, dry_run: bool = False) -> list[Cleaned]:
        """Remove the workspaces that belong to closed or deleted tasks, once all in them is kept."""
        from orchgit.engine import workspaces

        return workspaces.clean(self.layout, self.state, self.caller, dry_run=dry_run)

    def last_line(self, run: str) -> Line | None:
        """Return what the agent said last in the run with that id."""
        from orchgit.engine import output
        from orchgit.repository import runs

        return output.last(runs.folder(self.layout, run))

    def began(self, run: str) -> datetime | None:
        """Return when the run with that id was started; None where this clone doesn't know it."""
        from orchgit.repository import runs

        return runs.began(runs.folder(self.layout, run))

    def used(self, run: str) -> Usage | None:
        """Return what the run with that id has used by now; None where this clone knows nothing of it."""
        from orchgit.repository import runs

        return runs.read_usage(runs.folder(self.layout, run))

    def session(self, run: str) -> str | None:
        """Return the id of the session that the run with that id has with its CLI; None where none is known."""
        from orchgit.repository import runs

        found = runs.read_session(runs.folder(self.layout, run))
        return found.id if found else None

    # Git's hooks

    def install_hooks(self, *, shared: bool = False) -> Hooks:
        """Put Git's hooks beside those that are there; `shared` allows a folder that other repositories use too."""
        from orchgit.engine import githooks

        return githooks.install(self.layout, shared=shared)

    def uninstall_hooks(self) -> tuple[str, ...]:
        """Take Git's hooks away; return what another tool's later hook keeps from being put back."""
        from orchgit.engine import githooks

        return githooks.uninstall(self.layout)

    def hooks(self) -> Hooks:
        """Return how Git's hooks stand, and what keeps them from running."""
        from orchgit.engine import githooks

        return githooks.status(self.layout)

    def write_message(self, place: Path, *, typed: bool = False) -> None:
        """Put a message into the file `place`, as what is staged in the state folder tells it."""
        from orchgit.engine import message

        message.write(self.layout, place, typed=typed)

    def close_merged(self) -> list[Task]:
        """Close the tasks in review whose work came into the base branch outside orchgit, and return them."""
        from orchgit.engine import outside

        closed = outside.close_merged(self.layout)
        if closed:
            outside.sweep_later(self.layout)
        return closed

    def import_orch(self, place: str | Path, *, dry_run: bool = False) -> Brought:
        """Bring the ORCH project over whose `.orchestry/` is `place`, or lies in it: in one write, or nothing of it.

        `notes` say what can't be here as it was there, or has no place. With `dry_run` nothing is written.
        """
        from orchgit.engine.orch import bring

        return bring.over(self.layout, self.state, self._decider(), Path(place), dry_run=dry_run)

    # Settings and history

    def config(self) -> Config:
        return self.state.config

    def set_config(self, key: str, value: str) -> Config:
        from orchgit.engine import settings

        return settings.change(self.layout, self.caller, key, value)

    def rewrite_config(self, *, base: str, typed: str) -> Config:
        from orchgit.engine import settings

        return settings.rewrite(self.layout, self.caller, base=base, typed=typed)

    def reason(self, task: str) -> str | None:
        """Return why the task with the id `task` came to stand where it stands, where its last transition says so."""
        from orchgit.engine import history

        status = self.task(task).status
        found = history.last_transition(self.layout, self.state.tip, task, to=status.value)
        return found.message.get("Reason") if found else None

    def last_used(self, task: str) -> Usage | None:
        """Return what the last run of the task with the id `task` used, or what the one at work has used by now."""
        known = self.task(task)
        if known.run:
            return self.used(known.run)
        found = self.past(task)
        return found.used if found else None

    def past(self, task: str) -> Past | None:
        """Return how the last run of the task with the id `task` ended, and what it said last; None where it had none.

        That of a run which is at work is the one before.
        """
        from orchgit.engine import pasts

        known = self.task(task)
        if not pasts.was_begun(known, self.state):
            return None  # or the whole history would be searched for it
        return pasts.of(self.layout, self.state.tip, [known.id]).get(known.id)

    def pasts(self, tasks: Iterable[Task]) -> Mapping[str, Past]:
        """Return the same of several tasks, by id, reading the history once."""
        from orchgit.engine import pasts

        return pasts.of(self.layout, self.state.tip, [each.id for each in tasks if pasts.was_begun(each, self.state)])

    def spent(self, *, since: str | None = None, until: str | None = None, goals: bool = False) -> list[Spent]:
        """Return what each run used that ended in that time, newest first; times are dates as `log` takes them.

        With `goals` it is said which goal each run's task serves now. `model.spending` adds them up.
        """
        from orchgit.engine import past, stats

        start = None if since is None else past.seconds(self.layout, since, end=False)
        end = None if until is None else past.seconds(self.layout, until, end=True)
        found = stats.spent(self.layout, self.state, since=start, until=end)
        return stats.with_goals(self.layout, self.state, found) if goals else found

    def spent_on(self, task: str) -> list[Spent]:
        """Return what each run of the task with the id `task` used, newest first: read back to when it was made."""
        from orchgit.engine import stats

        return stats.spent(self.layout, self.state, since=_before(self.task(task).created), task=task)

    def spent_on_goal(self, word: str) -> list[Spent]:
        """Return what each run used whose task serves the goal now, newest first: read back to the first of them."""
        from orchgit.engine import stats

        tasks = self.tasks_of_goal(word)
        made = [task.created for task in tasks if task.created]
        since = _before(min(made)) if made and len(made) == len(tasks) else None
        known = {task.id for task in tasks}
        return [each for each in stats.spent(self.layout, self.state, since=since) if each.task in known]

    def prompt(self, word: str) -> str:
        """Return the prompt of the run that has the task, of the next where one is to come, or else of the last."""
        from orchgit.engine import briefing

        return briefing.prompt(self.layout, self.state, self.task(word))

    def why(self, word: str, *, start: str | Path = ".") -> tuple[Target, tuple[Origin, ...]]:
        """Return what `word` (FILE, FILE:LINE or FILE:A-B, seen from `start`) names, and the pasts of its lines."""
        from orchgit.engine import lines, provenance

        asked = lines.named(self.layout, word, start=Path(start))
        return asked, provenance.of(self.layout, self.state, asked)

    def history(
        self, *, task: str | None = None, limit: int | None = None, wanted: Wanted | None = None
    ) -> Iterator[Entry]:
        """Yield the commits of the state branch, newest first: those about `task`, and those that are `wanted`."""
        from orchgit.engine import history

        if wanted is None:
            return history.entries(self.layout, self.state.tip, task=task, limit=limit)
        return history.picked(self.layout, self.state, wanted, task=task, limit=limit)

    def graph(self, word: str, *, color: bool = False, limit: int | None = None) -> str:
        """Return the task's transitions and its work as `git log --graph` draws them."""
        from orchgit.engine import graph

        return graph.of(self.layout, self.state, word, color=color, limit=limit)

    def verify(self, *revisions: str) -> Verified:
        """Hold the commits of the state branch, or those that `revisions` name, against the rules."""
        from orchgit.engine import verify

        asked = verify.named(self.layout, self.state, revisions) or (STATE_REF,)
        return verify.check(self.layout.state, asked)

    def undo(self, word: str | None = None) -> Undone:
        """Set the state before a commit again: one of the state branch, the last about a task, or the last of all."""
        from orchgit.engine import undo

        return undo.undo(self.layout, self.state, self._decider(), word)

    def blame(self, word: str) -> Blame:
        """Return which commit made each field and each line of a task what it is."""
        from orchgit.engine import blame

        return blame.of(self.layout, self.state.tip, self.task(word))


def _before(made: datetime | None) -> int | None:
    """Return from when on, in seconds since the epoch, what was made then can be found in the history; None: always."""
    return None if made is None or made > datetime.now(UTC) else int((made - timedelta(days=1)).timestamp())
