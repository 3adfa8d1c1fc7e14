"""The Messages API of Anthropic."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tests.support.model_server import wire
from tests.support.model_server.script import Call, Find, Say, Shell, Tokens, Why, Write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.model_server.script import Answer, Refuse
    from tests.support.model_server.wire import Question

_REFUSALS: Final = {
    Why.KEY: (401, "authentication_error", "invalid x-api-key"),
    Why.LIMIT: (429, "rate_limit_error", "This request would exceed your organization's rate limit."),
    Why.BROKEN: (500, "api_error", "Internal server error"),
    Why.OVERLOADED: (529, "overloaded_error", "Overloaded"),
    Why.TOO_LONG: (400, "invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"),
    Why.CREDIT: (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
    Why.MODEL: (404, "not_found_error", "model: no-such-model"),
}


def read(name: str, body: Mapping[str, Any]) -> Question:
    messages = [message for message in body.get("messages", ()) if message.get("role") == "user"]
    said = (text for message in messages for text in wire.texts(message.get("content")))
    tools = (tool["name"] for tool in body.get("tools", ()))
    blocks = (block for message in messages for block in message["content"] if isinstance(message["content"], list))
    given = ("\n".join(wire.texts(each.get("content"))) for each in blocks if each.get("type") == "tool_result")
    system = "\n".join(wire.texts(body.get("system")))
    return wire.question(name, body, said=said, tools=tools, results=given, system=system)


def refusal(turn: Refuse) -> tuple[int, dict[str, Any]]:
    status, kind, words = _REFUSALS[turn.why]
    return status, {"type": "error", "error": {"type": kind, "message": words}}


def stream(question: Question, answer: Answer) -> Iterator[str]:
    message: dict[str, Any] = {
        "id": wire.make_id("msg"), "type": "message", "role": "assistant", "model": question.body.get("model"),
        "content": [], "stop_reason": None, "stop_sequence": None, "usage": _usage(answer.tokens, output=1),
    }  # fmt: skip
    yield _event("message_start", message=message)
    if isinstance(answer, Say):
        yield from _text(answer.text)
    else:
        yield from _call(question, answer)
    reason = "end_turn" if isinstance(answer, Say) else "tool_use"
    output = answer.tokens.output + answer.tokens.reasoning
    delta = {"stop_reason": reason, "stop_sequence": None}
    yield _event("message_delta", delta=delta, usage=_usage(answer.tokens, output=output))
    yield _event("message_stop")


def _text(text: str) -> Iterator[str]:
    yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for word in wire.words(text):
        yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    yield _event("content_block_stop", index=0)


def _call(question: Question, answer: Shell | Write | Call | Find) -> Iterator[str]:
    given: dict[str, Any]
    match answer:
        case Shell(command):
            tool, given = "Bash", {"command": command, "description": "as the script says"}
        case Write(path, text):
            tool, given = "Write", {"file_path": f"{question.folder}/{path}", "content": text}
        case Call(name, arguments):
            tool, given = f"mcp__orchgit__{name}", dict(arguments)
        case Find(name):
            tool, given = "ToolSearch", {"query": f"select:mcp__orchgit__{name}"}
    block = {"type": "tool_use", "id": wire.make_id("toolu"), "name": tool, "input": {}}
    yield _event("content_block_start", index=0, content_block=block)
    delta = {"type": "input_json_delta", "partial_json": json.dumps(given)}
    yield _event("content_block_delta", index=0, delta=delta)
    yield _event("content_block_stop", index=0)


def _usage(tokens: Tokens, *, output: int) -> dict[str, int]:
    return {
        "input_tokens": tokens.fresh,
        "cache_creation_input_tokens": tokens.stored,
        "cache_read_input_tokens": tokens.cached,
        "output_tokens": output,
    }


def _event(kind: str, **values: Any) -> str:
    return wire.frame({"type": kind, **values}, kind)
