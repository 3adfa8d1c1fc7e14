"""An agent: its settings and its role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchgit.model import approval, fields, heard, mcp, setup
from orchgit.model.actor import ENGINE
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchgit.model.fields import Readers
    from orchgit.model.heard import Rule
    from orchgit.model.mcp import Server

FOLDER = "agents"
SUFFIXES = (".md", ".yaml", ".yml")
_PROMPT = ".prompt"
OTHER_NAMES: Final = {"max_budget_usd": "max_cost_usd"}  # what a key is called elsewhere
WAYS: Final = ("stdin", "argument", "file")  # how a command of one's own is given its prompt


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent file. `path` is relative to the state folder; None and () mean that the file doesn't say.

    `orch` is the id that it had in ORCH, where it was brought over.
    """

    name: str
    path: str
    adapter: str | None = None
    command: str | None = None
    role: str = ""
    model: str | None = None
    approval_policy: str | None = None
    allowed_tools: tuple[str, ...] = ()
    mcp_servers: tuple[Server, ...] = ()
    args: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    prompt_via: str | None = None
    resume: tuple[str, ...] = ()
    events: tuple[Rule, ...] = ()
    labels: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    max_concurrent: int | None = None
    max_retries: int | None = None
    retry_delay_ms: int | None = None
    timeout_ms: int | None = None
    stall_timeout_ms: int | None = None
    max_turns: int | None = None
    max_tokens: int | None = None
    max_cost_usd: float | None = None
    env: tuple[tuple[str, str], ...] = ()
    hooks: tuple[tuple[str, str], ...] = ()
    hook_timeout_ms: int | None = None
    workspace_mode: str | None = None
    autonomous: bool = True
    enabled: bool = True
    orch: str | None = None


def _way(value: object) -> str:
    word = fields.text(value)
    if word not in WAYS:
        raise ValueError(f"{fields.shown(word)} is not one of {', '.join(WAYS)}")
    return word


READERS: Final[dict[str, Callable[[object], Any]]] = {
    "adapter": fields.name,
    "command": fields.text,
    "model": fields.line,
    "approval_policy": approval.policy,
    "allowed_tools": fields.words,
    "mcp_servers": mcp.servers,
    "args": fields.texts,
    "argv": fields.texts,
    "prompt_via": _way,
    "resume": fields.texts,
    "events": heard.rules,
    "labels": fields.words,
    "skills": fields.words,
    "max_concurrent": fields.number(least=1),
    "max_retries": fields.number(least=0, most=99),
    "retry_delay_ms": fields.milliseconds(),
    "timeout_ms": fields.milliseconds(least=1),
    "stall_timeout_ms": fields.milliseconds(least=1),
    "max_turns": fields.count,
    "max_tokens": fields.count,
    "max_cost_usd": fields.dollars,
    "env": fields.environment,
    "hooks": setup.hooks,
    "hook_timeout_ms": fields.milliseconds(least=1),
    "workspace_mode": setup.mode,
    "autonomous": fields.flag,
    "enabled": fields.flag,
    "orch": fields.orch_id,
}


def read(path: str, text: str) -> Agent:
    """Return the agent that the file at `path` describes: Markdown with front matter, or YAML with a `role:` key."""
    try:
        name = _name(name_of(path))
        return _from_markdown(name, path, text) if path.endswith(".md") else _from_yaml(name, path, text)
    except InvalidFileError as error:
        raise error.at(path) from None
    except ValueError as error:
        raise InvalidFileError(path, str(error)) from None


def prompt_path(name: str) -> str:
    """Return where the agent's own prompt template is, if it has one."""
    return f"{FOLDER}/{name}{_PROMPT}.md"


def belongs(path: str) -> bool:
    """Is it the path of an agent's file?"""
    return path.startswith(f"{FOLDER}/") and path.endswith(SUFFIXES) and not is_prompt(path)


def is_prompt(path: str) -> bool:
    """Is it the path of an agent's own prompt template, and of no agent?"""
    return path.startswith(f"{FOLDER}/") and path.endswith(f"{_PROMPT}.md")


def name_of(path: str) -> str:
    """Return the agent's name: its file's, without folder and ending."""
    return path.rpartition("/")[2].rpartition(".")[0]


def _name(word: str) -> str:
    if word == ENGINE.name:
        raise ValueError(f"{word!r} is what the engine itself signs with; give the agent another name")
    if word.endswith(_PROMPT):
        raise ValueError(f"{word!r} ends as the files of prompt templates do; give the agent another name")
    return fields.name(word)


def _from_markdown(name: str, path: str, text: str) -> Agent:
    from orchgit.model import document

    found = document.parse(text)
    settings = _typed(path, found.values, READERS, line=found.line)
    return Agent(name=name, path=path, role=found.body.strip(), **settings)


def _from_yaml(name: str, path: str, text: str) -> Agent:
    from orchgit.model import yamltext

    found = yamltext.load(text)
    settings = _typed(path, found.values, {**READERS, "role": _role}, line=lambda key: found.line((key,)))
    return Agent(name=name, path=path, **settings)


def _typed(path: str, values: Mapping[str, object], readers: Readers, *, line: Callable[[str], int]) -> dict[str, Any]:
    others = {other: readers[name] for other, name in OTHER_NAMES.items()}
    settings = fields.typed(path, values, {**readers, **others}, line=line)
    for other, name in OTHER_NAMES.items():
        if other in settings:
            value = settings.pop(other)
            settings.setdefault(name, value)
    return settings


def _role(value: object) -> str:
    return fields.text(value).strip()
