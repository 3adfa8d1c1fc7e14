"""Judges what stopped a CLI, by its provider's status and words: a limit, for good, or worth a retry?"""

from __future__ import annotations

import re
from typing import Final

from orchgit.adapters import jsonlines
from orchgit.adapters.protocol import Verdict
from orchgit.model.run import Outcome

_NO_CREDIT = re.compile(
    r"credit balance|insufficient[ _](?:quota|credits?|funds|balance)|billing|payment required|current quota"
    r"|out of credits",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"authenticat|unauthorized|not logged in|invalid (?:x-)?api[ _-]?key|invalid_api_key|incorrect api key|oauth token"
    r"|no api key|missing (?:api key|environment variable)|not authorized|please run /login",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model_not_found|model[- ]not[- ]found|unknown model|no such model|\Amodel: "
    r"|model\b.{0,80}?\b(?:not (?:exist|found|supported|available)|may not exist)",
    re.IGNORECASE | re.DOTALL,
)
_LIMIT = re.compile(
    r"rate.?limit|too many requests|overloaded|usage.?limit|hit your .{0,20}limit|limit reached|quota", re.IGNORECASE
)
_TOO_LONG = re.compile(
    r"(?:prompt|input|request) is too long|context.?length|context.?window|maximum context|too many tokens",
    re.IGNORECASE,
)
_BAD_CALL = re.compile(
    r"unknown (?:option|argument|command|feature)|unexpected argument|invalid value|unrecognized|cannot be used with"
    r"|required arguments? |must be provided|error loading config|config\S* is (?:not valid|invalid)|not found: --",
    re.IGNORECASE,
)
_AGAIN = re.compile(
    r"(?:again|retry|resets?|available|wait)\s+(?:in|after|for)?\s*(?P<span>(?:\d+(?:\.\d+)?\s*[a-z]+[,\s]*(?:and\s+)?){1,4})",
    re.IGNORECASE,
)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)", re.IGNORECASE)
_SECONDS: Final = {"ms": 0.001, "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hr": 3600,
                   "hour": 3600, "d": 86400, "day": 86400}  # fmt: skip

NOT_RUN: Final = (126, 127)  # exit codes of a script that finds no interpreter


def limited(words: str, again_in: float | None = None) -> Verdict:
    said = jsonlines.one_line(words)
    wait = again_in if again_in is not None else until_again(words)
    return Verdict(Outcome.LIMITED, f"the provider's limit was hit{f': {said}' if said else ''}", again_in=wait)


def refusal(words: str, *, status: int | None, again_in: float | None = None, worked: bool = True) -> Verdict:
    """Return the verdict on a run that an error of its provider ended; `words` are the CLI's own.

    `worked`: it went on with a session, or had taken a turn. Only then a prompt that is too long may fit another time.
    """
    said = jsonlines.one_line(words) or (f"status {status}" if status else "it failed without a word")
    if _NO_CREDIT.search(words) or status == 402:
        return Verdict(Outcome.FATAL, said)
    if _TOO_LONG.search(words) or status == 413:
        return Verdict(Outcome.FAILED, said, session_lost=True) if worked else Verdict(Outcome.FATAL, said)
    if status in (429, 529) or (status in (None, 503) and _LIMIT.search(words)):
        return limited(words, again_in)
    if status in (401, 403, 404):
        return Verdict(Outcome.FATAL, said)
    if status in (None, 400) and any(each.search(words) for each in (_REFUSED, _NO_MODEL)):
        return Verdict(Outcome.FATAL, said)
    return Verdict(Outcome.FAILED, said)


def without_result(words: str, exit_code: int) -> Verdict:
    """Return the verdict on a run that ended without saying how; `words` are its last ones on stderr."""
    said = jsonlines.one_line(words)
    if exit_code in NOT_RUN:
        return Verdict(Outcome.FATAL, said or f"its CLI was not found or can't be run (exit code {exit_code})")
    if exit_code < 0 or exit_code > 128:
        return Verdict(Outcome.FAILED, f"ended by signal {-exit_code if exit_code < 0 else exit_code - 128}")
    if exit_code == 0:
        return Verdict(Outcome.FAILED, "ended without a result")
    wrong = next((line for line in words.splitlines() if _BAD_CALL.search(line)), "")
    if wrong:
        return Verdict(Outcome.FATAL, jsonlines.one_line(wrong))
    found = refusal(words, status=None) if said else Verdict(Outcome.FAILED)
    return found if found.outcome is not Outcome.FAILED else Verdict(
        Outcome.FAILED, f"exit code {exit_code}{f': {said}' if said else ''}", session_lost=found.session_lost
    )  # fmt: skip


def is_limit(status: int | None, words: str = "") -> bool:
    return status in (429, 529) or (status is None and _LIMIT.search(words) is not None)


def until_again(words: str) -> float | None:
    """Return in how many seconds the provider may be asked again, by its words; None where they don't say it so."""
    found = _AGAIN.search(words)
    parts = _PART.findall(found["span"]) if found else []
    known = [
        (float(amount), _SECONDS.get(unit.lower()) or _SECONDS.get(unit.lower().removesuffix("s")))
        for amount, unit in parts
    ]
    spans = [amount * unit for amount, unit in known if unit]
    return sum(spans) if spans else None


def was_denied(denied: dict[str, str]) -> tuple[str, ...]:
    """Return the note for who reviews work that went on although something was denied."""
    if not denied:
        return ()
    first = list(dict.fromkeys(denied.values()))
    more = f" and {len(first) - 3} more" if first[3:] else ""
    return (f"it was not allowed to use: {'; '.join(first[:3])}{more}",)
