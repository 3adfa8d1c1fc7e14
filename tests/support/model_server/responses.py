"""The Responses API of OpenAI, as Codex asks it."""

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

_CODE = "const r = await tools.exec_command({cmd: %s}); text(r.output ?? JSON.stringify(r));"


def read(name: str, body: Mapping[str, Any]) -> Question:
    items = [item for item in body.get("input", ()) if item.get("role") == "user"]
    said = (text for item in items for text in wire.texts(item.get("content")))
    developer = [item for item in body.get("input", ()) if item.get("role") in ("developer", "system")]
    above = (text for item in developer for text in wire.texts(item.get("content")))
    system = "\n".join((str(body.get("instructions", "")), *above))
    results = (_text(item.get("output")) for item in body.get("input", ()) if str(item.get("type")).endswith("_output"))
    return wire.question(name, body, said=said, tools=iter(_tools(body)), results=results, system=system)


def _text(output: object) -> str:
    return output if isinstance(output, str) else "\n".join(wire.texts(output))


def _tools(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the tools' names, each with the namespace that it is in, or "".

    The newest models are told of them in an item of the input, in groups.
    """
    found = {str(tool.get("name") or tool["type"]): "" for tool in body.get("tools", ())}
    for item in body.get("input", ()):
        for tool in item.get("tools", ()) if item.get("type") == "additional_tools" else ():
            inner = tool["tools"] if tool.get("type") == "namespace" else (tool,)
            space = tool["name"] if tool.get("type") == "namespace" else ""
            found |= {str(each.get("name") or each["type"]): space for each in inner}
    return found


def stream(question: Question, answer: Answer) -> Iterator[str]:
    item = _item(question, answer)
    response = {"id": wire.make_id("resp"), "object": "response", "created_at": 0, "model": question.body.get("model")}
    yield _event("response.created", response={**response, "status": "in_progress", "output": []})
    begun = {**item, "status": "in_progress", **({"content": []} if "content" in item else {})}
    yield _event("response.output_item.added", output_index=0, item=begun)
    if isinstance(answer, Say):
        where = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        for word in wire.words(answer.text):
            yield _event("response.output_text.delta", **where, delta=word)
    yield _event("response.output_item.done", output_index=0, item=item)
    done = {**response, "status": "completed", "output": [item], "usage": _usage(answer.tokens)}
    yield _event("response.completed", response=done)


def _item(question: Question, answer: Answer) -> dict[str, Any]:
    tools = _tools(question.body)
    match answer:
        case Say(text):
            content = [{"type": "output_text", "text": text, "annotations": []}]
            return {"id": wire.make_id("msg"), "type": "message", "role": "assistant", "status": "completed",
                    "content": content}  # fmt: skip
        case Shell(command):
            return _shell(tools, command)
        case Write(path, text):
            added = "".join(f"+{line}\n" for line in text.splitlines())
            patch = f"*** Begin Patch\n*** Add File: {path}\n{added}*** End Patch\n"
            if "apply_patch" in tools:
                return _call(tools, "apply_patch", text=patch)
            return _shell(tools, f"apply_patch <<'EOF'\n{patch}EOF")
        case Call(tool, given):
            return _call({tool: "mcp__orchgit"}, tool, arguments=dict(given))
        case Find(tool):
            return {"type": "tool_search_call", "id": wire.make_id("tsc"), "call_id": wire.make_id("call"),
                    "execution": "client", "arguments": {"query": tool}, "status": "completed"}  # fmt: skip


def _shell(tools: Mapping[str, str], command: str) -> dict[str, Any]:
    """Return a call of whichever shell this model is given."""
    if "exec_command" in tools:
        return _call(tools, "exec_command", arguments={"cmd": command})
    if "shell_command" in tools:
        return _call(tools, "shell_command", arguments={"command": command})
    if "exec" in tools:  # a program is written in place of a call
        return _call(tools, "exec", text=_CODE % json.dumps(command))
    return _call(tools, "shell", arguments={"command": ["bash", "-lc", command]})


def _call(
    tools: Mapping[str, str], name: str, *, arguments: Mapping[str, Any] | None = None, text: str = ""
) -> dict[str, Any]:
    """Return a call with `arguments`, or of a tool that takes a `text` as it is."""
    space = {"namespace": tools[name]} if tools.get(name) else {}
    given = {"arguments": json.dumps(arguments)} if arguments is not None else {"input": text}
    kind, prefix = ("function_call", "fc") if arguments is not None else ("custom_tool_call", "ctc")
    return {
        "type": kind, "id": wire.make_id(prefix), "call_id": wire.make_id("call"), "name": name, **space, **given,
        "status": "completed",
    }  # fmt: skip


def _usage(tokens: Tokens) -> dict[str, Any]:
    read, written = tokens.fresh + tokens.stored + tokens.cached, tokens.output + tokens.reasoning
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": tokens.cached},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": read + written,
    }


def _event(kind: str, **values: Any) -> str:
    return wire.frame({"type": kind, **values}, kind)
