"""`orchgit doctor`: what it prints, and how it exits."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from tests.support import repos
from tests.support.cli import ok, type_

if TYPE_CHECKING:
    from pathlib import Path


def test_a_sound_project(project: Path) -> None:
    ok(project, "agent", "add", "bot", "--command", "true")
    ok(project, "hooks", "install")
    said = ok(project / "src", "doctor").out
    assert said.endswith("\n\nNothing is wrong.\n")
    assert {line.split()[0] for line in said.splitlines()[:-2]} == {"ok"}
    assert repos.is_clean(project)


def test_what_is_wrong_and_what_was_fixed(project: Path) -> None:
    shutil.rmtree(project / ".orchestry")
    repos.git(project, "branch", "-m", "main", "trunk")
    said = type_(project, "doctor")
    assert (said.code, said.err) == (1, "")
    assert f"warning  mount        {project / '.orchestry'} is not there" in said.out
    assert (
        f"error    base         The base branch 'main' doesn't exist.\n{'':22}No work can begin or be merged."
        in said.out
    )
    assert said.out.endswith("\n1 error and 1 warning. `orchgit doctor --fix` mends 1 of what is said above.\n")
    assert not (project / ".orchestry").exists()
    fixed = type_(project, "doctor", "--fix")
    assert fixed.code == 1
    assert f"fixed    mount        {project / '.orchestry'} is not there" in fixed.out
    assert f"{'':22}Done: mounted {project / '.orchestry'} again.\n" in fixed.out
    assert fixed.out.endswith("\n1 error left. 1 fixed.\n")
    repos.git(project, "branch", "-m", "trunk", "main")
    assert type_(project, "doctor", "--fix").code == 0


def test_json(project: Path) -> None:
    shutil.rmtree(project / ".orchestry")
    (mount,) = (each for each in ok(project, "doctor", "--json").data if each["check"] == "mount")
    assert (mount["level"], mount["fixable"], mount["fixed"]) == ("warning", True, "")
    (mount,) = (each for each in ok(project, "doctor", "--json", "--fix").data if each["check"] == "mount")
    assert mount["fixed"] == f"mounted {project / '.orchestry'} again"


def test_where_there_is_no_project(tmp_path: Path) -> None:
    said = type_(tmp_path, "doctor")
    assert (said.code, "error    project      " in said.out) == (1, True)
    assert json.loads(type_(tmp_path, "doctor", "--json").out)
    repo = repos.make_repo(tmp_path / "repo")
    assert "`orchgit init` makes it one." in ok(repo, "doctor").out


def test_an_agent_may_not_mend(project: Path) -> None:
    said = type_(project, "doctor", "--fix", ORCHGIT_AGENT="sly", ORCHGIT_RUN="run_x")
    assert (said.code, said.out, said.err) == (
        1,
        "",
        "orchgit: An agent may not mend the project.\nAsk the person you work for.\n",
    )
