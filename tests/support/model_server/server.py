"""The server: `/NAME/...` plays the script of that name, a turn each time that a conversation asks."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from tests.support.model_server import completions, messages, responses
from tests.support.model_server.script import Hang, Refuse, Say, Tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.model_server.script import Answer, Script, Thought, Turn
    from tests.support.model_server.wire import Dialect, Question

_DIALECTS: Final[dict[str, Dialect]] = {
    "messages": messages,
    "responses": responses,
    "completions": completions,
}
_ASIDE = Say("A title", tokens=Tokens())
_SLICE = 0.05  # seconds between two looks at whether the server has ended


@dataclass(slots=True)
class Model:
    """What it plays, by name, and what it was asked and has answered by now.

    `given` counts what whole answers to each name used. A conversation is known by its task, so that agents of one
    name can work at several.
    """

    url: str = ""
    scripts: dict[str, Script] = field(default_factory=dict)
    others: dict[tuple[str, str], Script] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    given: dict[str, Tokens] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)  # what else was asked for: other paths, hosts as of a proxy
    ended: threading.Event = field(default_factory=threading.Event)
    _asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def play(self, name: str, *turns: Turn | Thought) -> str:
        """Let `name` play these turns, the last one for ever; return the address that it is asked at."""
        self.scripts[name] = turns
        return f"{self.url}/{name}"

    def play_where(self, name: str, words: str, *turns: Turn | Thought) -> None:
        """Let `name` play these turns in conversations in which a person says these words."""
        self.others[name, words] = turns

    def asked(self, name: str) -> list[Question]:
        """Return the questions of conversations with `name`, oldest first."""
        with self._lock:
            return [each for each in self.questions if each.name == name and not each.is_aside]

    def next_turn(self, question: Question) -> Turn:
        with self._lock:
            self.questions.append(question)
            script, key = self._script(question), (question.name, question.task)
            turn = script[min(self._asked[key], len(script) - 1)]
            turn = turn(question) if callable(turn) else turn
            if question.is_aside:
                return turn if isinstance(turn, Refuse) else _ASIDE  # who refuses the one refuses the other
            self._asked[key] += 1
            return turn

    def _script(self, question: Question) -> Script:
        said = "\n".join(question.said)
        found = (turns for (name, words), turns in self.others.items() if name == question.name and words in said)
        return next(found, self.scripts[question.name])

    def give(self, question: Question, answer: Answer) -> None:
        with self._lock:
            self.given[question.name] = self.given.get(question.name, Tokens()) + answer.tokens

    def sleep(self, seconds: float) -> None:
        """Wait, and no longer than the server is there."""
        self.ended.wait(seconds)


@contextmanager
def serving() -> Iterator[Model]:
    """Serve on loopback, and end what still hangs at the end."""
    model = Model()
    server = _Server(model)
    model.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _SLICE}, name="model server")
    thread.start()
    try:
        yield model
    finally:
        model.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, model: Model) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = model

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that are gone: agents are killed here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's word
        """Say nothing: `Model.questions` has it all."""

    def do_CONNECT(self) -> None:
        """Refuse, as the proxy that agents are told of: none of them gets out of the machine."""
        self.server.model.strangers.append(self.path)
        self._send(403, {})

    def do_HEAD(self) -> None:
        self._send(200, {})

    def do_GET(self) -> None:
        self._send(200, {"object": "list", "data": [{"id": "stub-model", "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self._body() or b"{}")
        _, name, *rest = self.path.partition("?")[0].split("/")
        if rest[-1:] == ["count_tokens"]:
            self._send(200, {"input_tokens": 100})
        elif name in self.server.model.scripts and rest and rest[-1] in _DIALECTS:
            self._play(_DIALECTS[rest[-1]], name, body)
        else:
            self.server.model.strangers.append(self.path)
            self._send(404, {"error": {"message": f"nothing is at {self.path}", "type": "not_found_error"}})

    def _play(self, dialect: Dialect, name: str, body: Mapping[str, Any]) -> None:
        model, question = self.server.model, dialect.read(name, body)
        turn = model.next_turn(question)
        match turn:
            case Hang():
                model.ended.wait()
                self.close_connection = True
            case Refuse(_, again_in):
                self._send(*dialect.refusal(turn), again_in=again_in)
            case answer:
                self._stream(dialect.stream(question, answer), answer)
                if not question.is_aside:
                    model.give(question, answer)

    def _stream(self, frames: Iterator[str], answer: Answer) -> None:
        """Send an answer; ConnectionError where it is cut, or nobody hears it out."""
        pause, cut = (answer.pause, answer.cut) if isinstance(answer, Say) else (0.0, None)
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for number, each in enumerate(frames):
            if number == cut:
                raise ConnectionError("cut, as the script says")
            self.server.model.sleep(pause)
            self.wfile.write(each.encode())

    def _send(self, status: int, body: Mapping[str, Any], *, again_in: int | None = None) -> None:
        data = json.dumps(body).encode() if self.command != "HEAD" else b""
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        if again_in is not None:
            self.send_header("retry-after", str(again_in))
        self.end_headers()
        self.wfile.write(data)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", "").lower():
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)
