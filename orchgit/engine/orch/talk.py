"""Context and messages of ORCH as files of this state branch."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from orchgit.engine.orch import forms, names
from orchgit.model import context, fields, ids, letter
from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orchgit.engine.orch.folder import Entry
    from orchgit.engine.orch.names import Names

_USER: Final = "user"  # what ORCH calls whoever types
_SUFFIXES = re.compile(r"(?:\.md)+\Z")


def value_file(entry: Entry, notes: list[str]) -> tuple[str, str]:
    """Return where the value of a key is here, and what its file says."""
    form = forms.begin(entry, notes)
    word, value = str(form.take("key") or entry.stem), form.take("value")
    key = _key(word) or _key(entry.stem)
    if not key:
        raise ValueError("it has no key that a file could be called by")
    context.key(key)
    if key != word:
        form.tell(f"the key {fields.shown(word)} is {key} here")
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    since, ttl = form.take("updated_at"), form.take("ttl")
    ends = forms.expires(since, ttl)
    if ttl is not None and ends is None:
        form.tell(f"ttl is {fields.shown(ttl)}, and nobody knows since when: it doesn't end here")
    if form.left:
        form.tell(f"{', '.join(form.left)} has no place beside a value: left out")
    return context.path_of(key), context.compose(text, ends)


def _key(word: str) -> str:
    """Return a key as it may be here: parts that are names, none of which ends as a value's file does."""
    parts = (names.plain(part) for part in word.split("/"))
    return "/".join(filter(None, (_SUFFIXES.sub("", part) for part in parts)))


@dataclass(frozen=True, slots=True)
class Boxes:
    """Who gets messages: `members` of each team by its name, and all by "". `person` is who brings the project over."""

    members: dict[str, tuple[str, ...]]
    agents: Collection[str]
    person: str


def message_files(entry: Entry, known: Names, boxes: Boxes, notes: list[str]) -> Iterator[tuple[str, str]]:
    """Yield where a message is here, one file a mailbox, and what it says; ValueError where it names no one rightly."""
    form = forms.begin(entry, notes)
    for key in ("from_agent_id", "to_agent_id"):
        if not isinstance(form.left.get(key), str | None):
            raise ValueError(f"{key} is {fields.shown(form.left[key])}, and no name")
    identifier = names.identifier(ids.MESSAGE, names.key_of(entry))
    form.known("id", identifier)
    sender = _person(known.who(form.take("from_agent_id")), boxes) or boxes.person
    to, channel = _person(known.who(form.take("to_agent_id")), boxes), form.take("channel")
    team = known.teams.get(str(form.left.get("team_id")), "")
    form.set("from", sender, fields.line)
    form.keys["sender"] = "agent" if sender in boxes.agents else "person"
    form.set("subject", form.take("subject"), forms.one_line)
    reply = form.take("reply_to")
    form.set("reply_to", names.identifier(ids.MESSAGE, str(reply)) if reply else None, fields.name)
    form.set("created", form.take("created_at"), fields.moment, was="created_at")
    form.set("expires", form.take("expires_at"), fields.moment, was="expires_at")
    if channel == "broadcast":
        form.keys["channel"] = channel
    elif channel not in ("direct", None):
        form.left["channel"] = channel
    everyone = channel == "broadcast" or not to
    boxed = [each for each in boxes.members.get(team, boxes.members[""]) if each != sender] if everyone else [to]
    if channel == "lead" and team and not to:
        boxed = list(boxes.members[team][:1])
    if to and to not in boxes.agents and to != boxes.person:
        form.tell(f"is for {fields.shown(to)}, who is no agent here: it waits for a person of that name")
    is_read = form.left.get("status") not in ("pending", "unread", "new", None)
    body = str(form.take("body") or "")
    for name in boxed or [boxes.person]:
        own = identifier if not everyone else names.made(ids.MESSAGE, identifier, str(name))
        path = letter.new_path(str(name), own)
        yield letter.read_path(path) if is_read else path, form.text(body)


def _person(word: Any, boxes: Boxes) -> Any:
    """Return whom a message names: who typed there is who brings it over, unless an agent is called so."""
    return boxes.person if word == _USER and _USER not in boxes.agents else word
