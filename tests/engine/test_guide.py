"""What other agents are taught: put into a project or a home, and taken out without a trace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from orchgit.cli.main import COMMANDS, orchgit
from orchgit.repository import resources
from tests.support import repos
from tests.support.cli import ok, type_

if TYPE_CHECKING:
    from pathlib import Path

SKILL = ".claude/skills/orchgit/SKILL.md"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return repos.make_repo(tmp_path / "shop")


def test_a_project_gets_a_skill_and_a_section(shop: Path) -> None:
    said = ok(shop, "skill", "install")
    assert said.out.splitlines() == [str(shop / SKILL), str(shop / "AGENTS.md")]
    skill = (shop / SKILL).read_text()
    assert skill.startswith("---\nname: orchgit\ndescription: ")
    assert "orchgit task add" in (shop / "AGENTS.md").read_text()
    again = ok(shop, "skill", "install")
    assert again.out.count("is up to date.") == 2
    assert repos.git(shop, "status", "--porcelain", "--untracked-files=all").splitlines() == [
        f"?? {SKILL}",
        "?? AGENTS.md",
    ]


def test_both_go_without_a_trace(shop: Path) -> None:
    ok(shop, "skill", "install")
    said = ok(shop, "skill", "uninstall")
    assert said.out.count("is gone.") == 2
    assert not (shop / ".claude").exists()
    assert not (shop / "AGENTS.md").exists()
    assert ok(shop, "skill", "uninstall").out == "Nothing to do: there is none.\n"


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"# Mine",
        b"# Mine\n",
        b"# Mine\n\n",
        b"# Mine\r\n\r\nText.\r\n",
        b"\n\n\n",
        "\ufeff# \u65e5\u672c\n".encode(),
    ],
)
def test_what_a_person_wrote_stays_to_the_byte(shop: Path, before: bytes) -> None:
    place = shop / "AGENTS.md"
    place.write_bytes(before)
    ok(shop, "skill", "install")
    during = place.read_bytes()
    assert during.startswith(before)
    assert len(during) > len(before)
    assert b"\r\n" not in before or b"\n" not in during.replace(b"\r\n", b"")
    ok(shop, "skill", "uninstall")
    assert place.read_bytes() == before


def test_the_section_is_replaced_where_it_stands(shop: Path) -> None:
    place = shop / "AGENTS.md"
    place.write_text("# Mine\n\n<!-- orchgit:begin 0 -->\nold\n<!-- orchgit:end -->\n\n# More\n")
    ok(shop, "skill", "install")
    text = place.read_text()
    assert text.startswith("# Mine\n\n<!-- orchgit:begin 0 -->\n## The orchgit team\n")
    assert text.endswith("<!-- orchgit:end -->\n\n# More\n")
    assert "old" not in text.splitlines()
    ok(shop, "skill", "uninstall")
    assert place.read_text() == "# Mine\n\n\n# More\n"


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        (SKILL, "mine\n", "is there already, and not orchgit's."),
        ("AGENTS.md", "a\n<!-- orchgit:begin 1 -->\nb\n", "AGENTS.md:2: the marks"),
        ("AGENTS.md", "<!-- orchgit:end -->\n", "AGENTS.md:1: the marks"),
    ],
)
def test_what_is_not_ours_is_refused_and_nothing_written(shop: Path, path: str, text: str, message: str) -> None:
    place = shop / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    before = repos.git(shop, "status", "--porcelain", "--untracked-files=all")
    said = type_(shop, "skill", "install")
    assert (said.code, message in said.err) == (1, True)
    assert repos.git(shop, "status", "--porcelain", "--untracked-files=all") == before
    assert place.read_text() == text


def test_a_skill_of_that_name_that_is_not_ours_is_left(shop: Path) -> None:
    place = shop / SKILL
    place.parent.mkdir(parents=True)
    place.write_text("mine\n")
    assert ok(shop, "skill", "uninstall").out == "Nothing to do: there is none.\n"
    assert place.read_text() == "mine\n"


def test_a_home_gets_it_for_the_clis_that_are_there(tmp_path: Path, world: Path) -> None:
    (world / ".codex").mkdir()
    said = ok(tmp_path, "skill", "install", "--home")
    assert said.out.splitlines() == [str(world / SKILL), str(world / ".codex" / "AGENTS.md")]
    ok(tmp_path, "skill", "uninstall", "--home")
    assert list((world / ".codex").iterdir()) == []
    assert not (world / ".claude").exists()


def test_a_link_stays_a_link(shop: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.md"
    real.write_text("# Mine\n")
    (shop / "AGENTS.md").symlink_to(real)
    ok(shop, "skill", "install")
    assert (shop / "AGENTS.md").is_symlink()
    assert "orchgit:begin" in real.read_text()
    ok(shop, "skill", "uninstall")
    assert real.read_text() == "# Mine\n"


def test_it_is_not_for_an_agent_to_do(shop: Path) -> None:
    for home in ((), ("--home",)):
        said = type_(shop, "skill", "install", *home, ORCHGIT_AGENT="sly", ORCHGIT_RUN="run_x")
        assert (said.code, "An agent may not change what agents are taught." in said.err) == (1, True)
    assert not (shop / ".claude").exists()


@pytest.mark.parametrize("name", ["SKILL.md", "AGENTS.md"])
def test_every_command_that_is_taught_exists(name: str) -> None:
    text = resources.template(f"guide/{name}").replace("\\\n", " ")
    taught = re.findall(
        r"(?:^|`)orchgit ((?:[a-z]+ ?){1,2})((?:[^`\n]*?)(?: --?[a-z-]+[^`\n]*?)*)[`\n]", text, re.MULTILINE
    )
    assert len(taught) > 8
    for words, rest in taught:
        noun, *verbs = words.split()
        if noun not in COMMANDS:
            assert noun in ("context", "msg", "goal"), words
            continue
        command: click.Command | None = orchgit.get_command(click.Context(orchgit), noun)
        if isinstance(command, click.Group) and verbs:
            command = command.get_command(click.Context(command), verbs[0])
        assert command is not None, words
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert set(re.findall(r"(?<= )--?[a-z][a-z-]*", rest.split("#")[0])) <= known, words
