"""Makes YAML texts of every shape that people write, cut into the pieces that an edit must or must not touch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from orchgit.model.yamltext import BOM, REMOVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Path = tuple[str, ...]


@dataclass(frozen=True)
class Piece:
    """Some text and the key it belongs to; `comment`: the comment beside that key's value. () is nobody's."""

    path: Path
    words: str
    comment: bool = False


KEYS = {name: name for name in ("id", "title", "a", "b-c", "d_e", "é", "日本", "f.g")} | {
    "x y": "'x y'", "q": '"q"', "yes": "yes", "0123": "0123", "a: b": '"a: b"', "😀": "😀", "sp": "sp ",
}  # fmt: skip
SCALARS = (
    "1", "-2", "1.5", "true", "~", "null", "plain words", "it's", "''", "'it''s'", '"q\\"x\\n"', '"😀"', "😀 x",
    "2026-11-22T10:00:00Z", "0123", "12:30", "no", "a#b", "https://x/y", "!!str 5", "é", "'# no comment'", "a, b",
    '"a\\\n  b"', "- x"[2:],
)  # fmt: skip
COMMENTS = ("# note\n", "# 😀: [\n", "#\n", "\n", "   # - x\n", "# a: 1\n")
BESIDE = ("", "", "", " # beside", "   # b: 😀", " #")


ELSEWHERE = (
    "", " ", "\nPAD  word", "\nPAD  12", "\nPAD  [a]", "\nPAD  'q'", " one\nPAD  two\n\nPAD  three",
    " []", " [a, b]", " [ a,b ]", " [1, 'x', [y]]", " [a,  # first\nPAD   'b',\nPAD c]", " {}", " {a: 1}",
    " {a: {b: c}, d: [e]}",
)  # fmt: skip
BLOCK_LINES = ("text", "# no comment", "a: 1", "- é", "😀", "", "  deeper")


@st.composite
def scalar(draw, path, pad):
    if draw(st.integers(0, 5)) == 0:
        header = draw(st.sampled_from(["|", ">", "|-", ">-", "|+", "|2", ">+"]))
        lines = draw(st.lists(st.sampled_from(BLOCK_LINES), max_size=4))
        body = "".join(f"{pad}  {line}\n" if line else "\n" for line in ["first", *lines])
        return [Piece(path, f" {header}\n{body}")]
    words = draw(st.one_of(st.sampled_from(SCALARS).map(" {}".format), st.sampled_from(ELSEWHERE)))
    beside = draw(st.sampled_from(BESIDE)) + "\n"
    return [Piece(path, words.replace("PAD", pad)), Piece(path, beside, comment=True)]


@st.composite
def items(draw, path, pad):
    dash = pad + draw(st.sampled_from(["", "  ", "    "])) + "-"
    beside = Piece(path, draw(st.sampled_from(BESIDE)) + "\n", comment=True)
    shapes = [
        " one",
        " two",
        " 'three'",
        " 😀",
        "",
        " - in\n" + dash.replace("-", " ") + " - in",
        " k: v",
        " 1",
        " true",
    ]
    lines = draw(st.lists(st.sampled_from(shapes), min_size=1, max_size=4))
    between = st.sampled_from(["", "", "", "\n", f"{dash[:-1]}# - between\n"])
    return [beside, Piece(path, "".join(f"{dash}{line}{draw(st.sampled_from(BESIDE))}\n{draw(between)}" for line in lines[:-1])
            + f"{dash}{lines[-1]}{draw(st.sampled_from(BESIDE))}\n")]  # fmt: skip


@st.composite
def blocks(draw, path=(), pad="", anchors=None, depth=0):
    """Return the pieces of one mapping; `anchors` gathers the names defined so far, None: there are none."""
    pieces = [Piece((), draw(st.sampled_from(COMMENTS)))] if depth == 0 and draw(st.booleans()) else []
    names = draw(st.lists(st.sampled_from(sorted(KEYS)), min_size=depth and 1, max_size=5 - depth, unique=True))
    for name in names:
        here = (*path, name)
        kind = draw(
            st.sampled_from(
                ["scalar", "scalar", "items", "mapping"] + (["anchor", "alias"] if anchors is not None else [])
            )
        )
        pieces.append(Piece(here, f"{pad}{KEYS[name]}:"))
        if kind == "mapping" and depth < 2:
            pieces.append(Piece(here, draw(st.sampled_from(BESIDE)) + "\n", comment=True))
            pieces += draw(blocks(here, pad + draw(st.sampled_from(["  ", "    "])), anchors, depth + 1))
        elif kind == "items":
            pieces += draw(items(here, pad))
        elif kind == "alias" and anchors:
            pieces += [
                Piece(here, f" *{draw(st.sampled_from(anchors))}"),
                Piece(here, draw(st.sampled_from(BESIDE)) + "\n", comment=True),
            ]
        elif kind == "anchor":
            anchor = f"n{len(anchors)}"
            pieces.append(Piece(here, f" &{anchor}"))
            pieces += draw(st.one_of(scalar(here, pad), items(here, pad)))
            anchors.append(anchor)
        else:
            pieces += draw(scalar(here, pad))
        if draw(st.integers(0, 3)) == 0 and not any("+\n" in piece.words for piece in pieces):
            pieces.append(Piece((), draw(st.sampled_from(COMMENTS))))
    return pieces


@st.composite
def texts(draw, *, aliases=True):
    """Return the pieces of a text, in one of its line ends, with or without the last one, and a byte order mark."""
    pieces = draw(blocks(anchors=[] if aliases else None))
    if draw(st.booleans()):
        pieces = [Piece(each.path, each.words.replace("\n", "\r\n"), each.comment) for each in pieces]
    if pieces and draw(st.booleans()):
        last = pieces[-1]
        pieces[-1] = Piece(last.path, last.words.removesuffix("\n").removesuffix("\r"), last.comment)
    return [Piece((), BOM), *pieces] if draw(st.integers(0, 9)) == 0 else pieces


words = st.one_of(
    st.sampled_from(
        ["yes", "0123", "12:30", "2026-01-01", "", " x ", "a: b", "a #b", "-", "---", "it's", 'q"', "~", "é😀", "1e3"]
    ),
    st.text(max_size=12),
)
values = st.one_of(
    words,
    st.sampled_from([True, False, None, 0, -7, 12, 1.5, 1e30, datetime(2026, 11, 22, 10, tzinfo=UTC)]),
    st.lists(st.one_of(st.sampled_from(["one", "two", "three", "a", "b"]), words), max_size=4),
    st.dictionaries(st.one_of(st.sampled_from(["a", "id", "new"]), words), words, max_size=2),
    st.just(REMOVE),
)


@st.composite
def changes(draw, known: Iterable[Path]):
    """Return changes of `known` and of new keys."""
    known = sorted(set(known))
    new = st.sampled_from([("new",), ("more",), ("deep", "er", "still"), ("deep", "down"), ("n: o",)])
    beside = (
        [st.builds(lambda path, name: (*path[:-1], name), st.sampled_from(known), st.sampled_from(["new", "😀"]))]
        if known
        else []
    )
    path = st.one_of(new, *([st.sampled_from(known)] * 3 if known else []), *beside)
    wanted = draw(st.dictionaries(path, values, min_size=1, max_size=4))
    return {path: value for path, value in wanted.items() if not any(path[:n] in wanted for n in range(1, len(path)))}


def as_read(value: object) -> object:
    """Return `value` as it is read back."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value


def applied(values: Mapping[str, object], path: Path, value: object) -> dict[str, object]:
    """Return what `values` shall be after one change."""
    name, *rest = path
    if rest:
        old = values.get(name)
        if value is REMOVE and not isinstance(old, dict):
            return dict(values)
        inner = applied(old if isinstance(old, dict) else {}, tuple(rest), value)
        kept = {**values, name: inner}
        return {key: each for key, each in kept.items() if key != name or inner or old == inner or value is not REMOVE}
    if value is REMOVE:
        return {key: each for key, each in values.items() if key != name}
    return {**values, name: as_read(value)}
