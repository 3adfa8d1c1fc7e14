"""What runs use: tokens, turns and money, added up and put into words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from orchgit.model.dataclass import dataclass

if TYPE_CHECKING:
    from orchgit.model.trailers import Message

_TOKENS = re.compile(r"(\d{1,18}) in, (\d{1,18}) out(?:, (\d{1,18}) cached)?", re.ASCII)
_REASONING = re.compile(r"\d{1,18}", re.ASCII)
_COST = re.compile(r"\d{1,12}(?:\.\d{1,12})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used on top of what was said before, or a sum of such amounts. No token is counted twice in it.

    `input` are tokens that no cache held, `cache` those that one did, `output` the answer without the `reasoning`
    before it. `cost_usd` is None where nobody said what it costs.
    """

    input: int = 0
    output: int = 0
    cache: int = 0
    reasoning: int = 0
    turns: int = 0
    cost_usd: float | None = None

    @property
    def tokens(self) -> int:
        """All tokens but the cached ones."""
        return self.input + self.output + self.reasoning

    def __add__(self, other: Usage) -> Usage:
        costs = [each.cost_usd for each in (self, other) if each.cost_usd is not None]
        return Usage(
            self.input + other.input, self.output + other.output, self.cache + other.cache,
            self.reasoning + other.reasoning, self.turns + other.turns, sum(costs) if costs else None,
        )  # fmt: skip

    def __str__(self) -> str:
        tokens = _tokens(self) if self.tokens or self.cache else ""
        turns = f"{self.turns} {'turn' if self.turns == 1 else 'turns'}" if self.turns else ""
        return ", ".join(filter(None, (tokens, dollars(self.cost_usd), turns))) or "nothing"


def dollars(cost: float | None) -> str:
    """Return an amount of money as a person reads it, or "" for none: $0.0421."""
    return "" if cost is None else f"${amount(cost)}"


def amount(cost: float) -> str:
    """Return US dollars to the millionth, with four decimals where those say it."""
    whole, _, part = f"{cost:.6f}".partition(".")
    return f"{whole}.{part[:4]}{part[4:].rstrip('0')}"


def trailers(used: Usage | None) -> dict[str, str | None]:
    """Return what a commit says of what its run used; None where nothing is known."""
    tokens = _tokens(used) if used and (used.tokens or used.cache) else None
    return {
        "Tokens": tokens,
        "Reasoning-Tokens": str(used.reasoning) if used and used.reasoning else None,
        "Cost-USD": amount(used.cost_usd) if used and used.cost_usd is not None else None,
    }


def from_trailers(message: Message) -> Usage | None:
    """Return what a commit says that its run used. What was reasoning is a part of what `Tokens` calls out."""
    tokens, cost = _TOKENS.fullmatch(message.get("Tokens") or ""), _COST.fullmatch(message.get("Cost-USD") or "")
    if not tokens and not cost:
        return None
    read, wrote, cached = (int(word or 0) for word in tokens.groups()) if tokens else (0, 0, 0)
    thought = _REASONING.fullmatch(message.get("Reasoning-Tokens") or "")
    reasoning = min(int(thought[0]), wrote) if thought else 0
    return Usage(read, wrote - reasoning, cached, reasoning, cost_usd=float(cost[0]) if cost else None)


def _tokens(used: Usage) -> str:
    cached = f", {used.cache} cached" if used.cache else ""
    return f"{used.input} in, {used.output + used.reasoning} out{cached}"
