"""What can be asked without an open project: of a folder, of the person, of the templates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.engine.doctor.finding import Finding
    from orchgit.engine.guide import Places
    from orchgit.model.config import Config
    from orchgit.model.errors import InvalidFileError
    from orchgit.model.org import Org
    from orchgit.model.role import Role
    from orchgit.repository.mount import Outcome


def init(path: str | Path = ".", *, base: str | None = None, name: str | None = None, offline: bool = False) -> Outcome:
    """Give the project at `path` its state branch, or attach it to the one that its remote has."""
    from orchgit.repository import mount

    return mount.init(Path(path), base=base, name=name, offline=offline)


def doctor(path: str | Path = ".", *, fix: bool = False) -> Iterator[Finding]:
    """Yield what is right and wrong at `path`, a project or not; with `fix`, what is safe is mended on the way."""
    from orchgit.engine import doctor as checks

    return checks.examine(Path(path).absolute(), mend=fix)


def own_config() -> Config:
    """Return the person's own settings: what their new projects begin with; a default where they don't say."""
    from orchgit.model import config
    from orchgit.repository import personal

    personal.given()
    return config.read(personal.text())


def set_own_config(key: str, value: str) -> Config:
    """Set one of them; a project that is there already stays as it is."""
    from orchgit.engine import settings

    return settings.change_own(key, value)


def roles() -> tuple[list[Role], list[InvalidFileError]]:
    """Return the roles of the shop, and what is wrong with the files there that can't be read."""
    from orchgit.engine import shop

    return shop.roles()


def role(name: str) -> Role:
    """Return a role of the shop; NotFoundError names those that there are."""
    from orchgit.engine import shop

    return shop.role(name)


def orgs() -> tuple[list[Org], list[InvalidFileError]]:
    """Return the organisations that can be deployed, and what is wrong with the files that can't be read."""
    from orchgit.engine import orgs

    return orgs.orgs()


def org(name: str) -> Org:
    """Return an organisation that can be deployed; NotFoundError names those that there are."""
    from orchgit.engine import orgs

    return orgs.org(name)


def whose_template(found: Org | Role) -> tuple[bool, bool]:
    """Return whether an organisation or a role is the person's own, and whether it hides one of ours by that name."""
    from orchgit.engine import orgs, shop
    from orchgit.model.org import Org

    return orgs.whose(found) if isinstance(found, Org) else shop.whose(found)


def install_skill(path: str | Path = ".", *, home: bool = False) -> list[tuple[Path, bool]]:
    """Teach other agents to use a team, in the repository that `path` lies in or in the person's home.

    Return each file that teaches them, and whether it changed.
    """
    from orchgit.engine import guide

    return guide.install(_places(Path(path), home=home))


def uninstall_skill(path: str | Path = ".", *, home: bool = False) -> list[Path]:
    """Take that away again; return the files that had it."""
    from orchgit.engine import guide

    return guide.uninstall(_places(Path(path), home=home))


def _places(path: Path, *, home: bool) -> Places:
    from orchgit.engine import guide
    from orchgit.model import actor
    from orchgit.repository import find, identity

    root = Path.home() if home else find.locate(path).layout.root
    actor.refuse_agent(identity.caller(root), "change what agents are taught")
    return guide.in_home() if home else guide.in_project(root)


def judge_push(path: str | Path, words: str, *, remote: str = "") -> None:
    """Judge what git tells a pre-push hook run at `path`; RefusedError where the state branch doesn't verify."""
    from orchgit.engine import pushed
    from orchgit.repository import find

    pushed.before_push(find.common(Path(path)), pushed.going_out(words), remote=remote)


def judge_receipt(path: str | Path, words: str) -> None:
    """Judge what git tells a pre-receive hook, in a bare repository too; RefusedError as above."""
    from orchgit.engine import pushed
    from orchgit.repository import find, git

    git.see_what_is_pushed()
    pushed.on_receipt(find.common(Path(path)), pushed.coming_in(words))


def hook_script(name: str) -> bytes:
    """Return the script of one of Git's hooks, `pre-receive` for a server included."""
    from orchgit.repository import githooks

    return githooks.script(name)
