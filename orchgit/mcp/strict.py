"""A tool that says of arguments what is wrong with them, and takes none that it doesn't know."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp_types import ToolAnnotations

_TYPES = {
    "string_type": "a text", "int_type": "a whole number", "int_parsing": "a whole number",
    "int_from_float": "a whole number", "list_type": "a list",
}  # fmt: skip


class StrictTool(Tool):
    """What the SDK makes of a function, but for its silence about unknown arguments."""

    async def run(self, arguments: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        known = self.parameters["properties"]
        for name in arguments:
            if name not in known:
                raise ToolError(_unknown(self.name, name, [*known]))
        try:
            self.fn_metadata.validate_arguments(arguments)
        except ValidationError as error:
            raise ToolError("\n".join(_words(self.name, each) for each in error.errors())) from error
        return await super().run(arguments, *args, **kwargs)


def tool(
    function: Callable[..., dict[str, Any]], name: str, description: str | None, annotations: ToolAnnotations
) -> Tool:
    """Return the tool that `function` is."""
    made = StrictTool.from_function(function, name=name, description=description, annotations=annotations)
    made.parameters["additionalProperties"] = False
    return made


def _unknown(tool: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1) or [each for each in known if each[:4] == name[:4]]
    hint = f"Did you mean {near[0]}? " if near else ""
    there = f"It takes: {', '.join(known)}." if known else "It takes none."
    return f"{tool} has no argument {name!r}.\n{hint}{there}"


def _words(tool: str, error: Any) -> str:
    """Return what a person reads of one of pydantic's errors."""
    where, kind = error["loc"], error["type"]
    if kind == "missing":
        return f"{tool} needs the argument {where[0]!r}."
    wanted = _TYPES.get(kind)
    each = f" (number {where[1] + 1} of them)" if len(where) > 1 and isinstance(where[1], int) else ""
    why = f"is to be {wanted}" if wanted else error["msg"]
    return f"{tool}: {where[0]}{each}: {error['input']!r} {why}."
