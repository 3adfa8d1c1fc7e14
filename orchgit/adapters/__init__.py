"""Pure translators between a task and an agent's own command line."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from orchgit.adapters import claude, codex, command, cursor, opencode, shell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchgit.adapters.protocol import Adapter

ADAPTERS: Mapping[str, Adapter] = MappingProxyType({
    "claude": claude, "codex": codex, "opencode": opencode, "cursor": cursor, "shell": shell, "command": command,
})  # fmt: skip
