"""A person who types anything at all into the state folder, and a team at work beside."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from functools import wraps
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchgit import api
from orchgit.engine import clearing, loop
from orchgit.engine.tasks import Wish
from orchgit.model.errors import OrchgitError
from orchgit.model.task import Status
from orchgit.repository import judged, locks
from tests.engine.team import Team, make_team
from tests.support import repos, standing, typed
from tests.support.agents import until
from tests.support.serving import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orchgit.api import Project
    from orchgit.repository.layout import Layout

_MARK = re.compile(rb"w[0-9]{6}w[^\r\n]{0,12}")  # with what stands behind it: odd bytes are typed too
_numbers = count(1)

COMMANDS: dict[str, Callable[[Project, str], object]] = {
    "take": lambda project, word: project.take(word),
    "release": lambda project, word: project.release(word),
    "cancel": lambda project, word: project.cancel(word),
    "retry": lambda project, word: project.retry(word),
    "approve": lambda project, word: project.approve(word),
    "reject": lambda project, word: project.reject(word, reason="No."),
    "submit": lambda project, word: project.submit(word, start=project.layout.root),
    "delete": lambda project, word: project.delete_task(word),
}
SETTINGS = ("config.yaml", "agents/bot.md", "agents/mine.md", "agents/mine.yaml", "prompt.md", "notes.txt")
ANY = {**typed.LEGAL, **typed.ILLEGAL}

files = st.integers(0, 7)  # one of those that lie there
saves = st.sampled_from(sorted(typed.SAVES))
waits = st.sampled_from((0.0, 0.0, 0.0, 0.02, 0.3))


def step(**drawn: Any) -> Callable[[Callable[..., None]], Any]:
    """A rule that is noted: a walk that depends on time can't always be walked once more to see it."""

    def noting(do: Callable[..., None]) -> Any:
        @wraps(do)
        def noted(self: Walk, **values: Any) -> None:
            self.steps.append(f"{do.__name__}({', '.join(f'{name}={value!r}' for name, value in values.items())})")
            do(self, **values)

        rule_: Any = rule(**drawn)
        return rule_(noted)

    return noting


class Walk(RuleBasedStateMachine):
    """Types, commits, asks and lets the team work, by turns. `folder` is where the projects go."""

    folder: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.owed: dict[bytes, str] = {}  # what was typed last in which file
        self.safe: set[bytes] = set()
        self.buffers: list[tuple[Path, bytes]] = []
        self.names: list[str] = []
        self.steps: list[str] = []
        self.ending: Iterator[Team] | None = None

    @initialize()
    def begin(self) -> None:
        self.ending = make_team(self.folder / f"walk{next(_numbers)}")
        self.team = next(self.ending)
        self.layout = self.team.layout
        self.team.set("defaults.task.max_attempts", 2)
        self.team.agent("echo $ORCHGIT_TASK_ID >> work.txt; sleep 0.1")
        self.team.agent("sleep 0.1; exit 1", name="bad")
        for title in ("One", "Two", "Three"):
            self.team.add(title, description="Do it.\n\nAll of it.")
        self.look()

    # What the person does with files

    @step(file=files, how=saves, what=st.sampled_from(sorted(typed.LEGAL)), wait=waits)
    def edit(self, file: int, how: str, what: str, wait: float) -> None:
        self.change(file, how, typed.LEGAL[what])
        time.sleep(wait)

    @step(file=files, how=saves, what=st.sampled_from(sorted(typed.ILLEGAL)), wait=waits)
    def spoil(self, file: int, how: str, what: str, wait: float) -> None:
        self.change(file, how, typed.ILLEGAL[what])
        time.sleep(wait)

    @step(file=files, how=saves, status=st.sampled_from(sorted(Status)), text=st.booleans(), wait=waits)
    def type_status(self, file: int, how: str, status: Status, *, text: bool, wait: float) -> None:
        def change(data: bytes, mark: str) -> bytes:
            after = typed.with_line(data, "status", f"{status.value}  # {mark}")
            return typed.with_text(after, mark) if text else after

        self.change(file, how, change)
        time.sleep(wait)

    @step(many=st.lists(st.tuples(files, saves, st.sampled_from(sorted(typed.LEGAL))), min_size=2, max_size=4))
    def edit_several(self, many: list[tuple[int, str, str]]) -> None:
        for file, how, what in many:
            self.change(file, how, typed.LEGAL[what])

    @step(how=saves, what=st.sampled_from(sorted(typed.NEW)))
    def write_new(self, how: str, what: str) -> None:
        mark = self.mark()
        self.save(self.layout.state / "tasks" / f"new {mark}.md", typed.NEW[what](mark), how)

    @step(file=files, how=saves, edited=st.booleans())
    def copy(self, file: int, how: str, *, edited: bool) -> None:
        path = self.pick(file)
        data = self.read(path)
        if path and data is not None:
            mark = self.mark()
            self.save(path.with_name(f"copy {mark}.md"), typed.with_text(data, mark) if edited else data, how)

    @step(file=files)
    def rename(self, file: int) -> None:
        path = self.pick(file)
        to = self.layout.state / "tasks" / f"other {self.mark()}.md"
        if path:
            with suppress(FileNotFoundError):
                path.rename(to)
                self.owed.update({mark: self.name(to) for mark, where in self.owed.items() if where == self.name(path)})

    @step(file=files)
    def delete(self, file: int) -> None:
        path = self.pick(file)
        if path:
            path.unlink(missing_ok=True)
            self.forget(path)

    @step(file=files)
    def open_in_editor(self, file: int) -> None:
        path = self.pick(file)
        data = self.read(path)
        if path and data is not None:
            self.buffers.append((path, data))

    @step(which=files, how=saves, what=st.none() | st.sampled_from(sorted(typed.LEGAL)))
    def save_again(self, which: int, how: str, what: str | None) -> None:
        """Save what an editor has had since before."""
        if self.buffers:
            path, data = self.buffers[which % len(self.buffers)]
            self.save(path, data if what is None else typed.LEGAL[what](data, self.mark()), how)

    @step(
        how=saves,
        name=st.sampled_from(
            ("config.yaml", "agents/bot.md", "agents/mine.md", "agents/mine.yaml", "prompt.md", "n.txt")
        ),
        what=st.sampled_from(("comment", "limit", "unreadable", "wrong", "odd", "gone", "whole")),
    )
    def edit_setting(self, how: str, name: str, what: str) -> None:
        path, mark = self.layout.state / name, self.mark()
        data = self.read(path) or b""
        match what:
            case "gone":
                path.unlink(missing_ok=True)
                self.forget(path)
                return
            case "whole":
                data = f"---\nadapter: shell\ncommand: 'true'\n---\n{mark}\n".encode()
            case "comment":
                data = typed.with_line(data, f"# {mark}", "x")
            case "limit":
                data = typed.with_text(data, f"scheduling_{mark}: {{max_concurrent_agents: 2}}")
            case "unreadable":
                data = typed.with_line(data, "adapter", f"[{mark}")
            case "wrong":
                data = typed.with_line(data, "adapter", f"nobody  # {mark}")
            case "odd":
                data += f"# {mark}\0".encode() + b"\xff\n"
        self.save(path, data, how)

    # What the person does with git

    @step(message=st.sampled_from(("by hand", "task(tsk_zzzzzz): done", "x\n\nTransition: todo -> done")))
    def commit_all(self, message: str) -> None:
        self.git("add", "--all", "--", ".")
        self.git("commit", "--quiet", "--no-verify", f"--message={message}")

    @step(
        file=files,
        what=st.sampled_from(sorted(ANY)),
        status=st.none() | st.sampled_from(sorted(Status)),
    )
    def commit_change(self, file: int, what: str, status: Status | None) -> None:
        def change(data: bytes, mark: str) -> bytes:
            after = ANY[what](data, mark)
            return after if status is None else typed.with_line(after, "status", status.value)

        path = self.change(file, "in place", change)
        if path:
            self.git("commit", "--quiet", "--no-verify", "--message=by hand", "--", self.name(path))

    @step(
        file=files,
        what=st.sampled_from(sorted(ANY)),
        back=st.integers(0, 3),
        finish=st.sampled_from(("commit", "abort", "leave")),
    )
    def pull(self, file: int, what: str, back: int, finish: str) -> None:
        """Merge what was committed elsewhere, on top of an older state."""
        path, mark = self.pick(file), self.mark()
        start = f"HEAD~{back}" if self.git("rev-parse", "--verify", f"HEAD~{back}") else "HEAD"
        with elsewhere(self.layout, start, self.folder / mark) as other:
            if path is None or not (other / self.name(path)).is_file():
                return
            place = other / self.name(path)
            place.write_bytes(ANY[what](place.read_bytes(), mark))
            repos.git(other, "commit", "--quiet", "--all", "--no-verify", "--allow-empty", "--message=elsewhere")
            theirs = repos.git(other, "rev-parse", "HEAD")
        before = self.only_lying()
        if self.git("merge", "--quiet", "--no-edit", "--no-verify", theirs):
            return
        if finish == "commit":
            self.git("commit", "--quiet", "--all", "--no-verify", "--no-edit")
        elif finish == "abort":
            self.abort(before)

    @step()
    def abort_merge(self) -> None:
        self.abort(self.only_lying())

    def abort(self, before: set[bytes]) -> None:
        if self.git("merge", "--abort"):  # git takes back what was typed in the files that it merged
            for mark in before:
                self.owed.pop(mark, None)

    @step(file=files)
    def restore(self, file: int) -> None:
        path = self.pick(file)
        if path and self.git("restore", "--", self.name(path)):
            self.forget(path)

    # What the person asks for by commands

    @step(
        file=files,
        verb=st.sampled_from(("take", "release", "cancel", "retry", "approve", "reject", "submit", "delete")),
    )
    def ask(self, file: int, verb: str) -> None:
        with suppress(OrchgitError):
            project = self.open()
            tasks = sorted(project.state.tasks.values(), key=lambda task: task.age_key)
            if tasks:
                word = tasks[file % len(tasks)].id
                COMMANDS[verb](project, word)

    @step(file=files, what=st.sampled_from(("title", "priority", "description", "add")))
    def ask_for_edit(self, file: int, what: str) -> None:
        mark = self.mark()
        wishes = {
            "title": Wish(title=f"Told {mark}"),
            "priority": Wish(priority=1 + file % 4),
            "description": Wish(description=f"Told {mark}."),
            "add": Wish(title=f"Added {mark}", description="Do it."),
        }
        with suppress(OrchgitError):
            project = self.open()
            tasks = sorted(project.state.tasks.values(), key=lambda task: task.age_key)
            if what == "add":
                project.add_task(wishes[what])
            elif tasks:
                project.edit_task(tasks[file % len(tasks)].id, wishes[what])

    @step()
    def undo(self) -> None:
        with suppress(OrchgitError):
            self.open().undo()

    @step()
    def let_the_team_look_once(self) -> None:
        """Let the loop start what there is, and leave it at work."""
        control = loop.Control()
        control.leave()
        with suppress(OrchgitError):
            loop.run(self.layout, until=loop.Until.STOPPED, report=lambda _: None, control=control)
            self.team.tick()

    @step()
    def look(self) -> None:
        """Do what any command does first."""
        with suppress(OrchgitError):
            self.open()

    @step(turns=st.integers(1, 2))
    def let_the_team_work(self, turns: int) -> None:
        for _ in range(turns):
            with suppress(OrchgitError):
                loop.run(self.layout, until=loop.Until.SETTLED, report=lambda _: None, tick=0.1)

    # What must be so

    @invariant()
    def nothing_typed_is_lost(self) -> None:
        if self.is_quiet():
            assert not self.lost(), self.lost()

    def teardown(self) -> None:
        if self.ending is None:
            return
        try:
            if sys.exc_info()[0] is None:
                self.end()
        except Exception:
            print(self.layout.root, *self.steps, sep="\n    ")
            raise
        finally:
            self.stop()
            next(self.ending, None)

    def stop(self) -> None:
        clearing.wait()

    def end(self) -> None:
        self.abort(self.only_lying())
        for place in self.team.runs():
            locks.wait_until_free(place.runner_lock)
        self.open()
        assert not self.lost(), self.lost()
        found = standing.faults(self.layout)
        assert not found, found
        self.settle_refused()

    def settle_refused(self) -> None:
        """Put back what was refused, and see that nothing else is wrong."""
        for path in judged.read(self.layout):
            (self.layout.state / path).unlink(missing_ok=True)
            self.git("restore", "--", path)
        self.open()
        assert not judged.read(self.layout), judged.read(self.layout)
        dirty = repos.git(self.layout.state, "status", "--porcelain", "--untracked-files=no")
        assert not dirty, dirty
        found = standing.faults(self.layout)
        assert not found, found

    # How

    def is_quiet(self) -> bool:
        return True

    def open(self) -> Project:
        return api.open_project(self.team.root)

    def git(self, *args: str) -> bool:
        """Run the person's git in the state folder; did it do it?"""
        return not subprocess.run(["git", *args], cwd=self.layout.state, check=False, capture_output=True).returncode

    def mark(self) -> str:
        return f"w{next(_numbers):06}w"

    def name(self, path: Path) -> str:
        return str(path.relative_to(self.layout.state))

    def pick(self, number: int) -> Path | None:
        folder = self.layout.state / "tasks"
        there = {path.name for path in folder.glob("*.md") if not path.name.startswith(".")}
        self.names = [name for name in self.names if name in there]
        self.names += sorted(there.difference(self.names))
        return folder / self.names[number % len(self.names)] if self.names else None

    def read(self, path: Path | None) -> bytes | None:
        try:
            return path.read_bytes() if path else None
        except FileNotFoundError:
            return None

    def change(self, number: int, how: str, change: Callable[[bytes, str], bytes]) -> Path | None:
        path = self.pick(number)
        data = self.read(path)
        if path is None or data is None:
            return None
        self.save(path, change(data, self.mark()), how)
        return path

    def save(self, path: Path, data: bytes, how: str) -> None:
        self.forget(path)
        self.owed.update(dict.fromkeys(_MARK.findall(data), self.name(path)))
        typed.SAVES[how](path, data)

    def forget(self, path: Path) -> None:
        """What the person has typed over, or thrown away, is nobody's to keep."""
        self.owed = {mark: where for mark, where in self.owed.items() if where != self.name(path)}

    def only_lying(self) -> set[bytes]:
        kept = self.kept()
        return {mark for mark in self.owed if not any(mark in data for data in kept)}

    def lost(self) -> dict[bytes, str]:
        """Return what was typed and is neither in a file, nor in a commit of the state branch, nor under a ref."""
        if not self.owed:
            return {}
        lying = [path.read_bytes() for path in self.layout.state.rglob("*") if path.is_file()]
        missing = {mark for mark in self.owed if not any(mark in data for data in lying)} - self.safe
        if missing:
            kept = self.kept()
            self.safe |= {mark for mark in missing if any(mark in data for data in kept)}
        return {mark: self.owed[mark] for mark in missing - self.safe}

    def kept(self) -> list[bytes]:
        return standing.kept(self.layout)


@contextmanager
def elsewhere(layout: Layout, start: str, place: Path) -> Iterator[Path]:
    """Check an older state out, for somebody who knows nothing of this one."""
    repos.git(layout.state, "worktree", "add", "--quiet", "--detach", "--", place, start)
    try:
        yield place
    finally:
        repos.git(layout.state, "worktree", "remove", "--force", "--", place)


class WalkBeside(Walk):
    """The same, while `orchgit serve` judges, starts and settles beside it."""

    served: subprocess.Popen[bytes] | None = None

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.serving = serving(self.layout, self.folder / f"{self.layout.root.name}.log")
        self.served = self.serving.__enter__()

    @precondition(lambda self: False)
    @step()
    def let_the_team_work(self) -> None:
        """It works by itself."""

    @precondition(lambda self: False)
    @step()
    def let_the_team_look_once(self) -> None:
        """It looks by itself."""

    @invariant()
    def the_team_goes_on(self) -> None:
        assert not self.has_ended()

    def has_ended(self) -> bool:
        return self.served is not None and self.served.poll() is not None

    def lost(self) -> dict[bytes, str]:
        found = super().lost()
        dropped = standing.dropped_by_git(self.layout) if found else []
        return {mark: where for mark, where in found.items() if not any(mark in data for data in dropped)}

    def is_quiet(self) -> bool:
        return False  # a file may be between two places just now

    def end(self) -> None:
        self.abort(self.only_lying())
        # A commit that came in between leaves staged what it would have committed. The team may be writing just now.
        until(lambda: self.git("reset", "--quiet"))
        self.stop()
        super().end()

    def stop(self) -> None:
        if self.served is not None:
            self.serving.__exit__(None, None, None)
        self.served = None
        super().stop()
