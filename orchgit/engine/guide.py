"""Teaches other agents to use a team: a skill for Claude Code, and a section in the AGENTS.md of the others."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from orchgit.model import document
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import RefusedError
from orchgit.repository import files, resources

SKILL: Final = "skills/orchgit/SKILL.md"
_OURS: Final = "<!-- Written by `orchgit skill install`"
_END: Final = "<!-- orchgit:end -->"
_SECTION: Final = re.compile(r"<!-- orchgit:begin (?P<made>new|[012]) -->\r?\n.*?<!-- orchgit:end -->\r?\n?", re.DOTALL)
_OPEN: Final = re.compile(r"<!-- orchgit:(?:begin|end)\b")


@dataclass(frozen=True, slots=True)
class Places:
    """Where they go: `claude` is the folder of Claude Code, `others` the AGENTS.md files."""

    claude: Path
    others: tuple[Path, ...]


def in_project(root: Path) -> Places:
    return Places(root / ".claude", (root / "AGENTS.md",))


def in_home() -> Places:
    """Return the places in the person's home; Codex and opencode only where they are there."""
    home = Path.home()
    claude = Path(os.environ.get("CLAUDE_CONFIG_DIR") or home / ".claude")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    codex = Path(os.environ.get("CODEX_HOME") or home / ".codex")
    return Places(claude, tuple(each / "AGENTS.md" for each in (codex, config / "opencode") if each.is_dir()))


def install(places: Places) -> list[tuple[Path, bool]]:
    """Write all of it, or nothing where one can't be (RefusedError); return each file, and whether it changed."""
    skill = places.claude / SKILL
    wanted = {skill: _skill(skill), **{place: _with_section(place) for place in places.others}}
    return [(place, _put(place, text)) for place, text in wanted.items()]


def uninstall(places: Places) -> list[Path]:
    """Take all of it away, as if it had never been there; return the files that had it."""
    skill = places.claude / SKILL
    before = {place: text for place in (skill, *places.others) if (text := _text(place)) is not None}
    after = {place: None if place == skill else _without_section(place, text) for place, text in before.items()}
    gone = [place for place, text in before.items() if (_OURS in text if place == skill else text != after[place])]
    for place in gone:
        left = after[place]
        if left is None:
            place.unlink()
        else:
            _put(place, left)
    if skill in gone:
        for folder in (skill.parent, skill.parent.parent, places.claude):
            with suppress(OSError):  # something else is in it
                folder.rmdir()
    return gone


def _skill(place: Path) -> str:
    there = _text(place)
    if there is not None and _OURS not in there:
        raise RefusedError(
            f"{place} is there already, and not orchgit's.", "Move it elsewhere, or give it another name."
        )
    return resources.template("guide/SKILL.md")


def _with_section(place: Path) -> str:
    """Return what the file says, with our section as it is now: in its place, or at the end."""
    there = _text(place)
    text = there or ""
    _check_marks(place, text)
    newline = "\r\n" if "\r\n" in text else "\n"
    found = _SECTION.search(text)
    if found:
        ended = found[0].endswith("\n")
        made = _section(found["made"], newline)
        return text[: found.start()] + (made if ended else made.removesuffix(newline)) + text[found.end() :]
    missing = 0 if not text else 2 - (text.endswith("\n") + text.endswith(newline * 2))
    return text + newline * missing + _section("new" if there is None else str(missing), newline)


def _section(made: str, newline: str) -> str:
    body = resources.template("guide/AGENTS.md").strip("\n")
    return f"<!-- orchgit:begin {made} -->\n{body}\n{_END}\n".replace("\n", newline)


def _without_section(place: Path, text: str) -> str | None:
    """Return the file without our section, and without the empty lines that came with it; None: it was ours."""
    _check_marks(place, text)
    found = _SECTION.search(text)
    if found is None:
        return text
    before, after = text[: found.start()], text[found.end() :]
    if found["made"] == "new":
        return before + after or None
    for _ in range(int(found["made"])):
        before = before.removesuffix("\n").removesuffix("\r") if before.endswith("\n") else before
    return before + after


def _check_marks(place: Path, text: str) -> None:
    """RefusedError where our marks don't enclose one section."""
    marks, sections = len(_OPEN.findall(text)), len(_SECTION.findall(text))
    if marks not in (0, 2) or sections * 2 != marks:
        line = text.count("\n", 0, _OPEN.search(text).start()) + 1  # type: ignore[union-attr]
        raise RefusedError(
            f"{place}:{line}: the marks `orchgit:begin` and `orchgit:end` don't enclose one section.",
            "Mend them, or take both out with what is between them.",
        )


def _text(place: Path) -> str | None:
    data = files.read(place)
    return None if data is None else document.decode(str(place), data)


def _put(place: Path, text: str) -> bool:
    if _text(place) == text:
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    files.replace(place.resolve(), document.encode(text))  # what a link leads to, and not the link
    return True
