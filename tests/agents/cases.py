"""What may befall a real agent, as its model's script and its settings, and what has to become of its task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from orchgit.model.run import Outcome
from tests.support.model_server.script import Hang, Refuse, Say, Shell, Why, Write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.model_server.script import Script


@dataclass(frozen=True)
class Case:
    """`words` are some of those that a person is told at the end, by the agent's kind where these differ."""

    name: str
    script: Script
    outcome: Outcome
    words: str | Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def said(self, kind: str) -> str:
        return self.words if isinstance(self.words, str) else self.words[kind]


ENDLESS: Final = (Shell("echo again >> again.txt"),)
SILENT: Final = (Hang(),)
SLOW: Final = (Shell("python3 -c 'import time; time.sleep(1)'"),)
MANUAL: Final = {"approval_policy": "manual"}

CASES: Final = (  # those that take long first
    Case("silent", SILENT, Outcome.STALLED, "silent for", {"stall_timeout_ms": 12_000}),
    Case("slow", SLOW, Outcome.TIMED_OUT, "took longer", {"timeout_ms": 12_000}),
    Case("dropped", (Say("These words are cut off in their middle", cut=5),), Outcome.FAILED, {
        "claude": "malformed response", "codex": "disconnected", "opencode": "broke off",
    }),
    Case("endless", ENDLESS, Outcome.OVERSPENT, "turns", {"max_turns": 2}),
    Case("denied", (Write("denied.txt"), Say()), Outcome.SUCCEEDED, "not allowed", MANUAL),
    Case("key", (Refuse(Why.KEY),), Outcome.FATAL, {
        "claude": "Invalid API key", "codex": "Incorrect API key", "opencode": "Incorrect API key",
    }),
    Case("credit", (Refuse(Why.CREDIT, again_in=1),), Outcome.FATAL, {
        "claude": "Credit balance is too low", "codex": "Quota exceeded", "opencode": "exceeded your current quota",
    }),
    Case("model", (Refuse(Why.MODEL),), Outcome.FATAL, "model"),
    Case("long", (Refuse(Why.TOO_LONG),), Outcome.FATAL, {
        "claude": "too long", "codex": "context window", "opencode": "context window",
    }),
    Case("broken", (Refuse(Why.BROKEN, again_in=1),), Outcome.FAILED, {
        "claude": "Internal server error", "codex": "high demand", "opencode": "had an error",
    }),
    Case("overloaded", (Refuse(Why.OVERLOADED, again_in=1),), Outcome.LIMITED, {
        "claude": "Overloaded", "codex": "529", "opencode": "Overloaded",
    }),
    Case("limit", (Refuse(Why.LIMIT, again_in=1),), Outcome.LIMITED, {
        "claude": "rate limit", "codex": "429", "opencode": "Rate limit",
    }),
)  # fmt: skip
