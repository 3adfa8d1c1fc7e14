"""Context and messages of ORCH as files of this state branch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orchgit.engine.orch import forms, names
from orchgit.model import context, fields, ids, letter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchgit.engine.orch.folder import Entry
    from orchgit.engine.orch.names import Names


def value_file(entry: Entry, notes: list[str]) -> tuple[str, str]:
    """Return where the value of a key is here, and what its file says."""
    form = forms.begin(entry, notes)
    word, value = str(form.take("key") or entry.stem), form.take("value")
    key = "/".join(filter(None, (names.plain(part) for part in word.split("/")))) or names.plain(entry.stem)
    if not key:
        raise ValueError("it has no key that a file could be called by")
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


def message_files(
    entry: Entry, known: Names, boxes: dict[str, tuple[str, ...]], person: str, notes: list[str]
) -> Iterator[tuple[str, str]]:
    """Yield where a message is here, one file a mailbox, and what it says.

    `boxes` are the members of each team by its name, and all agents by "".
    """
    form = forms.begin(entry, notes)
    identifier = names.identifier(ids.MESSAGE, names.key_of(entry))
    form.known("id", identifier)
    sender = known.who(form.take("from_agent_id")) or person
    to, channel = known.who(form.take("to_agent_id")), form.take("channel")
    team = known.teams.get(str(form.left.get("team_id")), "")
    agents = set(known.agents.values())
    form.set("from", sender, fields.line)
    form.keys["sender"] = "agent" if sender in agents else "person"
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
    boxed = [each for each in boxes.get(team, boxes[""]) if each != sender] if everyone else [to]
    if channel == "lead" and team and not to:
        boxed = list(boxes[team][:1])
    is_read = form.left.get("status") not in ("pending", "unread", "new", None)
    body = str(form.take("body") or "")
    for name in boxed or [person]:
        own = identifier if not everyone else names.made(ids.MESSAGE, identifier, str(name))
        path = letter.new_path(str(name), own)
        yield letter.read_path(path) if is_read else path, form.text(body)
