"""Merges what a commit changed in a file with what somebody typed in it meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from orchgit.model import document, yamltext
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError
from orchgit.repository import git

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

K = TypeVar("K")
_YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Merged:
    """`data` is what the file should hold; `overruled` are the keys where what was typed gave way to the engine's.

    `unreadable` says why the typed file could not be merged and is left as it is.
    """

    data: bytes
    overruled: tuple[str, ...] = ()
    unreadable: str = ""


def three_way(path: str, *, base: bytes, ours: bytes, typed: bytes) -> Merged:
    """Return `typed` with what changed from `base` to `ours`: key by key in front matter and YAML, by lines elsewhere.

    A typed file that can't be read stays as it is: what was typed is never lost to a change that can't be placed in it.
    """
    try:
        if not path.endswith((".md", *_YAML)):
            return Merged(_by_lines(base, ours, typed))
        merge = _settings if path.endswith(_YAML) else _documents
        return merge(*(document.decode(path, data) for data in (base, ours, typed)))
    except InvalidFileError as error:
        return Merged(typed, unreadable=error.at(path).what)


def _documents(base: str, ours: str, typed: str) -> Merged:
    old, new, now = (document.parse(text) for text in (base, ours, typed))
    body = _body(old.body, new.body, now.body)
    text = document.replace_body(typed, body) if body != now.body else typed
    merged, overruled = _by_keys(base, typed, text, (old.values, new.values, now.values), document.edit)
    return Merged(document.encode(merged), tuple(overruled))


def _settings(base: str, ours: str, typed: str) -> Merged:
    old, new, now = (dict(_leaves(yamltext.load(text).values)) for text in (base, ours, typed))
    merged, overruled = _by_keys(base, typed, typed, (old, new, now), yamltext.edit)
    return Merged(document.encode(merged), tuple(".".join(key) for key in overruled))


def _by_keys(
    base: str,
    typed: str,
    text: str,
    values: tuple[Mapping[K, Any], Mapping[K, Any], Mapping[K, Any]],
    edit: Callable[[str, Mapping[K, Any]], str],
) -> tuple[str, list[K]]:
    """Return `text` with the keys changed that ours changes, and those of them where something typed gives way."""
    old, new, now = values
    changes: dict[K, Any] = {key: value for key, value in new.items() if old.get(key) != value}
    changes |= {key: yamltext.REMOVE for key in old if key not in new}
    overruled = [
        key
        for key, change in changes.items()
        if now.get(key) not in (old.get(key), new.get(key)) or _drops(base, typed, edit(typed, {key: change}))
    ]
    return edit(text, changes), overruled


def _drops(base: str, typed: str, merged: str) -> bool:
    """Is a comment typed that the merged text has not? It goes with the key beside it."""
    lines = set(typed.splitlines()).difference(base.splitlines(), merged.splitlines())
    return any("#" in line and line[line.index("#") :] not in merged for line in lines)


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
    """Return git's own three-way merge of lines; where both changed the same ones, both stay, the engine's first.

    InvalidFileError, without a path, where one of them is no text to git.
    """
    if any(b"\0" in data for data in (base, ours, typed)):
        raise InvalidFileError("", "its lines can't be merged: there is a character U+0000 in one of its versions")
    import tempfile  # hardly ever needed

    with tempfile.TemporaryDirectory(prefix="orchgit-") as folder:
        names = {"ours": ours, "base": base, "typed": typed}
        for name, data in names.items():
            (Path(folder) / name).write_bytes(data)
        return git.run("merge-file", "-p", "-q", "--union", *names, cwd=folder).out
