"""Templates of ORCH, which are Liquid, in the words of Jinja2, as far as both say the same."""

from __future__ import annotations

import re
from typing import Final

FILTERS: Final = {
    "upcase": "upper", "downcase": "lower", "capitalize": "capitalize", "default": "default", "join": "join",
    "size": "length", "strip": "trim", "first": "first", "last": "last", "escape": "escape", "replace": "replace",
    "sort": "sort", "uniq": "unique",
}  # fmt: skip
_TAGS: Final = {"elsif": "elif", "assign": "set"}
_PART = re.compile(r"(?P<begin>\{\{-?|\{%-?)(?P<inner>.*?)(?P<end>-?\}\}|-?%\})", re.DOTALL)
_TAG = re.compile(r"\A\s*(?P<tag>\w+)")
_QUOTED = r"\"[^\"]*\"|'[^']*'"
_FILTER = re.compile(rf"(?P<quoted>{_QUOTED})|\|\s*(?P<name>\w+)(?:\s*:(?P<given>(?:{_QUOTED}|[^|\"'])*))?")


def as_jinja(template: str) -> str:
    """Return the template with filters and tags as Jinja2 writes them; what it has no twin of stays as it is."""
    return _PART.sub(_part, template)


def _part(found: re.Match[str]) -> str:
    inner = found["inner"]
    if found["begin"].startswith("{%"):
        inner = _TAG.sub(lambda tag: tag[0].replace(tag["tag"], _TAGS.get(tag["tag"], tag["tag"])), inner)
    return found["begin"] + _FILTER.sub(_filter, inner) + found["end"]


def _filter(found: re.Match[str]) -> str:
    name = FILTERS.get(found["name"])
    if found["quoted"] or name is None:
        return found[0]
    given = found["given"] or ""
    words, after = given.strip(), given[len(given.rstrip()) :]
    match name:
        case "default" if words:
            words = f"{words}, true"  # what is false or empty has none either, in Liquid
        case "join" if not words:
            words = "' '"
    return f"| {name}({words}){after}" if words else f"| {name}"
