"""The chat completions of OpenAI, which opencode asks any provider for that speaks them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support.model_server import wire
from tests.support.model_server.openai import refusal
from tests.support.model_server.script import Call, Find, Say, Shell, Tokens, Write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.model_server.script import Answer
    from tests.support.model_server.wire import Question

__all__ = ["read", "refusal", "stream"]


def read(name: str, body: Mapping[str, Any]) -> Question:
    def of(role: str) -> Iterator[str]:
        messages = (message for message in body.get("messages", ()) if message.get("role") == role)
        return (text for message in messages for text in wire.texts(message.get("content")))

    tools = (tool["function"]["name"] for tool in body.get("tools", ()))
    system = "\n".join(of("system"))
    return wire.question(name, body, said=of("user"), tools=tools, results=of("tool"), system=system)


def stream(question: Question, answer: Answer) -> Iterator[str]:
    base = {
        "id": wire.make_id("chatcmpl"), "object": "chat.completion.chunk", "created": 0,
        "model": question.body.get("model"),
    }  # fmt: skip

    def chunk(delta: Mapping[str, Any], ended: str | None = None) -> str:
        return wire.frame({**base, "choices": [{"index": 0, "delta": delta, "finish_reason": ended}]})

    yield chunk({"role": "assistant", "content": ""})
    if isinstance(answer, Say):
        for word in wire.words(answer.text):
            yield chunk({"content": word})
    else:
        yield chunk({"tool_calls": [_call(question, answer)]})
    yield chunk({}, "stop" if isinstance(answer, Say) else "tool_calls")
    yield wire.frame({**base, "choices": [], "usage": _usage(answer.tokens)})
    yield wire.frame("[DONE]")


def _call(question: Question, answer: Shell | Write | Call | Find) -> dict[str, Any]:
    given: dict[str, Any]
    match answer:
        case Shell(command):
            name, given = "bash", {"command": command, "description": "as the script says"}
        case Write(path, text):
            name, given = "write", {"filePath": f"{question.folder}/{path}", "content": text}
        case Call(tool, arguments):
            name, given = f"orchgit_{tool}", dict(arguments)
        case Find():
            raise NotImplementedError("opencode tells a model of all tools")
    function = {"name": name, "arguments": json.dumps(given)}
    return {"index": 0, "id": wire.make_id("call"), "type": "function", "function": function}


def _usage(tokens: Tokens) -> dict[str, Any]:
    read, written = tokens.fresh + tokens.stored + tokens.cached, tokens.output + tokens.reasoning
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }
