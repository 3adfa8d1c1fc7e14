from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchgit.model.actor import Actor, Kind, agent
from orchgit.repository import identity
from tests.support.repos import git, make_repo


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repo(tmp_path / "project")


def test_the_person_is_who_git_says(repo: Path) -> None:
    git(repo, "config", "user.name", "Ünï <x> O'Neill")
    assert identity.machine(repo) == Actor(Kind.PERSON, "Ünï x O'Neill", "ada@example.org")


def test_without_an_identity_there_is_a_stand_in(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(os.environ["GIT_CONFIG_GLOBAL"]).write_text("[user]\n\tuseConfigOnly = true\n")
    monkeypatch.setenv("LOGNAME", "grace")
    assert identity.machine(repo) == Actor(Kind.PERSON, "grace", "grace@localhost")


def test_in_a_run_it_is_the_agent(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHGIT_AGENT", "backend")
    assert identity.caller(repo).name == "Ada Lovelace"
    monkeypatch.setenv("ORCHGIT_RUN", "run_1")
    assert identity.caller(repo) == agent("backend", run="run_1")
