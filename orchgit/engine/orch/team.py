"""Agents, teams and goals of ORCH as files of this state branch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from orchgit.engine.orch import forms, names
from orchgit.model import agent, fields, goal, ids, team

if TYPE_CHECKING:
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
        form.take("autonomous")  # so is every agent here
    role, prompt = (str(form.take(key) or "").strip() for key in ("role", "config.system_prompt"))
    words = role if prompt in ("", role) else f"{role}\n\n{prompt}".strip()
    return f"{agent.FOLDER}/{name}.md", form.text(words)


def team_file(entry: Entry, known: Names, notes: list[str]) -> tuple[str, str]:
    """Return where a team's file is here, and what it says; ValueError where nobody leads it."""
    form = forms.begin(entry, notes)
    name = known.teams[names.key_of(entry)]
    form.known("name", name)
    listed = [each.get("agent_id") if isinstance(each, dict) else each for each in form.left.get("members") or []]
    members = [known.who(each) for each in listed if isinstance(each, str)]
    lead = known.who(form.take("lead_agent_id")) or next(iter(members), None)
    if not lead:
        raise ValueError("a team needs a lead, and this one has no member")
    form.set("lead", lead, fields.name)
    form.set("members", members, fields.words)
    form.set("max_concurrent_tasks", form.take("config.max_concurrent_tasks"), fields.count)
    form.set("auto_claim", form.take("config.auto_claim"), fields.flag)
    return f"{team.FOLDER}/{name}.md", form.text(str(form.take("description") or ""))


def goal_file(entry: Entry, known: Names, notes: list[str]) -> tuple[str, str]:
    """Return where a goal's file is here, and what it says; ValueError where it has no title."""
    form = forms.begin(entry, notes)
    identifier = known.goals[names.key_of(entry)]
    form.known("id", identifier)
    title = forms.one_line(form.take("title") or "")
    form.keys = {"id": identifier, "title": title, "status": "active"}
    form.set("status", form.take("status"), lambda word: goal.READERS["status"](word).value)
    form.set("assignee", known.who(form.take("assignee")), fields.line)
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
