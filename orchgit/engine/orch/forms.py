"""The files that things of ORCH become: front matter as far as it is known here, the rest of it under `orch:`."""

from __future__ import annotations

import json
from dataclasses import field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from orchgit.model import config, document, fields, prompt, yamltext
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError
from orchgit.repository import loose, states

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from orchgit.engine.orch.folder import Entry
    from orchgit.engine.orch.names import Names

KEPT: Final = "orch"  # the key of a front matter that holds what has no place here
_EMPTY: Final[tuple[object, ...]] = (None, "", [], {})


@dataclass(slots=True)
class Form:
    """One file in the making: `left` are the values that nothing was made of yet."""

    entry: Entry
    left: dict[str, Any]
    notes: list[str]
    keys: dict[str, Any] = field(default_factory=dict)

    def take(self, name: str) -> Any:
        """Return a value, which now is spoken for; a dot leads into a group."""
        group, _, inner = name.rpartition(".")
        values = self.left.get(group) if group else self.left
        return values.pop(inner, None) if isinstance(values, dict) else None

    def known(self, name: str, value: object) -> None:
        """Take a value that says just what the file is called by."""
        if self.left.get(name) == value:
            self.take(name)

    def set(self, key: str, value: Any, reader: Callable[[object], Any], *, was: str = "") -> None:
        """Give the file a key, where its value can be what it says; else it is kept, and told."""
        if value in _EMPTY:
            return
        try:
            self.keys[key] = _as_written(reader(value))
        except ValueError as error:
            self.left[was or key] = value
            self.tell(f"{was or key}: {error}; kept under `{KEPT}:`")

    def tell(self, words: str) -> None:
        self.notes.append(f"{self.entry.path}: {words}")

    def text(self, body: str) -> str:
        """Return the whole file."""
        left = _without_empty(self.left)
        made = document.edit("", {**self.keys, **({KEPT: left} if left else {})}) if self.keys or left else ""
        return document.replace_body(made or "---\n---\n", f"{body.strip()}\n" if body.strip() else "")


def begin(entry: Entry, notes: list[str]) -> Form:
    return Form(entry, json.loads(json.dumps(entry.values, default=str)), notes)


def one_line(value: object) -> str:
    """A title, of however many lines it was."""
    return fields.line(" ".join(fields.text(value).split()))


def title(form: Form) -> str:
    """Take the title; ValueError where there is none."""
    value = form.take("title")
    if value is None or not str(value).strip():
        raise ValueError("it has no title")
    return one_line(value)


def assign(form: Form, known: Names, *, else_to: str | None = None) -> None:
    """Take over whose it is; what is for an agent or a team that isn't here is nobody's, and told."""
    word = form.take("assignee")
    if known.is_lost(word):
        form.left["assignee"] = word
        form.tell(f"was for {word}, who isn't here: kept under `{KEPT}:`")
        word = None
    form.set("assignee", known.who(word) or else_to, fields.line)


def told(words: str) -> str:
    """Return a note as the one line that it is, whatever a file in it is called."""
    return "".join(each if each.isprintable() else " " for each in words)


def expires(since: object, ttl_ms: object) -> datetime | None:
    """Return when something ends that lives for `ttl_ms` milliseconds; None: it doesn't, or nobody knows since when."""
    if isinstance(ttl_ms, bool) or not isinstance(ttl_ms, int | float) or not since:
        return None
    try:
        return fields.moment(since) + timedelta(milliseconds=ttl_ms)
    except (ValueError, OverflowError):
        return None


def settings(entry: Entry, current: str, notes: list[str]) -> tuple[str, str]:
    """Return config.yaml with what ORCH's says, and the prompt template that it has; what can't be set is told."""
    text = current
    for key, value in _flat(entry.values).items():
        if key == "prompt.template":
            continue
        known = config.SETTINGS.get(key)
        try:
            if known is None:
                raise ValueError("there is no such setting here")
            text = yamltext.edit(text, {tuple(key.split(".")): known.read(value)})
        except (ValueError, InvalidFileError) as error:
            notes.append(f"{entry.path}: {key} is {fields.shown(value)}: {error}")
    template = _flat(entry.values).get("prompt.template")
    return text, template if isinstance(template, str) else ""


def unfit(template: str) -> str:
    """Return why the template can't be in force here; "" where it can."""
    try:
        prompt.check(template)
    except InvalidFileError as error:
        return f"line {error.line}: {error.reason.rstrip('.')}"
    return ""


def proven(path: str, text: str) -> None:
    """InvalidFileError where the file can't be what its folder is for."""
    data = document.encode(text)
    found = (
        loose.fault(path, data) if loose.belongs(path) else states.parse(path, data) if states.belongs(path) else None
    )
    if isinstance(found, InvalidFileError):
        raise found


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return found


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    inner = {key: _without_empty(value) if isinstance(value, dict) else value for key, value in values.items()}
    return {key: value for key, value in inner.items() if value not in _EMPTY}


def _as_written(value: Any) -> Any:
    return dict(value) if isinstance(value, tuple) and value and isinstance(value[0], tuple) else value
