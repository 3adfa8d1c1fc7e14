"""Agents, teams and goals of ORCH as files of this state branch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from orchgit.engine.orch import forms, names
from orchgit.model import agent, fields, goal, ids, team

if TYPE_CHECKING:
    from collections.abc import Collection

    from orchgit.engine.orch.folder import Entry
    from orchgit.engine.orch.names import Names

_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_DIRECT: Final = (
    "adapter", "model", "approval_policy", "max_turns", "timeout_ms", "stall_timeout_ms", "max_retries",
    "retry_delay_ms", "workspace_mode", "skills", "labels", "max_concurrent",
)  # fmt: skip


def agent_file(entry: Entry, known: Names, notes: list[str]) -> tuple[str, str]:
    """Return where an agent's file is here, and what it says."""
    form = forms.begin(entry, notes)
    name = known.agents[names.key_of(entry)]
    form.known("name", name)
    for key in _DIRECT:
        value = form.take(f"config.{key}")
        form.set(key, form.take(key) if value is None else value, agent.READERS[key])
    adapter = form.keys.get("adapter", "shell")
    command = form.take("config.command") or form.take("command")
    if command and adapter == "shell":
        form.set("command", command, fields.text)
    elif command:
        form.left["command"] = command
        form.tell(f"command {fields.shown(command)}: the adapter {adapter} finds its own program here; kept, not used")
    form.set("env", _environment(form.take("config.env") or form.take("env"), form), fields.environment)
    if form.left.get("status") == "disabled":
        form.keys["enabled"] = False
        form.take("status")
    if form.left.get("autonomous") is True:
        form.take("autonomous")  # so is every agent here that doesn't say otherwise
    form.set("autonomous", form.take("autonomous"), fields.flag)
    role, prompt = (str(form.take(key) or "").strip() for key in ("role", "config.system_prompt"))
    words = role if prompt in ("", role) else f"{role}\n\n{prompt}".strip()
    return f"{agent.FOLDER}/{name}.md", form.text(words)


def team_file(entry: Entry, known: Names, agents: Collection[str], notes: list[str]) -> tuple[str, str]:
    """Return where a team's file is here, and what it says; ValueError where it is no more, or nobody is in it.

    `agents` are those that may be in a team.
    """
    form = forms.begin(entry, notes)
    if form.left.get("status") == "disbanded":
        raise ValueError("is disbanded")
    name = known.teams[names.key_of(entry)]
    form.known("name", name)
    wanted = [known.who(each) for each in listed(entry)]
    members = [each for each in wanted if each in agents]
    for each in dict.fromkeys(each for each in wanted if each not in agents):
        form.tell(f"{fields.shown(each)} is no agent here, and no member")
    given = known.who(form.take("lead_agent_id"))
    lead = given if isinstance(given, str) and given in agents else next(iter(members), None)
    if not lead:
        raise ValueError("a team needs a lead, and no agent that is here is in this one")
    if given and given != lead:
        form.tell(f"its lead {fields.shown(given)} is no agent here: {lead} leads it")
        form.left["lead_agent_id"] = given
    form.set("lead", lead, fields.name)
    form.set("members", members, fields.words)
    for key, reader in (("max_concurrent_tasks", fields.count), ("auto_claim", fields.flag)):
        inner, outer = form.take(f"config.{key}"), form.take(key)
        form.set(key, outer if inner is None else inner, reader)
    return f"{team.FOLDER}/{name}.md", form.text(str(form.take("description") or ""))


def listed(entry: Entry) -> list[str]:
    """Return the members that a team's file lists, as it calls them."""
    found = entry.values.get("members")
    each = (
        [each.get("agent_id") if isinstance(each, dict) else each for each in found if each]
        if isinstance(found, list)
        else []
    )
    return [word for word in each if isinstance(word, str)]


def goal_file(entry: Entry, known: Names, notes: list[str]) -> tuple[str, str]:
    """Return where a goal's file is here, and what it says; ValueError where it has no title."""
    form = forms.begin(entry, notes)
    identifier = known.goals[names.key_of(entry)]
    form.known("id", identifier)
    title = forms.title(form)
    form.keys = {"id": identifier, "title": title, "status": "active"}
    form.set("status", form.take("status"), lambda word: goal.READERS["status"](word).value)
    forms.assign(form, known)
    form.set("created", form.take("created_at"), fields.moment, was="created_at")
    return f"{goal.FOLDER}/{ids.named(identifier, title)}.md", form.text(str(form.take("description") or ""))


def _environment(value: Any, form: forms.Form) -> Any:
    """Return variables without secrets: what looks like one is taken from the environment of who runs the team."""
    if not isinstance(value, dict):
        return value
    found = {}
    for name, each in value.items():
        if _SECRET.search(str(name)) and isinstance(each, str) and not each.startswith("$"):
            form.tell(f"env.{name} looks like a secret: it is ${name} here, to be set in your environment")
            found[name] = f"${name}"
        else:
            found[name] = each if isinstance(each, str) else str(each)
    return found
