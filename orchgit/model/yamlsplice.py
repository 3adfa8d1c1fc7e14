"""Which bytes of a YAML text hold a value, and what must stand there instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from orchgit.model import yamlnode, yamlvalue
from orchgit.model.dataclass import dataclass
from orchgit.model.yamlvalue import same

if TYPE_CHECKING:
    from collections.abc import Iterator

    Values = dict[str, Any]

_BREAKS = "\n\r\x85\u2028\u2029"  # where YAML 1.1, and so the parser, ends a line
_BREAK = re.compile(f"\r\n|[{_BREAKS}]")
_LAST_BREAK = re.compile(f"(?:\r\n|[{_BREAKS}])\\Z")
_BLANK = re.compile(f" +(?=[{_BREAKS}]|\\Z)")
_COLON = re.compile(r"\s*:")
_PROPERTIES = re.compile(r"[&!][^ \t\r\n]*(?:[ \t]+[&!][^ \t\r\n]*)?")
_SAYING_LINE = re.compile(r"^[ \t]*(?=[^\s#])", re.MULTILINE)
_KEEPS_BREAKS = re.compile(r"[|>][0-9]?\+")
_DOCUMENT_END = re.compile(r"^\.\.\.(?=\s|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Source:
    text: str
    tree: yamlnode.Tree


@dataclass(frozen=True, slots=True)
class _Entry:
    """One `key: value`. text[start:end] is the value as it stands there, with its anchor and tag."""

    key: Node
    value: Node
    start: int
    end: int
    is_alias: bool

    @property
    def is_block(self) -> bool:
        return not self.is_alias and isinstance(self.value, CollectionNode) and not self.value.flow_style

    @property
    def is_hollow(self) -> bool:
        """Nothing stands there, or `{}`: a block of keys can take its place."""
        return not self.is_alias and (
            self.start == self.end or (isinstance(self.value, MappingNode) and not self.value.value)
        )


@dataclass(frozen=True, slots=True)
class _Splice:
    """text[start:end] becomes `words`, or whole `lines`."""

    start: int
    end: int
    words: str = ""
    lines: tuple[str, ...] = ()


def edited(text: str, root: MappingNode | None, before: Values, after: Values, *, newline: str) -> str | None:
    """Return `text`, which says `before`, made to say `after`; None where that can't be done in place."""
    source = _source(text, root)
    splices = list(_mapping(source, source.tree.root, before, after))
    return _spliced(text, [*splices, *_moved_anchors(source, splices)], newline)


def closed_parent(text: str, root: MappingNode | None, path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the part of `path` that names what is no block of keys, so that none can be put there; () if none does."""
    source = _source(text, root)
    mapping = source.tree.root
    for depth, name in enumerate(path[:-1], 1):
        entry = None if mapping is None else _entries(source, mapping, {name}).get(name)
        if entry is None or entry.is_hollow:
            return ()
        if not entry.is_block or not isinstance(entry.value, MappingNode):
            return path[:depth]
        mapping = entry.value
    return ()


def _source(text: str, root: MappingNode | None) -> _Source:
    tells_all = "&" not in text and "<<" not in text
    return _Source(text, yamlnode.Tree(root, {}, {}) if tells_all else yamlnode.tree(text))


def _mapping(source: _Source, mapping: MappingNode | None, before: Values, after: Values) -> Iterator[_Splice]:
    changed = {
        name
        for name in before.keys() | after.keys()
        if name not in before or name not in after or not same(before[name], after[name])
    }
    entries = {} if mapping is None else _entries(source, mapping, changed)
    for name, entry in entries.items():
        if name not in after:
            yield _Splice(_line_start(source.text, yamlnode.start_of(entry.key)), _line_end(source.text, entry.end))
        else:
            yield from _value(source, entry, before[name], after[name])
    fresh = {name: value for name, value in after.items() if name in changed and name not in entries}
    if fresh:
        at = _place_for_new(source, mapping)
        column = 0 if mapping is None else yamlnode.column_of(mapping.value[0][0])
        yield _Splice(at, at, lines=tuple(_lines(fresh, column)))


def _value(source: _Source, entry: _Entry, old: Any, new: object) -> Iterator[_Splice]:
    node = entry.value
    if isinstance(new, dict) and new and entry.is_block and isinstance(node, MappingNode):
        yield from _mapping(source, node, old, new)
    elif isinstance(new, dict) and new and entry.is_hollow:
        yield from _filled(source, entry, new)
    elif isinstance(new, list) and new and entry.is_block and isinstance(node, SequenceNode):
        yield from _items(source, entry, node, old, new)
    elif entry.is_block:
        yield from _inlined(source, entry, new)
    elif entry.start == entry.end:
        blank = _BLANK.match(source.text, entry.start)
        yield _Splice(entry.start, blank.end() if blank else entry.end, f" {yamlvalue.written(new)}")
    else:
        style = node.style if isinstance(node, ScalarNode) and not entry.is_alias else None
        yield _Splice(entry.start, entry.end, yamlvalue.written(new, style=style))


def _filled(source: _Source, entry: _Entry, new: Values) -> Iterator[_Splice]:
    """Put a block of keys under one that had none."""
    if entry.start < entry.end:
        yield _Splice(len(source.text[: entry.start].rstrip(" ")), entry.end)
    below = _line_end(source.text, entry.end)
    yield _Splice(below, below, lines=tuple(_lines(new, yamlnode.column_of(entry.key) + 2)))


def _inlined(source: _Source, entry: _Entry, new: object) -> Iterator[_Splice]:
    """Put a value after the colon, in the place of a block below it."""
    words = yamlvalue.written(new)
    properties = _PROPERTIES.match(source.text, entry.start)
    if properties:
        yield _Splice(entry.start, properties.end(), words)
    elif colon := _COLON.match(source.text, yamlnode.end_of(entry.key)):
        yield _Splice(colon.end(), colon.end(), f" {words}")
    first = _SAYING_LINE.search(source.text, properties.end()) if properties else None
    block = first.end() if first else entry.start
    yield _Splice(_line_start(source.text, block), _line_end(source.text, entry.end))


def _items(source: _Source, entry: _Entry, sequence: SequenceNode, old: list[Any], new: list[Any]) -> Iterator[_Splice]:
    """Change what differs between the first and the last items that stay."""
    spans = _item_lines(source, sequence)
    if spans is None:
        yield from _inlined(source, entry, new)
        return
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if not same(old[n], new[n])), shorter)
    tail = next((n for n in range(shorter - head) if not same(old[-1 - n], new[-1 - n])), shorter - head)
    start = spans[head][0] if head < len(old) else spans[-1][1]
    stop = spans[len(old) - tail - 1][1] if head + tail < len(old) else start
    dash = " " * yamlnode.column_of(sequence) + "- "
    yield _Splice(start, stop, lines=tuple(dash + yamlvalue.written(item) for item in new[head : len(new) - tail]))


def _item_lines(source: _Source, sequence: SequenceNode) -> list[tuple[int, int]] | None:
    """Return where the lines of each item begin and end; None where the dashes don't stand below each other."""
    dash = re.compile(rf"^ {{{yamlnode.column_of(sequence)}}}-(?=\s|\Z)", re.MULTILINE)
    at = _line_start(source.text, yamlnode.start_of(sequence))
    spans = []
    for number, item in enumerate(sequence.value):
        found = dash.search(source.text, at)
        if found is None or (number == 0 and found.start() != at):
            return None
        at = _line_end(source.text, _end(source, item, source.tree.aliases.get((id(sequence), number))))
        spans.append((found.start(), at))
    return spans


def _moved_anchors(source: _Source, splices: list[_Splice]) -> Iterator[_Splice]:
    """Make the first alias that stays the definition of an anchor that goes."""
    for name, node in source.tree.anchors.items():
        uses = [alias for alias in source.tree.aliases.values() if alias.name == name]
        staying = [use for use in uses if not _goes(splices, use.start)]
        if staying and _goes(splices, yamlnode.start_of(node)):
            first = min(staying, key=lambda use: use.start)
            words = yamlvalue.written(yamlnode.value_of(node), flow=True)
            yield _Splice(first.start, first.end, f"&{name} {words}")


def _goes(splices: list[_Splice], index: int) -> bool:
    return any(splice.start <= index < splice.end for splice in splices)


def _entries(source: _Source, mapping: MappingNode, names: set[str]) -> dict[str, _Entry]:
    """Return the entries of these names that stand in the mapping itself, in the order of the text."""
    found = {}
    for key, value in mapping.value:
        if key.value in names:
            alias = source.tree.aliases.get((id(mapping), id(key)))
            start = yamlnode.start_of(value) if alias is None else alias.start
            found[key.value] = _Entry(key, value, start, _end(source, value, alias), alias is not None)
    return found


def _end(source: _Source, node: Node, alias: yamlnode.Alias | None) -> int:
    """Return where a node really ends: the parser's mark of a block reaches to the next token."""
    leaf, alias = _last_leaf(source, node, alias)
    if alias is not None:
        return alias.end
    return _block_scalar_end(source.text, leaf) if _is_block_scalar(leaf) else yamlnode.end_of(leaf)


def _last_leaf(source: _Source, node: Node, alias: yamlnode.Alias | None) -> tuple[Node, yamlnode.Alias | None]:
    if alias is not None or not isinstance(node, CollectionNode) or node.flow_style:
        return node, alias
    last = node.value[-1]
    key, child = last if isinstance(node, MappingNode) else (None, last)
    place = len(node.value) - 1 if key is None else id(key)
    return _last_leaf(source, child, source.tree.aliases.get((id(node), place)))


def _is_block_scalar(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.style in ("|", ">")


def _block_scalar_end(text: str, node: Node) -> int:
    """Empty lines after a block scalar are its own where it says `+`."""
    start, end = yamlnode.start_of(node), yamlnode.end_of(node)
    header = text[start : _line_end(text, start)]
    if not _KEEPS_BREAKS.search(header):
        return start + len(text[start:end].rstrip(" \t" + _BREAKS))
    return start + len(_LAST_BREAK.sub("", text[start:end].rstrip(" ")))


def _place_for_new(source: _Source, mapping: MappingNode | None) -> int:
    """Return where new lines of the mapping go: after its last one, in the top mapping after all comments too."""
    if mapping is None:
        return _bottom(source.text, 0)
    leaf, alias = _last_leaf(source, mapping, None)
    unended = yamlnode.end_of(leaf) == len(source.text) and source.text[-1] not in _BREAKS
    if alias is None and _is_block_scalar(leaf) and unended:
        # A line end before new lines would be one more character of that text: they go before its key.
        return _line_start(source.text, yamlnode.start_of(mapping.value[-1][0]))
    end = _end(source, mapping, None)
    return _bottom(source.text, end) if mapping is source.tree.root else _line_end(source.text, end)


def _bottom(text: str, start: int) -> int:
    closing = _DOCUMENT_END.search(text, start)
    return closing.start() if closing else len(text)


def _lines(values: Values, column: int) -> Iterator[str]:
    for name, value in values.items():
        start = f"{' ' * column}{yamlvalue.key(name)}:"
        if isinstance(value, dict) and value:
            yield start
            yield from _lines(value, column + 2)
        else:
            yield f"{start} {yamlvalue.written(value)}"


def _spliced(text: str, splices: list[_Splice], newline: str) -> str | None:
    """Return the text with all splices done; None where two of them overlap."""
    result, at = "", 0
    for splice in sorted(splices, key=lambda each: (each.start, each.end)):
        if splice.start < at:
            return None
        result += text[at : splice.start] + splice.words
        at = splice.end
        if splice.lines:
            ended = not result or result[-1] in _BREAKS
            closed = at < len(text) or not text or text[-1] in _BREAKS
            result += ("" if ended else newline) + newline.join(splice.lines) + (newline if closed else "")
    return result + text[at:]


def _line_start(text: str, index: int) -> int:
    return max(text.rfind(each, 0, index) for each in _BREAKS) + 1


def _line_end(text: str, index: int) -> int:
    """Return where the next line begins."""
    found = _BREAK.search(text, index)
    return found.end() if found else len(text)
