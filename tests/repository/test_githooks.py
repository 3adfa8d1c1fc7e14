"""Hooks on disk: beside what was there, and gone without a trace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchgit.model.errors import RefusedError
from orchgit.repository import githooks
from orchgit.repository.githooks import KEPT, NAMES, How
from tests.support import repos, states

if TYPE_CHECKING:
    from orchgit.repository.layout import Layout

SHELLS = {
    "sh": "#!/bin/sh\n",
    "sh with an option": "#!/bin/sh -e\n",
    "env": "#!/usr/bin/env bash\n",
    "none": "",
}


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return states.make_project(tmp_path / "a project")


def hooks_of(layout: Layout) -> Path:
    return layout.common / "hooks"


def install(layout: Layout) -> list[Path]:
    return githooks.install(layout, githooks.folder(layout))


def uninstall(layout: Layout) -> list[Path]:
    return githooks.uninstall(layout, githooks.folder(layout))


def how(layout: Layout, name: str = "pre-commit") -> githooks.Hook:
    return githooks.look(githooks.folder(layout).path, name, expected=False)


def everything(folder: Path) -> dict[str, object]:
    """Return what lies in a folder: bytes, modes, and where links lead."""
    return {
        path.name: path.readlink() if path.is_symlink() else (path.read_bytes(), path.stat().st_mode)
        for path in folder.iterdir()
    }


def commit(repo: Path, *options: str) -> subprocess.CompletedProcess[str]:
    argv = ["git", "commit", "--quiet", "--allow-empty", "--message=x", *options]
    return subprocess.run(argv, cwd=repo, capture_output=True, text=True, check=False)


def test_installed_and_gone_without_a_trace(layout: Layout) -> None:
    hooks = hooks_of(layout)
    repos.make_script(hooks / "pre-commit", "echo mine")
    repos.make_script(hooks / "commit-msg", "exit 0")
    repos.make_script(layout.root / "scripts" / "push", "exit 0")
    (hooks / "pre-push").symlink_to("../../scripts/push")
    (hooks / "post-merge").write_bytes(b"#!/bin/sh\r\nnot executable\xff\n")
    before = everything(hooks)
    assert install(layout) == []
    once = everything(hooks)
    assert set(NAMES) <= once.keys()
    assert install(layout) == []
    assert everything(hooks) == once
    assert [how(layout, name).how for name in NAMES] == [How.INSTALLED] * len(NAMES)
    assert uninstall(layout) == []
    assert everything(hooks) == before
    assert not (layout.local / "githooks").exists()
    assert uninstall(layout) == []
    assert everything(hooks) == before


def test_a_folder_that_was_made_goes_again(layout: Layout) -> None:
    for each in (hooks := hooks_of(layout)).iterdir():
        each.unlink()
    hooks.rmdir()
    install(layout)
    assert commit(layout.root).returncode == 0
    uninstall(layout)
    assert not hooks.exists()


@pytest.mark.parametrize("shebang", SHELLS.values(), ids=SHELLS.keys())
def test_a_chained_script_knows_its_name_its_words_and_its_input(layout: Layout, shebang: str, tmp_path: Path) -> None:
    hooks, seen = hooks_of(layout), tmp_path / "seen"
    words = f'{{ basename "$0"; dirname "$0"; printf "%s\\n" "$@"; cat; }} > "{seen}"\nexit 3\n'
    (hooks / "pre-push").write_text(shebang + words)
    (hooks / "pre-push").chmod(0o755)
    install(layout)
    bare = repos.make_bare(tmp_path / "bare", layout.root)
    push = ["git", "push", "--quiet", str(bare), "main:other"]
    assert subprocess.run(push, cwd=layout.root, capture_output=True, check=False).returncode == 1
    name, place, *rest = seen.read_text().splitlines()
    head = repos.git(layout.root, "rev-parse", "main")
    assert name == "pre-push" + (KEPT if not shebang else "")
    assert (layout.root / place).resolve() == hooks
    assert rest == [str(bare), str(bare), f"refs/heads/main {head} refs/heads/other {'0' * 40}"]


def test_a_chained_program_that_is_no_shell_script_runs(layout: Layout) -> None:
    hook = repos.make_script(hooks_of(layout) / "pre-commit", f"#!{sys.executable}\nraise SystemExit('no: python')")
    install(layout)
    done = commit(layout.root)
    assert (done.returncode, done.stderr) == (1, "no: python\n")
    assert commit(layout.state).returncode == 1
    hook.with_name("pre-commit" + KEPT).chmod(0o644)
    assert commit(layout.root).returncode == 0
    assert how(layout).chained == "a hook of your own, not executable"


def test_a_hook_that_another_tool_wrote_over_is_mended(layout: Layout) -> None:
    """As husky does: without asking what was there."""
    hooks = hooks_of(layout)
    mine = repos.make_script(hooks / "pre-commit", "exit 0").read_bytes()
    install(layout)
    theirs = repos.make_script(hooks / "pre-commit", "echo theirs").read_bytes()
    assert how(layout).how is How.REPLACED
    kept = hooks / f"pre-commit{KEPT}-1"
    assert install(layout) == [kept]
    assert how(layout).how is How.INSTALLED
    assert uninstall(layout) == [kept]
    assert ((hooks / "pre-commit").read_bytes(), kept.read_bytes()) == (theirs, mine)


def test_uninstall_leaves_what_another_tool_wrote_since(layout: Layout) -> None:
    hooks = hooks_of(layout)
    repos.make_script(hooks / "pre-commit", "exit 0")
    install(layout)
    (hooks / "pre-commit").write_text("#!/bin/sh\necho theirs\n")
    assert uninstall(layout) == [hooks / f"pre-commit{KEPT}"]
    assert (hooks / "pre-commit").read_text() == "#!/bin/sh\necho theirs\n"


def test_a_hook_that_was_removed_comes_back(layout: Layout) -> None:
    hooks = hooks_of(layout)
    mine = repos.make_script(hooks / "pre-commit", "exit 0").read_bytes()
    install(layout)
    (hooks / "pre-commit").unlink()
    install(layout)
    assert how(layout) == githooks.Hook("pre-commit", How.INSTALLED, "a hook of your own")
    (hooks / "pre-commit").unlink()
    uninstall(layout)
    assert (hooks / "pre-commit").read_bytes() == mine


def test_another_version_and_a_lost_mode_are_mended(layout: Layout) -> None:
    install(layout)
    hook = hooks_of(layout) / "pre-commit"
    hook.chmod(0o644)
    assert how(layout).how is How.OUTDATED
    install(layout)
    hook.write_text(hook.read_text() + "# older\n")
    assert how(layout).how is How.OUTDATED
    install(layout)
    assert hook.read_bytes() == githooks.script("pre-commit")
    assert os.access(hook, os.X_OK)


@pytest.mark.parametrize("setting", [".githooks", "ABSOLUTE"])
def test_core_hooks_path(layout: Layout, setting: str, tmp_path: Path) -> None:
    place = layout.root / ".githooks" if setting == ".githooks" else tmp_path / "my hooks"
    repos.git(layout.root, "config", "core.hooksPath", setting if setting == ".githooks" else str(place))
    repos.make_script(place / "pre-commit", "echo no; exit 1")
    before = everything(place)
    settings = (layout.common / "config").read_bytes()
    install(layout)
    assert githooks.folder(layout).path == place
    assert commit(layout.root).returncode == 1
    assert (layout.common / "config").read_bytes() == settings
    uninstall(layout)
    assert everything(place) == before


def test_hooks_are_taken_away_where_git_does_not_look_any_more(layout: Layout, tmp_path: Path) -> None:
    before = everything(hooks_of(layout))
    install(layout)
    repos.git(layout.root, "config", "core.hooksPath", str(tmp_path / "elsewhere"))
    uninstall(layout)
    assert everything(hooks_of(layout)) == before


def test_hooks_that_are_switched_off_stay_so(layout: Layout) -> None:
    repos.git(layout.root, "config", "core.hooksPath", "/dev/null")
    with pytest.raises(RefusedError, match="not a folder: Git runs no hooks here"):
        githooks.refuse_unfit(githooks.folder(layout), shared=False)


def test_a_folder_of_all_repositories_is_not_taken_unasked(layout: Layout, tmp_path: Path) -> None:
    repos.git(layout.root, "config", "--global", "core.hooksPath", str(tmp_path / "all"))
    where = githooks.folder(layout)
    with pytest.raises(RefusedError, match="holds the hooks of other repositories too"):
        githooks.refuse_unfit(where, shared=False)
    githooks.refuse_unfit(where, shared=True)
    githooks.install(layout, where)
    other = repos.make_repo(tmp_path / "other")
    assert commit(other).returncode == 0


def test_scripts_are_alike_where_they_chain() -> None:
    chains = set()
    for name in NAMES:
        text = githooks.script(name).decode()
        start, end = text.index("run_kept() {"), text.index("\n}\n")
        chains.add(text[start:end].replace(f"/{name}", "/NAME"))
    assert len(chains) == 1
