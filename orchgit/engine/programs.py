"""The program that an agent runs: is it there?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from orchgit.adapters.protocol import Job
from orchgit.engine import briefing, environment
from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchgit.model.agent import Agent
    from orchgit.model.config import Config


@dataclass(frozen=True, slots=True)
class Program:
    """What an agent runs, in which environment. `place` is where it lies; None where it isn't on the PATH."""

    name: str
    env: Mapping[str, str]
    place: str | None


def find(agent: Agent, config: Config) -> Program:
    """Look for what `agent` runs, as a run of it would; RefusedError where that could not start anyway."""
    adapter, agent = briefing.driver(agent, config)
    launch = adapter.launch(agent, Job(""))
    env = environment.for_agent({**dict(agent.env), **launch.env}.items(), {})
    return Program(launch.argv[0], env, shutil.which(launch.argv[0], path=env["PATH"]))
