"""The prompt an agent is given: a Jinja2 template, filled in."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template

PATH = "prompt.md"
# What the expressions of a template can raise: `{{ [].pop() }}`, `{{ 1 / 0 }}`, `{{ "x" * 10 ** 18 }}`, endless macros.
_MISHAPS = (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)


def render(template: str, values: Mapping[str, object], *, path: str = PATH) -> str:
    """Return `template` filled in with `values`; InvalidFileError names the line that can't be."""
    try:
        return _compiled(template).render(values)
    except TemplateSyntaxError as error:
        raise InvalidFileError(
            path, f"the prompt template can't be read: {error.message}", line=error.lineno
        ) from error
    except (TemplateError, *_MISHAPS) as error:
        reason = f"the prompt template fails: {str(error) or type(error).__name__}"
        raise InvalidFileError(path, reason, line=_line_of(error)) from error


@lru_cache(maxsize=8)
def _compiled(template: str) -> Template:
    """Return the template, read once: a team gives the same one to each of its runs."""
    return SandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    ).from_string(template)


def _line_of(error: BaseException) -> int:
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
