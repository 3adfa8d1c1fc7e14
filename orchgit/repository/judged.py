"""Which typed files were judged already: the same bytes are never judged twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError
from orchgit.repository import files, loose, lying, objects

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from orchgit.repository.layout import Layout
    from orchgit.repository.lying import Typed
    from orchgit.repository.states import State


@dataclass(frozen=True, slots=True)
class Verdict:
    """`blob` is the id of the bytes that were judged, "" for a file that was deleted.

    `reason` is why they were refused, and where; "" where what they ask for is being done.
    """

    path: str
    blob: str
    reason: str = ""
    line: int = 1
    key: str = ""
    next_step: str = ""

    @property
    def error(self) -> InvalidFileError:
        return InvalidFileError(self.path, self.reason, line=self.line, key=self.key, next_step=self.next_step)


def unjudged(
    layout: Layout, state: State, *, among: Collection[str] | None = None, widely: bool = False
) -> list[Typed]:
    """Return what is not as `state` has it, and was not judged as it lies there.

    Only files `among` some are looked at, where they are given; context and messages then, or `widely`.
    """
    typed, known = lying.differing(layout, state, among=among, widely=widely), read(layout)
    now = {each.path: blob(each.data, state) for each in typed}

    def is_unseen(path: str) -> bool:
        return path not in among if among is not None else not widely and loose.belongs(path)

    kept = {path: verdict for path, verdict in known.items() if now.get(path) == verdict.blob or is_unseen(path)}
    if kept != known:
        write(layout, kept)
    return [each for each in typed if each.path not in kept]


def blob(data: bytes | None, state: State) -> str:
    return "" if data is None else objects.blob_id(data, like=state.tip)


def read(layout: Layout) -> dict[str, Verdict]:
    """Return what was judged and still lies there, by path."""
    data = files.read(layout.judged)
    try:
        return {values["path"]: Verdict(**values) for values in json.loads(data)} if data else {}
    except (ValueError, KeyError, TypeError):  # another version's: it is judged once more
        return {}


def write(layout: Layout, verdicts: Mapping[str, Verdict]) -> None:
    if verdicts:
        values = [{name: getattr(each, name) for name in Verdict.__slots__} for each in verdicts.values()]
        files.replace(layout.judged, json.dumps(values, indent=1).encode())
    else:
        layout.judged.unlink(missing_ok=True)


def follow(layout: Layout, path: str, *, old: bytes, new: bytes | None) -> None:
    """Note that orchgit made `new` of the typed bytes `old`: what was refused in them is no new wish.

    With None the typed lines gave way, and what is left is judged anew.
    """
    verdicts = read(layout)
    found = verdicts.pop(path, None)
    if found is None or not found.blob or found.blob != objects.blob_id(old, like=found.blob):
        return
    if new is not None:
        blob = objects.blob_id(new, like=found.blob)
        verdicts[path] = Verdict(path, blob, found.reason, found.line, found.key, found.next_step)
    write(layout, verdicts)
