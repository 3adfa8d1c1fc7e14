"""Merges what a commit changed in a file with what somebody typed in it meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from orchgit.model import document, yamltext
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError
from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Mapping

K = TypeVar("K")
_YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Merged:
    """`data` is what the file should hold; `overruled` are the keys whose typed value gave way to the engine's.

    `unreadable` says why the typed file could not be merged and is left as it is.
    """

    data: bytes
    overruled: tuple[str, ...] = ()
    unreadable: str = ""


def three_way(path: str, *, base: bytes, ours: bytes, typed: bytes) -> Merged:
    """Return `typed` with what changed from `base` to `ours`: key by key in front matter and YAML, by lines elsewhere.

    A typed file that can't be read stays as it is: what was typed is never lost to a change that can't be placed in it.
    """
    if not path.endswith((".md", *_YAML)):
        return Merged(_by_lines(base, ours, typed))
    merge = _settings if path.endswith(_YAML) else _documents
    try:
        return merge(*(document.decode(path, data) for data in (base, ours, typed)))
    except InvalidFileError as error:
        return Merged(typed, unreadable=error.at(path).what)


def _documents(base: str, ours: str, typed: str) -> Merged:
    old, new, now = (document.parse(text) for text in (base, ours, typed))
    keys, overruled = _changes(old.values, new.values, now.values)
    body = _body(old.body, new.body, now.body)
    text = document.replace_body(typed, body) if body != now.body else typed
    return Merged(document.encode(document.edit(text, keys)), tuple(overruled))


def _settings(base: str, ours: str, typed: str) -> Merged:
    keys, overruled = _changes(*(dict(_leaves(yamltext.load(text).values)) for text in (base, ours, typed)))
    return Merged(document.encode(yamltext.edit(typed, keys)), tuple(".".join(key) for key in overruled))


def _changes(base: Mapping[K, Any], ours: Mapping[K, Any], typed: Mapping[K, Any]) -> tuple[dict[K, Any], list[K]]:
    """Return what `ours` changes, and the keys of it that are typed otherwise than in both."""
    changed = {key: value for key, value in ours.items() if base.get(key) != value}
    changed |= {key: yamltext.REMOVE for key in base if key not in ours}
    return changed, [key for key in changed if typed.get(key) not in (base.get(key), ours.get(key))]


def _leaves(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Return the values of nested mappings, each by the path of its keys."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for key, value in values.items():
        inner = isinstance(value, dict) and value
        found += _leaves(value, (*above, key)) if inner else [((*above, key), value)]
    return found


def _body(base: str, ours: str, typed: str) -> str:
    if ours in (base, typed):
        return typed
    return ours if typed == base else _by_lines(base.encode(), ours.encode(), typed.encode()).decode()


def _by_lines(base: bytes, ours: bytes, typed: bytes) -> bytes:
    """Return git's own three-way merge of lines; where both changed the same ones, both stay, the engine's first."""
    import tempfile  # hardly ever needed

    with tempfile.TemporaryDirectory(prefix="orchgit-") as folder:
        names = {"ours": ours, "base": base, "typed": typed}
        for name, data in names.items():
            (Path(folder) / name).write_bytes(data)
        return git.run("merge-file", "-p", "-q", "--union", *names, cwd=folder).out
