"""Where templates are looked for, and whose win."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.repository import resources, templates
from tests.support import repos

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("named", ["", "relative/place"])
def test_without_a_whole_path_it_is_in_the_home(world: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", named)
    assert templates.own() == world / ".config" / "orchgit" / "templates"


def test_a_whole_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert templates.own() == tmp_path / "orchgit" / "templates"


def test_the_persons_own_win_and_what_is_no_template_is_none() -> None:
    repos.write(templates.own() / "agents", {"qa.md": "x", "b.md": "x", ".c.md": "x", "d.txt": "x", "e.md/f": "x"})
    found = templates.all_of("agents", (".md",))
    assert found["qa"] == templates.own() / "agents" / "qa.md" == templates.find("agents", "qa", (".md",))
    assert found["reviewer"] == resources.folder("templates") / "agents" / "reviewer.md"
    assert found.keys() & {"b", "c", ".c", "d", "e"} == {"b"}
    assert list(found) == sorted(found)


@pytest.mark.parametrize("name", ["../skills/evidence", "/etc/hosts", "", ".", "nobody", "e vidence"])
def test_what_is_no_templates_name_is_not_looked_for(name: str) -> None:
    assert templates.find("agents", name, (".md",)) is None
