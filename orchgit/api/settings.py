"""The settings of an open project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.api.opened import Opened

if TYPE_CHECKING:
    from orchgit.model.config import Config


class Configuration(Opened):
    """The project's own settings."""

    __slots__ = ()

    def config(self) -> Config:
        return self.state.config

    def set_config(self, key: str, value: str) -> Config:
        from orchgit.engine import settings

        return settings.change(self.layout, self.caller, key, value)

    def rewrite_config(self, *, base: str, typed: str) -> Config:
        from orchgit.engine import settings

        return settings.rewrite(self.layout, self.caller, base=base, typed=typed)
