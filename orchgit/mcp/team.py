"""What may be asked of the team, a method a tool; its docstring is what an agent reads of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchgit import api
from orchgit.mcp.said import beginning, plain
from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from pathlib import Path

_ROLE = 500  # characters of each role: what its agent is for


@dataclass(frozen=True, slots=True)
class Team:
    """Of the project that `place` lies in."""

    place: Path

    def agent_list(self) -> dict[str, Any]:
        """The agents of the team: what drives each, its role in short, what it works on. Their names are assignees."""
        from orchgit.engine.agents import working_on

        project = api.open_project(self.place)
        busy = working_on(project.state)
        return plain({
            "agents": [
                {
                    "name": each.name, "adapter": each.adapter or project.config().agent_adapter, "model": each.model,
                    "role": beginning(each.role, _ROLE), "labels": each.labels, "skills": each.skills,
                    "enabled": each.enabled, "works_on": busy.get(each.name, ""),
                }
                for each in project.agents()
            ]
        })  # fmt: skip

    def team_list(self) -> dict[str, Any]:
        """The teams that agents form, and who leads each. A task whose assignee is a team goes to a member of it."""
        found = api.open_project(self.place).teams()
        return plain({
            "teams": [
                {"name": each.name, "lead": each.lead, "members": each.everyone, "description": each.description}
                for each in found
            ]
        })  # fmt: skip
