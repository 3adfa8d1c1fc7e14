"""The one judge: which change of status may follow which, by whom, and what it sets."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from orchgit.model.actor import Kind
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import RefusedError
from orchgit.model.task import Status, Task

if TYPE_CHECKING:
    from orchgit.model.actor import Actor

TODO, IN_PROGRESS, REVIEW, DONE = Status.TODO, Status.IN_PROGRESS, Status.REVIEW, Status.DONE
RETRYING, FAILED, CANCELLED = Status.RETRYING, Status.FAILED, Status.CANCELLED


class Ask(StrEnum):
    """What is asked for."""

    DISPATCH = "dispatch"
    TAKE = "take"
    SUCCEED = "succeed"
    SUBMIT = "submit"
    RETRY_LATER = "retry later"
    COOL_DOWN = "cool down"
    FAIL = "fail"
    RELEASE = "release"
    GIVE_UP = "give up"
    APPROVE = "approve"
    COMPLETE = "complete"
    REJECT = "reject"
    SEND_BACK = "send back"
    REOPEN = "retry"
    CANCEL = "cancel"


class Count(StrEnum):
    """What becomes of `attempts`."""

    KEEP = "keep"
    UP = "up"
    DOWN = "down"
    RESET = "reset"


class Owner(StrEnum):
    """Who must hold the task: the engine (it has a `run`), a person (it has none), or anyone."""

    ENGINE = "engine"
    PERSON = "person"
    ANYONE = "anyone"


@dataclass(frozen=True, slots=True)
class Rule:
    """`ask` takes a task from any of `sources` to `target`.

    `sets` must be given, `may` can be; `clears` is removed from the file.
    """

    ask: Ask
    sources: frozenset[Status]
    target: Status
    by: frozenset[Kind]
    count: Count = Count.KEEP
    owner: Owner = Owner.ANYONE
    sets: frozenset[str] = frozenset()
    clears: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()


_ENGINE = frozenset({Kind.ENGINE})
_PERSON = frozenset({Kind.PERSON})
_RUN = frozenset({"run", "machine"})
_REVIEW = frozenset({"review_base", "review_commit"})

RULES: Final[tuple[Rule, ...]] = (
    Rule(Ask.DISPATCH, frozenset({TODO, RETRYING}), IN_PROGRESS, _ENGINE, Count.UP,
         sets=_RUN | {"agent"}, clears=frozenset({"retry_at"}) | _REVIEW, may=frozenset({"branch"})),
    Rule(Ask.TAKE, frozenset({TODO, RETRYING}), IN_PROGRESS, _PERSON, Count.UP,
         sets=frozenset({"agent"}), clears=frozenset({"retry_at"}) | _REVIEW, may=frozenset({"branch"})),
    Rule(Ask.SUCCEED, frozenset({IN_PROGRESS}), REVIEW, _ENGINE, owner=Owner.ENGINE, sets=_REVIEW, clears=_RUN),
    Rule(Ask.SUBMIT, frozenset({IN_PROGRESS}), REVIEW, _PERSON, owner=Owner.PERSON, sets=_REVIEW | {"branch"}),
    Rule(Ask.RETRY_LATER, frozenset({IN_PROGRESS}), RETRYING, _ENGINE, owner=Owner.ENGINE,
         sets=frozenset({"retry_at"}), clears=_RUN),
    Rule(Ask.COOL_DOWN, frozenset({IN_PROGRESS}), RETRYING, _ENGINE, Count.DOWN, owner=Owner.ENGINE,
         sets=frozenset({"retry_at"}), clears=_RUN),
    Rule(Ask.FAIL, frozenset({IN_PROGRESS}), FAILED, _ENGINE, owner=Owner.ENGINE, clears=_RUN),
    Rule(Ask.FAIL, frozenset({REVIEW}), FAILED, _ENGINE),
    Rule(Ask.RELEASE, frozenset({IN_PROGRESS}), TODO, _PERSON | _ENGINE, Count.DOWN, clears=_RUN | {"agent"}),
    Rule(Ask.GIVE_UP, frozenset({RETRYING}), FAILED, _PERSON, clears=frozenset({"retry_at"})),
    Rule(Ask.APPROVE, frozenset({REVIEW}), DONE, _PERSON, sets=frozenset({"review_commit", "closed"})),
    Rule(Ask.COMPLETE, frozenset({REVIEW}), DONE, _ENGINE, sets=frozenset({"closed"})),
    Rule(Ask.REJECT, frozenset({REVIEW}), TODO, _PERSON, Count.RESET, clears=_REVIEW | {"agent"}),
    Rule(Ask.SEND_BACK, frozenset({REVIEW}), TODO, _ENGINE, clears=_REVIEW | {"agent"}),
    Rule(Ask.REOPEN, frozenset({FAILED, CANCELLED}), TODO, _PERSON, Count.RESET,
         clears=_REVIEW | {"agent", "closed", "retry_at"}),
    Rule(Ask.CANCEL, frozenset({TODO, IN_PROGRESS, RETRYING, REVIEW}), CANCELLED, _PERSON | _ENGINE,
         sets=frozenset({"closed"}), clears=_RUN | {"retry_at"}),
    Rule(Ask.CANCEL, frozenset({FAILED}), CANCELLED, _PERSON, sets=frozenset({"closed"})),
)  # fmt: skip


def judge(task: Task, ask: Ask, by: Actor) -> Rule:
    """Return the rule that allows `ask`; RefusedError says why there is none and what is allowed instead."""
    rules = [rule for rule in RULES if rule.ask is ask]
    found = next((rule for rule in rules if _allows(rule, task, by)), None)
    if found is None:
        raise RefusedError(_refusal(task, ask, by, rules), _allowed(task, by))
    return found


def attempts_after(rule: Rule, attempts: int) -> int:
    """Return what `attempts` becomes when `rule` is carried out."""
    match rule.count:
        case Count.KEEP:
            return attempts
        case Count.UP:
            return attempts + 1
        case Count.DOWN:
            return max(attempts - 1, 0)
        case Count.RESET:
            return 0


def fits(rule: Rule, task: Task) -> bool:
    """Does `rule` start where `task` stands, and with whoever holds it?"""
    owned = rule.owner is Owner.ANYONE or (rule.owner is Owner.ENGINE) == (task.run is not None)
    return owned and task.status in rule.sources


def _allows(rule: Rule, task: Task, by: Actor) -> bool:
    return fits(rule, task) and by.kind in rule.by


def _refusal(task: Task, ask: Ask, by: Actor, rules: list[Rule]) -> str:
    if not any(by.kind in rule.by for rule in rules):
        return f"{ask} of {task.id} is not for {_a(by.kind)} to do."
    if not any(task.status in rule.sources for rule in rules):
        return f"{task.id} is {task.status}: {ask} needs it to be {_either(rules)}."
    holder = f"agent {task.agent} is working on it" if task.run else f"{task.agent or 'somebody'} took it by hand"
    return f"{ask} of {task.id} is refused: {holder}."


def _allowed(task: Task, by: Actor) -> str:
    asks = dict.fromkeys(rule.ask for rule in RULES if _allows(rule, task, by))
    if asks:
        return f"From {task.status} you can ask for: {', '.join(asks)}."
    if by.kind is Kind.AGENT:
        return "An agent ends its run well, and its work goes to review; a person decides the rest."
    return f"Nothing follows {task.status}: what is still to do is a new task."


def _either(rules: list[Rule]) -> str:
    *others, last = (status for status in Status if any(status in rule.sources for rule in rules))
    return f"{', '.join(others)} or {last}" if others else last


def _a(kind: Kind) -> str:
    return "the engine" if kind is Kind.ENGINE else f"an {kind}" if kind is Kind.AGENT else f"a {kind}"
