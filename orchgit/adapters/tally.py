"""Adds up what one run has used, and tells each time what is due: what was not said yet."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass
from orchgit.model.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Tally:
    """`said` is what the run was told to have used."""

    said: Usage = field(default_factory=Usage)

    def due(self, total: Usage) -> tuple[Usage, ...]:
        """Return what of `total` was not said yet, if anything; what was said is not taken back."""
        cost = None if total.cost_usd is None else max(total.cost_usd - (self.said.cost_usd or 0), 0)
        more = Usage(
            max(total.input - self.said.input, 0), max(total.output - self.said.output, 0),
            max(total.cache - self.said.cache, 0), max(total.reasoning - self.said.reasoning, 0),
            max(total.turns - self.said.turns, 0), cost or None,
        )  # fmt: skip
        if more == Usage():
            return ()
        self.said += more
        return (more,)


def since(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """Return by how much counters went up; where one went down it began anew."""
    return {key: value - before.get(key, 0) if value >= before.get(key, 0) else value for key, value in now.items()}
