"""Events as a person reads them, and what a program reads besides."""

from __future__ import annotations

from typing import Any

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
    ],
)
def test_an_event_is_read(event: events.Event, words: str, details: dict[str, Any]) -> None:
    assert events.words(event) == words
    assert events.details(event) == details
