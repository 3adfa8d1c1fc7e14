"""The environment an agent is given: named variables of ours, the agent's own settings, and nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model import fields
from orchgit.model.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARKER = "ORCHGIT_RUN"

_PASSED = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM", "COLORTERM", "NO_COLOR",
    "SSH_AUTH_SOCK", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "VIRTUAL_ENV",
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH", "GIT_SSH_COMMAND",
)  # fmt: skip
_PASSED_PREFIXES = ("LC_", "XDG_")
_SHORTEST_SECRET = 6  # what is shorter is no secret, and stands in too many lines by chance


def for_agent(settings: Iterable[tuple[str, str]], given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of an agent's process.

    `settings` are the agent's own variables; a value `$NAME` is taken from our environment now and is never written
    anywhere. `given` is what orchgit tells the process. RefusedError where a `$NAME` is not set.
    """
    env = {name: value for name, value in os.environ.items() if _is_passed(name)}
    env["PATH"] = _with_ourselves(env.get("PATH", os.defpath))
    env.update((name, _resolved(name, value)) for name, value in settings)
    return {**env, **given}


def secrets(settings: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return what no log may show: the lines of what each `$NAME` of the settings stands for, longest first."""
    names = {name for _, value in settings if (name := fields.reference(value)) and not _is_passed(name)}
    lines = (line.strip() for name in names for line in os.environ.get(name, "").splitlines())
    return tuple(sorted({line for line in lines if len(line) >= _SHORTEST_SECRET}, key=len, reverse=True))


def _is_passed(name: str) -> bool:
    return name in _PASSED or name.startswith(_PASSED_PREFIXES)


def _resolved(name: str, value: str) -> str:
    wanted = fields.reference(value)
    if wanted is None:
        return value
    if wanted not in os.environ:
        raise RefusedError(
            f"The agent's env asks for {name} = ${wanted}, and ${wanted} is not set where orchgit runs.",
            f"Export {wanted} before `orchgit run`, or change the agent's env.",
        )
    return os.environ[wanted]


def _with_ourselves(path: str) -> str:
    """Let an agent find `orchgit`, after everything that the person's own PATH finds."""
    ours = str(Path(sys.executable).parent)
    return path if ours in path.split(os.pathsep) else f"{path}{os.pathsep}{ours}"
