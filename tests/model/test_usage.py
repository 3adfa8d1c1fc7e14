"""What runs use: added up, in words, in a commit's trailers and out of them again."""

from __future__ import annotations

import pytest

from orchgit.model import trailers, usage
from orchgit.model.trailers import Message
from orchgit.model.usage import Usage

ALL = Usage(input=4200, output=800, cache=90_000, reasoning=12, turns=2, cost_usd=0.0421)


def test_amounts_add_up() -> None:
    assert ALL + Usage(input=1, output=2, cache=3, reasoning=4, turns=5, cost_usd=0.5) == Usage(
        4201, 802, 90_003, 16, 7, 0.5421
    )
    assert Usage(cost_usd=0.25) + Usage(input=1) == Usage(input=1, cost_usd=0.25)
    assert (Usage() + Usage()).cost_usd is None


def test_cached_tokens_do_not_count() -> None:
    assert ALL.tokens == 4200 + 800 + 12


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (Usage(), "nothing"),
        (Usage(4200, 812), "4200 in, 812 out"),
        (ALL, "4200 in, 812 out, 90000 cached, $0.0421, 2 turns"),
        (Usage(turns=1), "1 turn"),
        (Usage(cost_usd=0.0), "$0.0000"),
        (Usage(cost_usd=12.5), "$12.5000"),
        (Usage(cost_usd=0.000025), "$0.000025"),
        (Usage(cost_usd=0.1 + 0.2), "$0.3000"),
    ],
)
def test_it_is_put_into_words(used: Usage, words: str) -> None:
    assert str(used) == words


@pytest.mark.parametrize(
    ("used", "said"),
    [
        (None, {}),
        (Usage(turns=3), {}),
        (Usage(4200, 812), {"Tokens": "4200 in, 812 out"}),
        (Usage(cost_usd=0.0421), {"Cost-USD": "0.0421"}),
        (ALL, {"Tokens": "4200 in, 812 out, 90000 cached", "Reasoning-Tokens": "12", "Cost-USD": "0.0421"}),
    ],
)
def test_a_commit_says_what_is_known(used: Usage | None, said: dict[str, str]) -> None:
    assert dict(trailers.given(usage.trailers(used))) == said


@pytest.mark.parametrize(
    "used", [Usage(4200, 812), Usage(cost_usd=0.0421), Usage(1, 2, 3, cost_usd=4.0), Usage(1, 2, 3, 4)]
)
def test_what_a_commit_says_is_read_again(used: Usage) -> None:
    message = trailers.parse(trailers.render(Message("a", "b", trailers.given(usage.trailers(used)))))
    assert usage.from_trailers(message) == used


@pytest.mark.parametrize("said", [(), (("Tokens", "many"),), (("Cost-USD", "-1"),), (("Tokens", "1 in, 2 out, 3"),)])
def test_what_cannot_be_read_is_no_usage(said: tuple[tuple[str, str], ...]) -> None:
    assert usage.from_trailers(Message("a", "b", said)) is None


@pytest.mark.parametrize(("said", "reasoning"), [("3", 3), ("9", 5), ("-1", 0), ("some", 0)])
def test_reasoning_is_a_part_of_what_was_put_out(said: str, reasoning: int) -> None:
    used = usage.from_trailers(Message("a", "b", (("Tokens", "1 in, 5 out"), ("Reasoning-Tokens", said))))
    assert used == Usage(1, 5 - reasoning, reasoning=reasoning)
