"""Servers of the Model Context Protocol that an agent may use."""

from __future__ import annotations

import re
from typing import Final

from orchgit.model import fields
from orchgit.model.dataclass import dataclass

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_COMMAND: Final = frozenset({"command", "args", "env"})
_ADDRESS: Final = frozenset({"url", "headers"})


@dataclass(frozen=True, slots=True)
class Server:
    """A program to start, `command` with `args` and `env`, or an address to talk to, `url` with `headers`.

    A value of `env` or `headers` that is `$NAME` stands for a variable of our environment.
    """

    name: str
    command: str = ""
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()


OWN: Final = Server("orchgit", command="orchgit", args=("mcp",))  # its tools are what an agent may ask of the team


def servers(value: object) -> tuple[Server, ...]:
    """A mapping of names to servers. Of orchgit's own one the name is enough, in a list too."""
    if isinstance(value, str) or (isinstance(value, list) and value):
        return tuple(_server(name, None) for name in fields.words(value))
    if not isinstance(value, dict):
        raise ValueError(f"{fields.shown(value)} is not a mapping of names to servers")
    return tuple(_server(name, each) for name, each in value.items())


def _server(name: object, value: object) -> Server:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{fields.shown(name)} is not a server's name: use letters, digits, '_' and '-'")
    if name == OWN.name and value is None:
        return OWN
    if not isinstance(value, dict) or ("command" in value) == ("url" in value):
        raise ValueError(f"{name}: say either `command` or `url`")
    unknown = next((key for key in value if key not in (_COMMAND if "command" in value else _ADDRESS)), None)
    if unknown is not None:
        raise ValueError(f"{name}: {fields.shown(unknown)} is not a setting of such a server")
    try:
        return Server(
            name,
            command=fields.line(value["command"]) if "command" in value else "",
            args=fields.texts(value.get("args") or []),
            env=fields.environment(value.get("env") or {}),
            url=fields.line(value["url"]) if "url" in value else "",
            headers=_headers(value.get("headers") or {}),
        )
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _headers(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise ValueError(f"{fields.shown(value)} is not a mapping of headers to values")
    return tuple((fields.line(key), fields.line(each)) for key, each in value.items())
