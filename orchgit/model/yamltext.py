"""Reads a YAML block mapping and edits it in place, by the node marks of the parser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from orchgit.model import yamlvalue
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from yaml.nodes import MappingNode

    Path = tuple[str, ...]

Value = str | int | float | bool | None | datetime | Sequence[Any] | Mapping[str, Any]


class Remove(Enum):
    """What a change says of a key that shall go."""

    REMOVE = "remove"


REMOVE: Final = Remove.REMOVE
BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a text says. Times stay text: who needs one reads it."""

    values: dict[str, Any]
    text: str
    root: MappingNode | None

    def line(self, path: Path) -> int:
        """Return the line that the key stands on, from 1; its nearest parent's where it is missing."""
        node: Any = self.root
        line = 1
        for name in path:
            pairs = node.value if node is not None and node.id == "mapping" else []
            # The last of its name: constructing puts merged keys before a mapping's own.
            key, node = next(((key, value) for key, value in reversed(pairs) if key.value == name), (None, None))
            line = line if key is None else self.text.count("\n", 0, key.start_mark.index) + 1
        return line


def load(text: str) -> Loaded:
    """Return what `text` says; InvalidFileError, without a path, where it isn't a mapping that can be edited here."""
    from orchgit.model import yamlnode  # yaml costs 24 ms

    text = text.removeprefix(BOM)
    root, values = yamlnode.read(text)
    return Loaded(values, text, root)


def edit(text: str, changes: Mapping[Path, Value | Remove], *, newline: str | None = None) -> str:
    """Return `text` with the keys of `changes` set or removed, and every other byte as it was.

    Lines that are added end in `newline`, by default as the others do. What can't be changed in place is refused with
    InvalidFileError; the result is proved by reading it again.
    """
    from orchgit.model import yamlsplice  # yaml costs 24 ms

    loaded = load(text)
    pending = {path: change for path, change in changes.items() if not _stands(loaded.values, path, change)}
    if not pending:
        return text
    after = loaded.values
    for path, change in pending.items():
        after = _applied(after, path, change)
    for path in pending:
        _check_parents(loaded, path)
    result = yamlsplice.edited(loaded.text, loaded.root, loaded.values, after, newline=newline or newline_of(text))
    if result is not None and _reads_as(result, after):
        return text[: len(text) - len(loaded.text)] + result
    if len(pending) > 1:
        for path, change in pending.items():
            edit(text, {path: change})
    path = next(iter(pending))
    raise _refused(loaded, path, "can't be changed in place; change it by hand")


def newline_of(text: str) -> str:
    """Return how the lines of `text` end."""
    end = text.find("\n")
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"


def _stands(values: Mapping[str, Any], path: Path, change: Value | Remove) -> bool:
    """Tell whether the change is already so."""
    for name in path[:-1]:
        inner = values.get(name)
        if not isinstance(inner, dict):
            return change is REMOVE
        values = inner
    if change is REMOVE:
        return path[-1] not in values
    return path[-1] in values and yamlvalue.same(values[path[-1]], yamlvalue.as_read(change))


def _applied(values: Mapping[str, Any], path: Path, change: Value | Remove) -> dict[str, Any]:
    """Return `values` with one change; a mapping that is left empty by a removal goes too."""
    result = dict(values)
    name, rest = path[0], path[1:]
    if rest:
        inner = values.get(name)
        result[name] = _applied(inner if isinstance(inner, dict) else {}, rest, change)
    elif change is not REMOVE:
        result[name] = yamlvalue.as_read(change)
    if change is REMOVE and not (rest and result[name]):
        result.pop(name, None)
    return result


def _reads_as(text: str, values: dict[str, Any]) -> bool:
    try:
        return yamlvalue.same(load(text).values, values)
    except InvalidFileError:
        return False


def _refused(loaded: Loaded, path: Path, reason: str) -> InvalidFileError:
    return InvalidFileError("", reason, line=loaded.line(path), key=".".join(path))


def _check_parents(loaded: Loaded, path: Path) -> None:
    from orchgit.model import yamlsplice  # yaml costs 24 ms

    closed = yamlsplice.closed_parent(loaded.text, loaded.root, path) if len(path) > 1 else ()
    if closed:
        raise _refused(loaded, closed, f"is no block of `key: value` lines, so it can't hold {path[len(closed)]!r}")
