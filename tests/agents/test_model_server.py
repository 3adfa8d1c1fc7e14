"""The scripted model, asked as a program asks a provider."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.model_server.script import ANSWER, Call, Hang, Refuse, Say, Shell, Tokens, Why, Write
from tests.support.model_server.server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.model_server.server import Model

TOOL = {"name": "Bash"}
ASKED: dict[str, dict[str, Any]] = {
    "messages": {"messages": [{"role": "user", "content": "Do it"}], "tools": [TOOL], "system": "Be brief"},
    "responses": {
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "Do it"}]}],
        "tools": [{"type": "function", "name": "exec_command"}], "instructions": "Be brief",
    },
    "chat/completions": {
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Do it"}],
        "tools": [{"type": "function", "function": {"name": "bash"}}],
    },
}  # fmt: skip
USED: dict[str, dict[str, Any]] = {
    "messages": {
        "input_tokens": 500, "cache_creation_input_tokens": 200, "cache_read_input_tokens": 300, "output_tokens": 50,
    },
    "responses": {
        "input_tokens": 1000, "input_tokens_details": {"cached_tokens": 300}, "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 10}, "total_tokens": 1050,
    },
    "chat/completions": {
        "prompt_tokens": 1000, "prompt_tokens_details": {"cached_tokens": 300}, "completion_tokens": 50,
        "completion_tokens_details": {"reasoning_tokens": 10}, "total_tokens": 1050,
    },
}  # fmt: skip


@pytest.fixture
def model() -> Iterator[Model]:
    with serving() as model:
        yield model


@pytest.fixture(params=ASKED)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ask(url: str, dialect: str, **more: Any) -> str:
    """Ask in a dialect and return the answer's text."""
    data = json.dumps({**ASKED[dialect], **more}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/v1/{dialect}", data), timeout=30) as answer:
        return str(answer.read().decode())


def frames(text: str) -> list[Any]:
    lines = (line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {"))
    return [json.loads(line) for line in lines]


def usages(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (each for key, found in value.items() for each in ((found,) if key == "usage" else usages(found)))


def test_words_come_whole_and_with_what_they_used(model: Model, dialect: str) -> None:
    text = ask(model.play("one", Say("What a day")), dialect)
    assert [word in text for word in ("What", " a", " day")] == [True] * 3
    assert USED[dialect] in [found for each in frames(text) for found in usages(each)]
    (question,) = model.asked("one")
    assert (question.said, question.system.strip(), len(question.tools)) == (("Do it",), "Be brief", 1)
    assert model.given == {"one": ANSWER}


@pytest.mark.parametrize(
    ("turn", "word"),
    [
        (Shell("echo 'a b'"), "echo 'a b'"),
        (Write("new.txt", "x\n"), "new.txt"),
        (Call("task_add", {"title": "One"}), "task_add"),
    ],
)
def test_a_call_has_its_tool_and_what_it_is_given(
    model: Model, dialect: str, turn: Shell | Write | Call, word: str
) -> None:
    text = ask(model.play("one", turn), dialect)
    assert word in text
    assert any(name in text for name in ("tool_use", "function_call", "tool_calls"))


@pytest.mark.parametrize(
    ("why", "status"), [(Why.KEY, 401), (Why.BROKEN, 500), (Why.OVERLOADED, 529), (Why.LIMIT, 429)]
)
def test_a_refusal_has_its_status_and_says_when_to_come_again(
    model: Model, dialect: str, why: Why, status: int
) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(model.play("one", Refuse(why, again_in=7)), dialect)
    with caught.value as error:
        assert (error.code, error.headers["retry-after"]) == (status, "7")
        assert json.loads(error.read())["error"]["message"]
    assert model.given == {}


def test_a_stream_that_is_cut_lacks_its_end(model: Model, dialect: str) -> None:
    text = ask(model.play("one", Say("What a very long day", cut=4)), dialect)
    assert "What" in text
    assert "day" not in text
    assert model.given == {}


def test_turns_follow_each_other_for_each_task_and_the_last_one_stays(model: Model) -> None:
    url = model.play("one", Say("first"), Say("second", tokens=Tokens(output=1)))
    answers = [ask(url, "messages", system=f"in /x.orchgit/{task}") for task in ("tsk_aaaaaa",) * 3 + ("tsk_bbbbbb",)]
    assert ["second" in answer for answer in answers] == [False, True, True, False]
    assert model.given["one"] == ANSWER + ANSWER + Tokens(output=2)


def test_other_turns_are_played_where_a_person_says_so_and_one_may_depend_on_what_was_said(model: Model) -> None:
    url = model.play("one", Say("first"))
    model.play_where("one", "Do it", lambda asked: Say(f"You said: {asked.said[0]}, and tools: {asked.results}"))
    result = {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "42"}]}
    said = [{"role": "user", "content": "Do it"}, {"role": "user", "content": [result]}]
    answer = ask(url, "messages", messages=said)
    assert ["first" in answer, "42" in answer] == [False, True]
    assert "first" in ask(
        url, "messages", messages=[{"role": "user", "content": "Leave it"}], system="in x.orchgit/tsk_2"
    )


def test_what_is_asked_without_tools_is_aside(model: Model) -> None:
    assert "title" in ask(model.play("one", Hang()), "messages", tools=[])
    assert model.asked("one") == []


def test_strangers_are_named(model: Model) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(f"{model.url}/nobody", "messages")
    caught.value.close()
    assert model.strangers == ["/nobody/v1/messages"]
