"""The project's settings: every key, its default, and what it means."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import TYPE_CHECKING, Any, Final

from orchgit.model import fields, yamltext
from orchgit.model.errors import InvalidFileError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATH = "config.yaml"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Config:
    """Settings in force: what config.yaml says, else the default. Times are in milliseconds."""

    project_name: str = ""
    project_base: str = ""
    workspaces_dir: str = ""
    max_concurrent_agents: int = 6
    poll_interval_ms: int = 10_000
    retry_base_delay_ms: int = 10_000
    retry_max_delay_ms: int = 300_000
    task_max_attempts: int = 3
    task_priority: int = 3
    agent_adapter: str = "shell"
    agent_timeout_ms: int = 3_600_000
    agent_stall_timeout_ms: int = 600_000


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of config.yaml: the field of Config that it sets, how its value is read, what it means."""

    field: str
    read: Callable[[object], Any]
    meaning: str


_COUNT = fields.number(least=1)
_MILLISECONDS = fields.number(least=0)

SETTINGS: Final[dict[str, Setting]] = {
    "project.name": Setting("project_name", fields.line, "what the project is called"),
    "project.base": Setting("project_base", fields.line, "the branch that approved work is merged into"),
    "workspaces_dir": Setting("workspaces_dir", fields.line, "where agents' worktrees are made"),
    "scheduling.max_concurrent_agents": Setting("max_concurrent_agents", _COUNT, "agents at work at once"),
    "scheduling.poll_interval_ms": Setting("poll_interval_ms", _COUNT, "how often to look for what a watcher missed"),
    "scheduling.retry_base_delay_ms": Setting("retry_base_delay_ms", _MILLISECONDS, "wait before the first retry"),
    "scheduling.retry_max_delay_ms": Setting("retry_max_delay_ms", _MILLISECONDS, "the longest wait before a retry"),
    "defaults.task.max_attempts": Setting(
        "task_max_attempts", fields.number(least=1, most=100), "attempts a task gets"
    ),
    "defaults.task.priority": Setting("task_priority", fields.number(least=1, most=4), "1 urgent to 4 low"),
    "defaults.agent.adapter": Setting("agent_adapter", fields.name, "what drives an agent that doesn't say"),
    "defaults.agent.timeout_ms": Setting("agent_timeout_ms", _COUNT, "the longest that a run may take"),
    "defaults.agent.stall_timeout_ms": Setting(
        "agent_stall_timeout_ms", _COUNT, "the longest that a run may be silent"
    ),
}


def read(text: str) -> Config:
    """Return the settings that config.yaml holds; unknown keys are left alone."""
    try:
        loaded = yamltext.load(text)
    except InvalidFileError as error:
        raise error.at(PATH) from None
    values = _flat(loaded.values)
    readers = {key: setting.read for key, setting in SETTINGS.items()}
    found = fields.typed(PATH, values, readers, line=lambda key: loaded.line(tuple(key.split("."))))
    version = values.get("version", FORMAT)
    if version != FORMAT:
        reason = f"{fields.shown(version)} is a format that this orchgit doesn't know; it knows {FORMAT}"
        raise InvalidFileError(PATH, reason, line=loaded.line(("version",)), key="version", next_step="Update orchgit.")
    return Config(**{SETTINGS[key].field: value for key, value in found.items()})


def setting(key: str) -> Setting:
    """Return the setting called `key`; NotFoundError suggests a near one."""
    found = SETTINGS.get(key)
    if found is None:
        near = difflib.get_close_matches(key, SETTINGS, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]}?" if near else "`orchgit config get` shows all of them."
        raise NotFoundError(f"There is no setting {key!r}.", hint)
    return found


def value_of(config: Config, key: str) -> str | int:
    """Return the value in force of the setting `key`."""
    value = getattr(config, setting(key).field)
    assert isinstance(value, str | int)
    return value


def _flat(values: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


assert {setting.field for setting in SETTINGS.values()} == {each.name for each in dataclass_fields(Config)}
