"""Where a task may write: may two sets of path patterns name the same path?

A pattern begins at the project's top: `*`, `?` and `[...]` stay within a folder, `**` crosses folders, and one that
names a folder covers all that lies in it. Where what was meant isn't sure, the answer is yes: a pattern such as `*.md`,
without any slash, counts at any depth, and one that can't be read may be anything.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chars:
    """One character: any of the ranges, or, `negated`, any but those. A slash is never one."""

    ranges: tuple[tuple[str, str], ...] = ()
    negated: bool = False

    def holds(self, char: str) -> bool:
        return char != "/" and self.negated != any(first <= char <= last for first, last in self.ranges)


ANY: Final = None  # what stands for any number of characters in a folder's name, or of folders in a path
_ONE = Chars(negated=True)
_LAST = 0x10FFFF
_WILD = re.compile(r"[*?\[]")

Segment = tuple[Chars | None, ...]
Pattern = tuple[Segment | None, ...]


def overlap(ours: Iterable[str], theirs: Iterable[str]) -> bool:
    """May any path be named by a pattern of each side? A side without patterns names none."""
    others = tuple(theirs)
    return any(meet(one, other) for one in ours for other in others)


@lru_cache(maxsize=4096)
def meet(one: str, other: str) -> bool:
    """May both patterns name the same path?"""
    return one == other or _meet(parse(one), parse(other), _segments_meet)


@lru_cache(maxsize=1024)
def parse(pattern: str) -> Pattern:
    if pattern.startswith("!"):
        return (ANY,)  # what is taken away elsewhere is not known here
    words = [word for word in pattern.split("/") if word not in ("", ".")]
    anywhere = (ANY,) if "/" not in pattern and _WILD.search(pattern) else ()
    return (*anywhere, *(ANY if word == "**" else _segment(word) for word in words), ANY)


def _segment(word: str) -> Segment:
    found: list[Chars | None] = []
    rest = word
    while rest:
        token, rest = _token(rest)
        found.append(token)
    return tuple(found)


def _token(rest: str) -> tuple[Chars | None, str]:
    match rest[0]:
        case "*":
            return ANY, rest[1:]
        case "?":
            return _ONE, rest[1:]
        case "[":
            return _class(rest)
        case "\\" if len(rest) > 1:
            return Chars(((rest[1], rest[1]),)), rest[2:]
        case char:
            return Chars(((char, char),)), rest[1:]


def _class(rest: str) -> tuple[Chars | None, str]:
    """Read `[a-z_]` or `[!a-z_]`; one that is not closed, or holds what is not plain, may be anything."""
    begin = 2 if rest[1:2] in ("!", "^") and len(rest) > 2 else 1
    end = rest.find("]", begin + 1)
    if end < 0:
        return ANY, ""
    inside = rest[begin:end]
    if "\\" in inside or "[" in inside:
        return ANY, ""
    ranges = []
    while inside:
        is_range = len(inside) > 2 and inside[1] == "-"
        ranges.append((inside[0], inside[2] if is_range else inside[0]))
        inside = inside[3:] if is_range else inside[1:]
    return Chars(tuple(ranges), negated=begin == 2), rest[end + 1 :]


def _segments_meet(one: Segment, other: Segment) -> bool:
    return _meet(one, other, _chars_meet)


@lru_cache(maxsize=1024)
def _chars_meet(one: Chars, other: Chars) -> bool:
    """Does any character belong to both? If one does, one at an edge of a range, or just beside it, does."""
    edges = {ord(edge) for each in (one, other) for pair in each.ranges for edge in pair} | {ord("a")}
    near = {point + step for point in edges for step in (-1, 0, 1)}
    # The character after a slash stands in where a slash is the one beside a range.
    near |= {ord("/") - 1, ord("/") + 1}
    return any(one.holds(char) and other.holds(char) for char in map(chr, sorted(p for p in near if 0 <= p <= _LAST)))


def _meet(one: Sequence[T | None], other: Sequence[T | None], both: Callable[[T, T], bool]) -> bool:
    """Is there a row that fits both, where ANY fits any number of items?

    `row[j]` says whether the rest of `one` fits the rest of `other` from j on; the last row is made first.
    """
    row = _row_after_the_end(other)
    for item in reversed(one):
        below, row = row, [False] * (len(other) + 1)
        row[-1] = item is ANY and below[-1]
        for j in range(len(other) - 1, -1, -1):
            facing = other[j]
            if item is ANY or facing is ANY:
                row[j] = below[j] or row[j + 1]
            else:
                row[j] = below[j + 1] and both(item, facing)
    return row[0]


def _row_after_the_end(other: Sequence[object]) -> list[bool]:
    row = [True]
    for facing in reversed(other):
        row.insert(0, facing is ANY and row[0])
    return row
