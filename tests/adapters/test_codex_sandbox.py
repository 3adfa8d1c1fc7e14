"""What Codex's sandbox comes to: what it refuses is told, and its shell finds what is on the PATH."""

from __future__ import annotations

from orchgit.adapters import codex
from orchgit.adapters.protocol import Job
from orchgit.model import events
from orchgit.model.agent import Agent
from orchgit.model.run import Outcome

REFUSED = (
    "\x1b[2m2026-11-26T17:18:58.191868Z\x1b[0m \x1b[31mERROR\x1b[0m codex_core::tools::router: error=patch rejected: "
    "writing is blocked by read-only sandbox; rejected by user approval settings"
)
DONE = '{"type":"turn.completed","usage":{"input_tokens":1,"cached_input_tokens":0,"output_tokens":1}}'


def test_a_change_that_it_refuses_is_told_in_review() -> None:
    listener = codex.listener()
    told = listener.hear("stderr", REFUSED)
    assert events.Denied("patch", "writing is blocked by read-only sandbox") in told
    listener.hear("stdout", DONE)
    verdict = listener.verdict(0)
    assert verdict.outcome is Outcome.SUCCEEDED
    assert verdict.notes == ("it was not allowed to use: patch: writing is blocked by read-only sandbox",)


def test_its_shell_is_no_login_shell() -> None:
    argv = codex.launch(Agent("bot", "agents/bot.md", "codex"), Job("Do it.")).argv
    assert argv[argv.index("allow_login_shell=false") - 1] == "-c"
