"""The hooks by which Codex fetches what it is told while it works: after a tool, and where it would stop.

They are part of the call, and the call says which they are by their hashes: Codex runs no other hook for that. What is
to be told lies as a folder `offer` in the one that ORCHGIT_OFFERS names, a file for each event; who takes it away first
tells it. A hook of a subagent takes nothing. That there are hooks at all is seen by the file `ready`.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Final

MOST: Final = 6_000  # bytes of a message: of more than some 10,000 in all Codex tells its model the beginning alone
_TIMEOUT: Final = 10
_READY: Final = """sh -c ': > "$ORCHGIT_OFFERS/ready"'"""
_FETCH: Final = (
    """sh -c 'case "$(cat)" in *\\"agent_id\\"*) exit 0;; esac; cd "$ORCHGIT_OFFERS" 2>/dev/null || exit 0; """
    """mv offer "fetched.$$" 2>/dev/null && cat "fetched.$$/{event}"; exit 0'"""
)
_HOOKS: Final = {  # an event, the word that keys have for it, and its command
    "SessionStart": ("session_start", _READY),
    "PostToolUse": ("post_tool_use", _FETCH.format(event="PostToolUse")),
    "Stop": ("stop", _FETCH.format(event="Stop")),
}


def offer(text: str) -> dict[str, str]:
    """Return the files of an offer, by their names."""
    after = {"hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": text}}
    return {"PostToolUse": json.dumps(after), "Stop": json.dumps({"decision": "block", "reason": text})}


def _options() -> tuple[str, ...]:
    words, trusted = [], []
    for event, (key, command) in _HOOKS.items():
        run = f'{{type="command", command={json.dumps(command)}, timeout={_TIMEOUT}}}'
        words += ["-c", f"hooks.{event}=[{{hooks=[{run}]}}]"]
        trusted.append(f'"/<session-flags>/config.toml:{key}:0:0"={{trusted_hash="{_hash(key, command)}"}}')
    return (*words, "-c", f"hooks.state={{{', '.join(trusted)}}}")


def _hash(key: str, command: str) -> str:
    """Return how Codex names a hook that is trusted: by what it runs, and when."""
    run = {"async": False, "command": command, "timeout": _TIMEOUT, "type": "command"}
    known = json.dumps({"event_name": key, "hooks": [run]}, sort_keys=True, separators=(",", ":"))
    return f"sha256:{sha256(known.encode()).hexdigest()}"


OPTIONS: Final = _options()
