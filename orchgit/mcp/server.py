"""Serves the tools over standard input and output, with the official SDK."""

from __future__ import annotations

import functools
import inspect
import threading
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from orchgit import __version__, api
from orchgit.engine import acting
from orchgit.mcp import offer
from orchgit.model.errors import OrchgitError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FOR_PERSONS = """\
A persistent team of coding agents works on this repository. Hand it tasks, follow them, and read their results. Each
task is done on a branch of its own; nothing is merged before its review. Runs take minutes: do something else then."""
_FOR_AGENTS = """\
You are {name}, one of the team of this repository, and in the middle of your work. Where you are told of a command, the
tool of that name does the same: msg_send does `orchgit msg send`. To hand your work in, end; a person reviews it."""


def serve(place: Path) -> None:
    """Serve the project that `place` lies in until standard input ends; in the worktree of a run, as its agent."""
    build(place).run("stdio")


def build(place: Path) -> MCPServer[Any]:
    project = api.open_project(place)
    agent = acting.agent(project.layout, project.state, place)
    if agent:
        acting.become(agent)
    words = _FOR_AGENTS.format(name=agent.name) if agent else _FOR_PERSONS
    server: MCPServer[Any] = MCPServer("orchgit", instructions=words, version=__version__, log_level="WARNING")
    one_at_a_time = threading.Lock()
    for kind in offer.KINDS:
        tools = kind.make(place)
        for each in kind.for_all if agent else (*kind.for_all, *kind.for_persons):
            tool = getattr(tools, each)
            server.add_tool(_told(tool, one_at_a_time), name=each, description=inspect.getdoc(tool))
    return server


def _told(tool: Callable[..., dict[str, Any]], lock: threading.Lock) -> Callable[..., dict[str, Any]]:
    """Return the tool, with its refusals in the words that a person reads."""

    @functools.wraps(tool)
    def answer(*args: Any, **kwargs: Any) -> dict[str, Any]:
        with lock:
            try:
                return tool(*args, **kwargs)
            except OrchgitError as error:
                raise ToolError(str(error)) from error

    return answer
