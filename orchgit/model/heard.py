"""What the JSON lines of somebody's own CLI mean: rules from a settings file."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from orchgit.model import fields
from orchgit.model.dataclass import dataclass

Scalar: TypeAlias = str | int | float | bool
Path: TypeAlias = tuple[str | int, ...]

# For each kind of event the fields that can be taken from a line; the first one must be.
TAKES: Final[dict[str, tuple[str, ...]]] = {
    "session": ("id", "model"),
    "text": ("text",),
    "tool": ("name", "summary"),
    "file": ("path",),
    "usage": ("input", "output", "cache", "reasoning", "turns", "cost_usd"),
    "warning": ("text",),
    "limited": ("text", "seconds"),
    "denied": ("name", "summary"),
    "error": ("text",),
    "fatal": ("text",),
    "result": ("text",),
}
_OPTIONAL_FIRST: Final = frozenset({"usage", "limited"})
_STEP = re.compile(r"[^.\s]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """A line in which each path of `match` holds one of its values is an event of that `kind`.

    `takes` says where its fields lie. `is_cumulative`: what it counts goes on through the whole session.
    """

    kind: str
    match: tuple[tuple[Path, tuple[Scalar, ...]], ...]
    takes: tuple[tuple[str, Path], ...]
    is_cumulative: bool = False


def rules(value: object) -> tuple[Rule, ...]:
    """A mapping of kinds of events to a rule each, or a list of rules."""
    if not isinstance(value, dict):
        raise ValueError(f"{fields.shown(value)} is not a mapping of events to rules")
    return tuple(
        _rule(kind, each) for kind, found in value.items() for each in (found if isinstance(found, list) else [found])
    )


def _rule(kind: object, value: object) -> Rule:
    if not isinstance(kind, str) or kind not in TAKES:
        raise ValueError(f"{fields.shown(kind)} is not one of {', '.join(TAKES)}")
    if not isinstance(value, dict) or not isinstance(match := value.get("match"), dict) or not match:
        raise ValueError(f"{kind}: say in `match` by which values such a line is known")
    try:
        known = {"match", *TAKES[kind], *(["cumulative"] if kind == "usage" else [])}
        unknown = next((key for key in value if key not in known), None)
        if unknown is not None:
            raise ValueError(f"{fields.shown(unknown)} is not one of {', '.join(sorted(known))}")
        takes = tuple((name, _path(value[name])) for name in TAKES[kind] if value.get(name) is not None)
        if not takes or (takes[0][0] != TAKES[kind][0] and kind not in _OPTIONAL_FIRST):
            raise ValueError(f"say in `{TAKES[kind][0]}` where that lies")
        wanted = tuple((_path(key), _values(each)) for key, each in match.items())
        return Rule(kind, wanted, takes, is_cumulative=fields.flag(value.get("cumulative", False)))
    except ValueError as error:
        raise ValueError(f"{kind}: {error}") from None


def _path(value: object) -> Path:
    """A path into an object: keys and places, with dots between."""
    steps = fields.text(value).split(".")
    if not all(_STEP.fullmatch(step) for step in steps):
        raise ValueError(f"{fields.shown(value)} is not a path such as message.content.0.text")
    return tuple(int(step) if step.isascii() and step.isdecimal() else step for step in steps)


def _values(value: object) -> tuple[Scalar, ...]:
    found = value if isinstance(value, list) else [value]
    if not found or not all(isinstance(each, str | int | float | bool) for each in found):
        raise ValueError(f"{fields.shown(value)} is not a value, or a list of values")
    return tuple(found)
