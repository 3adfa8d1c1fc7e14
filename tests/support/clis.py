"""The real agents' command lines: where `.ci/agents` has put them, and how each finds a model."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "MADE_UP_KEY"  # the variable of a key that no provider knows
_FOLDER = os.environ.get("AGENT_CLIS", "")


@dataclass(frozen=True, slots=True)
class Cli:
    """One agent's command line: `model` is a name that it asks a provider for without looking it up first."""

    name: str
    binary: str
    model: str


CLAUDE: Final = Cli("claude", "@anthropic-ai/claude-code-linux-x64/claude", "claude-sonnet-4-5")
CODEX: Final = Cli("codex", "@openai/codex/vendor/x86_64-unknown-linux-musl/bin/codex", "gpt-5.5")
OPENCODE: Final = Cli("opencode", "opencode-linux-x64/bin/opencode", "scripted/stub-model")
ALL: Final = (CLAUDE, CODEX, OPENCODE)

_CODEX = """\
model_provider = "scripted"
[model_providers.scripted]
name = "scripted"
base_url = "{url}/v1"
env_key = "{key}"
wire_api = "responses"
"""
_OPENCODE: Final = {
    "provider": {
        "scripted": {
            "npm": "@ai-sdk/openai-compatible",
            "name": "Scripted",
            "options": {"baseURL": "{env:MODEL_URL}/v1", "apiKey": f"{{env:{KEY}}}"},
            "models": {
                "stub-model": {
                    "name": "Stub",
                    "limit": {"context": 200_000, "output": 8_000},
                    "cost": {"input": 1, "output": 10, "cache_read": 0.1},
                }
            },
        }
    }
}


def missing() -> str:
    """Return why the command lines can't be driven here, or ""."""
    if not _FOLDER:
        return "needs the agents' command lines: .ci/agents installs them and runs this"
    return ", ".join(f"{path(each)} is not there" for each in ALL if not path(each).exists())


def path(cli: Cli) -> Path:
    return Path(_FOLDER) / "node_modules" / cli.binary


def link_all(folder: Path) -> Path:
    """Make a folder for the PATH in which each is found by its name."""
    folder.mkdir()
    for each in ALL:
        (folder / each.name).symlink_to(path(each))
    return folder


def environment(cli: Cli, home: Path, name: str, url: str) -> Mapping[str, str]:
    """Return the `env` of an agent's settings with which `cli` asks the model at `url`; `home` is for its own files."""
    key = f"${KEY}"
    if cli is CLAUDE:
        return {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": key, "CLAUDE_CONFIG_DIR": str(home / "claude")}
    if cli is CODEX:
        own = home / "codex" / name
        own.mkdir(parents=True)
        (own / "config.toml").write_text(_CODEX.format(url=url, key=KEY))
        return {"CODEX_HOME": str(own), KEY: key}
    settings = home / ".config" / "opencode" / "opencode.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps(_OPENCODE))
    return {"MODEL_URL": url, KEY: key}
