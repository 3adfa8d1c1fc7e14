"""Tells of programs that agents run and that aren't there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchgit.api import Project
    from orchgit.model.agent import Agent


def tell_of_missing(project: Project, agents: Iterable[Agent]) -> None:
    """Say on stderr, once for each program, whose runs fail until it is there."""
    missing: dict[str, list[str]] = {}
    for agent in agents:
        program = project.missing_program(agent)
        if program is not None:
            missing.setdefault(program, []).append(agent.name)
    for program, names in missing.items():
        whose = f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]
        click.echo(f"orchgit: {program} is not on the PATH: runs of {whose} fail until it is installed.", err=True)
