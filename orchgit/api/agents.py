"""The agents of an open project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchgit.api.opened import Opened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from orchgit.engine.agents import Settings
    from orchgit.engine.orgs import Deployed
    from orchgit.model.agent import Agent
    from orchgit.model.breaker import Rest
    from orchgit.model.cooldown import CoolDown


class Agents(Opened):
    """Agents, one by one and by whole organisations."""

    __slots__ = ()

    def agents(self) -> list[Agent]:
        return sorted(self.state.agents.values(), key=lambda agent: agent.name)

    def agent(self, name: str) -> Agent:
        return self.state.agent(name)

    def rests(self) -> Mapping[str, Rest | CoolDown]:
        """Return the agents that are given nothing for a while.

        Their last runs in this clone died at once (Rest), or their provider's limit was hit (CoolDown).
        """
        from orchgit.engine import endings

        return endings.rests(endings.latest(self.layout), self.state)

    def limitations(self, agent: Agent) -> tuple[str, ...]:
        """Return which of the agent's settings its CLI can't do, a sentence each."""
        from orchgit.engine import dispatch

        return dispatch.limitations(agent, self.state.config)

    def missing_program(self, agent: Agent) -> str | None:
        """Return the name of the program that the agent runs, where it isn't there."""
        from orchgit.engine import programs
        from orchgit.model.errors import OrchgitError

        try:
            found = programs.find(agent, self.state.config)
        except OrchgitError:
            return None  # it can't be started for another reason, which is told elsewhere
        return None if found.place else found.name

    def add_agent(
        self, name: str, settings: Settings, *, role: str | None = None, template: str | None = None
    ) -> Agent:
        """Make an agent; `template` is a role of the shop to begin with, which `settings` and `role` overrule."""
        from orchgit.engine import agents

        return agents.add(self.layout, self.caller, name, settings, role=role, template=template)

    def edit_agent(self, name: str, settings: Settings, *, role: str | None = None) -> Agent:
        from orchgit.engine import agents

        return agents.edit(self.layout, self.caller, name, settings, role=role)

    def rewrite_agent(self, name: str, *, base: str, typed: str) -> Agent:
        from orchgit.engine import agents

        return agents.rewrite(self.layout, self.caller, name, base=base, typed=typed)

    def remove_agent(self, name: str) -> Agent:
        """Remove an agent, from the teams that it is in too, and return it."""
        from orchgit.engine import agents

        return agents.remove(self.layout, self.caller, name)

    def deploy(self, name: str, *, goal: str = "", settings: Settings | None = None, prefix: str = "") -> Deployed:
        """Make all that the organisation `name` is, in one write; `settings` go to each of its agents."""
        from orchgit.engine import orgs

        return orgs.deploy(self.layout, self.caller, name, goal=goal, settings=settings, prefix=prefix)

    def export(self, name: str, *, description: str = "", team: str | None = None) -> str:
        """Return the team called `team`, or all agents, as the text of an organisation called `name`."""
        from orchgit.engine import orgs

        return orgs.exported(self.layout, self.state, name, description=description, team=team)

    def keep_org(self, name: str, text: str, *, force: bool = False) -> Path:
        """Put what `export` returned among the person's own templates, and return where that is."""
        from orchgit.engine import orgs

        return orgs.keep(self.caller, name, text, force=force)
