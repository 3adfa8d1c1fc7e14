"""The files for service managers: they can be read, and a restart of the service doesn't end the runs."""

from __future__ import annotations

import configparser
import os
import plistlib
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from orchgit.cli.main import orchgit

_SERVICES = Path(__file__).parent.parent / "templates" / "service"
_UNIT = _SERVICES / "orchgit@.service"


def _check_command(words: list[str]) -> None:
    """The words after `orchgit -C PATH` are a command that there is, with options that it has."""
    option, _, name, *rest = words
    command = orchgit.get_command(click.Context(orchgit), name)
    assert option == "-C"
    assert command is not None
    assert {word for word in rest if word.startswith("-")} <= {each for found in command.params for each in found.opts}


def test_the_unit_of_systemd() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(_UNIT.read_text())
    assert set(unit.sections()) == {"Unit", "Service", "Install"}
    service = unit["Service"]
    assert service["KillMode"] == "process"
    for key in ("ExecStart", "ExecStop"):
        program, *words = service[key].removeprefix("-").split()
        assert program == "%h/.local/bin/orchgit"
        _check_command(words)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not here")
    made = tmp_path / "orchgit@home-ada-shop.service"
    made.write_text(_UNIT.read_text().replace("%h/.local/bin/orchgit", "/bin/true"))
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run([analyze, "--user", "verify", made], env=env, capture_output=True, text=True, check=False)
    if "Failed to initialize manager" in done.stderr:
        pytest.skip("systemd can't run here")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_property_list_of_launchd() -> None:
    job = plistlib.loads((_SERVICES / "orchgit.plist").read_bytes())
    assert job["AbandonProcessGroup"] is True
    assert job["KeepAlive"] == {"SuccessfulExit": False}
    program, *words = job["ProgramArguments"]
    assert Path(program).name == "orchgit"
    _check_command(words)
