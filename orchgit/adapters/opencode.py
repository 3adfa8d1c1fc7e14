"""opencode as an agent: `opencode run --format json`, the prompt on stdin, its events from stdout."""

from __future__ import annotations

import json
import re
from dataclasses import field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from orchgit.adapters import jsonlines, opencodeplugin, provider, settings, stderr
from orchgit.adapters.jsonlines import at, count, number, text
from orchgit.adapters.protocol import Hears, Launch, Verdict
from orchgit.model import approval, events
from orchgit.model.dataclass import dataclass
from orchgit.model.run import Outcome, Session
from orchgit.model.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchgit.adapters.protocol import Job
    from orchgit.model.agent import Agent
    from orchgit.model.events import Event
    from orchgit.model.mcp import Server

# Never `ask`: nobody answers, and the run would end there.
_PERMISSIONS: Final = {
    approval.SUGGEST: {"edit": "allow", "bash": "deny"},
    approval.MANUAL: {"edit": "deny", "bash": "deny"},
}
_CONFIG: Final = "OPENCODE_CONFIG_CONTENT"
_WRITES: Final = frozenset({"write", "edit", "multiedit"})
_BROKEN: Final = "unknown"  # why a step ended that broke off; opencode begins another one at once, for ever
_MOST_BROKEN: Final = 5
_PATTERN = re.compile(r"(?P<tool>[A-Za-z_]+)\((?P<pattern>.+)\)")
_DENIED = re.compile(
    r"rejected permission|permission (?:was )?denied|prevents you from using|not allowed", re.IGNORECASE
)
_NO_SESSION = re.compile(r"session .{0,80}not found|no such session|not found: session", re.IGNORECASE | re.DOTALL)
_REFUSED: Final = frozenset(
    {"ProviderAuthError", "ProviderModelNotFoundError", "ProviderInitError", "ConfigInvalidError"}
)


def complaint(agent: Agent) -> str | None:
    if agent.model and "/" not in agent.model:
        return f"opencode's models are written provider/model, and {agent.model!r} isn't"
    given = dict(agent.env).get(_CONFIG)
    if given is not None and jsonlines.parsed(given) is None:
        return f"{_CONFIG} in its env must be JSON as it stands: the settings of the agent are put into it"
    return settings.complaint(agent)


def limitations(agent: Agent) -> tuple[str, ...]:
    policies = {
        approval.SUGGEST: "With approval_policy suggest opencode may change files, and run only what is allowed.",
        approval.MANUAL: "With approval_policy manual nobody is there to be asked: opencode may change nothing.",
    }
    has_tools = agent.allowed_tools and (agent.approval_policy or approval.AUTO) == approval.AUTO
    return tuple(filter(None, (
        *settings.unused(agent, *settings.OF_COMMANDS),
        policies.get(agent.approval_policy or "", ""),
        "allowed_tools has no effect where approval_policy is auto." if has_tools else "",
    )))  # fmt: skip


def resumes(_agent: Agent) -> bool:
    return True


def takes_role(_agent: Agent) -> bool:
    return False


def takes_skills(_agent: Agent) -> bool:
    return False


def launch(agent: Agent, job: Job) -> Launch:
    argv = [
        "opencode", "run", "--format", "json",
        *(("-m", agent.model) if agent.model else ()),
        *(("-s", job.session) if job.session else ()),
        *(("--auto",) if (agent.approval_policy or approval.AUTO) == approval.AUTO else ()),
        *agent.args,
    ]  # fmt: skip
    env = {
        **settings.unless_set(agent, {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"}),
        **settings.for_servers(agent), _CONFIG: json.dumps(_config(agent, job)),
    }  # fmt: skip
    files = {opencodeplugin.NAME: opencodeplugin.CODE}
    return Launch(tuple(argv), stdin=settings.with_role(agent, job), env=env, hears=Hears.HOOKS, files=files)


def listener(before: Session | None = None, memo: str = "") -> Listener:  # noqa: ARG001 - it needs none
    return Listener(before)


def _config(agent: Agent, job: Job) -> dict[str, Any]:
    """Return opencode's settings: what the agent's own env says of them, with what the agent's keys come to."""
    own = jsonlines.parsed(dict(agent.env).get(_CONFIG, "{}")) or {}
    known = own["plugin"] if isinstance(own.get("plugin"), list) else []
    found = {**own, "plugin": [*known, PurePosixPath(job.folder or "/", opencodeplugin.NAME).as_uri()]}
    permission = _permission(agent)
    if permission:
        found["permission"] = {**(own["permission"] if isinstance(own.get("permission"), dict) else {}), **permission}
    if agent.mcp_servers:
        servers = {each.name: _server(each) for each in agent.mcp_servers}
        found["mcp"] = {**(own["mcp"] if isinstance(own.get("mcp"), dict) else {}), **servers}
    return found


def _permission(agent: Agent) -> dict[str, Any]:
    """Return what is allowed; of a tool with a pattern, as `Bash(git log:*)`, that alone."""
    found: dict[str, Any] = dict(_PERMISSIONS.get(agent.approval_policy or approval.AUTO, {}))
    for word in agent.allowed_tools if found else ():
        match = _PATTERN.fullmatch(word)
        if match is None:
            found[word.lower()] = "allow"
            continue
        tool, pattern = match["tool"].lower(), match["pattern"].replace(":*", "*")
        before = found.get(tool, "deny")
        rules = before if isinstance(before, dict) else {"*": before}
        found[tool] = {**rules, pattern: "allow"}
    return found


def _server(server: Server) -> dict[str, Any]:
    if server.url:
        return {"type": "remote", "url": server.url, "headers": settings.pairs(server.headers, "{{env:{}}}")}
    command = [server.command, *server.args]
    return {"type": "local", "command": command, "environment": settings.pairs(server.env, "{{env:{}}}")}


@dataclass(slots=True)
class Listener:
    """Remembers the session, the last words, what was denied, why the last step ended, and the error, if any."""

    before: Session | None = None
    session: Session | None = None
    stuck: str = ""
    most: int = opencodeplugin.MOST
    at_end: bool = False
    denied: dict[str, str] = field(default_factory=dict)
    _reason: str = ""
    _error: dict[str, Any] | None = None
    _words: str = ""
    _steps: int = 0
    _broken: int = 0  # steps in a row that came to nothing
    _is_help: bool = False
    _stderr: stderr.Tail = field(default_factory=stderr.Tail)

    def offer(self, text: str) -> Mapping[str, str]:
        return opencodeplugin.offer(text)

    def hear(self, stream: str, line: str) -> tuple[Event, ...]:
        if stream == "stderr":
            self._is_help |= jsonlines.plain(line).lstrip().startswith("opencode run [")
            return self._stderr.hear(line)
        said = jsonlines.parsed(line)
        if said is None:
            return self._stderr.keep(line)
        part = at(said, "part")
        match text(said, "type"):
            case "step_start":
                self._steps += 1  # here, and not at its end: a stream that breaks off begins steps for ever
                found: tuple[Event, ...] = (Usage(turns=1),)
            case "text":
                self._words = text(part, "text").strip()
                found = (events.Text(self._words),) if self._words else ()
            case "tool_use":
                found = self._tool(part)
            case "step_finish":
                found = self._finish(part)
            case "error":
                self._error = at(said, "error") if isinstance(at(said, "error"), dict) else {}
                found = (*self._limit(), events.Result(self._error_words(), failed=True))
            case "reasoning":
                found = ()
            case _:
                found = (events.Raw(line),)
        return (*self._heard_session(said), *found)

    def verdict(self, exit_code: int) -> Verdict:
        if self.stuck:
            return Verdict(Outcome.FAILED, self.stuck, notes=self._notes())
        if self._error is not None:
            return replace(self._refusal(), notes=self._notes())
        if exit_code == 0 and self._reason == "stop":
            return Verdict(Outcome.SUCCEEDED, notes=self._notes())
        if exit_code == 0 and self.denied:
            return Verdict(Outcome.FAILED, f"stopped where {self._notes()[0]}")
        if exit_code == 0 and self._reason:
            return Verdict(Outcome.FAILED, f"stopped in the middle of its work ({self._reason})")
        if self._is_help and not self._steps:
            return Verdict(Outcome.FATAL, "opencode doesn't know a word of its call: it printed its help instead")
        words = self._stderr.words
        if self.before and not self._steps and _NO_SESSION.search(words):
            return Verdict(Outcome.FAILED, jsonlines.one_line(words), session_lost=True)
        return replace(provider.without_result(words, exit_code), notes=self._notes())

    def _refusal(self) -> Verdict:
        name, words, status = text(self._error, "name"), self._error_words(), self._status()
        said = jsonlines.one_line(words)
        if self.before and not self._steps and (name == "NotFoundError" or _NO_SESSION.search(words)):
            return Verdict(Outcome.FAILED, said, session_lost=True)
        if name in _REFUSED:
            return Verdict(Outcome.FATAL, said)
        if name == "UnknownError" and not self._steps and not self.before:
            # It hides why; what fails before the first step is a wrong model or provider, and does so each time.
            return Verdict(Outcome.FATAL, f"{said} It had not begun: is there such a model and provider?")
        body = text(self._error, "data", "responseBody")
        worked = self.before is not None or self._steps > 0
        found = provider.refusal(words, status=status, again_in=self._again_in(), worked=worked)
        hidden = provider.refusal(body, status=status, worked=worked) if body else found
        return replace(hidden, reason=said) if hidden.outcome is Outcome.FATAL else found

    def _heard_session(self, said: dict[str, Any]) -> tuple[Event, ...]:
        name = settings.session_id(text(said, "sessionID"))
        if not name or (self.session and self.session.id == name):
            return ()
        self.session = Session(name)
        return (events.Session(name),)

    def _tool(self, part: object) -> tuple[Event, ...]:
        """Tell of a tool, which opencode does once it is done."""
        name, state = text(part, "tool"), at(part, "state")
        if name == "invalid":
            wanted = text(state, "input", "tool") or name
            self.denied[text(part, "callID")] = f"{wanted}, which it doesn't have"
            return (events.Denied(wanted, "it doesn't have that tool"),)
        tool = events.Tool(name, jsonlines.summary(at(state, "input")))
        if text(state, "status") == "error" and _DENIED.search(text(state, "error")):
            self.denied[text(part, "callID")] = events.words(tool)
            return (tool, events.Denied(name, tool.summary))
        path = text(state, "input", "filePath")
        if name in _WRITES and path and text(state, "status") == "completed":
            is_new = name == "write" and at(state, "metadata", "exists") is False
            return (tool, events.FileChanged(path, "added" if is_new else "changed"))
        return (tool,)

    def _finish(self, part: object) -> tuple[Event, ...]:
        self._reason = text(part, "reason")
        self._broken = self._broken + 1 if self._reason == _BROKEN else 0
        if self._broken == _MOST_BROKEN:
            self.stuck = f"the stream of its model broke off {self._broken} times in a row"
        tokens = at(part, "tokens")
        used = Usage(
            count(tokens, "input") + count(tokens, "cache", "write"), count(tokens, "output"),
            count(tokens, "cache", "read"), count(tokens, "reasoning"), cost_usd=number(part, "cost"),
        )  # fmt: skip
        return (used, events.Result(self._words)) if self._reason == "stop" else (used,)

    def _limit(self) -> tuple[Event, ...]:
        if not provider.is_limit(self._status()):
            return ()
        seconds = self._again_in()
        return (events.Limited(self._error_words(), None if seconds is None else round(seconds)),)

    def _error_words(self) -> str:
        return text(self._error, "data", "message") or text(self._error, "message") or text(self._error, "name")

    def _status(self) -> int | None:
        return count(self._error, "data", "statusCode") or None

    def _again_in(self) -> float | None:
        said = text(self._error, "data", "responseHeaders", "retry-after")
        return float(said) if said.isascii() and said.isdecimal() and len(said) < 10 else None

    def _notes(self) -> tuple[str, ...]:
        return provider.was_denied(self.denied)
