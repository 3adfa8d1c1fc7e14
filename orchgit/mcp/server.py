"""Serves the tools over standard input and output, with the official SDK."""

from __future__ import annotations

import functools
import inspect
import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

from orchgit import __version__, api
from orchgit.engine import acting
from orchgit.mcp import offer, strict
from orchgit.mcp.said import WARNINGS
from orchgit.model.errors import OrchgitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mcp.server.mcpserver.tools import Tool

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
    tools = [*_tools(place, for_persons=agent is None)]
    return MCPServer("orchgit", instructions=words, version=__version__, tools=tools, log_level="WARNING")


def _tools(place: Path, *, for_persons: bool) -> Iterator[Tool]:
    one_at_a_time = threading.Lock()
    for kind in offer.KINDS:
        noun = kind.make(place)
        for name in (*kind.for_all, *(kind.for_persons if for_persons else ())):
            asked = getattr(noun, name)
            yield strict.tool(_told(asked, one_at_a_time), name, inspect.getdoc(asked), _hints(name))


def _hints(name: str) -> ToolAnnotations:
    """Return what a client may go by when it decides whether to ask its user first."""
    reads = name in offer.READS
    return ToolAnnotations(
        read_only_hint=reads,
        destructive_hint=None if reads else name in offer.DESTROYS,
        idempotent_hint=True if reads else None,
        open_world_hint=False,
    )


def _told(tool: Callable[..., dict[str, Any]], lock: threading.Lock) -> Callable[..., dict[str, Any]]:
    """Return the tool, with its refusals in the words that a person reads."""

    @functools.wraps(tool)
    def answer(*args: Any, **kwargs: Any) -> dict[str, Any]:
        with lock, _heard() as notices:
            try:
                said = tool(*args, **kwargs)
            except OrchgitError as error:
                raise ToolError(str(error)) from error
        warnings = [*notices, *said.get(WARNINGS, ())]
        return {**said, WARNINGS: warnings} if warnings else said

    return answer


class _Ear(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage().removeprefix("orchgit: "))


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Collect what a command would tell on stderr of what it came upon: a file that was refused, say."""
    heard: list[str] = []
    ear, log = _Ear(heard), logging.getLogger("orchgit")
    log.addHandler(ear)
    try:
        yield heard
    finally:
        log.removeHandler(ear)
