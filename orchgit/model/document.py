"""A Markdown file with front matter: parsed once, edited in place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orchgit.model import yamltext
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HEADING = re.compile(r" {0,3}(#{1,6})([ \t].*)?")
_UNDERLINE = re.compile(r" {0,3}=+[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}(?!.*`)|~{3,})(.*)")
_BLANK_LINE_LAST = re.compile(r"(?:\A|\n)[ \t]*\r?\n\Z")


@dataclass(frozen=True, slots=True)
class Document:
    """`text` is the whole file, `body` all that follows the line which closes the front matter."""

    text: str
    values: dict[str, Any]
    body: str
    has_front_matter: bool
    _loaded: yamltext.Loaded

    def line(self, key: str) -> int:
        """Return the line of the file that `key` stands on, from 1; the first one where it is missing."""
        return self._loaded.line((key,)) + (self.has_front_matter and key in self.values)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A file as it falls apart; together they are its text. `opening` and `closing` are the lines of dashes."""

    opening: str
    matter: str
    closing: str
    body: str


def parse(text: str) -> Document:
    """Return what the file says; InvalidFileError, without a path, where its front matter can't be read."""
    parts = _split(text)
    try:
        loaded = yamltext.load(parts.matter)
    except InvalidFileError as error:
        raise _in_file(error) from None
    return Document(text, loaded.values, parts.body, bool(parts.closing), loaded)


def edit(text: str, changes: Mapping[str, yamltext.Value | yamltext.Remove]) -> str:
    """Return `text` with keys of the front matter set or removed, and every other byte as it was.

    A file without front matter gets one.
    """
    parts = _split(text)
    newline = yamltext.newline_of(text)
    try:
        matter = yamltext.edit(parts.matter, {(key,): change for key, change in changes.items()}, newline=newline)
    except InvalidFileError as error:
        raise _in_file(error) from None
    if matter == parts.matter:
        return text
    if parts.closing:
        return f"{parts.opening}{matter}{parts.closing}{parts.body}"
    return f"{parts.opening}---{newline}{matter}---{newline}{parts.body}"


def replace_body(text: str, body: str) -> str:
    """Return `text` with `body` after its front matter."""
    parts = _split(text)
    newline = yamltext.newline_of(text)
    if not parts.closing and _boundaries(body):
        return f"{parts.opening}---{newline}---{newline}{body}"
    ended = not body or not parts.closing or parts.closing.endswith("\n")
    return f"{parts.opening}{parts.matter}{parts.closing}{'' if ended else newline}{body}"


def section(text: str, heading: str) -> str:
    """Return what stands under `heading`, as "## Feedback", in a file or a body; "" where it has no such section."""
    body = body_of(text)
    span = _section_span(body, heading)
    return body[slice(*span)].strip("\r\n") if span else ""


def without_section(text: str, heading: str) -> str:
    """Return the body without the section, its heading included."""
    body = body_of(text)
    span = _section_span(body, heading)
    if span is None:
        return body
    above = body[: span[0]].rstrip("\r\n").rpartition("\n")[0]
    return f"{above}\n{body[span[1] :]}" if above else body[span[1] :]


def append_to_section(text: str, heading: str, entry: str) -> str:
    """Return `text` with the Markdown `entry` at the end of the section, which is made where it is missing."""
    body = body_of(text)
    newline = yamltext.newline_of(text)
    span = _section_span(body, heading)
    at = len(text) - len(body) + (span[1] if span else len(body))
    before, after = text[:at], text[at:]
    lines = entry.strip("\r\n").replace("\r\n", "\n").split("\n")
    added = [*lines, ""] if span else [heading, "", *lines, ""]
    return f"{before}{_gap(before, newline)}{newline.join(added)}{newline if after else ''}{after}"


def title_of(body: str) -> str | None:
    """Return the text of the first heading outside code, which may be underlined by `===`; None where it has none."""
    above = ""
    for _, line in _prose(body):
        found = above if _UNDERLINE.fullmatch(line) else _heading(line)[1]
        if found:
            return found
        above = line.strip()
    return None


def decode(path: str, data: bytes) -> str:
    """Return the text of the file at `path`, its line ends as they are; InvalidFileError where it isn't UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"has the byte 0x{data[error.start]:02x}, which is no UTF-8"
        raise InvalidFileError(path, reason, line=line, next_step="Save the file as UTF-8.") from None


def encode(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        reason = f"has half a character, U+{ord(text[error.start]):04X}, which no file can hold"
        raise InvalidFileError("", reason, line=text.count("\n", 0, error.start) + 1) from None


def _split(text: str) -> _Parts:
    start = 1 if text.startswith(yamltext.BOM) else 0
    boundaries = _boundaries(text[start:])
    if not boundaries:
        return _Parts(text[:start], "", "", text[start:])
    if len(boundaries) == 1:
        raise InvalidFileError("", "opens a front matter that is never closed; end it with a line `---`")
    top, bottom = _next_line(text, start), start + boundaries[1]
    after = _next_line(text, bottom)
    return _Parts(text[:top], text[top:bottom], text[bottom:after], text[after:])


def _boundaries(text: str) -> list[int]:
    """Return where the lines of dashes begin that python-frontmatter would split at: none, one or two.

    Its own split gives no offsets, and takes empty lines for a part of the boundary.
    """
    if not text.startswith("---"):
        return []
    from frontmatter.default_handlers import YAMLHandler  # with yaml it costs 36 ms

    boundary = YAMLHandler.FM_BOUNDARY
    assert boundary is not None
    first = boundary.match(text)
    if first is None:
        return []
    second = boundary.search(text, first.end())
    return [0, second.start()] if second else [0]


def body_of(text: str) -> str:
    """Return the body of a file; a body is one already, though it begin with a line of dashes."""
    try:
        return _split(text).body
    except InvalidFileError:
        return text


def _in_file(error: InvalidFileError) -> InvalidFileError:
    return InvalidFileError("", error.reason, line=error.line + 1, key=error.key, next_step=error.next_step)


def _section_span(body: str, heading: str) -> tuple[int, int] | None:
    """Return where the text under `heading` begins and ends; what a deeper heading opens belongs to it."""
    wanted = _heading(heading)
    assert wanted[0], f"{heading!r} is no heading"
    start = None
    for at, line in _prose(body):
        found = _heading(line)
        if start is None and found == wanted:
            start = _next_line(body, at)
        elif start is not None and 0 < found[0] <= wanted[0]:
            return start, at
    return None if start is None else (start, len(body))


def _prose(body: str) -> Iterator[tuple[int, str]]:
    """Yield where each line outside fenced code begins, and the line."""
    at, fence = 0, ""
    for line in body.split("\n"):
        found = _FENCE.fullmatch(line.rstrip("\r"))
        if fence:
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
        elif found:
            fence = found[1]
        else:
            yield at, line.rstrip("\r")
        at += len(line) + 1


def _heading(line: str) -> tuple[int, str]:
    """Return the level and the text of a heading; (0, "") for any other line."""
    found = _HEADING.fullmatch(line)
    if found is None:
        return 0, ""
    title = (found[2] or "").strip()
    bare = title.rstrip("#")
    return len(found[1]), bare.rstrip() if not bare or bare[-1] in " \t" else title


def _gap(before: str, newline: str) -> str:
    """Return what is missing to an empty line at the end of `before`."""
    if not before or before == yamltext.BOM or _BLANK_LINE_LAST.search(before):
        return ""
    return newline if before.endswith("\n") else newline * 2


def _next_line(text: str, index: int) -> int:
    return text.find("\n", index) + 1 or len(text)
