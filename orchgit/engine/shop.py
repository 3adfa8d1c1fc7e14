"""The shop: roles to make agents of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model import role as role_file
from orchgit.model.errors import InvalidFileError, NotFoundError
from orchgit.repository import templates

if TYPE_CHECKING:
    from orchgit.engine.agents import Settings
    from orchgit.model.config import Config
    from orchgit.model.role import Role

_CODING_AGENT = "claude"  # what does a role's work where neither it nor the project says what else does


def roles() -> tuple[list[Role], list[InvalidFileError]]:
    """Return the roles by name, and what is wrong with the files that can't be read."""
    found: list[Role] = []
    faults: list[InvalidFileError] = []
    for path in templates.all_of(role_file.FOLDER, role_file.SUFFIXES).values():
        try:
            found.append(role_file.read(str(path), templates.text(path)))
        except InvalidFileError as error:
            faults.append(error)
    return found, faults


def role(name: str) -> Role:
    """Return the role called `name`; InvalidFileError where its file can't be read."""
    path = templates.find(role_file.FOLDER, name, role_file.SUFFIXES)
    if path is None:
        known = ", ".join(each.name for each in roles()[0])
        raise NotFoundError(f"The shop has no role {name!r}.", f"It has: {known}.")
    return role_file.read(str(path), templates.text(path))


def whose(found: Role) -> tuple[bool, bool]:
    """Return whether a role is the person's own, and whether it hides one of ours by that name."""
    place = Path(found.path)
    return templates.is_own(place), templates.hides_ours(place, role_file.SUFFIXES)


def driven(base: Role | None, settings: Settings, config: Config) -> Settings:
    """Return `settings` with the adapter that a new agent gets, where neither they nor the role it begins as say one.

    It is the project's default, unless that is the shell and there is no command for it to run.
    """
    if settings.get("adapter") or (base and base.agent.adapter):
        return settings
    has_command = bool(settings.get("command") or (base and base.agent.command))
    default = config.agent_adapter
    return {"adapter": _CODING_AGENT if default == "shell" and not has_command else default, **settings}
