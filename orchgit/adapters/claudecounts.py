"""What a run of Claude Code has used: its messages as they come, then the sums of its result.

Its messages leave out the calls of subagents and helpers, and most of the output; the result alone knows the cost. The
result's sums go on through a session from some version on, and begin anew with each run before that.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, Final

from orchgit.adapters import tally
from orchgit.adapters.jsonlines import at, count, number, text
from orchgit.model.dataclass import dataclass
from orchgit.model.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

_PER_RUN: Final = (2, 1, 197)  # the last version that is known to begin anew with each run
_NOTHING: Final = 1e-9  # dollars: what sums of money may differ by, and be the same


@dataclass(slots=True)
class Counts:
    """`before` are the session's counters as the run found them, `version` is what the CLI says of itself."""

    before: Mapping[str, float]
    version: str = ""
    _reported: Mapping[str, float] = field(default_factory=dict)
    _messages: dict[str, Usage] = field(default_factory=dict)
    _streamed: Usage = field(default_factory=Usage)
    _least: Mapping[str, float] = field(default_factory=dict)
    _began: Mapping[str, float] | None = None
    _tally: tally.Tally = field(default_factory=tally.Tally)

    @property
    def turns(self) -> int:
        return self._tally.said.turns

    @property
    def counters(self) -> dict[str, float]:
        """How far the session's counters have come: as it reports them, else as before and what this run used.

        It may know nothing of a run that was killed, so that its own report is lower than what was noted then.
        """
        if self._reported:
            return dict(self._reported)
        own = _counters_of(self._tally.said)
        if not self.before and own == _counters_of(Usage()):
            return {}
        return {key: self.before.get(key, 0) + value for key, value in own.items()}

    def message(self, message: object, *, is_main: bool) -> tuple[Usage, ...]:
        """Return what a message used, told once; it comes in pieces, each with what is known by then."""
        name, used = text(message, "id"), _of_message(at(message, "usage"))
        known = self._messages.get(name, Usage())
        more = Usage(
            max(used.input - known.input, 0), max(used.output - known.output, 0), max(used.cache - known.cache, 0),
            turns=int(is_main and not known.turns),
        )  # fmt: skip
        self._messages[name] = known + more
        self._streamed += more
        return self._tally.due(self._streamed)

    def total(self, result: object) -> tuple[Usage, ...]:
        """Return what a result knows of beyond the messages; of several, the sums go on, and `usage` begins anew."""
        now = _of_models(at(result, "modelUsage"), number(result, "total_cost_usd"))
        if self._began is None:
            self._began = self._before(now["cost_usd"])
        before, least = self._began, _of_turn(at(result, "usage"))
        self._least = {key: self._least.get(key, 0) + value for key, value in least.items()}
        own = {key: max(value - before.get(key, 0), self._least.get(key, 0)) for key, value in now.items()}
        self._reported = now if before else {}
        return self._tally.due(_usage(own))

    def _before(self, cost: float) -> Mapping[str, float]:
        """Return where the sums began; a cost that is lower than before began anew, whatever the version."""
        version = tuple(map(int, re.findall(r"\d+", self.version)[:3]))
        return {} if version <= _PER_RUN or cost < self.before.get("cost_usd", 0) - _NOTHING else self.before


def _of_message(used: object) -> Usage:
    fresh = count(used, "input_tokens") + count(used, "cache_creation_input_tokens")
    return Usage(fresh, count(used, "output_tokens"), count(used, "cache_read_input_tokens"))


def _of_models(models: object, cost: float) -> dict[str, float]:
    each = [value for value in models.values() if isinstance(value, dict)] if isinstance(models, dict) else []
    return {
        "input": sum(number(one, "inputTokens") + number(one, "cacheCreationInputTokens") for one in each),
        "output": sum(number(one, "outputTokens") for one in each),
        "cache": sum(number(one, "cacheReadInputTokens") for one in each),
        "thinking": sum(number(one, "thinkingTokens") for one in each),
        "cost_usd": cost,
    }


def _of_turn(used: object) -> dict[str, float]:
    """Return what the result says of what came since the one before; it may leave out calls."""
    said = _of_message(used)
    thinking = number(used, "output_tokens_details", "thinking_tokens")
    return {"input": said.input, "output": said.output, "cache": said.cache, "thinking": thinking}


def _usage(counters: Mapping[str, float]) -> Usage:
    """Return counters as usage: here the thinking is part of the output."""
    thinking = min(counters["thinking"], counters["output"])
    return Usage(
        int(counters["input"]), int(counters["output"] - thinking), int(counters["cache"]), int(thinking),
        cost_usd=counters["cost_usd"],
    )  # fmt: skip


def _counters_of(used: Usage) -> dict[str, float]:
    return {
        "input": used.input, "output": used.output + used.reasoning, "cache": used.cache, "thinking": used.reasoning,
        "cost_usd": used.cost_usd or 0,
    }  # fmt: skip
