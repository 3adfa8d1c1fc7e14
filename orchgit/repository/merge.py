"""Carries what a commit changed into a file that somebody has changed meanwhile."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from orchgit.model import document, yamltext
from orchgit.model.errors import InvalidFileError
from orchgit.repository import git


@dataclass(frozen=True, slots=True)
class Merged:
    """`data` is what the file should hold; `overruled` are the keys whose typed value gave way to the engine's."""

    data: bytes
    overruled: tuple[str, ...] = ()


def three_way(path: str, *, base: bytes, ours: bytes, typed: bytes) -> Merged:
    """Return `typed` with what changed from `base` to `ours`: key by key in front matter, by lines elsewhere.

    A typed file that can't be read stays as it is: what was typed is never lost to a change that can't be placed in it.
    """
    if not path.endswith(".md"):
        return Merged(_by_lines(base, ours, typed))
    try:
        return _documents(*(document.parse(document.decode(path, data)) for data in (base, ours, typed)))
    except InvalidFileError:
        return Merged(typed)


def _documents(base: document.Document, ours: document.Document, typed: document.Document) -> Merged:
    changed = {key: value for key, value in ours.values.items() if base.values.get(key) != value}
    removed = [key for key in base.values if key not in ours.values]
    overruled = tuple(
        key for key in (*changed, *removed)
        if typed.values.get(key) not in (base.values.get(key), ours.values.get(key))
    )  # fmt: skip
    body = _body(base.body, ours.body, typed.body)
    text = document.replace_body(typed.text, body) if body != typed.body else typed.text
    edits = {**changed, **dict.fromkeys(removed, yamltext.REMOVE)}
    return Merged(document.encode(document.edit(text, edits)), overruled)


def _body(base: str, ours: str, typed: str) -> str:
    if ours in (base, typed):
        return typed
    return ours if typed == base else _by_lines(base.encode(), ours.encode(), typed.encode()).decode()


def _by_lines(base: bytes, ours: bytes, typed: bytes) -> bytes:
    """Return git's own three-way merge of lines; where both changed the same ones, both stay, the engine's first."""
    with tempfile.TemporaryDirectory(prefix="orchgit-") as folder:
        names = {"ours": ours, "base": base, "typed": typed}
        for name, data in names.items():
            (Path(folder) / name).write_bytes(data)
        return git.run("merge-file", "-p", "-q", "--union", *names, cwd=folder).out
