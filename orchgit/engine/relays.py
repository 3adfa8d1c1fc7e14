"""Passes messages on to an agent at work: from its mailbox to its CLI, and what its model took is noted and marked."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from orchgit.adapters.protocol import Hears
from orchgit.model import events, letter
from orchgit.model.errors import OrchgitError
from orchgit.repository import runs
from orchgit.repository.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchgit.adapters.protocol import Conversation, Listener, Offering
    from orchgit.model.events import Event
    from orchgit.model.letter import Letter
    from orchgit.repository.runs import Folder, Spec

_FIRST, _LONGEST = 0.25, 30.0  # seconds until it asks again for what it could not have, each time twice as many
_AT_ONCE = 64 << 10  # bytes of messages that stdin is given before any of them was taken


def of(place: Folder, spec: Spec, listener: Listener) -> Relay | None:
    """Return what tells the agent of a run of messages while it works; None where its CLI can't be told."""
    match spec.hears:
        case Hears.INPUT:
            return ByInput(place, spec, cast("Conversation", listener))
        case Hears.HOOKS:
            return ByHooks(place, spec, cast("Offering", listener))
        case _:
            return None


class Relay:
    """The messages of one run's agent. Who is told what is settled while the ledger is held, so nobody is told twice.

    A message is on its way from the moment that the run's folder says so, before its CLI is given it, and has been told
    once its model has answered it, as far as its CLI tells. Whatever dies before that, it is unread, and told again.
    """

    def __init__(self, place: Folder, spec: Spec) -> None:
        self._place, self._agent = place, spec.agent
        self._layout = Layout(Path(spec.root), Path(spec.common))
        self._box = self._layout.state / letter.folder(spec.agent) / letter.NEW
        self._mail = runs.Mail()
        self._left: frozenset[str] = frozenset()  # files that were there and could not be had
        self._unmarked = False
        self._pause, self._again = _FIRST, 0.0

    def tick(self) -> bytes | None:
        """Look for messages; return what to write on the agent's stdin now, None once all is said there."""
        raise NotImplementedError

    def hear(self, event: Event) -> Iterable[Event]:
        """Note what the agent's model took; return what the run's record says of it."""
        raise NotImplementedError

    def close(self) -> None:
        """Tell nothing more; what was told and could not be marked yet is, else who settles the run does it."""
        self._open(0)
        self._mark()

    def _open(self, most: int) -> None:
        """Say that messages of up to so many bytes are told now."""
        self._note(replace(self._mail, most=most))

    def _next(self, *, on_its_way: int = 0, count: int | None = None) -> list[Letter]:
        """Return what is to be told now, and is nobody else's to tell: what came, or what could not be had before."""
        waiting = self._waiting()
        if not waiting or (waiting <= self._left and not self._is_time()):
            return []
        from orchgit.engine import deliveries  # the ledger, for the few runs that are told anything

        found: list[Letter] = []
        with suppress(OrchgitError, OSError):  # others write, or the disk is full: it is asked for again
            found, self._mail = deliveries.claim(
                self._layout, self._place, self._agent, self._mail, on_its_way=on_its_way, count=count
            )
        self._left = self._waiting()
        self._wait(again=not found)
        return found

    def _took(self, said: Letter) -> Event:
        """Note that the agent's model has a message, and have it count as read."""
        if said.path not in self._mail.taken:
            self._note(replace(self._mail, taken=(*self._mail.taken, said.path)))
            self._unmarked = True
            self._mark()
        return events.Told(said.id, said.sender)

    def _mark(self) -> None:
        if not self._unmarked:
            return
        from orchgit.engine import deliveries

        with suppress(OrchgitError, OSError):
            deliveries.mark_taken(self._layout, self._place)
            self._unmarked = False
        self._wait(again=self._unmarked)

    def _mark_late(self) -> None:
        if self._unmarked and self._is_time():
            self._mark()

    def _gone(self) -> frozenset[str]:
        """Return what was read elsewhere, or deleted, while it was on its way: from now on it is on none."""
        on_its_way = frozenset(self._mail.given) - {*self._mail.handed, *self._mail.taken}
        if not on_its_way:
            return frozenset()
        lying = self._lying()
        gone = frozenset(path for path in on_its_way if path.rpartition("/")[2] not in lying)
        self._note(replace(self._mail, given=tuple(path for path in self._mail.given if path not in gone)))
        return gone

    def _waiting(self) -> frozenset[str]:
        """Return the files in the mailbox that this run wasn't given."""
        known = {path.rpartition("/")[2] for path in self._mail.given}
        return frozenset(name for name in self._lying() if name.endswith(letter.SUFFIX) and name not in known)

    def _lying(self) -> frozenset[str]:
        try:
            return frozenset(os.listdir(self._box))  # noqa: PTH208 - ten times a second
        except OSError:  # nobody has written to it yet
            return frozenset()

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


class ByInput(Relay):
    """Writes messages to the agent's stdin as they come; its CLI says which of them its model took."""

    def __init__(self, place: Folder, spec: Spec, conversation: Conversation) -> None:
        super().__init__(place, spec)
        self._conversation = conversation
        self._told: dict[str, Letter] = {}  # by the name that the CLI knows each by

    def tick(self) -> bytes | None:
        self._mark_late()
        if self._conversation.is_over:
            self._open(0)
            return None
        self._open(_AT_ONCE)
        lines = self._withdrawals() + (self._lines() if self._conversation.takes_messages else "")
        return lines.encode("utf-8", "surrogatepass")

    def hear(self, event: Event) -> Iterable[Event]:
        if isinstance(event, events.Told) and event.name in self._told:
            event = self._took(self._told[event.name])
        return (event,)

    def _withdrawals(self) -> str:
        gone = self._gone()
        names = [name for name, each in self._told.items() if each.path in gone]
        return "".join(map(self._conversation.withdraw, names))

    def _lines(self) -> str:
        on_its_way = sum(each.size for each in self._told.values() if each.path not in self._mail.taken)
        lines = ""
        for each in self._next(on_its_way=on_its_way):
            from orchgit.engine import prompts

            name = f"{self._place.id} {each.id}"
            self._told[name] = each
            lines += self._conversation.say(name, prompts.told_at_work(each))
        return lines


class ByHooks(Relay):
    """Lays one message after the other ready for the hooks of the agent's CLI, which take it away as they tell it."""

    def __init__(self, place: Folder, spec: Spec, offering: Offering) -> None:
        super().__init__(place, spec)
        self._offering = offering
        self._offers = place.offers
        self._laid: list[Letter] = []

    def tick(self) -> bytes | None:
        self._mark_late()
        if (self._offers / "ready").exists():
            self._note(replace(self._mail, most=self._offering.most, at_end=self._offering.at_end))
            self._look()
            if not self._lies:
                self._lay()
        return None

    def _look(self) -> None:
        """Note what hooks have fetched, and let none fetch what was read elsewhere meanwhile."""
        fetched = tuple(each.path for each in (self._laid[:-1] if self._lies else self._laid))
        self._note(replace(self._mail, handed=fetched))
        if self._gone() and self._lies:
            with suppress(OSError):  # a hook was faster
                (self._offers / "offer").rename(self._offers / f"withdrawn.{len(self._laid)}")
                self._laid.pop()

    def hear(self, event: Event) -> Iterable[Event]:
        if not isinstance(event, events.Result) or event.failed:
            return (event,)
        fetched = self._laid[:-1] if self._lies else self._laid
        return (*(self._took(each) for each in fetched if each.path not in self._mail.taken), event)

    def close(self) -> None:
        super().close()
        shutil.rmtree(self._offers, ignore_errors=True)

    @property
    def _lies(self) -> bool:
        """Does an offer lie there that no hook has taken?"""
        return (self._offers / "offer").exists()

    def _lay(self) -> None:
        found = self._next(count=1)
        if not found:
            return
        from orchgit.engine import prompts

        draft = self._offers / "draft"
        with suppress(OSError):  # the disk is full: it is unread when the run has ended
            draft.mkdir(exist_ok=True)
            for name, text in self._offering.offer(prompts.told_at_work(found[0])).items():
                (draft / name).write_text(text, encoding="utf-8", errors="replace")
            draft.rename(self._offers / "offer")
            self._laid.append(found[0])
