"""YAML texts in every shape that people write, cut into the pieces that an edit touches or leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from orchgit.model.yamltext import BOM, REMOVE, Remove, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Path = tuple[str, ...]
TIME = datetime(2026, 11, 22, 10, tzinfo=UTC)

KEYS = {name: name for name in ("id", "title", "a", "b-c", "d_e", "é", "日本", "f.g", "yes", "0123", "😀")} | {
    "x y": "'x y'", "q": '"q"', "a: b": '"a: b"', "sp": "sp ",
}  # fmt: skip
INLINE = (
    "1", "-2", "1.5", "true", "~", "null", "plain words", "it's", "''", "'it''s'", '"q\\"x\\n"', '"😀"', "😀 x",
    "2026-11-22T10:00:00Z", "0123", "12:30", "no", "a#b", "https://x/y", "!!str 5", "é", "'# no comment'", "a, b",
    '"a\\\n  b"', "one\nPAD  two\n\nPAD  three", "[]", "[a, b]", "[ a,b ]", "[1, 'x', [y]]",
    "[a,  # first\nPAD   'b',\nPAD c]", "{}", "{a: 1}", "{a: {b: c}, d: [e]}",
)  # fmt: skip
BELOW = ("", " ", "\nPAD  word", "\nPAD  12", "\nPAD  [a]", "\nPAD  'q'")
BLOCK_HEADERS = ("|", ">", "|-", ">-", "|+", "|2", ">+")
BLOCK_LINES = ("text", "# no comment", "a: 1", "- é", "😀", "", "  deeper")
ITEMS = (" one", " two", " 'three'", " 😀", "", " - in\nPAD  - in", " k: v", " 1", " true")
COMMENTS = ("# note\n", "# 😀: [\n", "#\n", "\n", " # - x\n", "# a: 1\n")
BESIDE = ("", "", "", " # beside", "   # b: 😀", " #")


@dataclass(frozen=True)
class Piece:
    """Some text and the key it belongs to, () for the whole text.

    It `stays` whatever the key's value becomes, or, where it is `within` the key's block, as long as that is a block.
    """

    path: Path
    words: str
    stays: bool = False
    within: bool = False


def is_kept(piece: Piece, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Tell whether an edit that makes `before` into `after` must leave the piece as it is."""
    new = _at(after, piece.path)
    if piece.within:
        return not piece.path or (isinstance(new, dict) and bool(new))
    return new is not REMOVE and (piece.stays or repr(new) == repr(_at(before, piece.path)))


def applied(values: Mapping[str, Any], path: Path, value: Value | Remove) -> dict[str, Any]:
    """Return what `values` shall be after one change."""
    name, rest = path[0], path[1:]
    old = values.get(name)
    if value is REMOVE:
        if not rest or name not in values:
            return {key: each for key, each in values.items() if key != name}
        inner = applied(old, rest, value) if isinstance(old, dict) else old
        return {key: inner if key == name else each for key, each in values.items() if key != name or inner or not old}
    if rest:
        return {**values, name: applied(old if isinstance(old, dict) else {}, rest, value)}
    return {**values, name: "2026-11-22T10:00:00Z" if value == TIME else value}


def _at(values: Any, path: Path) -> Any:
    for name in path:
        if not isinstance(values, dict) or name not in values:
            return REMOVE
        values = values[name]
    return values


def _beside(draw: Any, path: Path) -> Piece:
    return Piece(path, draw(st.sampled_from(BESIDE)) + "\n", stays=True)


def _scalar(draw: Any, path: Path, pad: str) -> list[Piece]:
    if draw(st.integers(0, 5)) == 0:
        lines = ["first", *draw(st.lists(st.sampled_from(BLOCK_LINES), max_size=4))]
        body = "".join(f"{pad}  {line}\n" if line else "\n" for line in lines)
        return [Piece(path, f" {draw(st.sampled_from(BLOCK_HEADERS))}\n{body}")]
    words = draw(st.one_of(st.sampled_from(INLINE).map(" {}".format), st.sampled_from(BELOW)))
    return [Piece(path, words.replace("PAD", pad)), _beside(draw, path)]


def _sequence(draw: Any, path: Path, pad: str) -> list[Piece]:
    pad += draw(st.sampled_from(["", "  ", "    "]))
    between = st.sampled_from(["", "", "", "\n", f"{pad}# - between\n"])
    lines = [
        f"{pad}-{item.replace('PAD', pad)}{draw(st.sampled_from(BESIDE))}\n{draw(between)}"
        for item in draw(st.lists(st.sampled_from(ITEMS), max_size=3))
    ]
    last = f"{pad}- last{draw(st.sampled_from(BESIDE))}\n"
    return [_beside(draw, path), Piece(path, "".join([*lines, last]))]


def _entry(draw: Any, path: Path, pad: str, anchors: list[str] | None) -> list[Piece]:
    kinds = ["scalar", "scalar", "sequence", "mapping"] + (["anchor", "alias"] if anchors is not None else [])
    kind = draw(st.sampled_from(kinds))
    key = Piece(path, f"{pad}{KEYS[path[-1]]}:", stays=True)
    if kind == "mapping" and len(path) < 3:
        below = pad + draw(st.sampled_from(["  ", "    "]))
        return [key, _beside(draw, path), *_mapping(draw, path, below, anchors)]
    if kind == "alias" and anchors:
        return [key, Piece(path, f" *{draw(st.sampled_from(anchors))}"), _beside(draw, path)]
    name = f"n{len(anchors)}" if kind == "anchor" and anchors is not None else ""
    value = (
        _sequence(draw, path, pad) if kind == "sequence" or draw(st.integers(0, 5)) == 0 else _scalar(draw, path, pad)
    )
    if name and anchors is not None:
        anchors.append(name)
        return [key, Piece(path, f" &{name}"), *value]
    return [key, *value]


def _mapping(draw: Any, path: Path, pad: str, anchors: list[str] | None) -> list[Piece]:
    names = st.lists(st.sampled_from(sorted(KEYS)), min_size=1, max_size=5 - len(path), unique=True)
    pieces = []
    for name in draw(names):
        entry = _entry(draw, (*path, name), pad, anchors)
        pieces += entry
        # An empty line after `|+` would be one of its own.
        if draw(st.integers(0, 3)) == 0 and not any("+\n" in piece.words for piece in pieces):
            pieces.append(Piece(path, draw(st.sampled_from(COMMENTS)), within=True))
    return pieces


@st.composite
def texts(draw: Any, *, aliases: bool = False) -> list[Piece]:
    """Return the pieces of a text, in one of the line ends, with or without the last one, or a byte order mark."""
    pieces = [Piece((), draw(st.sampled_from(COMMENTS)), within=True)] if draw(st.booleans()) else []
    pieces += _mapping(draw, (), "", [] if aliases else None) if draw(st.integers(0, 15)) else []
    if pieces and draw(st.booleans()):
        pieces[-1] = replace(pieces[-1], words=pieces[-1].words.removesuffix("\n"))
    if draw(st.booleans()):
        pieces = [replace(piece, words=piece.words.replace("\n", "\r\n")) for piece in pieces]
    return [Piece((), BOM, within=True), *pieces] if draw(st.integers(0, 9)) == 0 else pieces


words = st.one_of(
    st.sampled_from(
        ["yes", "0123", "12:30", "2026-01-01", "", " x ", "a: b", "a #b", "-", "---", "it's", 'q"', "~", "é😀"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
values = st.one_of(
    words,
    st.sampled_from([True, False, None, 0, -7, 12, 1.5, 1e30, TIME]),
    st.lists(st.one_of(st.sampled_from(["one", "two", "three", "last", "a", "b"]), words), max_size=4),
    st.dictionaries(st.one_of(st.sampled_from(["a", "id", "new"]), words), words, max_size=2),
    st.just(REMOVE),
)


@st.composite
def changes(draw: Any, known: Iterable[Path]) -> dict[Path, Value | Remove]:
    """Return changes of `known` keys, of new ones beside them, and of some below parents that are missing."""
    new = st.sampled_from([("new",), ("more",), ("deep", "er", "still"), ("deep", "down"), ("n: o",)])
    old = st.sampled_from(sorted(set(known)) or [("new",)])
    beside = st.builds(lambda path, name: (*path[:-1], name), old, st.sampled_from(["new", "😀"]))
    wanted = draw(st.dictionaries(st.one_of(new, old, old, old, beside), values, min_size=1, max_size=4))
    return {path: value for path, value in wanted.items() if not any(path[:n] in wanted for n in range(1, len(path)))}
