"""The context of an open project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.api.opened import Opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from orchgit.engine.history import Entry
    from orchgit.model.context import Value


class Context(Opened):
    """The team's shared memory."""

    __slots__ = ()

    def context(self, key: str) -> Value:
        """Return what `key` of the team's context holds; NotFoundError where that is nothing, or nothing any more."""
        from orchgit.engine import context

        self._look_widely()
        return context.get(self.layout, self._tip, key, now=self._now)

    def contexts(self, prefix: str = "") -> list[Value]:
        """Return what the keys that begin with `prefix` hold, by key."""
        from orchgit.engine import context

        self._look_widely()
        return context.all_of(self.layout, self._tip, prefix, now=self._now)

    def set_context(self, key: str, value: str | bytes, *, ttl: timedelta | None = None) -> Value:
        """Let `key` hold `value`, text of a megabyte at most, for `ttl` or for good."""
        from orchgit.engine import context

        self._look_widely()
        data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        return context.set_(self.layout, self._decider(), key, data, ttl=ttl)

    def delete_context(self, key: str) -> None:
        from orchgit.engine import context

        self._look_widely()
        context.delete(self.layout, self._decider(), key)

    def context_log(self, key: str) -> Iterator[Entry]:
        """Return the commits that set or deleted `key`, newest first; NotFoundError where none ever did."""
        from orchgit.engine import context

        self._look_widely()
        return context.log(self.layout, self._tip, key)
