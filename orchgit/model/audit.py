"""The judge of one commit of the state branch: does it do what it says, and do the rules allow what it does?"""

from __future__ import annotations

import re
from dataclasses import field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, assert_never

from orchgit.model import config, document, lifecycle
from orchgit.model.actor import Kind
from orchgit.model.agent import Agent
from orchgit.model.config import Config
from orchgit.model.dataclass import dataclass
from orchgit.model.errors import InvalidFileError
from orchgit.model.goal import Goal
from orchgit.model.goal import Status as GoalStatus
from orchgit.model.task import CLOSED, ENGINE_KEYS, FEEDBACK, FOLDER, Status, Task
from orchgit.model.team import Team

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from orchgit.model.actor import Actor
    from orchgit.model.diff import Change, Commit, File
    from orchgit.model.lifecycle import Rule
    from orchgit.model.trailers import Message


class Offence(StrEnum):
    """What a commit can do that no rule allows; docs/audit.md says what each of them means."""

    ILLEGAL_JUMP = "illegal-jump"
    TWO_TASKS = "two-tasks"
    WRONG_TRAILER = "wrong-trailer"
    REWRITTEN_BODY = "rewritten-body"
    NOT_MERGED = "done-without-merge"
    UNPINNED = "unpinned-approval"
    INVALID_FILE = "invalid-file"
    BAD_SIGNATURE = "bad-signature"
    REWRITTEN_HISTORY = "rewritten-history"


class Signed(StrEnum):
    """What became of the check of a commit's signature."""

    GOOD = "good"
    BAD = "bad"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the commit alone doesn't tell. Empty: nobody has asked, and nothing is held against the commit.

    `in_base` says of commits whether the base branch holds them, `holds` whether the first of two holds the second.
    `restored` are the blobs that the commit which `Restores:` names has at the changed paths; None where there is no
    such commit in the history before. `signed` is None where no signature is required.
    """

    in_base: Mapping[str, bool] = field(default_factory=dict)
    holds: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    restored: Mapping[str, str | None] | None = None
    signed: Signed | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """An offence, the file that it is about ("" for the whole commit), and the reason in a person's words."""

    offence: Offence
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Step:
    """What a commit does to one task; None where there is none before, or after."""

    old: Task | None
    new: Task | None
    before: File | None
    after: File | None

    @property
    def task(self) -> Task:
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def path(self) -> str:
        return self.task.path

    @property
    def moves(self) -> bool:
        """Does the status change?"""
        return self.old is not None and self.new is not None and self.old.status is not self.new.status


NO_FACTS: Final = Facts()
_GUARDED: Final = tuple(key for key in ENGINE_KEYS if key != "attempts")
_TYPED: Final = tuple(key for key in Task.__slots__ if key not in (*ENGINE_KEYS, "id", "path", "status"))
_CRUD: Final = re.compile(r"""[\s<>\x00-\x1f.,:;"'\\]+""")  # what git leaves out of a name, here or there


def judge(commit: Commit, facts: Facts = NO_FACTS) -> tuple[Finding, ...]:
    """Return every offence of `commit`; () where the rules allow it."""
    return tuple(dict.fromkeys((*_signature(facts), *_readable(commit), *_content(commit, facts))))


def adopts(commit: Commit, change: Change) -> bool:
    """Does the ledger make a task, or a goal, here of a file that was none yet, as it makes any new one?"""
    made, message = change.after.item if change.after else None, commit.message
    if not change.before or not isinstance(change.before.item, InvalidFileError) or message.get("Transition"):
        return False
    match made:
        case Task():
            return message.get("Task") == made.id and not any(_creation(made))
        case Goal():
            return message.get("Goal") == made.id
        case _:
            return False


def _signature(facts: Facts) -> Iterator[Finding]:
    match facts.signed:
        case None | Signed.GOOD:
            return
        case Signed.MISSING:
            yield Finding(Offence.BAD_SIGNATURE, "", "it is not signed, and verify.require_signatures asks for it")
        case Signed.BAD:
            yield Finding(Offence.BAD_SIGNATURE, "", "its signature is not good")
        case Signed.UNKNOWN:
            yield Finding(
                Offence.BAD_SIGNATURE, "", "its signature is by a key that is not known, or not trusted, here"
            )
        case _:
            assert_never(facts.signed)


def _readable(commit: Commit) -> Iterator[Finding]:
    for change in commit.parents[0]:
        error = change.after.item if change.after else None
        if isinstance(error, InvalidFileError):
            reason = f"line {error.line}: {f'{error.key}: ' if error.key else ''}{error.reason}"
            yield Finding(Offence.INVALID_FILE, change.path, reason)
        elif change.path == config.PATH and change.before and not change.after:
            yield Finding(Offence.INVALID_FILE, change.path, "was deleted, and the team needs it")


def _content(commit: Commit, facts: Facts) -> Iterator[Finding]:
    steps = tuple(_steps(commit.parents[0]))
    if commit.message.get("Restores"):
        yield from _claims(commit, steps)
        yield from _restoration(commit, facts)
    elif len(commit.parents) > 1:
        yield from _merge(commit)
    elif commit.message.get("Transition"):
        yield from _transition(commit, steps)
    else:
        yield from _request(commit, commit.parents[0])
    for step in steps:
        yield from _done(step, commit.message, facts)


def _steps(changes: Sequence[Change]) -> Iterator[_Step]:
    """Yield what becomes of each task; a file that moves is the same task, and one that can't be read is none."""
    before = {name: each.before for each in changes if (name := _id_of(each.before))}
    after = {name: each.after for each in changes if (name := _id_of(each.after))}
    lost = {_id_of(each.before) for each in changes if each.after and isinstance(each.after.item, InvalidFileError)}
    mended = {_id_of(each.after) for each in changes if each.before and isinstance(each.before.item, InvalidFileError)}
    for name in dict.fromkeys((*before, *after)):
        if (name in after or name not in lost) and (name in before or name not in mended):
            old, new = before.get(name), after.get(name)
            yield _Step(_task_of(old), _task_of(new), old, new)


def _restoration(commit: Commit, facts: Facts) -> Iterator[Finding]:
    named = commit.message.get("Restores")
    if facts.restored is None:
        yield Finding(Offence.WRONG_TRAILER, "", f"Restores names {named}, which is no commit of the history before it")
        return
    for change in commit.parents[0]:
        if (change.after.blob if change.after else None) != facts.restored.get(change.path):
            yield Finding(Offence.WRONG_TRAILER, change.path, f"Restores names {named}, where the file is another")


def _merge(commit: Commit) -> Iterator[Finding]:
    """What a merge holds comes from one of its parents, or is a legal edit of what one of them has."""
    for versions in zip(*commit.parents, strict=True):
        judged = [tuple(_request(commit, (version,))) for version in versions]
        if all(judged):
            yield from judged[0]


def _transition(commit: Commit, steps: Sequence[_Step]) -> Iterator[Finding]:
    yield from _claims(commit, steps)
    changed = [change.path for change in commit.parents[0]]
    paths = {place.path for step in steps for place in (step.old, step.new) if place}
    if len(steps) > 1 or (steps and not paths.issuperset(changed)):
        yield Finding(Offence.TWO_TASKS, changed[0], f"one transition changes {' and '.join(changed)}")
        return
    for step in steps:
        if step.old is None or step.new is None:
            what = "makes" if step.old is None else "removes"
            yield Finding(Offence.ILLEGAL_JUMP, step.path, f"a transition {what} the task")
        else:
            yield from _jump(step.old, step.new, _ruled(step.old, step.new, commit.author), commit.author, strict=True)
            if not (commit.message.get("Via") == "edit" and commit.author.kind is Kind.PERSON):
                yield from _rewriting(step, step.old, step.new)


def _request(commit: Commit, changes: Sequence[Change]) -> Iterator[Finding]:
    """Judge what somebody did by hand: edits are free, a change of status is what a person may ask for."""
    steps = tuple(_steps(changes))
    yield from _claims(commit, steps)
    if len(steps) > 1 and (commit.message.get("Task") or any(step.moves for step in steps)):
        names = " and ".join(step.task.id for step in steps)
        yield Finding(Offence.TWO_TASKS, steps[0].path, f"one commit moves {names}")
    for step in steps:
        yield from _asked(step, commit.author)
    for change in changes if commit.author.kind is Kind.AGENT else ():
        before, after = (each.item if each else None for each in (change.before, change.after))
        theirs = isinstance(after or before, Agent | Team | Config)
        if theirs or (isinstance(after or before, Goal) and not _achieves(before, after)):
            yield Finding(Offence.ILLEGAL_JUMP, change.path, "it is not for an agent to change")


def _achieves(before: object, after: object) -> bool:
    """Does it say of an active goal, which somebody has, that it is achieved, and nothing else?"""
    return (
        isinstance(before, Goal)
        and after == replace(before, status=GoalStatus.ACHIEVED)
        and before.status is GoalStatus.ACTIVE
        and before.assignee is not None
    )


def _asked(step: _Step, by: Actor) -> Iterator[Finding]:
    old, new = step.old, step.new
    if old is None:
        assert new is not None
        yield from _creation(new)
    elif new is None:
        yield from _deletion(old, by)
    else:
        if new.is_archived and not old.is_archived and new.status not in CLOSED:
            yield Finding(Offence.ILLEGAL_JUMP, new.path, f"a task that is {new.status} is not for the archive")
        if step.moves:
            rules = _ruled(old, new, by)
            if rules and by.kind is not Kind.PERSON:
                missing = "the trailers Transition and Run" if new.run else "the trailer Transition"
                reason = f"{old.status} -> {new.status} by {by.name} ({by.kind}) lacks {missing}"
                yield Finding(Offence.ILLEGAL_JUMP, new.path, reason)
            else:
                yield from _jump(old, new, rules, by, strict=False)
        else:
            yield from _kept(old, new)


def _creation(new: Task) -> Iterator[Finding]:
    if new.status is not Status.TODO or not new.path.startswith(f"{FOLDER}/"):
        yield Finding(Offence.ILLEGAL_JUMP, new.path, _misplaced(new))
    elif given := [key for key in _GUARDED if getattr(new, key) is not None] + ["attempts"] * (new.attempts > 0):
        yield Finding(Offence.ILLEGAL_JUMP, new.path, f"a new task brings {_and(given)}, which only orchgit sets")


def _misplaced(new: Task) -> str:
    if new.status is Status.TODO:
        return f"a new task begins in {FOLDER}/"
    return f"a new task begins as {Status.TODO}, not as {new.status}"


def _deletion(old: Task, by: Actor) -> Iterator[Finding]:
    if old.run is not None:
        yield Finding(Offence.ILLEGAL_JUMP, old.path, f"the task is deleted while {old.run} holds it")
    elif by.kind is Kind.AGENT:
        yield Finding(Offence.ILLEGAL_JUMP, old.path, "it is not for an agent to delete a task")


def _kept(old: Task, new: Task) -> Iterator[Finding]:
    """An edit leaves what orchgit writes alone; only the wait for a retry may be shortened."""
    free = {"retry_at"} if new.status is Status.RETRYING else set()
    changed = [key for key in ENGINE_KEYS if key not in free and getattr(old, key) != getattr(new, key)]
    if changed:
        yield Finding(Offence.ILLEGAL_JUMP, new.path, f"{_and(changed)} changed without a transition")


def _ruled(old: Task, new: Task, by: Actor) -> list[Rule]:
    """Return the rules that lead from `old` to `new` and are for `by` to ask for, whatever they set."""
    return [
        rule
        for rule in lifecycle.RULES
        if rule.target is new.status and lifecycle.fits(rule, old) and _may_ask(rule, old, by)
    ]


def _may_ask(rule: Rule, old: Task, by: Actor) -> bool:
    """Is the rule for `by`? What an agent's run came to is written by the engine in the agent's name."""
    if by.kind is Kind.AGENT:
        return Kind.ENGINE in rule.by and rule.owner is lifecycle.Owner.ENGINE and old.agent == by.name
    return by.kind in rule.by


def _jump(old: Task, new: Task, rules: list[Rule], by: Actor, *, strict: bool) -> Iterator[Finding]:
    """Hold the change against `rules`. A request, which is not strict, may leave to orchgit what a rule sets."""
    way = f"{old.status} -> {new.status}"
    if not rules:
        leads = any(rule.target is new.status and old.status in rule.sources for rule in lifecycle.RULES)
        reason = f"{way} is not for {by.name} ({by.kind}) to do" if leads else f"{old.status} can't become {new.status}"
        yield Finding(Offence.ILLEGAL_JUMP, new.path, reason)
        return
    faults = min(([*_faults(rule, old, new, strict=strict)] for rule in rules), key=len)
    if "review_commit" in faults and new.status is Status.DONE:
        yield Finding(Offence.UNPINNED, new.path, "what becomes done is another commit than the one in review")
        faults.remove("review_commit")
    if faults:
        yield Finding(Offence.ILLEGAL_JUMP, new.path, f"{way} does not make {_and(faults)} what it is here")


def _faults(rule: Rule, old: Task, new: Task, *, strict: bool) -> Iterator[str]:
    """Yield the engine keys that are not as the rule leaves them."""
    attempts = {lifecycle.attempts_after(rule, old.attempts), *(() if strict else (old.attempts,))}
    if new.attempts not in attempts:
        yield "attempts"
    for key in _GUARDED:
        before, after = getattr(old, key), getattr(new, key)
        if not _follows(rule, key, before, after, strict=strict):
            yield key


def _follows(rule: Rule, key: str, before: object, after: object, *, strict: bool) -> bool:
    if not strict and key == "review_commit" and rule.target is Status.DONE:
        return after == before
    if key in rule.sets:
        return after is not None or (not strict and before is None)
    if key in rule.clears:
        return after is None or (not strict and after == before)
    return after == before or key in rule.may


def _rewriting(step: _Step, old: Task, new: Task) -> Iterator[Finding]:
    """A transition leaves what a person wrote, but for feedback that it adds."""
    changed = [key for key in _TYPED if getattr(old, key) != getattr(new, key)]
    if changed:
        yield Finding(Offence.REWRITTEN_BODY, new.path, f"a transition changes {_and(changed)} too")
    elif old.path != new.path:
        yield Finding(Offence.REWRITTEN_BODY, new.path, f"a transition moves the file from {old.path}")
    if step.before and step.after and not _is_feedback(step.before.text, step.after.text):
        yield Finding(Offence.REWRITTEN_BODY, new.path, "a transition changes the text beyond the feedback it adds")


def _is_feedback(before: str, after: str) -> bool:
    """Is the body of `after` that of `before`, with nothing but more feedback at the end of that section?"""
    if document.body_of(before) == document.body_of(after):
        return True
    rest = [document.without_section(text, FEEDBACK).strip() for text in (before, after)]
    old, new = (document.section(text, FEEDBACK) for text in (before, after))
    return rest[0] == rest[1] and new.startswith(old.rstrip())


def _claims(commit: Commit, steps: Sequence[_Step]) -> Iterator[Finding]:
    """Hold the trailers against the diff: one that is missing says nothing wrong."""
    named = commit.message.get("Task") or commit.message.get("Transition")
    step = steps[0] if steps else None
    path = step.path if step else ""
    for written, value in commit.message.trailers:
        key = written.title()
        if key == "Actor" and _bare(value) != _bare(commit.author.name):
            yield Finding(Offence.WRONG_TRAILER, path, f"Actor says {value}, its author is {commit.author.name}")
        elif key in ("Task", "Transition") and step is None and not (key == "Task" and commit.parents[0]):
            yield Finding(Offence.WRONG_TRAILER, path, f"{key} says {value}, but no task changes")
        elif named and step and value not in (wanted := _truths(key, step, value)):
            yield Finding(Offence.WRONG_TRAILER, path, f"{key} says {value}, the change says {' or '.join(wanted)}")


def _truths(key: str, step: _Step, value: str) -> tuple[str, ...]:
    """Return what the trailer `key` may say of the change; `value` itself where the change doesn't tell."""
    old, new = step.old, step.new
    versions = [each for each in (new, old) if each]
    match key:
        case "Task":
            return (step.task.id,)
        case "Transition":
            return (f"{old.status if old else 'nothing'} -> {new.status if new else 'nothing'}",)
        case "Run":
            return tuple(each.run for each in versions if each.run) or ("no run",)
        case "Agent":
            return tuple(dict.fromkeys(each.agent for each in versions if each.agent)) or ("no agent",)
        case "Review-Commit":
            return tuple(each.review_commit for each in versions if each.review_commit)[:1] or ("no commit",)
        case "Attempt":
            count = max(each.attempts for each in versions)
            return (value,) if value.partition("/")[0] == str(count) else (f"{count}",)
        case _:
            return (value,)


def _done(step: _Step, message: Message, facts: Facts) -> Iterator[Finding]:
    """`done` is a fact of Git: the commit that was reviewed is in the base branch."""
    old, new = step.old, step.new
    if new is None or new.status is not Status.DONE:
        return
    if old and old.status is Status.DONE and old.review_commit == new.review_commit:
        return
    pinned, merge = new.review_commit, message.get("Merge-Commit")
    if pinned is None:
        yield Finding(Offence.UNPINNED, new.path, "it is done, and names no commit that was reviewed")
    elif pinned == new.review_base and not merge:
        return
    elif merge and facts.holds.get((merge, pinned)) is False:
        reason = f"Merge-Commit {merge[:12]} does not hold {pinned[:12]}, which was reviewed"
        yield Finding(Offence.UNPINNED, new.path, reason)
    elif facts.in_base.get(pinned) is False:
        yield Finding(Offence.NOT_MERGED, new.path, f"it is done, but the base branch does not have {pinned[:12]}")


def _id_of(file: File | None) -> str | None:
    task = _task_of(file)
    return task.id if task else None


def _task_of(file: File | None) -> Task | None:
    return file.item if file and isinstance(file.item, Task) else None


def _bare(name: str) -> str:
    return _CRUD.sub("", name) or "unknown"


def _and(keys: Iterable[str]) -> str:
    *others, last = keys
    return f"{', '.join(others)} and {last}" if others else last
