"""The messages of an open project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.api.opened import Opened

if TYPE_CHECKING:
    from orchgit.engine.letters import Draft
    from orchgit.model.letter import Letter


class Messages(Opened):
    """What agents and people tell one another."""

    __slots__ = ()

    def send(self, to: str, draft: Draft) -> Letter:
        """Put a message into the mailbox of an agent or a person; NotFoundError where nobody is called `to`."""
        from orchgit.engine import letters

        return letters.send(self.layout, self._decider(), to, draft)

    def broadcast(self, draft: Draft, *, team: str | None = None) -> list[Letter]:
        """Put a message into the mailbox of each agent, or of each of `team`, but for the one who sends it."""
        from orchgit.engine import letters

        return letters.broadcast(self.layout, self._decider(), draft, team=team)

    def inbox(self, name: str | None = None) -> list[Letter]:
        """Return the unread messages of `name`, or of the one who asks, oldest first; they stay unread."""
        from orchgit.engine import letters

        self._look_widely()
        owner = (
            letters.recipient(self.layout, self.state, name) if name else letters.own_mailbox(self.state, self.caller)
        )
        return letters.unread(self.layout, self._tip, owner, now=self._now)

    def unread(self) -> dict[str, int]:
        """Return how many messages lie unread in whose mailbox: names of files are all that it looks at."""
        from orchgit.repository import loose

        return loose.unread(self.layout)

    def messages(self, name: str | None = None) -> list[Letter]:
        """Return every message for `name`, or for anybody, read and expired ones too, oldest first: this reads all."""
        from orchgit.engine import letters

        self._look_widely()
        owner = letters.recipient(self.layout, self.state, name) if name else None
        return letters.all_of(self.layout, self._tip, owner)

    def read_messages(self, *words: str) -> list[Letter]:
        """Return the messages with these ids, or all unread ones of the one who asks; its own count as read then."""
        from orchgit.engine import letters

        self._look_widely()
        by = self._decider()
        if words:
            wanted = [letters.named(self.layout, self._tip, word, owner=by.name) for word in words]
        else:
            owner = letters.own_mailbox(self.state, by)
            wanted = letters.unread(self.layout, self._tip, owner, now=self._now)
        return letters.read(self.layout, by, wanted)

    def delivery(self, message: Letter) -> str:
        """Return when a message gets to whom it is for, a key of `orchgit.model.letter.DELIVERIES`."""
        from orchgit.engine import deliveries

        return deliveries.delivery(self.layout, self.refresh(), message)
