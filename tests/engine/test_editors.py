"""Real editors, on a terminal, beside a team that runs."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from orchgit.model.task import Status
from orchgit.repository import judged
from tests.support import repos, standing, typed
from tests.support.agents import until, waits_for
from tests.support.serving import on_terminal, press, serving

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.team import Team

ESC, ENTER = "\x1b", "\r"


@dataclass(frozen=True)
class Editor:
    """`argv` starts it, `append` types a line at the end of the text; what it has by then left there is `leaves`.

    `over` types "Typed." into a file that was changed meanwhile, and saves it all the same: keys, then what it asks.
    """

    argv: tuple[str, ...]
    append: str
    save: str
    over: tuple[tuple[str, str], ...]
    leave: str
    leaves: tuple[str, ...] = ()

    def typing(self, line: str) -> str:
        return self.append.format(line)


def vim(*options: str, leaves: tuple[str, ...] = (".{}.swp",)) -> Editor:
    argv = ("vim", "-u", "NONE", "-N", "--cmd", f"set {' '.join(['updatecount=1', *options])}")
    over = ((f"GoTyped.{ESC}:w!{ENTER}", "(y/n)?"), ("y", ""))
    return Editor(argv, f"Go{{}}{ESC}", f":w{ENTER}", over, f":q!{ENTER}", leaves)


NANO = Editor(
    ("nano", "--ignorercfiles", "--backup", "--locking"),
    append=f"{ESC}/{{}}{ENTER}",
    save="\x13",
    over=((f"{ESC}/Typed.{ENTER}\x13", "continue saving"), ("Y", "")),
    leave="\x18",
    leaves=(".{}.swp",),
)
EMACS = Editor(
    ("emacs", "-Q", "-nw"),
    append=f"{ESC}>{{}}{ENTER}{ESC}xdo-auto-save{ENTER}",
    save="\x18\x13",
    over=(
        (f"{ESC}>T", "really edit the buffer"),
        ("y", "will become a backup"),
        (f"yped.{ENTER}\x18\x13", "Save anyway"),
        (f"yes{ENTER}", ""),
    ),
    leave="\x18\x03",
    leaves=(".#{}", "#{}#"),
)
EDITORS = {
    "vim": vim("backupcopy=no", "writebackup"),
    "vim, with backups": vim("backup", "backupcopy=auto"),
    "vim, writing in place": vim("backupcopy=yes"),
    "vim, without any of that": vim("noswapfile", "nowritebackup", leaves=()),
    "nano": NANO,
    "emacs": EMACS,
}


@pytest.fixture(params=list(EDITORS))
def editor(request: pytest.FixtureRequest) -> Editor:
    found = EDITORS[request.param]
    if shutil.which(found.argv[0]) is None:
        pytest.skip(f"{found.argv[0]} is not installed")
    return found


@contextmanager
def opened(editor: Editor, place: Path, screen: Path) -> Iterator[subprocess.Popen[bytes]]:
    with on_terminal(screen, *editor.argv, place) as process:
        until(lambda: b"title:" in screen.read_bytes())
        yield process


def subjects(team: Team) -> list[str]:
    return repos.subjects(team.layout.state)[::-1]


def is_shown(screen: Path, words: str) -> bool:
    return words.encode() in screen.read_bytes()


def is_committed(team: Team, task: str, typed_: bytes) -> bool:
    return typed_ in repos.git_bytes(team.root, "show", f"orchestry:{team.task(task).path}")


def test_what_is_saved_is_committed_and_what_it_leaves_is_none_of_ours(
    team: Team, editor: Editor, tmp_path: Path
) -> None:
    task = team.add("Old", description="Do it.")
    place, before = team.layout.state / team.task(task).path, len(subjects(team))
    lying = [place.with_name(name.format(place.name)) for name in editor.leaves]
    with serving(team.layout, tmp_path / "log"), opened(editor, place, tmp_path / "screen") as process:
        for line in ("One.", "Two."):
            press(process, editor.typing(line))
            until(lambda: all(path.is_symlink() or path.exists() for path in lying))
            press(process, editor.save)
            until(partial(is_committed, team, task, f"{line}\n".encode()))
        press(process, editor.leave)
    assert subjects(team)[before:] == [f"task({task}): edit body"] * 2
    assert [each.id for each in team.state.tasks.values()] == [task]
    assert judged.read(team.layout) == {}
    assert standing.faults(team.layout) == []
    assert repos.git(team.layout.state, "diff", "--name-only", "HEAD") == ""


def test_what_is_saved_over_a_newer_file_brings_just_what_was_typed(team: Team, editor: Editor, tmp_path: Path) -> None:
    team.agent(waits_for(tmp_path / "gate"))
    team.set("scheduling.max_concurrent_agents", 1)
    task = team.add("Old", description="Do it.")
    place = team.layout.state / team.task(task).path
    with opened(editor, place, tmp_path / "screen") as process, serving(team.layout, tmp_path / "log"):
        until(lambda: team.task(task).status is Status.IN_PROGRESS)
        until(lambda: "in_progress" in place.read_text())
        for keys, asked in editor.over:
            press(process, keys)
            until(partial(is_shown, tmp_path / "screen", asked))
        until(lambda: "Typed." in team.show("orchestry", team.task(task).path))
        (tmp_path / "gate").touch()
        until(lambda: team.task(task).status is Status.REVIEW)
        press(process, editor.leave)
    assert "Typed.\n" in place.read_text()
    assert [line for line in team.story(task) if "->" in line] == ["todo -> in_progress", "in_progress -> review"]
    assert judged.read(team.layout) == {}
    assert standing.faults(team.layout) == []


@pytest.mark.parametrize("how", sorted(typed.SAVES))
def test_editors_that_save_like_visual_studio_code_and_others(team: Team, how: str, tmp_path: Path) -> None:
    task = team.add("Old", description="Do it.")
    place = team.layout.state / team.task(task).path
    with serving(team.layout, tmp_path / "log"):
        for line in ("One.\n", "Two.\n"):
            data = place.read_bytes() + line.encode()
            typed.SAVES[how](place, data)
            until(partial(is_committed, team, task, data))
    assert [each.id for each in team.state.tasks.values()] == [task]
    assert judged.read(team.layout) == {}
    assert standing.faults(team.layout) == []
