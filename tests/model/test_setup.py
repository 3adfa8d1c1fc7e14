"""What sets a workspace up, as it stands in a file."""

from __future__ import annotations

import pytest

from orchgit.model import config, setup
from orchgit.model.errors import InvalidFileError


@pytest.mark.parametrize("path", [".env", "config/local.yml", "a b/é.txt", "..env", "folder/"])
def test_a_path_within_the_project(path: str) -> None:
    assert setup.paths([path]) == (path.removesuffix("/"),)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "a/../../x", "a/..", ".", "./x", "a//b", ".git/hooks", "sub/.GIT/x", ".orchestry/x"]
)
def test_a_path_that_leads_out_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not the path of a file within the project"):
        setup.paths([path])


def test_hooks_by_name() -> None:
    assert setup.hooks({"before_run": "make\nmake test", "after_run": ""}) == (
        ("before_run", "make\nmake test"),
        ("after_run", ""),
    )
    with pytest.raises(ValueError, match="'before' is not one of after_create, before_run, after_run, before_remove"):
        setup.hooks({"before": "x"})


def test_the_project_says_it_level_by_level() -> None:
    text = "workspace:\n  hooks:\n    before_run: make\n  bring: [.env, a/b]\n  bring_mode: symlink\n"
    found = config.read(text)
    assert dict(found.hooks)["before_run"] == "make"
    assert config.value_of(found, "workspace.bring") == ".env, a/b"
    assert found.bring_mode == "symlink"


def test_a_fault_names_its_line() -> None:
    with pytest.raises(InvalidFileError, match=r"^config.yaml:2: workspace.bring: '../x' is not the path"):
        config.read("workspace:\n  bring: ../x\n")
