from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchgit.model import trailers
from orchgit.model.trailers import Message
from tests.support.repos import git

if TYPE_CHECKING:
    from pathlib import Path

FEW = settings(max_examples=200, deadline=None, derandomize=True)
TASK = ("Task", "tsk_7k3m9q")
TRANSITION = """\
task(tsk_7k3m9q): in_progress -> review

Add OAuth2 middleware

Task: tsk_7k3m9q
Transition: in_progress -> review
Run: run_4w8zr1
Attempt: 1/3
"""
_keys = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,9}", fullmatch=True)
_lines = st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=9), min_size=1, max_size=4)
_line = _lines.map(" ".join)
_bodies = st.lists(
    st.one_of(_line, st.sampled_from(["", "Fix: it", "Task: tsk_other", " x: y", "#", "---x", "Signed-off-by: x"])),
    max_size=6,
).map(lambda lines: "\n".join(lines).strip("\n"))
_messages = st.builds(Message, _line, _bodies, st.lists(st.tuples(_keys, _line), min_size=1, max_size=5).map(tuple))


def test_a_transition_reads_as_the_design_shows_it() -> None:
    message = Message(
        "task(tsk_7k3m9q): in_progress -> review", "Add OAuth2 middleware",
        (TASK, ("Transition", "in_progress -> review"), ("Run", "run_4w8zr1"), ("Attempt", "1/3")),
    )  # fmt: skip
    assert trailers.render(message) == TRANSITION
    assert trailers.parse(TRANSITION) == message


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Message("subject"), "subject\n"),
        (Message("subject", "body"), "subject\n\nbody\n"),
        (Message("subject", "\n\nbody\n\nmore\n\n"), "subject\n\nbody\n\nmore\n"),
        (Message("subject", trailers=(TASK,)), "subject\n\nTask: tsk_7k3m9q\n"),
        (Message("a\n\nTask: no\t b "), "a Task: no b\n"),
        (Message("s", "", (("Reason", "it\nis\r\n\nwrong\u2028\x1b[31m\0!"),)), "s\n\nReason: it is wrong [31m !\n"),
        (Message("--- x", "a\n---\n--- b\n----\n---c", (TASK,)),
         " --- x\n\na\n ---\n --- b\n----\n---c\n\nTask: tsk_7k3m9q\n"),
    ],
)  # fmt: skip
def test_messages_are_written(message: Message, text: str) -> None:
    assert trailers.render(message) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", Message("")),
        ("subject", Message("subject")),
        ("\n\nsubject\n\n", Message("subject")),
        ("subject\nbody", Message("subject", "body")),
        ("subject\n\nTask: tsk_7k3m9q", Message("subject", "", (TASK,))),
        ("subject\n\n\n\nTask: tsk_7k3m9q\n\n", Message("subject", "", (TASK,))),
        ("subject\nTask: tsk_7k3m9q", Message("subject", "Task: tsk_7k3m9q")),
        ("Task: tsk_7k3m9q", Message("Task: tsk_7k3m9q")),
        ("subject\n\nFix: this\n\nTask: tsk_7k3m9q", Message("subject", "Fix: this", (TASK,))),
        ("subject\n\nTask: tsk_7k3m9q\n\nbody", Message("subject", "Task: tsk_7k3m9q\n\nbody")),
        ("subject\n\nTask: tsk_7k3m9q\nand words", Message("subject", "Task: tsk_7k3m9q\nand words")),
        ("subject\n\na\n\n\nb\n\nTask: tsk_7k3m9q", Message("subject", "a\n\n\nb", (TASK,))),
        ("subject\n\nA: 1\nA: 2\nB: ", Message("subject", "", (("A", "1"), ("A", "2"), ("B", "")))),
    ],
)
def test_messages_are_read(text: str, message: Message) -> None:
    assert trailers.parse(text) == message


@given(_messages)
@FEW
def test_what_is_written_is_read_back(message: Message) -> None:
    text = trailers.render(message)
    assert trailers.parse(text) == message
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@given(st.builds(Message, st.text(), st.text(), st.lists(st.tuples(_keys, st.text()), min_size=1).map(tuple)))
@FEW
def test_no_text_breaks_out_of_its_place(message: Message) -> None:
    found = trailers.parse(trailers.render(Message(f"s {message.subject}", message.body, message.trailers)))
    assert found.subject.startswith("s")
    assert [key for key, _ in found.trailers] == [key for key, _ in message.trailers]


def test_git_reads_the_same_trailers(tmp_path: Path) -> None:
    message = Message(
        "--- a subject", "Fix: it\n\n---\nTask: tsk_other\n\n#\n--- more",
        (TASK, ("Reason", "no: é 日本 # --- \n\nTask: tsk_no"), ("Review-Commit", "3f9c2e1"), ("Cost-USD", "0.0421")),
    )  # fmt: skip
    text = trailers.render(message)
    said = git(tmp_path, "interpret-trailers", "--parse", stdin=text.encode())
    assert said.splitlines() == [f"{key}: {value}" for key, value in trailers.parse(text).trailers]
    assert said.splitlines() == [
        "Task: tsk_7k3m9q",
        "Reason: no: é 日本 # --- Task: tsk_no",
        "Review-Commit: 3f9c2e1",
        "Cost-USD: 0.0421",
    ]


def test_a_trailer_is_found_by_its_name_in_any_case() -> None:
    message = Message("s", trailers=(TASK, ("Note", "1"), ("note", "2")))
    assert message.get("task") == "tsk_7k3m9q"
    assert message.get("NOTE") == "1"
    assert message.get("Run") is None


def test_trailers_without_a_value_are_left_out() -> None:
    values = {"Task": "tsk_1", "Run": None, "Note": "", "Reason": " \n", "Actor": "Ada"}
    assert trailers.given(values) == (("Task", "tsk_1"), ("Actor", "Ada"))
