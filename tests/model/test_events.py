"""Events as a person reads them, and what a program reads besides."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from orchgit.model import events
from orchgit.model.events import Limited, Text, Usage

SPENT = {"input": 3, "output": 2, "cache": 0, "reasoning": 0, "turns": 0, "cost_usd": None}


@pytest.mark.parametrize(
    ("event", "words", "details"),
    [
        (Text("hi"), "hi", {}),
        (events.Warning("oops"), "oops", {}),
        (Usage(3, 2), "used 3 in, 2 out", {"usage": SPENT}),
        (Limited(), "the provider's limit", {"seconds": None}),
        (Limited("try later"), "the provider's limit: try later", {"seconds": None}),
        (Limited("try later", 60), "the provider's limit, for 60 s: try later", {"seconds": 60}),
        (events.Session("s-1"), "session s-1", {"session": "s-1", "model": ""}),
        (events.Session("s-1", "opus"), "session s-1, opus", {"session": "s-1", "model": "opus"}),
        (events.Tool("Bash", "ls"), "Bash: ls", {"tool": "Bash", "summary": "ls"}),
        (events.Tool("Bash"), "Bash", {"tool": "Bash", "summary": ""}),
        (events.FileChanged("a.py", "added"), "added a.py", {"path": "a.py", "how": "added"}),
        (events.Denied("Bash", "ls"), "denied: Bash: ls", {"tool": "Bash", "summary": "ls"}),
        (events.Told("msg_x", "ann"), "was told msg_x, from ann", {"message": "msg_x", "from": "ann"}),
        (events.Told("msg_x"), "was told msg_x", {"message": "msg_x", "from": ""}),
        (events.Result("Done.\nWell."), "finished: Done.", {"result": "Done.\nWell.", "failed": False}),
        (events.Result("", failed=True), "failed", {"result": "", "failed": True}),
        (events.Raw("{}"), "{}", {}),
    ],
)
def test_an_event_is_read(event: events.Event, words: str, details: dict[str, Any]) -> None:
    assert events.words(event) == words
    assert events.details(event) == details


@pytest.mark.parametrize(
    ("event", "seen"),
    [
        (events.FileChanged("/w/tsk/src/a.py", "added"), events.FileChanged("src/a.py", "added")),
        (events.FileChanged("/w/tsk-2/a.py"), events.FileChanged("/w/tsk-2/a.py")),
        (events.Tool("Bash", "cat /w/tsk/a /w/tsk/b"), events.Tool("Bash", "cat a b")),
        (events.Denied("Write", "/w/tsk/a"), events.Denied("Write", "a")),
        (Text("see /w/tsk/a"), Text("see /w/tsk/a")),
    ],
)
def test_paths_of_the_workspace_are_told_as_one_who_works_there_would(event: events.Event, seen: events.Event) -> None:
    assert events.seen_from("/w/tsk", event) == seen


def test_every_event_has_a_kind_of_its_own() -> None:
    assert set(events.KINDS) == set(get_args(events.Event))
    assert len(set(events.KINDS.values())) == len(events.KINDS)
