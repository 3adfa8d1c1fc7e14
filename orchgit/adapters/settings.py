"""What the settings of an agent come to for any CLI."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchgit.model import approval, fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchgit.adapters.protocol import Job
    from orchgit.model.agent import Agent

_LONGEST_WORD: Final = 120_000  # bytes: Linux gives a process no word of 128 KB
OF_COMMANDS: Final = ("command", "argv", "prompt_via", "resume", "events")  # keys of the adapters shell and command
OF_CLIS: Final = ("allowed_tools", "mcp_servers", "args")
_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}")


def complaint(agent: Agent) -> str | None:
    """Return why the settings can't become the words of a command line, or None."""
    if agent.model and agent.model.startswith("-"):
        return f"the model {agent.model!r} would be read as an option"
    if any(tool.startswith("-") for tool in agent.allowed_tools):
        return "a word of `allowed_tools` would be read as an option"
    if len(agent.role.encode(errors="replace")) > _LONGEST_WORD:
        return f"its role is longer than the {_LONGEST_WORD // 1000} KB that a command line takes"
    return None


def unused(agent: Agent, *keys: str) -> tuple[str, ...]:
    """Return a sentence for each of `keys` that is set and that this adapter does nothing with."""
    return tuple(
        f"{key} is set, and the adapter {agent.adapter} does nothing with it." for key in keys if getattr(agent, key)
    )


def unasked(agent: Agent) -> tuple[str, ...]:
    """Return a sentence where somebody is to be asked, and this adapter knows no way to have its command ask."""
    if agent.approval_policy in (None, approval.AUTO):
        return ()
    held = f"the adapter {agent.adapter} can't hold its command to it"
    return (f"With approval_policy {agent.approval_policy} its plans wait for a person, and {held}.",)


def session_id(word: str) -> str:
    """Return a session's id that can stand in a command line, or ""."""
    return word if _SESSION.fullmatch(word) else ""


def pairs(values: Iterable[tuple[str, str]], reference: str) -> dict[str, str]:
    """Return variables with each `$NAME` in a CLI's own words: `reference` holds {} where the name goes."""
    return {key: reference.format(name) if (name := fields.reference(each)) else each for key, each in values}


def for_servers(agent: Agent) -> dict[str, str]:
    """Return the variables that its servers refer to, for the process that starts them to have them."""
    own = dict(agent.env)
    named = (fields.reference(value) for each in agent.mcp_servers for _, value in (*each.env, *each.headers))
    return {name: f"${name}" for name in named if name and name not in own}


def unless_set(agent: Agent, env: dict[str, str]) -> dict[str, str]:
    """Return the variables that the agent's own `env` doesn't set."""
    own = dict(agent.env)
    return {name: value for name, value in env.items() if name not in own}


def with_role(agent: Agent, job: Job) -> str:
    """Return the prompt with the role before it, for a CLI that has no place for one; a session knows it already."""
    if not agent.role or job.session or agent.role in job.prompt:
        return job.prompt
    return f"{agent.role}\n\n{job.prompt}"


def as_argument(prompt: str) -> str:
    """Return a prompt that can be a word of a command line: never an option, and never too long."""
    if len(prompt.encode(errors="replace")) > _LONGEST_WORD:
        return "Read the file that the environment variable ORCHGIT_PROMPT_FILE names. It holds your task. Do it."
    return f"\n{prompt}" if prompt.startswith("-") else prompt
