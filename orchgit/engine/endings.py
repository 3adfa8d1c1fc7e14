"""How the latest runs of this clone ended: what the breaker and the cool-down judge by."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from orchgit.model import breaker, cooldown
from orchgit.model.breaker import Ending
from orchgit.repository import runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchgit.model.breaker import Rest
    from orchgit.model.cooldown import CoolDown
    from orchgit.model.run import Result
    from orchgit.repository.layout import Layout
    from orchgit.repository.runs import Folder
    from orchgit.repository.states import State

_LOOKED_AT = 200  # runs of this clone, from the newest on: older ones say nothing about today
_REMEMBERED = 16  # of each agent: more than make its rest any longer

Endings = dict[str, tuple[Ending, ...]]  # an agent's name: how its runs ended, newest first


def latest(layout: Layout) -> Endings:
    """Return how the latest runs ended, by agent."""
    found: Endings = {}
    for place in reversed(list(islice(runs.all_of(layout), _LOOKED_AT))):
        note(found, place, runs.read_result(place))
    return found


def note(endings: Endings, place: Folder, result: Result | None) -> None:
    """Put how a run ended before what is known of its agent, once.

    One that never had a runner says nothing, nor one that could not go on with its session.
    """
    if result is None or result.is_void or result.started is None or result.finished is None or not place.spec.exists():
        return
    if any(result.run == each.run for known in endings.values() for each in known):
        return
    spec = runs.read_spec(place)
    ending = Ending(
        spec.run, spec.task, spec.agent, spec.agent_file, result.outcome, result.started, result.finished,
        result.again_in,
    )  # fmt: skip
    known = (ending, *endings.get(spec.agent, ()))
    endings[spec.agent] = tuple(sorted(known, key=lambda each: each.finished, reverse=True)[:_REMEMBERED])


def rests(endings: Endings, state: State, now: datetime | None = None) -> Mapping[str, Rest | CoolDown]:
    """Return the agents that rest or cool down now."""
    moment = now or datetime.now(UTC)
    found = (
        _rest(known, state.items[state.agents[name].path][0], moment)
        for name, known in endings.items()
        if name in state.agents
    )
    return {rest.agent: rest for rest in found if rest is not None}


def _rest(known: tuple[Ending, ...], file: str, now: datetime) -> Rest | CoolDown | None:
    return cooldown.cool_down(known, file=file, now=now) or breaker.rest(known, file=file, now=now)
