from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import psutil
import pytest

from orchgit import api
from orchgit.cli import demo
from orchgit.model.errors import OrchgitError
from orchgit.repository import resources
from tests.support import repos
from tests.support.cli import ok, type_
from tests.support.repos import git

if TYPE_CHECKING:
    from pathlib import Path

_HOSTILE = """\
[user]
\tuseConfigOnly = true
[commit]
\tgpgsign = true
[core]
\thooksPath = {hooks}
\texcludesFile = {ignored}
\tautocrlf = true
[init]
\ttemplateDir = {hooks}
\tdefaultBranch = trunk
[color]
\tui = always
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def hostile_git(world: Path) -> None:
    """A machine where nobody has a name, every hook fails, nothing can be signed and docs/ is ignored."""
    repos.make_script(world / "hooks" / "pre-commit", "exit 1")
    repos.make_script(world / "hooks" / "post-checkout", "exit 1")
    repos.write(world, {"ignored": "docs/\n"})
    (world / "gitconfig").write_text(_HOSTILE.format(hooks=world / "hooks", ignored=world / "ignored"))


@pytest.mark.usefixtures("hostile_git")
def test_a_team_works_on_real_code_until_all_of_it_is_merged(tmp_path: Path, temporary: Path) -> None:
    inside_a_run = {"ORCHGIT_AGENT": "outer", "ORCHGIT_RUN": "run_000000"}
    said = ok(tmp_path, "demo", "--keep", "kept", **inside_a_run).out
    repo = tmp_path / "kept" / "click"
    assert list(temporary.iterdir()) == []
    assert [path.name for path in repo.parent.iterdir()] == ["click"]
    assert repos.is_clean(repo)
    assert repos.is_sound(repo)

    subjects = [git(repo, "log", "-1", "--format=%s", f"{merge}^2") for merge in _merges(repo)]
    assert set(subjects[:2]) == {"Check that it holds together", "Draw the import graph"}  # they waited for the others
    assert set(subjects[2:]) == {
        "Document the public API", "Remove unused imports", "Write an index of the modules",
    }  # fmt: skip
    names = git(repo, "diff", "--name-only", "HEAD~5").splitlines()
    assert names[:4] == ["docs/API.md", "docs/CHECK.md", "docs/IMPORTS.md", "docs/MODULES.md"]
    assert names[4:]
    assert git(repo, "diff", "HEAD~6", "--", "src") == ""  # the janitor found all that was left behind, and no more
    assert f"`{click.Command.__name__}` | class" in (repo / "docs" / "API.md").read_text()

    story = repos.subjects(repo / ".orchestry")
    assert [line.partition(": ")[2] for line in story].count("in_progress -> retrying") == 1
    assert len([line for line in story if line.endswith("review -> done")]) == 5
    assert "5 tasks done by 5 agents in 6 attempts" in said
    assert git(repo, "log", "--graph", "--oneline", "--decorate", "--no-color") in said
    for commit in git(repo / ".orchestry", "log", "--no-color", "--format=%h").splitlines():
        assert f"\n{commit} " in said
    assert "\x1b" not in said


def test_ctrl_c_stops_the_agents_and_leaves_nothing_behind(tmp_path: Path, temporary: Path) -> None:
    command = [sys.executable, "-m", "orchgit", "demo"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("  in_progress  " in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate()
    assert (process.returncode, complaint.strip()) == (130, "orchgit: Interrupted.")
    assert list(temporary.iterdir()) == []
    assert [each for each in psutil.process_iter() if _speaks_of(each, temporary)] == []


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    repos.write(tmp_path, {"full/notes.txt": "mine"})
    said = type_(tmp_path, "demo", "--keep", "full")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"orchgit: {tmp_path / 'full'} is there already, and it is not an empty folder.\n")
    assert repos.file_bytes(tmp_path / "full") == {"notes.txt": b"mine"}


def test_a_result_that_breaks_a_promise_is_told(project: Path) -> None:
    task = ok(project, "task", "add", "Never done").id
    repos.write(project, {"src/broken.py": "def\n"})
    with pytest.raises(OrchgitError) as caught:
        demo.check(api.open_project(project))
    for words in (f"{task} (Never done) is todo", "src/broken.py does not compile", "?? src/broken.py"):
        assert words in caught.value.what


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import a\nimport b\nb.x\n", "import b\nb.x\n"),
        ("import a.b.c\nfrom d import e as f\nf\n", "from d import e as f\nf\n"),
        ("from a import b, c\nc\n", "from a import c\nc\n"),
        ("from a import (\n    b,\n    c,\n)\nc\n", "from a import (\n    c,\n)\nc\n"),
        ("from a import (b,\n    c)\nc\n", "from a import c\nc\n"),
        ("import a\r\nimport b\r\nb\r\n", "import b\r\nb\r\n"),
        ("from t import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\n    import b\nx: a.X\n",
         "from t import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\nx: a.X\n"),
    ],
)  # fmt: skip
def test_the_janitor_removes_what_nothing_uses(tmp_path: Path, before: str, after: str) -> None:
    assert _tidied(tmp_path, before) == after


@pytest.mark.parametrize(
    "text",
    [
        "from __future__ import annotations\n",
        "import a as a\nfrom b import c as c\nx = 1\n",
        "from a import *\nx = 1\n",
        "from a import b\n__all__ = ['b']\n",
        "import a  # noqa: F401\nx = 1\n",
        "from a import (\n    b,  # noqa: F401\n)\nx = 1\n",
        "from a import B\ndef f(x: 'list[B]') -> None: ...\n",
        "from a import B\nx = []  # type: list[B]\n",
        "import a; import b\nb\n",
        "try:\n    import a\nexcept ImportError:\n    pass\n",
        "from t import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\n",
        "import a\n",
        "from a import taken\nimport read\nx = 1\n",
    ],
)
def test_the_janitor_leaves_what_anything_might_use(tmp_path: Path, text: str) -> None:
    assert _tidied(tmp_path, text) == text


def _tidied(folder: Path, text: str) -> str:
    """Return what the janitor makes of a module that a second one takes names from."""
    files = {"__init__.py": "import unused\n", "one.py": text, "two.py": "from .one import taken\nfrom . import one\n"}
    files["two.py"] += "taken, one.read\n"
    repos.write(folder, {f"src/package/{name}": content for name, content in files.items()})
    script = resources.folder("templates") / "demo" / "janitor.py"
    subprocess.run([sys.executable, "-B", script], cwd=folder, check=True, capture_output=True)
    found = repos.file_bytes(folder / "src" / "package")
    assert found["__init__.py"] == b"import unused\n"
    return found["one.py"].decode()


def _merges(repo: Path) -> list[str]:
    return git(repo, "rev-list", "--first-parent", "--merges", "main").splitlines()


def _speaks_of(process: psutil.Process, folder: Path) -> bool:
    try:
        return any(str(folder) in word for word in process.cmdline())
    except psutil.Error:
        return False
