"""The hooks that Codex is started with, run by a shell as it runs them."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from orchgit.adapters import codexhooks

if TYPE_CHECKING:
    from pathlib import Path

FETCHING = ("PostToolUse", "Stop")
SETTINGS = [tomllib.loads(each)["hooks"] for each in codexhooks.OPTIONS if each != "-c"]
COMMANDS = {event: each[event][0]["hooks"][0]["command"] for each in SETTINGS for event in each if event != "state"}


@pytest.fixture
def offers(tmp_path: Path) -> Path:
    folder = tmp_path / "some where's"
    folder.mkdir()
    return folder


def lay(offers: Path, text: str) -> None:
    (offers / "offer").mkdir()
    for name, words in codexhooks.offer(text).items():
        (offers / "offer" / name).write_text(words)


def run(event: str, offers: Path, **said: Any) -> str:
    """Run a hook on what Codex says of an event; return what it answers."""
    done = subprocess.run(
        ["/bin/sh", "-c", COMMANDS[event]], input=json.dumps({"hook_event_name": event, **said}), text=True,
        env={**os.environ, "ORCHGIT_OFFERS": str(offers)}, capture_output=True, check=True,
    )  # fmt: skip
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize("event", FETCHING)
def test_a_hook_takes_what_is_offered_once(offers: Path, event: str) -> None:
    assert run(event, offers) == ""
    lay(offers, "Mind the 'tokens'.\n")
    said = json.loads(run(event, offers, tool_response='{"agent_id": 1}'))
    expected: dict[str, Any] = {
        "PostToolUse": {
            "hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": "Mind the 'tokens'.\n"}
        },
        "Stop": {"decision": "block", "reason": "Mind the 'tokens'.\n"},
    }
    assert said == expected[event]
    assert not (offers / "offer").exists()
    assert run(event, offers) == ""


@pytest.mark.parametrize("event", FETCHING)
def test_a_hook_of_a_subagent_takes_nothing(offers: Path, event: str) -> None:
    lay(offers, "For the other.")
    assert run(event, offers, agent_id="a-1") == ""
    assert (offers / "offer").exists()


def test_that_there_are_hooks_is_seen_when_it_begins(offers: Path) -> None:
    assert run("SessionStart", offers) == ""
    assert (offers / "ready").exists()


def test_a_folder_that_is_gone_is_no_fault(offers: Path) -> None:
    offers.rmdir()
    assert [run(event, offers) for event in FETCHING] == ["", ""]


def test_each_hook_is_one_that_is_trusted() -> None:
    """By its place in the call and its hash; that Codex reckons it so is seen where the real one runs."""
    (trusted,) = (each["state"] for each in SETTINGS if "state" in each)
    words = [each for settings in SETTINGS for each in settings if each != "state"]
    places = [f"/<session-flags>/config.toml:{key}:0:0" for key in ("session_start", "post_tool_use", "stop")]
    assert (list(trusted), words) == (places, list(COMMANDS))
    assert len({each["trusted_hash"] for each in trusted.values()}) == len(places)
