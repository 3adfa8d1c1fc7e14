"""The teams of an open project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.api.opened import Opened

if TYPE_CHECKING:
    from orchgit.engine.agents import Settings
    from orchgit.model.team import Team


class Teams(Opened):
    """Teams of agents."""

    __slots__ = ()

    def teams(self) -> list[Team]:
        return sorted(self.state.teams.values(), key=lambda team: team.name)

    def team(self, name: str) -> Team:
        return self.state.team(name)

    def add_team(self, name: str, settings: Settings, *, description: str = "") -> Team:
        """Make a team; `settings` are the keys of its file."""
        from orchgit.engine import teams

        return teams.add(self.layout, self.caller, name, settings, description=description)

    def edit_team(self, word: str, settings: Settings, *, description: str | None = None) -> Team:
        """Change keys of a team's file, and its description where one is given."""
        from orchgit.engine import teams

        return teams.edit(self.layout, self.caller, word, settings, description=description)

    def rewrite_team(self, word: str, *, base: str, typed: str) -> Team:
        """Take over a team's file as somebody typed it, who began with the text `base`."""
        from orchgit.engine import teams

        return teams.rewrite(self.layout, self.caller, word, base=base, typed=typed)

    def join_team(self, name: str, agent: str) -> Team:
        from orchgit.engine import teams

        return teams.join(self.layout, self.caller, name, agent)

    def leave_team(self, name: str, agent: str) -> Team:
        from orchgit.engine import teams

        return teams.leave(self.layout, self.caller, name, agent)

    def set_lead(self, name: str, agent: str) -> Team:
        from orchgit.engine import teams

        return teams.set_lead(self.layout, self.caller, name, agent)

    def disband_team(self, name: str) -> None:
        from orchgit.engine import teams

        teams.disband(self.layout, self.caller, name)
