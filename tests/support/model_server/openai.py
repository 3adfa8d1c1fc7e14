"""What both interfaces of OpenAI have in common: errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.support.model_server.script import Why

if TYPE_CHECKING:
    from tests.support.model_server.script import Refuse

_REFUSALS: Final = {
    Why.KEY: (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: made-up."),
    Why.LIMIT: (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    Why.BROKEN: (500, "server_error", None, "The server had an error while processing your request."),
    Why.OVERLOADED: (529, "server_error", None, "Overloaded"),
    Why.TOO_LONG: (
        400, "invalid_request_error", "context_length_exceeded",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
    ),
    Why.CREDIT: (
        429, "insufficient_quota", "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    Why.MODEL: (
        404, "invalid_request_error", "model_not_found",
        "The model `no-such-model` does not exist or you do not have access to it.",
    ),
}  # fmt: skip


def refusal(turn: Refuse) -> tuple[int, dict[str, Any]]:
    status, kind, code, words = _REFUSALS[turn.why]
    return status, {"error": {"message": words, "type": kind, "param": None, "code": code}}
