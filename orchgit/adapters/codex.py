"""Codex as an agent: `codex exec --json`, the prompt on stdin, its events from stdout."""

from __future__ import annotations

import json
import re
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final

from orchgit.adapters import codexhooks, jsonlines, provider, settings, stderr, tally
from orchgit.adapters.jsonlines import at, number, objects, text
from orchgit.adapters.protocol import Hears, Launch, Verdict
from orchgit.model import approval, events, fields, mcp
from orchgit.model.dataclass import dataclass
from orchgit.model.run import Outcome, Session
from orchgit.model.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchgit.adapters.protocol import Job
    from orchgit.model.agent import Agent
    from orchgit.model.events import Event
    from orchgit.model.mcp import Server

_SANDBOXES: Final = {
    approval.AUTO: ("--dangerously-bypass-approvals-and-sandbox",),
    approval.SUGGEST: ("-s", "workspace-write"),
    approval.MANUAL: ("-s", "read-only"),
}
# A refused connection is tried again for ever otherwise, which looks like work; and a login shell sets PATH anew, where
# `orchgit` is not found any more.
ALWAYS: Final = (
    "-c", "analytics.enabled=false", "-c", "allow_login_shell=false",
    "--disable", "plugins", "--disable", "unbounded_connection_retries",
)  # fmt: skip
_COUNTERS: Final = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
_NOISE: Final = frozenset({"Reading additional input from stdin...", "Reading prompt from stdin..."})
_TOOLS: Final = frozenset({"command_execution", "mcp_tool_call", "web_search", "file_change", "collab_tool_call"})
_QUIET: Final = frozenset({"reasoning", "todo_list"})
_STATUS = re.compile(r"\bstatus:? (\d{3})\b")
_SHELL = re.compile(r"(?:\S*/)?(?:ba|z|da)?sh -l?c '(?P<command>.*)'", re.DOTALL)
_NO_SESSION = re.compile(r"no rollout found|(?:thread|session|conversation) .{0,80}not found", re.IGNORECASE)
_REJECTED = re.compile(r"error=(?P<what>\w+) rejected: (?P<why>[^;]+); rejected by user approval settings")
_BAD_FLAG: Final = 2
_UNASKED: Final = (
    "Codex asks before it calls a tool of `mcp_servers`, and nobody answers: unless approval_policy is auto, all "
    "but orchgit's own are denied."
)
_HOW: Final = {"add": "added", "delete": "deleted", "update": "changed"}


def complaint(agent: Agent) -> str | None:
    return settings.complaint(agent)


def limitations(agent: Agent) -> tuple[str, ...]:
    policies = {
        approval.SUGGEST: "Codex's sandbox lets it neither commit nor reach the network: its work is committed for it.",
        approval.MANUAL: "With approval_policy manual Codex may only read: its runs change nothing.",
    }
    return tuple(filter(None, (
        *settings.unused(agent, *settings.OF_COMMANDS, "allowed_tools"),
        policies.get(agent.approval_policy or "", ""),
        _UNASKED if _others(agent) and agent.approval_policy not in (None, approval.AUTO) else "",
        "Codex doesn't say what it costs: max_cost_usd has no effect on it." if agent.max_cost_usd else "",
        "Codex tells its tokens at its end only: max_tokens is judged then." if agent.max_tokens else "",
        "Codex counts no turns: max_turns counts its calls of tools." if agent.max_turns else "",
    )))  # fmt: skip


def resumes(_agent: Agent) -> bool:
    return True


def takes_role(_agent: Agent) -> bool:
    return True


def takes_skills(_agent: Agent) -> bool:
    return False


def launch(agent: Agent, job: Job) -> Launch:
    hears = not any("hooks" in each for each in agent.args)
    options = [
        *(("-m", agent.model) if agent.model else ()),
        *_SANDBOXES[agent.approval_policy or approval.AUTO],
        *ALWAYS,
        *(codexhooks.OPTIONS if hears else ()),
        *(("-c", f"developer_instructions={_toml(agent.role)}") if agent.role else ()),
        *(word for each in agent.mcp_servers for word in ("-c", f"mcp_servers.{each.name}={_toml(_server(each))}")),
        *agent.args,
    ]
    how = ("resume", job.session, "--json") if job.session else ("--json",)
    own = {key: value for each in agent.mcp_servers for key, value in each.env if fields.reference(value)}
    env = {**settings.for_servers(agent), **own}
    argv = ("codex", "exec", *options, *how, "-")
    return Launch(argv, stdin=job.prompt, env=env, hears=Hears.HOOKS if hears else None)


def listener(before: Session | None = None, memo: str = "") -> Listener:  # noqa: ARG001 - it needs none
    return Listener(before)


def _others(agent: Agent) -> bool:
    return any(each != mcp.OWN for each in agent.mcp_servers)


def _server(server: Server) -> dict[str, Any]:
    """Return a server in Codex's words, which name variables beside the ones that it is given as they are."""
    if server.url:
        named = {key: name for key, value in server.headers if (name := fields.reference(value))}
        plain = {key: value for key, value in server.headers if key not in named}
        return {"url": server.url, "http_headers": plain, "env_http_headers": named}
    named_too = [key for key, value in server.env if fields.reference(value)]
    given = {key: value for key, value in server.env if key not in named_too}
    found = {"command": server.command, "args": [*server.args], "env": given, "env_vars": named_too}
    # Nobody is there to approve a call, and orchgit judges it; only what is required is waited for at the start.
    return {**found, "default_tools_approval_mode": "approve", "required": True} if server == mcp.OWN else found


def _toml(value: object) -> str:
    """Return a value as TOML writes it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


@dataclass(slots=True)
class Listener:
    """Remembers the thread, its last words, what was denied, and how its last turn ended."""

    before: Session | None = None
    session: Session | None = None
    stuck: str = ""
    most: int = codexhooks.MOST
    at_end: bool = True
    limited: events.Limited | None = None
    denied: dict[str, str] = field(default_factory=dict)
    _ended: str = ""  # the type of the event that ended the last turn
    _error: str = ""
    _words: str = ""
    _begun: set[str] = field(default_factory=set)
    _turns: int = 0
    _tally: tally.Tally = field(default_factory=tally.Tally)
    _stderr: stderr.Tail = field(default_factory=lambda: stderr.Tail(_NOISE))

    def offer(self, text: str) -> Mapping[str, str]:
        return codexhooks.offer(text)

    def hear(self, stream: str, line: str) -> tuple[Event, ...]:
        if stream == "stderr":
            return (*self._stderr.hear(line), *self._rejected(line))
        said = jsonlines.parsed(line)
        if said is None:
            return self._stderr.keep(line)
        match text(said, "type"):
            case "thread.started":
                return self._thread(said)
            case "turn.started" | "item.updated":
                return ()
            case "item.started" | "item.completed" as kind:
                return self._item(at(said, "item"), line, is_done=kind == "item.completed")
            case "turn.completed":
                return self._completed(said)
            case "turn.failed":
                self._ended, self._error = "turn.failed", text(said, "error", "message")
                return (events.Result(self._error, failed=True),)
            case "error":
                return self._trouble(text(said, "message"))
            case _:
                return (events.Raw(line),)

    def verdict(self, exit_code: int) -> Verdict:
        if self._ended == "turn.failed":
            found = provider.refusal(self._error, status=_status(self._error), worked=bool(self.before or self._turns))
            return replace(found, notes=self._notes())
        if self._ended == "turn.completed":
            if exit_code == 0:
                return Verdict(Outcome.SUCCEEDED, notes=self._notes())
            return Verdict(Outcome.FAILED, f"said that it had finished, and ended with exit code {exit_code}")
        if self.before and self.session is None and _NO_SESSION.search(self._stderr.words):
            return Verdict(Outcome.FAILED, jsonlines.one_line(self._stderr.words), session_lost=True)
        if self.limited and exit_code not in (0, *provider.NOT_RUN):
            return provider.limited(self.limited.text, self.limited.seconds)
        if exit_code == _BAD_FLAG:
            words = self._stderr.words.partition("\n")[0]
            return Verdict(Outcome.FATAL, jsonlines.one_line(words) or "it does not know a word of its call")
        return replace(provider.without_result(self._stderr.words, exit_code), notes=self._notes())

    def _rejected(self, line: str) -> tuple[Event, ...]:
        """Tell of a change that its sandbox refused, which stderr alone says."""
        found = _REJECTED.search(jsonlines.plain(line))
        if found is None:
            return ()
        self.denied[line] = f"{found['what']}: {found['why']}"
        return (events.Denied(found["what"], found["why"]),)

    def _thread(self, said: dict[str, Any]) -> tuple[Event, ...]:
        name = settings.session_id(text(said, "thread_id"))
        if not name or (self.session and self.session.id == name):
            return ()
        self.session = Session(name, self.before.counters if self.before else {})
        return (events.Session(name),)

    def _item(self, item: object, line: str, *, is_done: bool) -> tuple[Event, ...]:
        kind = text(item, "type")
        if kind in _TOOLS:
            return (*self._begin(item), *(self._finish(item) if is_done else ()))
        if not is_done or kind in _QUIET:
            return ()
        match kind:
            case "agent_message":
                self.limited, self._words = None, text(item, "text")
                return (events.Text(self._words),)
            case "error":
                return (events.Warning(text(item, "message")),)
            case _:
                return (events.Raw(line),)

    def _begin(self, item: object) -> tuple[Event, ...]:
        """Tell of a tool once: some are told of when they begin, some only when they are done."""
        name = text(item, "id")
        if name in self._begun:
            return ()
        self._begun.add(name)
        self.limited = None
        self._turns += 1
        return (*_tool(item), *self._tally.due(Usage(turns=self._turns)))

    def _finish(self, item: object) -> tuple[Event, ...]:
        status = text(item, "status")
        if status == "declined":
            denied = [events.Denied(each.name, each.summary) for each in _tool(item)] or [events.Denied("file_change")]
            self.denied.update((text(item, "id"), events.words(each).removeprefix("denied: ")) for each in denied)
            return tuple(denied)
        if text(item, "type") != "file_change" or status != "completed":
            return ()
        return tuple(
            events.FileChanged(text(each, "path"), _HOW.get(text(each, "kind"), "changed"))
            for each in objects(item, "changes")
        )

    def _completed(self, said: dict[str, Any]) -> tuple[Event, ...]:
        """Tell what this run used: the counters go on through the whole thread."""
        self._ended, self.limited = "turn.completed", None
        now = {key: number(said, "usage", key) for key in _COUNTERS}
        own = tally.since(self.before.counters if self.before else {}, now)
        if self.session:
            self.session = replace(self.session, counters=now)
        self._turns += 1
        return (*self._tally.due(_usage(own, self._turns)), events.Result(self._words))

    def _trouble(self, words: str) -> tuple[Event, ...]:
        """An error that is not the end: `turn.failed` alone is."""
        self._error = words
        if provider.is_limit(_status(words)):
            self.limited = events.Limited(words)
            return (self.limited,)
        return (events.Warning(words),)

    def _notes(self) -> tuple[str, ...]:
        return provider.was_denied(self.denied)


def _tool(item: object) -> tuple[events.Tool, ...]:
    match text(item, "type"):
        case "command_execution":
            command = text(item, "command")
            found = _SHELL.fullmatch(command)
            return (events.Tool("shell", jsonlines.one_line(found["command"] if found else command)),)
        case "mcp_tool_call":
            name = f"{text(item, 'server')}.{text(item, 'tool')}"
            return (events.Tool(name, jsonlines.summary(at(item, "arguments"))),)
        case "web_search":
            return (events.Tool("web_search", jsonlines.one_line(text(item, "query"))),)
        case "collab_tool_call":
            return (events.Tool(text(item, "tool") or "agent", jsonlines.one_line(text(item, "prompt"))),)
        case _:
            return ()  # a change of files tells of itself once it is done


def _status(words: str) -> int | None:
    found = _STATUS.search(words)
    return int(found[1]) if found else None


def _usage(counters: Mapping[str, float], turns: int) -> Usage:
    """Return counters as usage: here the cached tokens are part of the input, and the reasoning of the output."""
    read, cached, wrote, reasoning = (int(counters[key]) for key in _COUNTERS)
    return Usage(max(read - cached, 0), max(wrote - reasoning, 0), cached, reasoning, turns)
