"""The project's settings: every key, its default, and what it means."""

from __future__ import annotations

from dataclasses import fields as dataclass_fields
from typing import TYPE_CHECKING, Any, Final

from orchgit.model import approval, fields, ids, setup
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchgit.model.yamltext import Loaded

PATH = "config.yaml"
FORMAT = 1
STATE_BRANCH = "orchestry"


@dataclass(frozen=True, slots=True)
class Config:
    """Settings in force: what config.yaml says, else the default. Times are in milliseconds; a limit of 0 is none."""

    project_name: str = ""
    project_base: str = ""
    workspaces_dir: str = ""
    hook_after_create: str = ""
    hook_before_run: str = ""
    hook_after_run: str = ""
    hook_before_remove: str = ""
    hook_timeout_ms: int = 60_000
    bring: tuple[str, ...] = ()
    bring_mode: str = "copy"
    shared_commit: bool = False
    archive_after_days: int = 14
    runs_keep: int = 500
    max_concurrent_agents: int = 6
    max_concurrent_retries: int = 3
    max_in_review: int = 0
    starvation_ms: int = 1_800_000
    poll_interval_ms: int = 10_000
    retry_base_delay_ms: int = 10_000
    retry_max_delay_ms: int = 300_000
    task_max_attempts: int = 3
    task_priority: int = 3
    agent_adapter: str = "shell"
    agent_approval_policy: str = approval.AUTO
    agent_timeout_ms: int = 3_600_000
    agent_stall_timeout_ms: int = 600_000
    agent_max_turns: int = 0
    agent_max_tokens: int = 0
    agent_max_cost_usd: float = 0
    workspace_mode: str = "worktree"
    goal_max_tasks: int = 20
    require_signatures: bool = False

    @property
    def hooks(self) -> tuple[tuple[str, str], ...]:
        """The commands that set a workspace up and take it down, by the names of setup.HOOKS."""
        return tuple((name, getattr(self, f"hook_{name}")) for name in setup.HOOKS)


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of config.yaml: the field of Config that it sets, how its value is read, what it means."""

    field: str
    read: Callable[[object], Any]
    meaning: str


def _base(value: object) -> str:
    word = fields.branch(value)
    if word in (STATE_BRANCH, ids.WORK_BRANCHES) or word.startswith(f"{ids.WORK_BRANCHES}/"):
        raise ValueError(f"{fields.shown(word)} is orchgit's own: work can't be merged into it")
    return word


_TIME = fields.milliseconds(least=1)
_DELAY = fields.milliseconds()

SETTINGS: Final[dict[str, Setting]] = {
    "project.name": Setting("project_name", fields.line, "what the project is called"),
    "project.base": Setting("project_base", _base, "the branch that approved work is merged into"),
    "workspaces_dir": Setting("workspaces_dir", fields.line, "where agents' worktrees are made"),
    "workspace.hooks.after_create": Setting("hook_after_create", fields.text, "run once in a new workspace"),
    "workspace.hooks.before_run": Setting("hook_before_run", fields.text, "run before each start of an agent"),
    "workspace.hooks.after_run": Setting("hook_after_run", fields.text, "run when an agent has ended"),
    "workspace.hooks.before_remove": Setting("hook_before_remove", fields.text, "run before a workspace is removed"),
    "workspace.hook_timeout_ms": Setting("hook_timeout_ms", _TIME, "the longest that a hook may take"),
    "workspace.bring": Setting("bring", setup.paths, "untracked files of your checkout that agents get too"),
    "workspace.bring_mode": Setting("bring_mode", setup.bring_mode, "how they get them: copy or symlink"),
    "workspace.shared_commit": Setting(
        "shared_commit", fields.flag, "commit what is done in your checkout onto the task's branch"
    ),
    "archive_after_days": Setting(
        "archive_after_days", fields.number(least=0, most=36_500), "closed tasks move to archive/ then; 0: never"
    ),
    "runs.keep": Setting("runs_keep", fields.number(least=0), "folders of runs whose tasks are not open any more"),
    "scheduling.max_concurrent_agents": Setting(
        "max_concurrent_agents", fields.number(least=1), "agents at work at once"
    ),
    "scheduling.max_concurrent_retries": Setting(
        "max_concurrent_retries", fields.number(least=1), "how many of them may be at work on what failed before"
    ),
    "scheduling.max_in_review": Setting(
        "max_in_review", fields.count, "while so many tasks wait for review nothing is started; 0: no limit"
    ),
    "scheduling.starvation_ms": Setting("starvation_ms", _TIME, "after so long a waiting task counts as more urgent"),
    "scheduling.poll_interval_ms": Setting("poll_interval_ms", _TIME, "how often to look for what a watcher missed"),
    "scheduling.retry_base_delay_ms": Setting("retry_base_delay_ms", _DELAY, "wait before the first retry"),
    "scheduling.retry_max_delay_ms": Setting("retry_max_delay_ms", _DELAY, "the longest wait before a retry"),
    "defaults.task.max_attempts": Setting(
        "task_max_attempts", fields.number(least=1, most=100), "attempts a task gets"
    ),
    "defaults.task.priority": Setting("task_priority", fields.number(least=1, most=4), "1 urgent to 4 low"),
    "defaults.agent.adapter": Setting("agent_adapter", fields.name, "what drives an agent that doesn't say"),
    "defaults.agent.approval_policy": Setting(
        "agent_approval_policy", approval.policy, "what an agent may do unasked: auto, suggest or manual"
    ),
    "defaults.agent.timeout_ms": Setting("agent_timeout_ms", _TIME, "the longest that a run may take"),
    "defaults.agent.stall_timeout_ms": Setting("agent_stall_timeout_ms", _TIME, "the longest that a run may be silent"),
    "defaults.agent.max_turns": Setting(
        "agent_max_turns", fields.count, "the most turns that a run may take; 0: no limit"
    ),
    "defaults.agent.max_tokens": Setting(
        "agent_max_tokens", fields.count, "the most tokens that a run may use, cached ones aside; 0: no limit"
    ),
    "defaults.agent.max_cost_usd": Setting(
        "agent_max_cost_usd", fields.dollars, "the most that a run may cost, in US dollars; 0: no limit"
    ),
    "defaults.agent.workspace_mode": Setting(
        "workspace_mode", setup.mode, "where agents work: worktree, isolated or shared"
    ),
    "goals.max_tasks": Setting(
        "goal_max_tasks", fields.count, "the most tasks that one run may make for its goal; 0: no limit"
    ),
    "verify.require_signatures": Setting("require_signatures", fields.flag, "must every commit here be signed?"),
}


def read(text: str) -> Config:
    """Return the settings that config.yaml holds; unknown keys are left alone."""
    from orchgit.model import yamltext

    try:
        loaded = yamltext.load(text)
    except InvalidFileError as error:
        raise error.at(PATH) from None
    version = loaded.values.get("version")
    if version not in (None, FORMAT):
        reason = f"{fields.shown(version)} is a format that this orchgit doesn't know; it knows {FORMAT}"
        raise InvalidFileError(PATH, reason, line=loaded.line(("version",)), key="version", next_step="Update orchgit.")
    values = {key: _value_at(loaded, key) for key in SETTINGS}
    readers = {key: setting.read for key, setting in SETTINGS.items()}
    found = fields.typed(PATH, values, readers, line=lambda key: loaded.line(tuple(key.split("."))))
    return Config(**{SETTINGS[key].field: value for key, value in found.items()})


def setting(key: str) -> Setting:
    """Return the setting called `key`; NotFoundError suggests a near one."""
    found = SETTINGS.get(key)
    if found is None and key == "prompt.template":
        raise UsageError(
            "The prompt template is a file here: .orchestry/prompt.md.", "docs/prompts.md says what it may say."
        )
    if found is None:
        import difflib

        near = difflib.get_close_matches(key, SETTINGS, n=1, cutoff=0.5)
        alike = f"Did you mean {near[0]}?" if near else "`orchgit config get` shows all of them."
        hint = alike if difflib.get_close_matches(key, SETTINGS, n=1, cutoff=0.7) else _of_section(key) or alike
        raise NotFoundError(f"There is no setting {key!r}.", hint)
    return found


def _of_section(key: str) -> str:
    """Return which settings the section has that `key`, or something like it, is of; "" where there is none."""
    import difflib

    sections = {each.partition(".")[0] for each in SETTINGS if "." in each}
    near = difflib.get_close_matches(key.partition(".")[0], sections, n=1)
    within = [each for each in SETTINGS if near and each.startswith(f"{near[0]}.")]
    return f"Did you mean one of {', '.join(within)}?" if within else ""


def value_of(config: Config, key: str) -> str | float:
    """Return the value in force of the setting `key`; a list is text with commas between."""
    value = getattr(config, setting(key).field)
    if isinstance(value, tuple):
        return ", ".join(value)
    assert isinstance(value, str | int | float)
    return value


def at_key(values: Mapping[str, Any], key: str) -> Any:
    """Return what stands at `key` in settings that could be read, one name a level; None where they don't say."""
    found: Any = values
    for name in key.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _value_at(loaded: Loaded, key: str) -> object:
    """Return what stands at `key`, one name a level; None where the file doesn't say."""
    path = tuple(key.split("."))
    if len(path) > 1 and key in loaded.values:
        reason = f"is read level by level: write `{path[0]}:` and, indented below it, the rest"
        raise InvalidFileError(PATH, reason, line=loaded.line((key,)), key=key)
    value: object = loaded.values
    for depth, name in enumerate(path):
        if value is None:
            return None
        if not isinstance(value, dict):
            reason = f"{fields.shown(value)} is not a group of settings"
            raise InvalidFileError(PATH, reason, line=loaded.line(path[:depth]), key=".".join(path[:depth]))
        value = value.get(name)
    return value


assert {setting.field for setting in SETTINGS.values()} == {each.name for each in dataclass_fields(Config)}
