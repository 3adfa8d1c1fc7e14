"""Passes messages on to an agent at work: from its mailbox to its CLI, and what its model took is noted and marked."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchgit.model import events, letter
from orchgit.model.errors import OrchgitError
from orchgit.repository import runs
from orchgit.repository.layout import Layout

if TYPE_CHECKING:
    from orchgit.adapters.protocol import Conversation
    from orchgit.model.events import Event
    from orchgit.model.letter import Letter
    from orchgit.repository.runs import Folder, Spec

_FIRST, _LONGEST = 0.25, 30.0  # seconds until it asks again for what it could not have, each time twice as many


class Relay:
    """The messages of one run's agent. Who is told what is settled while the ledger is held, so nobody is told twice.

    A message is on its way from the moment that the run's folder says so, before its CLI is given it, and has been told
    once the CLI says that its model answered it. Whatever dies in between, it is unread still, and told again.
    """

    def __init__(self, place: Folder, spec: Spec, conversation: Conversation) -> None:
        self._place, self._agent, self._conversation = place, spec.agent, conversation
        self._layout = Layout(Path(spec.root), Path(spec.common))
        self._box = self._layout.state / letter.folder(spec.agent) / letter.NEW
        self._mail = runs.Mail()
        self._told: dict[str, Letter] = {}  # by the name that the CLI knows each by
        self._left: frozenset[str] = frozenset()  # files that were there and could not be had
        self._unmarked = False
        self._pause, self._again = _FIRST, 0.0

    def more(self) -> bytes | None:
        """Return what to write on the agent's stdin now; None once all is said."""
        if self._unmarked and self._is_time():
            self._mark()
        self._note(replace(self._mail, is_open=not self._conversation.is_over))
        if self._conversation.is_over:
            return None
        if not self._conversation.takes_messages:
            return b""
        waiting = self._waiting()
        return self._claim() if waiting - self._left or (waiting and self._is_time()) else b""

    def hear(self, event: Event) -> Event:
        """Note what the agent's model took; return what the run's record says of it."""
        if not isinstance(event, events.Told) or event.name not in self._told:
            return event
        said = self._told[event.name]
        if said.path not in self._mail.taken:
            self._note(replace(self._mail, taken=(*self._mail.taken, said.path)))
            self._mark()
        return events.Told(said.id, said.sender)

    def close(self) -> None:
        """Tell nothing more; what was told and could not be marked yet is, else who settles the run does it."""
        self._note(replace(self._mail, is_open=False))
        if self._unmarked:
            self._mark()

    def _waiting(self) -> frozenset[str]:
        """Return the files in the mailbox that this run wasn't given."""
        try:
            names = os.listdir(self._box)  # noqa: PTH208 - ten times a second
        except OSError:  # nobody has written to it yet
            return frozenset()
        known = {path.rpartition("/")[2] for path in self._mail.given}
        return frozenset(name for name in names if name.endswith(letter.SUFFIX) and name not in known)

    def _claim(self) -> bytes:
        """Take what waits, where it is committed and nobody else has it; return it as the CLI reads it."""
        from orchgit.engine import letters, prompts  # the ledger, for the few runs that are told anything

        lines: list[str] = []
        with suppress(OrchgitError, OSError):  # others write, or the disk is full: it is asked for again
            on_its_way = sum(letters.size(each) for each in self._told.values() if each.path not in self._mail.taken)
            found, self._mail = letters.claim(self._layout, self._place, self._agent, self._mail, on_its_way=on_its_way)
            for each in found:
                name = f"{self._place.id} {each.id}"
                self._told[name] = each
                lines.append(self._conversation.say(name, prompts.told_at_work(each)))
        self._left = self._waiting()
        self._wait(again=not lines)
        return "".join(lines).encode("utf-8", "surrogatepass")

    def _mark(self) -> None:
        from orchgit.engine import letters

        self._unmarked = True
        with suppress(OrchgitError, OSError):
            letters.mark_taken(self._layout, self._place)
            self._unmarked = False
        self._wait(again=self._unmarked)

    def _note(self, mail: runs.Mail) -> None:
        if mail == self._mail:
            return
        self._mail = mail
        with suppress(OSError):  # the disk is full: it is noted with the next change, else it counts as unread
            runs.write_mail(self._place, mail)

    def _is_time(self) -> bool:
        return time.monotonic() >= self._again

    def _wait(self, *, again: bool) -> None:
        self._pause = min(self._pause * 2, _LONGEST) if again else _FIRST
        self._again = time.monotonic() + self._pause
