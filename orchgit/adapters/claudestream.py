"""What Claude Code says while it works, as `--output-format stream-json`, and how messages are put to it."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final

from orchgit.adapters import jsonlines, provider, settings, stderr
from orchgit.adapters.claudecounts import Counts
from orchgit.adapters.jsonlines import at, count, number, objects, text
from orchgit.adapters.protocol import Verdict
from orchgit.model import events
from orchgit.model.dataclass import dataclass
from orchgit.model.run import Outcome, Session

if TYPE_CHECKING:
    from orchgit.model.events import Event

_QUIET: Final = frozenset({
    "stream_event", "keep_alive", "control_request", "control_response", "tool_progress", "command_lifecycle",
})  # fmt: skip
_QUIET_SYSTEM: Final = frozenset({
    "status", "task_started", "task_progress", "task_notification", "hook_started", "hook_progress", "hook_response",
    "compact_boundary",
})  # fmt: skip
_WRITES: Final = {"Write": "file_path", "Edit": "file_path", "MultiEdit": "file_path", "NotebookEdit": "notebook_path"}
_FOR_GOOD: Final = frozenset({"authentication_failed", "billing_error", "model_not_found"})
_EPOCH = re.compile(r"limit reached\|(\d{10})\b")
_NO_SESSION = re.compile(r"no conversation found|session .{0,60}not found", re.IGNORECASE)
_SYNTHETIC: Final = "<synthetic>"  # the model of messages that no model wrote


def turn(words: str, **more: str) -> str:
    """Return what its user says in one turn, as its stdin takes it."""
    return json.dumps({"type": "user", "message": {"role": "user", "content": words}, **more}) + "\n"


@dataclass(slots=True)
class Listener:
    """Remembers the session, the calls of tools that have no result yet, what was denied, and the result.

    A message that it is given waits for its next turn: after the tool at work, or after its last words, with which it
    then isn't over: a further result comes. It repeats a message where it puts that into the conversation; what its
    model answers next tells that the message got there. The first result that is an error is the one that counts.
    """

    before: Session | None = None
    stuck: str = ""
    result: dict[str, Any] | None = None
    limited: events.Limited | None = None
    error: str = ""
    denied: dict[str, str] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()  # servers of MCP that did not start
    _id: str = ""
    _counts: Counts = field(init=False)
    _now: float | None = None
    _calls: dict[str, events.Tool] = field(default_factory=dict)
    _writing: dict[str, events.FileChanged] = field(default_factory=dict)
    _given: dict[str, str] = field(default_factory=dict)  # names of messages, by the id that it knows each by
    _put: list[str] = field(default_factory=list)  # names of those in the conversation that nothing answers yet
    _stderr: stderr.Tail = field(default_factory=stderr.Tail)

    def __post_init__(self) -> None:
        self._counts = Counts(self.before.counters if self.before else {})

    @property
    def session(self) -> Session | None:
        return Session(self._id, self._counts.counters) if self._id else None

    @property
    def takes_messages(self) -> bool:
        return self._counts.turns > 0 and not self.is_over

    @property
    def is_over(self) -> bool:
        return self.result is not None

    def say(self, name: str, text: str) -> str:
        key = self._key(name)
        self._given[key] = name
        return turn(text, uuid=key)

    def withdraw(self, name: str) -> str:
        asked = {"subtype": "cancel_async_message", "message_uuid": self._key(name)}
        return json.dumps({"type": "control_request", "request_id": name, "request": asked}) + "\n"

    def _key(self, name: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._id} {name}"))

    def hear(self, stream: str, line: str) -> tuple[Event, ...]:
        if stream == "stderr":
            return self._stderr.hear(line)
        said = jsonlines.parsed(line)
        if said is None:
            return self._stderr.keep(line)
        self._now = jsonlines.moment(text(said, "timestamp")) or self._now
        match text(said, "type"):
            case "system":
                return self._system(said, line)
            case "assistant":
                return self._assistant(said)
            case "user":
                return self._user(said)
            case "result":
                return self._result(said)
            case "rate_limit_event":
                return self._rate_limit(said)
            case kind if kind in _QUIET:
                return ()
            case _:
                return (events.Raw(line),)

    def verdict(self, exit_code: int) -> Verdict:
        if self.result is None:
            return self._unfinished(exit_code)
        subtype, words = text(self.result, "subtype"), self._words(self.result)
        if subtype in ("error_max_turns", "error_max_budget_usd"):
            return Verdict(Outcome.OVERSPENT, jsonlines.one_line(words), notes=self._notes())
        if not _has_failed(self.result):
            if exit_code == 0:
                return Verdict(Outcome.SUCCEEDED, notes=self._notes())
            return Verdict(Outcome.FAILED, f"said that it had finished, and ended with exit code {exit_code}")
        if self.before and not self._id and _NO_SESSION.search(words):
            return Verdict(Outcome.FAILED, jsonlines.one_line(words), session_lost=True)
        return replace(self._refusal(words), notes=self._notes())

    def _refusal(self, words: str) -> Verdict:
        """Return the verdict on an error, whose kind it may tell by a word of its own."""
        worked = self.before is not None or self._counts.turns > 0
        found = provider.refusal(words, status=self._status(), worked=worked)
        if found.outcome is Outcome.LIMITED or (found.outcome is Outcome.FAILED and self.error == "rate_limit"):
            return provider.limited(words, self._limit_seconds(words))
        if found.outcome is Outcome.FAILED and self.error in _FOR_GOOD:
            return replace(found, outcome=Outcome.FATAL)
        return found

    def _unfinished(self, exit_code: int) -> Verdict:
        if self.limited and exit_code not in (0, *provider.NOT_RUN):
            return provider.limited(self.limited.text, self.limited.seconds)
        found = provider.without_result(self._stderr.words, exit_code)
        lost = self.before is not None and not self._id and _NO_SESSION.search(self._stderr.words) is not None
        return replace(found, session_lost=found.session_lost or lost, notes=self._notes())

    def _system(self, said: dict[str, Any], line: str) -> tuple[Event, ...]:
        match text(said, "subtype"):
            case "init":
                return self._init(said)
            case "api_retry":
                return self._retry(said)
            case "permission_denied":
                return self._denied(text(said, "tool_use_id"), text(said, "tool_name"), text(said, "message"))
            case kind if kind in _QUIET_SYSTEM:
                return ()
            case _:
                return (events.Raw(line),)

    def _init(self, said: dict[str, Any]) -> tuple[Event, ...]:
        name = settings.session_id(text(said, "session_id"))
        self._counts.version = text(said, "claude_code_version")
        if not name or self._id == name:
            return ()
        self._id = name
        servers = objects(said, "mcp_servers")
        self.lacking = tuple(text(each, "name") for each in servers if text(each, "status") == "failed")
        return (events.Session(name, text(said, "model")), *map(events.Warning, map(_lacks, self.lacking)))

    def _retry(self, said: dict[str, Any]) -> tuple[Event, ...]:
        status, wait = count(said, "error_status") or None, number(said, "retry_delay_ms") / 1000
        words = f"{text(said, 'error') or 'an error'}{f', status {status}' if status else ''}"
        tried = f"try {count(said, 'attempt') + 1} of {count(said, 'max_retries') + 1} in {wait:.1f} s"
        if provider.is_limit(status):
            self.limited = events.Limited(f"{words}; {tried}")
            return (self.limited,)
        return (events.Warning(f"{words}; {tried}"),)

    def _rate_limit(self, said: dict[str, Any]) -> tuple[Event, ...]:
        info = at(said, "rate_limit_info")
        if text(info, "status") != "rejected":
            return ()
        kind = text(info, "rateLimitType").replace("_", " ")
        self.limited = events.Limited(f"used up{f': {kind}' if kind else ''}", self._until(number(info, "resetsAt")))
        return (self.limited,)

    def _until(self, epoch: float) -> int | None:
        return max(round(epoch - self._now), 0) if epoch and self._now else None

    def _assistant(self, said: dict[str, Any]) -> tuple[Event, ...]:
        message = at(said, "message")
        if text(message, "model") == _SYNTHETIC:
            self.error = text(said, "error")
            return tuple(events.Warning(text(block, "text")) for block in objects(message, "content"))
        self.limited = None
        is_main = at(said, "parent_tool_use_id") is None
        found: list[Event] = self._told() if is_main else []
        for block in objects(message, "content"):
            match text(block, "type"):
                case "text":
                    found.append(events.Text(text(block, "text")))
                case "tool_use":
                    found.append(self._tool(block))
        return (*found, *self._counts.message(message, is_main=is_main))

    def _told(self) -> list[Event]:
        """Return the messages that stood before what the model has just begun to answer."""
        told, self._put = self._put, []
        return [events.Told(name) for name in told]

    def _tool(self, block: dict[str, Any]) -> Event:
        name, given = text(block, "name"), at(block, "input")
        path = text(given, _WRITES[name]) if name in _WRITES else ""
        if path:
            self._writing[text(block, "id")] = events.FileChanged(path)
        tool = events.Tool(name, path or jsonlines.summary(given))
        self._calls[text(block, "id")] = tool
        return tool

    def _user(self, said: dict[str, Any]) -> tuple[Event, ...]:
        if name := self._given.pop(text(said, "uuid"), ""):
            self._put.append(name)
        found: list[Event] = []
        decisions = {
            text(each, "id"): text(each, "permission_decision", "decision")
            for each in objects(said, "tool_result_meta")
        }
        for block in objects(said, "message", "content"):
            name = text(block, "tool_use_id")
            self._calls.pop(name, None)
            changed = self._writing.pop(name, None)
            if changed and at(block, "is_error") is not True and decisions.get(name) not in ("reject", "deny"):
                is_new = text(said, "tool_use_result", "type") == "create"
                found.append(replace(changed, how="added") if is_new else changed)
        return tuple(found)

    def _denied(self, call: str, tool: str, why: str) -> tuple[Event, ...]:
        """Tell once of a call that was denied: with what it was called, where that is known."""
        if call in self.denied:
            return ()
        known = self._calls.get(call) or events.Tool(tool, jsonlines.one_line(why))
        self.denied[call or str(len(self.denied))] = events.words(known)
        return (events.Denied(known.name, known.summary),)

    def _result(self, said: dict[str, Any]) -> tuple[Event, ...]:
        further, failed = self.result is not None, _has_failed(said)
        if not _has_failed(self.result):
            self.result = said
        if failed and (self._given or self._put):
            self.stuck = "it goes on with a message after an error"
        denied = [
            event
            for each in objects(said, "permission_denials")
            for event in self._denied(
                text(each, "tool_use_id"), text(each, "tool_name"), jsonlines.summary(at(each, "tool_input"))
            )
        ]
        ended = events.Result(self._words(said), failed=failed, further=further)
        return (*denied, *self._counts.total(said), ended)

    def _words(self, result: dict[str, Any] | None) -> str:
        errors = at(result, "errors")
        listed = [each for each in errors if isinstance(each, str)] if isinstance(errors, list) else []
        return text(result, "result") or "; ".join(listed) or self._stderr.words or text(result, "subtype")

    def _status(self) -> int | None:
        return count(self.result, "api_error_status") or None

    def _limit_seconds(self, words: str) -> float | None:
        said = self.limited.seconds if self.limited else None
        found = _EPOCH.search(words)
        until = self._until(float(found[1])) if found else None
        return next((each for each in (said, until) if each is not None), None)

    def _notes(self) -> tuple[str, ...]:
        return (*map(_lacks, self.lacking), *provider.was_denied(self.denied))


def _has_failed(result: dict[str, Any] | None) -> bool:
    return result is not None and (at(result, "is_error") is True or text(result, "subtype") != "success")


def _lacks(server: str) -> str:
    return f"the MCP server {server} did not start: none of its tools were there"
