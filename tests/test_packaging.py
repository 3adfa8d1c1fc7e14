"""The wheel: what is in it, and that it works where there is no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from orchgit import __version__

_CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ".", cwd=_CHECKOUT)
    (made,) = folder.glob("orchgit-*.whl")
    return made


def test_the_wheel_holds_every_file_of_hooks_and_templates(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("orchgit/data/")}
    files = {path for folder in ("hooks", "templates") for path in (_CHECKOUT / folder).rglob("*") if path.is_file()}
    there = {path.relative_to(_CHECKOUT).as_posix() for path in files if "__pycache__" not in path.parts}
    assert {f"orchgit/data/{name}" for name in there} == packed
    assert "orchgit/data/templates/demo/janitor.py" in packed


def test_an_installed_wheel_works_outside_any_repository(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = _install(wheel, tmp_path / "an environment")
    assert _run(commands / "orchgit", "--version", cwd=tmp_path) == f"orchgit {__version__}\n"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    said = _run(commands / "orch", "demo", cwd=tmp_path)
    assert "5 tasks done by 5 agents in 6 attempts" in said
    assert list(temporary.iterdir()) == []


def _install(wheel: Path, environment: Path) -> Path:
    """Install the wheel, and nothing else, where our own dependencies are found; return the folder of its commands.

    The path of our packages is added as a plain line, so that their own .pth files, an editable orchgit's among them,
    are not read.
    """
    _run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment.parent)
    python = environment / "bin" / "python"
    packages = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd="/").strip())
    ours = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (packages / "ours.pth").write_text("\n".join(ours))
    pip = (sys.executable, "-m", "pip", "--python", python)
    _run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=environment)
    assert (packages / "orchgit" / "__init__.py").is_file()
    return environment / "bin"


def _run(*command: str | Path, cwd: str | Path) -> str:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
