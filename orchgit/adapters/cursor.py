"""Cursor's CLI as an agent, as it is documented: `cursor-agent -p`, the prompt as its last argument."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final

from orchgit.adapters import jsonlines, provider, settings, stderr
from orchgit.adapters.jsonlines import at, objects, text
from orchgit.adapters.protocol import Launch, Verdict
from orchgit.model import approval, events
from orchgit.model.dataclass import dataclass
from orchgit.model.run import Outcome, Session
from orchgit.model.usage import Usage

if TYPE_CHECKING:
    from orchgit.adapters.protocol import Job
    from orchgit.model.agent import Agent
    from orchgit.model.events import Event

_WRITES: Final = frozenset({"write", "edit"})


def complaint(agent: Agent) -> str | None:
    return settings.complaint(agent)


def limitations(agent: Agent) -> tuple[str, ...]:
    return tuple(filter(None, (
        *settings.unused(agent, *settings.OF_COMMANDS, "allowed_tools", "mcp_servers"),
        "But for approval_policy auto Cursor's CLI proposes changes and makes none."
        if agent.approval_policy in (approval.SUGGEST, approval.MANUAL) else "",
        "Cursor's CLI doesn't say what it costs: max_cost_usd has no effect on it." if agent.max_cost_usd else "",
        "Cursor's CLI doesn't tell its tokens: max_tokens has no effect on it." if agent.max_tokens else "",
        "Cursor's CLI counts no turns: max_turns counts its calls of tools." if agent.max_turns else "",
    )))  # fmt: skip


def resumes(_agent: Agent) -> bool:
    return True


def takes_role(_agent: Agent) -> bool:
    return False


def takes_skills(_agent: Agent) -> bool:
    return False


def launch(agent: Agent, job: Job) -> Launch:
    argv = [
        "cursor-agent", "-p", "--output-format", "stream-json",
        *(("--force",) if (agent.approval_policy or approval.AUTO) == approval.AUTO else ()),
        "--trust",
        *(("--workspace", job.workspace) if job.workspace else ()),
        *(("--model", agent.model) if agent.model else ()),
        *(("--resume", job.session) if job.session else ()),
        *agent.args,
        settings.as_argument(settings.with_role(agent, job)),
    ]  # fmt: skip
    return Launch(argv=tuple(argv))


def listener(before: Session | None = None, memo: str = "") -> Listener:  # noqa: ARG001 - it needs none
    return Listener(before)


@dataclass(slots=True)
class Listener:
    """Remembers the session and the result."""

    before: Session | None = None
    session: Session | None = None
    stuck: str = ""
    _result: dict[str, Any] | None = None
    _begun: set[str] = field(default_factory=set)
    _stderr: stderr.Tail = field(default_factory=stderr.Tail)

    def hear(self, stream: str, line: str) -> tuple[Event, ...]:
        if stream == "stderr":
            return self._stderr.hear(line)
        said = jsonlines.parsed(line)
        if said is None:
            return self._stderr.keep(line)
        match text(said, "type"):
            case "system":
                return self._init(said)
            case "assistant":
                return tuple(
                    events.Text(words) for each in objects(said, "message", "content") if (words := text(each, "text"))
                )
            case "tool_call":
                return self._tool(said)
            case "result":
                self._result = said
                return (Usage(turns=1), events.Result(text(said, "result"), failed=at(said, "is_error") is True))
            case "user" | "thinking":
                return ()
            case _:
                return (events.Raw(line),)

    def verdict(self, exit_code: int) -> Verdict:
        words = text(self._result, "result")
        if self._result is not None and at(self._result, "is_error") is not True:
            if exit_code == 0 and text(self._result, "subtype") in ("success", ""):
                return Verdict(Outcome.SUCCEEDED)
            return Verdict(Outcome.FAILED, f"said that it had finished, and ended with exit code {exit_code}")
        if self._result is not None:
            return provider.refusal(words or self._stderr.words, status=None, worked=bool(self.before or self._begun))
        found = provider.without_result(self._stderr.words, exit_code)
        is_lost = self.before is not None and self.session is None and "not found" in self._stderr.words.lower()
        return replace(found, outcome=Outcome.FAILED, session_lost=True) if is_lost else found

    def _init(self, said: dict[str, Any]) -> tuple[Event, ...]:
        name = settings.session_id(text(said, "session_id"))
        if not name or (self.session and self.session.id == name):
            return ()
        self.session = Session(name)
        return (events.Session(name, text(said, "model")),)

    def _tool(self, said: dict[str, Any]) -> tuple[Event, ...]:
        """Tell of a tool when it begins, of a file when it is written; `tool_call` has one key, as `editToolCall`."""
        call = at(said, "tool_call")
        key = next(iter(call), "") if isinstance(call, dict) else ""
        name, given = key.removesuffix("ToolCall"), at(call, key, "args")
        if name == "function":
            name, given = text(call, key, "name"), at(call, key, "arguments")
        if text(said, "subtype") != "completed":
            self._begun.add(text(said, "call_id"))
            return (events.Tool(name, jsonlines.summary(given)), Usage(turns=1))
        path = text(given, "path")
        is_done = at(call, key, "result", "success") is not None
        return (events.FileChanged(path),) if name in _WRITES and path and is_done else ()
