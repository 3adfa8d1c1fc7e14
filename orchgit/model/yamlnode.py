"""What the YAML parser saw: values, and the node that each of them stands in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode

from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # PyYAML was built without libyaml: slower, and the same
    from yaml import SafeLoader as _Base  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Mapping

_TAG = "tag:yaml.org,2002:"
_STRING, _MERGE = f"{_TAG}str", f"{_TAG}merge"
# YAML 1.2's core without what surprises: `0123`, `12:30`, `1e3` and dates stay text, as do numbers too long to be one.
_PATTERNS = {
    f"{_TAG}null": (re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
    f"{_TAG}bool": (re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")),
    f"{_TAG}int": (re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z"), list("-+0123456789")),
    f"{_TAG}float": (
        re.compile(r"[-+]?(?:[0-9]{1,300}\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z"), list("-+.0123456789"),
    ),
    _MERGE: (re.compile(r"<<\Z"), ["<"]),
}  # fmt: skip
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# The parser's words for what goes wrong most, said plainly.
_PLAINER = {
    "but found another document": "holds more than one YAML document; keep one of them",
    "mapping values are not allowed in this context": "has a second `: `; put the value in quotes",
    "mapping values are not allowed here": "has a second `: `; put the value in quotes",
    "second occurrence": "gives the same anchor a second time",
    "exceeded maximum nesting depth": "is nested too deeply",  # where the parser has a bound of its own
}
_DEEP = 60
_MANY = 100_000


class Loader(_Base):
    """Reads values as YAML 1.2 does; times stay text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own shape


for _tag, (_pattern, _first) in _PATTERNS.items():
    Loader.add_implicit_resolver(_tag, _pattern, _first)
Loader.add_constructor(_MERGE, Loader.construct_yaml_str)  # type: ignore[type-var]


@dataclass(frozen=True, slots=True)
class Alias:
    """`*name` at text[start:end]."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A document's nodes. An aliased node stands in every place; `aliases` tells which places only refer to it.

    A place is (id of the parent, id of the key's node or number of the item).
    """

    root: MappingNode | None
    aliases: Mapping[tuple[int, int], Alias]
    anchors: Mapping[str, Node]


def read(text: str) -> tuple[MappingNode | None, dict[str, Any]]:
    """Return the top mapping of `text` and its values; InvalidFileError, without a path, where it isn't one."""
    try:
        _check_depth(text)
        loader = Loader(text)
        root = loader.get_single_node()
        if root is None or (isinstance(root, ScalarNode) and not root.value and not root.style):
            return None, {}
        if not isinstance(root, MappingNode):
            raise invalid(text, root, "is not made of `key: value` lines")
        if root.flow_style:
            raise invalid(text, root, "stands in braces; write one key per line")
        _check(root, text, {})
        values: dict[str, Any] = loader.construct_document(root)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise _broken(error, text) from None
    except RecursionError:
        raise InvalidFileError("", "is nested too deeply") from None
    return root, values


def tree(text: str) -> Tree:
    """Return the nodes of `text`, which `read` has accepted, with what is known of anchors and aliases."""
    loader = _Noting(text)
    root = loader.get_single_node()  # type: ignore[misc]
    return Tree(root if isinstance(root, MappingNode) else None, loader.places, loader.named)


def value_of(node: Node) -> object:
    """Return the value of one node of a tree."""
    value: object = Loader("").construct_object(node, deep=True)
    return value


def line_of(text: str, index: int) -> int:
    """Return the line of text[index], from 1; the last one that says something where that is the end of all."""
    return text.count("\n", 0, min(index, len(text.rstrip()))) + 1


def invalid(text: str, node: Node, reason: str, *, name: str = "") -> InvalidFileError:
    return InvalidFileError("", reason, line=line_of(text, start_of(node)), key=name)


def start_of(node: Node) -> int:
    return cast("yaml.Mark", node.start_mark).index


def end_of(node: Node) -> int:
    return cast("yaml.Mark", node.end_mark).index


def column_of(node: Node) -> int:
    return cast("yaml.Mark", node.start_mark).column


class _Noting(Loader):
    """Notes where aliases stand, which nodes alone don't tell.

    It takes the parser's events, and composes them by PyYAML's own methods: libyaml's loader lets nobody in between.
    """

    get_single_node = Composer.get_single_node
    compose_document = Composer.compose_document
    compose_scalar_node = Composer.compose_scalar_node
    compose_sequence_node = Composer.compose_sequence_node
    compose_mapping_node = Composer.compose_mapping_node

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        self.anchors: dict[str, Node] = {}
        self.places: dict[tuple[int, int], Alias] = {}
        self.named: dict[str, Node] = {}

    def compose_node(self, parent: Node | None, index: Node | int | None) -> Node | None:
        event: Any = self.peek_event()
        is_alias = isinstance(event, yaml.AliasEvent)
        start, end = event.start_mark.index, event.end_mark.index
        node = Composer.compose_node(self, parent, index)  # type: ignore[arg-type]
        if is_alias and index is None:
            raise InvalidFileError("", "is an alias as a key; write the key out", line=line_of(self.text, start))
        if is_alias:
            place = (id(parent), index if isinstance(index, int) else id(index))
            self.places[place] = Alias(event.anchor, start, end)
        elif node is not None and event.anchor is not None:
            self.named[event.anchor] = node
        return node


def _check(node: Node, text: str, sizes: dict[int, int]) -> int:
    """Return how many values `node` stands for, aliases counted out; InvalidFileError where it can't be one of ours."""
    if (known := sizes.get(id(node))) is not None:
        if not known:
            raise invalid(text, node, "holds an alias of itself")
        return known
    if isinstance(node, ScalarNode):
        _check_scalar(node, text)
        return 1
    sizes[id(node)] = 0
    if isinstance(node, MappingNode):
        _check_keys(node, text)
        size = 1 + sum(_check(value, text, sizes) for _, value in node.value)
    else:
        size = 1 + sum(_check(item, text, sizes) for item in node.value)
    if node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
        raise _unknown(node, text)
    if size > _MANY:
        raise invalid(text, node, "grows beyond all bounds by its aliases")
    sizes[id(node)] = size
    return size


def _check_scalar(node: ScalarNode, text: str) -> None:
    if node.tag == _STRING:
        return
    if node.tag not in _PATTERNS:
        raise _unknown(node, text)
    if not _PATTERNS[node.tag][0].match(node.value):
        raise invalid(text, node, f"{node.value!r} is not what its tag !!{node.tag.removeprefix(_TAG)} says")


def _check_keys(mapping: MappingNode, text: str) -> None:
    seen = set()
    for key, _ in mapping.value:
        if not isinstance(key, ScalarNode):
            raise invalid(text, key, "a key must be one word, or text in quotes")
        if key.tag not in (_STRING, _MERGE):
            raise invalid(text, key, "is a key that is not text; put it in quotes", name=key.value)
        if key.value in seen:
            raise invalid(text, key, "stands twice; keep one of them", name=key.value)
        seen.add(key.value)


def _check_depth(text: str) -> None:
    """Refuse what would overflow the C stack of the composer, and so end the process without a word."""
    if sum(map(text.count, "[{-?")) < 500:
        return
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEP:
                reason = "is nested too deeply"
                raise InvalidFileError("", reason, line=line_of(text, cast("yaml.Mark", event.start_mark).index))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _unknown(node: Node, text: str) -> InvalidFileError:
    tag = f"!!{node.tag.removeprefix(_TAG)}" if node.tag.startswith(_TAG) else node.tag
    return invalid(text, node, f"has the tag {tag}, which means nothing here; leave it out")


def _broken(error: yaml.YAMLError | UnicodeEncodeError, text: str) -> InvalidFileError:
    mark: Any = getattr(error, "problem_mark", None)
    if mark is None:
        found = _UNPRINTABLE.search(text)
        index = found.start() if found else 0
        reason = f"has the character U+{ord(text[index]):04X}, which YAML does not allow; take it out"
        return InvalidFileError("", reason, line=line_of(text, index))
    opened = _never_closed(error, text)
    if opened is not None:
        what = "quote" if text[opened] in "\"'" else f"`{text[opened]}`"
        return InvalidFileError("", f"opens a {what} that is never closed", line=line_of(text, opened))
    problem = str(getattr(error, "problem", ""))
    reason = "is indented with a tab; use spaces" if text[mark.index : mark.index + 1] == "\t" else problem
    return InvalidFileError("", _PLAINER.get(problem, reason), line=line_of(text, mark.index))


def _never_closed(error: yaml.YAMLError | UnicodeEncodeError, text: str) -> int | None:
    """Return where the quote or bracket stands whose end is missing; the parser tells where it noticed that."""
    problem, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if problem is None or context is None:
        return None
    end, at = len(text.rstrip()), context.index
    match getattr(error, "context", None):
        case "while scanning a quoted scalar" if problem.index >= end:
            return int(at)
        case "while parsing a flow node" if problem.index >= end:
            at = max(text.rfind("[", 0, end), text.rfind("{", 0, end))
            return int(at) if at >= 0 else None
        case "while parsing a flow sequence" | "while parsing a flow mapping" if text[at : at + 1] in ("[", "{"):
            closed = text.find("]" if text[at] == "[" else "}", at)
            begun = text.rfind("\n", 0, problem.index) + 1  # a line that isn't indented is a key of its own
            is_next = problem.line > context.line and not text[begun : begun + 1].isspace()
            return int(at) if closed < 0 or (is_next and closed > problem.index) else None
        case _:
            return None
