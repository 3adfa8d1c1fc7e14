"""Where a running team has what was typed judged: what a watcher names at once, all there is now and then."""

from __future__ import annotations

import time
from dataclasses import field
from typing import TYPE_CHECKING

from orchgit.engine import edits, letters
from orchgit.engine.edits import Taken
from orchgit.engine.telling import Level, Notice
from orchgit.model.dataclass import dataclass
from orchgit.repository import identity, judged, settled, store

if TYPE_CHECKING:
    from orchgit.engine.telling import Notify
    from orchgit.engine.watch import Bell
    from orchgit.repository.layout import Layout


@dataclass(slots=True)
class Desk:
    """Remembers what it could not judge yet: a file that is still being written, or one that a busy ledger held up."""

    layout: Layout
    bell: Bell
    _later: set[str] = field(default_factory=set)
    _looked: float | None = None
    _mail: letters.Due = letters.NOTHING_DUE

    def take_in(self, notify: Notify) -> tuple[str, ...]:
        """Judge what was typed since the last look; return a line for each file that was refused and lies there still,
        and for what keeps any from being judged.

        Every file is looked at where the last such look is as long ago as the slow tick: a watcher misses some.
        """
        taken = Taken()
        tip = store.tip(self.layout)
        if settled.is_behind(self.layout, tip):
            from orchgit.engine import incoming

            incoming.settle(self.layout, tip, taken, patient=False)
            tip = store.tip(self.layout)
        state = store.read(self.layout, tip)
        among = self._named(state.config.poll_interval_ms / 1000)
        by = identity.machine(self.layout.common)
        edits.take_in(self.layout, by, state, taken, patient=False, among=among, widely=among is None)
        if among is None:
            self._mail = letters.tidy(self.layout, tip, self._mail)
        self._later = taken.later
        for each in taken.news:
            notify(Notice("edit", each, Level.INFO))
        refused = (verdict.error for verdict in judged.read(self.layout).values() if verdict.reason)
        stays = (f"{error.what.removesuffix('.')}. It stays as typed. {error.next_step}".rstrip() for error in refused)
        return (*stays, *filter(None, [taken.hindered]))

    def _named(self, tick: float) -> set[str] | None:
        saved, now = self.bell.saved(), time.monotonic()
        if self._looked is None or now - self._looked >= tick:
            self._looked = now
            return None
        inside = f"{self.layout.state}/"
        return self._later | {path.removeprefix(inside) for path in saved if path.startswith(inside)}
