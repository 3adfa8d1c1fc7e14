"""The prompt an agent is given: a Jinja2 template, filled in."""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import SandboxedEnvironment

from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jinja2 import Template

PATH = "prompt.md"
# What the expressions of a template can raise: `{{ [].pop() }}`, `{{ 1 / 0 }}`, `{{ "x" * 10 ** 18 }}`, endless macros.
_MISHAPS = (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)
_UNREAD = "the prompt template can't be read"
_FAILS = "the prompt template fails"

# Every name that a template may use, as a task with a past and with dependencies has them.
SAMPLE: Final[Mapping[str, Any]] = {
    "project": {"name": "shop", "base": "main"},
    "agent": {
        "name": "backend", "role": "You write Python.", "model": "a-model", "adapter": "shell",
        "mcp_servers": ["orchgit"],
    },
    "task": {
        "id": "tsk_7k3m9q", "title": "Add OAuth2 middleware", "priority": 2, "labels": ["auth"],
        "scope": ["src/auth/**"], "review_criteria": ["the project's tests pass (test_pass)"],
        "goal": "gol_5n2c8v", "branch": "orchgit/tsk_7k3m9q-add-oauth2-middleware",
        "attachments": ["/shop/.orchestry/attachments/tsk_7k3m9q/design.png"],
        "description": "Validate tokens.", "feedback": "**Ada, 2026-11-22 10:00:00 UTC:**\n\n> Test it.",
    },
    "feedback": "**Ada, 2026-11-22 10:00:00 UTC:**\n\n> Test it.",
    "goal": {"id": "gol_5n2c8v", "title": "People sign in", "status": "active", "description": "By Sprint 24."},
    "teams": [{"name": "platform", "lead": "backend", "members": ["backend", "store"], "description": "APIs."}],
    "dependencies": [
        {
            "id": "tsk_2hd8xw", "title": "Store sessions", "agent": "store", "summary": "Sessions are in Redis.",
            "commit": "3f9c2e1d", "branch": "orchgit/tsk_2hd8xw-store-sessions",
        },
    ],
    "context": [{"key": "auth/findings", "value": "Tokens are never refreshed."}],
    "messages": [
        {
            "id": "msg_5n2c8v", "sender": "store", "by_agent": True, "channel": "direct",
            "reply_to": "msg_4w8zr1", "text": "Sessions expire now.",
        },
    ],
    "skills": [{"name": "evidence", "text": "Claim only what you have seen."}],
    "attempt": 2,
    "max_attempts": 3,
    "previous": {
        "attempt": 1, "agent": "backend", "status": "review", "reason": "exit code 1", "summary": "Tokens are checked.",
    },
    "moved": {"commits": 2, "conflicts": ["src/auth/tokens.py"], "merge": "git merge main"},
    "workspace_path": "/trees/tsk_7k3m9q",
    "workspace_mode": "worktree",
}  # fmt: skip


def render(template: str, values: Mapping[str, Any], *, path: str = PATH) -> str:
    """Return `template` filled in with `values`; InvalidFileError names the line that can't be."""
    with _told(path):
        try:
            return _compiled(template).render(values)
        except UndefinedError as error:
            line = _line_of(error)
            for unknown in _unknown(_environment().parse(template), values):
                if unknown.line == line:
                    raise unknown.at(path) from error
            raise


def check(template: str, *, path: str = PATH) -> None:
    """InvalidFileError where `template` can't be read, uses a name that no task has, or fails for one that has all."""
    with _told(path):
        found = _environment().parse(template)
        _compiled(template)
        unknown = min(_unknown(found, SAMPLE), key=lambda each: each.line, default=None)
    if unknown is not None:
        raise unknown.at(path)
    render(template, SAMPLE, path=path)


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Turn whatever a template can raise into an InvalidFileError that names its line."""
    try:
        yield
    except TemplateSyntaxError as error:
        raise InvalidFileError(path, f"{_UNREAD}: {error.message}", line=error.lineno) from error
    except (TemplateError, *_MISHAPS) as error:
        reason = f"{_FAILS}: {str(error) or type(error).__name__}"
        raise InvalidFileError(path, reason, line=_line_of(error)) from error


def _unknown(found: nodes.Template, values: Mapping[str, Any]) -> Iterator[InvalidFileError]:
    """Yield where a name stands that isn't there, and which are; one that is only asked about is no fault."""
    asked = {id(name) for node in _questions(found) for name in (node, *node.find_all((nodes.Name, nodes.Getattr)))}
    undeclared = find_undeclared_variables(found)
    known = _environment()
    for each in found.find_all((nodes.Name, nodes.Getattr, nodes.Filter, nodes.Test)):
        match each:
            case _ if id(each) in asked:
                continue
            case nodes.Filter(name=name) if name not in known.filters:  # Jinja itself lets it pass in an `if`
                yield _missing(each, f"No filter named {name!r}.")
            case nodes.Test(name=name) if name not in known.tests:
                yield _missing(each, f"No test named {name!r}.")
            case nodes.Name(name=name) if name in undeclared and name not in values:
                yield _missing(each, f"there is no {name}", f"There are: {', '.join(values)}.")
            case nodes.Getattr(node=nodes.Name(name=name), attr=attr) if name in undeclared and name in values:
                keys = values[name]
                if keys is None:
                    yield _missing(each, f"{name} is none here, and has no {attr}", f"Ask first: {{% if {name} %}}.")
                elif isinstance(keys, dict) and attr not in keys and not hasattr(dict, attr):
                    there = ", ".join(f"{name}.{key}" for key in keys)
                    yield _missing(each, f"there is no {name}.{attr}", f"There are: {there}.")


def _missing(node: nodes.Node, what: str, next_step: str = "") -> InvalidFileError:
    return InvalidFileError(PATH, f"{_FAILS}: {what}", line=node.lineno, next_step=next_step)


def _questions(found: nodes.Template) -> Iterator[nodes.Node]:
    """Yield what a template asks for with `is defined` and `default`, which fit a name that isn't there."""
    for each in found.find_all((nodes.Test, nodes.Filter)):
        if each.name in ("defined", "undefined", "default", "d") and each.node is not None:
            yield each.node


def _environment() -> SandboxedEnvironment:
    return SandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )


@lru_cache(maxsize=8)
def _compiled(template: str) -> Template:
    """Return the template, read once: a team gives the same one to each of its runs."""
    return _environment().from_string(template)


def _line_of(error: BaseException) -> int:
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
