"""The judge of one commit: a table of what is allowed, and of each offence by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchgit.model import actor, audit, goal, task, trailers
from orchgit.model.actor import ENGINE, Actor, Kind
from orchgit.model.agent import Agent
from orchgit.model.audit import Facts, Offence, Signed
from orchgit.model.config import Config
from orchgit.model.diff import Change, Commit, File
from orchgit.model.errors import InvalidFileError
from orchgit.model.goal import Goal
from orchgit.model.team import Team
from orchgit.model.trailers import Message

ADA = Actor(Kind.PERSON, "Ada Lovelace", "ada@example.org")
BOT = actor.agent("bot")
C1, C2, C3 = "1" * 40, "2" * 40, "3" * 40
ID, PATH = "tsk_aa", "tasks/tsk_aa.md"

TODO: dict[str, Any] = {"status": "todo"}
AT_WORK = {
    "status": "in_progress", "attempts": 1, "agent": "bot", "run": "run_1", "machine": "m", "branch": "orchgit/tsk_aa",
}  # fmt: skip
IN_HAND = {"status": "in_progress", "attempts": 1, "agent": "Ada Lovelace"}
WAITING = {
    "status": "retrying", "attempts": 1, "agent": "bot", "branch": "orchgit/tsk_aa", "retry_at": "2026-11-22T10:00:00Z",
}  # fmt: skip
REVIEW = {
    "status": "review", "attempts": 1, "agent": "bot", "branch": "orchgit/tsk_aa", "review_base": C1,
    "review_commit": C2,
}  # fmt: skip
DONE = {**REVIEW, "status": "done", "closed": "2026-11-22T10:00:00Z"}
FAILED = {"status": "failed", "attempts": 1, "agent": "bot", "branch": "orchgit/tsk_aa"}
REJECTED = {"status": "todo", "attempts": 0, "branch": "orchgit/tsk_aa"}
CANCELLED = {"status": "cancelled", "closed": "2026-11-22T10:00:00Z"}


def a_file(keys: dict[str, Any] | None, body: str = "Do it.\n", *, path: str = PATH, name: str = ID) -> File | None:
    """Return a task's file with these keys; None where it has none."""
    if keys is None:
        return None
    lines = "".join(f"{key}: {value}\n" for key, value in {"id": name, "title": "Do it", **keys}.items())
    text = f"---\n{lines}---\n{body}"
    return File(f"{path}{text}", task.read(path, text), text)


def changed(before: dict[str, Any] | None, after: dict[str, Any] | None, **more: str) -> Change:
    return Change(PATH, a_file(before), a_file(after, **more))


def message(**named: str) -> Message:
    return Message("subject", "", tuple((key.replace("_", "-"), value) for key, value in named.items()))


def moved(before: dict[str, Any], after: dict[str, Any], by: Actor, **named: str) -> Commit:
    """Return a commit as the ledger makes it."""
    told = {"Task": ID, "Transition": f"{before['status']} -> {after['status']}", "Actor": by.name, **named}
    return Commit(message(**told), by, ((changed(before, after),),))


def by_hand(*changes: Change, by: Actor = ADA, **named: str) -> Commit:
    return Commit(message(**named), by, (changes,))


def offences(commit: Commit, facts: Facts = audit.NO_FACTS) -> list[Offence]:
    return [each.offence for each in audit.judge(commit, facts)]


@pytest.mark.parametrize(
    ("before", "after", "by"),
    [
        (TODO, AT_WORK, ENGINE),
        (TODO, IN_HAND, ADA),
        (TODO, {**IN_HAND, "branch": "orchgit/tsk_aa-do"}, ADA),
        (AT_WORK, REVIEW, BOT),
        (IN_HAND, {**REVIEW, "agent": "Ada Lovelace"}, ADA),
        (AT_WORK, WAITING, BOT),
        (AT_WORK, FAILED, BOT),
        (AT_WORK, REJECTED, ENGINE),
        (AT_WORK, REJECTED, ADA),
        (WAITING, {**AT_WORK, "attempts": 2}, ENGINE),
        (WAITING, FAILED, ADA),
        (REVIEW, DONE, ADA),
        (REVIEW, DONE, ENGINE),
        (REVIEW, {**DONE, "review_commit": C3}, ADA),
        (REVIEW, REJECTED, ADA),
        (FAILED, REJECTED, ADA),
        (TODO, CANCELLED, ADA),
        (FAILED, {**FAILED, **CANCELLED}, ADA),
    ],
)
def test_a_transition_by_the_table_is_fine(before: dict[str, Any], after: dict[str, Any], by: Actor) -> None:
    assert audit.judge(moved(before, after, by)) == ()


@pytest.mark.parametrize(
    ("before", "after", "by", "said"),
    [
        (TODO, REVIEW, ENGINE, "todo can't become review"),
        (TODO, AT_WORK, ADA, "todo -> in_progress does not make run and machine what it is here"),
        (AT_WORK, REVIEW, ADA, "not for Ada Lovelace (person)"),
        (AT_WORK, {**AT_WORK, "status": "review", "review_base": C1, "review_commit": C2}, BOT, "run and machine"),
        (AT_WORK, REVIEW, actor.agent("other"), "not for other (agent)"),
        (TODO, {**AT_WORK, "attempts": 3}, ENGINE, "does not make attempts"),
        (AT_WORK, {**REJECTED, "attempts": 1}, ADA, "does not make attempts"),
        (REVIEW, {**REVIEW, "status": "todo", "attempts": 0}, ADA, "agent, review_base and review_commit"),
        (DONE, {**REJECTED, "closed": DONE["closed"]}, ADA, "done can't become todo"),
        (REVIEW, {**DONE, "branch": "orchgit/tsk_aa-other"}, ADA, "does not make branch"),
        (REVIEW, DONE, BOT, "not for bot (agent)"),
        (FAILED, {**FAILED, **CANCELLED}, ENGINE, "failed -> cancelled is not for orchgit (engine) to do"),
    ],
)
def test_an_illegal_jump(before: dict[str, Any], after: dict[str, Any], by: Actor, said: str) -> None:
    found = audit.judge(moved(before, after, by))
    assert [each.offence for each in found] == [Offence.ILLEGAL_JUMP]
    assert said in found[0].reason


@pytest.mark.parametrize(
    ("before", "after", "by", "said"),
    [
        (None, DONE, ADA, "a new task begins as todo, not as done"),
        (TODO, DONE, ADA, "todo can't become done"),
        (TODO, AT_WORK, ENGINE, "todo -> in_progress by orchgit (engine) lacks the trailers Transition and Run"),
        (AT_WORK, FAILED, BOT, "in_progress -> failed by bot (agent) lacks the trailer Transition"),
        (AT_WORK, REVIEW, ADA, "in_progress -> review is not for Ada Lovelace (person) to do"),
    ],
)
def test_a_request_for_what_may_not_be_says_what_is_wrong(
    before: dict[str, Any] | None, after: dict[str, Any], by: Actor, said: str
) -> None:
    found = audit.judge(by_hand(changed(before, after), by=by))
    assert said in [each.reason for each in found if each.offence is Offence.ILLEGAL_JUMP]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"Task": "tsk_bb"}, "Task says tsk_bb, the change says tsk_aa"),
        ({"Transition": "todo -> review"}, "Transition says todo -> review, the change says in_progress -> review"),
        ({"Actor": "Ada Lovelace"}, "Actor says Ada Lovelace, its author is bot"),
        ({"Run": "run_2"}, "Run says run_2, the change says run_1"),
        ({"Agent": "other"}, "Agent says other, the change says bot"),
        ({"Attempt": "2/3"}, "Attempt says 2/3, the change says 1"),
        ({"Review_Commit": C3}, f"Review-Commit says {C3}, the change says {C2}"),
    ],
)
def test_a_wrong_trailer(named: dict[str, str], said: str) -> None:
    found = audit.judge(moved(AT_WORK, REVIEW, BOT, **named))
    assert [(each.offence, each.reason) for each in found] == [(Offence.WRONG_TRAILER, said)]


def test_true_trailers_are_fine() -> None:
    assert offences(moved(AT_WORK, REVIEW, BOT, Run="run_1", Agent="bot", Attempt="1/3", Review_Commit=C2)) == []
    assert offences(moved(AT_WORK, REVIEW, BOT, Session="any", Reason="any")) == []


def test_a_trailer_about_a_task_that_does_not_change() -> None:
    assert offences(Commit(message(Transition="todo -> done", Task=ID), ADA, ((),))) == [Offence.WRONG_TRAILER] * 2


FEEDBACK = "Do it.\n\n## Feedback\n\n> More.\n"


@pytest.mark.parametrize(
    ("old", "new", "fine"),
    [
        ("Do it.\n", FEEDBACK, True),
        (FEEDBACK, f"{FEEDBACK}\n> And more.\n", True),
        ("Do it.\n", "Do it now.\n", False),
        ("Do it.\n", f"Do it now.\n{FEEDBACK}", False),
        (FEEDBACK, "Do it.\n\n## Feedback\n\n> Less.\n", False),
        (FEEDBACK, "Do it.\n", False),
    ],
)
def test_a_transition_adds_feedback_to_the_body_and_nothing_else(old: str, new: str, fine: bool) -> None:  # noqa: FBT001
    change = Change(PATH, a_file(REVIEW, old), a_file(REJECTED, new))
    commit = Commit(message(Transition="review -> todo"), ADA, ((change,),))
    assert offences(commit) == ([] if fine else [Offence.REWRITTEN_BODY])
    assert offences(by_hand(change)) == []


def test_a_transition_rewrites_no_other_key() -> None:
    assert offences(moved(REVIEW, {**REJECTED, "title": "Other"}, ADA)) == [Offence.REWRITTEN_BODY]
    assert offences(by_hand(changed(REVIEW, {**REVIEW, "status": "todo", "priority": 1}))) == []
    assert offences(moved(REVIEW, {**REJECTED, "title": "Other"}, ADA, Via="edit")) == []
    assert offences(moved(AT_WORK, {**REVIEW, "title": "Other"}, BOT, Via="edit")) == [Offence.REWRITTEN_BODY]


def another(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Change:
    path = "tasks/tsk_bb.md"
    return Change(path, a_file(before, path=path, name="tsk_bb"), a_file(after, path=path, name="tsk_bb"))


def test_two_tasks() -> None:
    one, two = changed(TODO, CANCELLED), another(TODO, CANCELLED)
    assert offences(by_hand(one, two)) == [Offence.TWO_TASKS]
    assert offences(by_hand(one, two, Transition="todo -> cancelled", Task=ID)) == [Offence.TWO_TASKS]
    beside = Change("notes.md", File("1"), File("2"))
    assert offences(by_hand(one, beside, Transition="todo -> cancelled")) == [Offence.TWO_TASKS]
    assert offences(by_hand(one, another(TODO, {**TODO, "priority": 1}))) == [Offence.TWO_TASKS]
    assert offences(by_hand(changed(TODO, {**TODO, "priority": 1}), another(TODO, None), Task=ID)) == [
        Offence.TWO_TASKS
    ]


def test_many_edits_many_new_tasks_and_a_move_to_the_archive_fit_into_one_commit() -> None:
    assert offences(by_hand(changed(TODO, {**TODO, "priority": 1}), another(TODO, {**TODO, "priority": 1}))) == []
    assert offences(by_hand(changed(None, TODO), another(None, TODO))) == []
    archived = "archive/2026-11/tsk_aa.md"
    moves = (Change(PATH, a_file(DONE), None), Change(archived, None, a_file(DONE, path=archived)))
    others = (Change("tasks/b.md", a_file(CANCELLED, name="tsk_bb"), None),
              Change("archive/b.md", None, a_file(CANCELLED, name="tsk_bb", path="archive/b.md")))  # fmt: skip
    assert offences(by_hand(*moves, *others)) == []
    open_one = (Change(PATH, a_file(TODO), None), Change(archived, None, a_file(TODO, path=archived)))
    assert offences(by_hand(*open_one)) == [Offence.ILLEGAL_JUMP]


@pytest.mark.parametrize(
    ("before", "after", "by", "fine"),
    [
        (None, TODO, ADA, True),
        (None, TODO, BOT, True),
        (None, REVIEW, ADA, False),
        (None, {**TODO, "attempts": 1}, ADA, False),
        (TODO, {**TODO, "title": "Other"}, BOT, True),
        (TODO, None, ADA, True),
        (TODO, None, BOT, False),
        (AT_WORK, None, ADA, False),
        (TODO, {**TODO, "attempts": 2}, ADA, False),
        (REVIEW, {**REVIEW, "review_commit": C3}, ADA, False),
        (AT_WORK, {**AT_WORK, "run": "run_2"}, ADA, False),
        (WAITING, {**WAITING, "retry_at": "2026-11-22T09:00:00Z"}, ADA, True),
        (TODO, {**TODO, "retry_at": "2026-11-22T09:00:00Z"}, ADA, False),
        (REVIEW, {**REVIEW, "status": "done"}, ADA, True),
        (REVIEW, {**REVIEW, "status": "todo"}, ADA, True),
        (REVIEW, {**REVIEW, "status": "todo"}, BOT, False),
        (REVIEW, {**REVIEW, "status": "todo"}, ENGINE, False),
        (TODO, {**TODO, "status": "failed"}, ADA, False),
        (AT_WORK, {**AT_WORK, "status": "review"}, ADA, False),
        (AT_WORK, {**AT_WORK, "status": "cancelled"}, ADA, True),
        (FAILED, {**FAILED, "status": "todo"}, ADA, True),
        (FAILED, {**FAILED, "status": "review"}, ADA, False),
    ],
)
def test_a_commit_by_hand_is_a_request(
    before: dict[str, Any] | None, after: dict[str, Any] | None, by: Actor, fine: bool  # noqa: FBT001
) -> None:  # fmt: skip
    assert offences(by_hand(changed(before, after), by=by)) == ([] if fine else [Offence.ILLEGAL_JUMP])


def test_an_approval_by_hand_is_of_the_commit_in_review() -> None:
    other = {**REVIEW, "status": "done", "review_commit": C3}
    assert offences(by_hand(changed(REVIEW, other))) == [Offence.UNPINNED]
    assert offences(moved(REVIEW, {**DONE, "review_commit": C3}, ENGINE)) == [Offence.UNPINNED]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(in_base={C2: True}, holds={(C3, C2): True}), []),
        (Facts(), []),
        (Facts(in_base={C2: False}), [Offence.NOT_MERGED]),
        (Facts(in_base={C2: False}, holds={(C3, C2): False}), [Offence.UNPINNED]),
    ],
)
def test_done_is_a_fact_of_git(facts: Facts, expected: list[Offence]) -> None:
    assert offences(moved(REVIEW, DONE, ADA, Merge_Commit=C3), facts) == expected


def test_done_without_changes_needs_no_merge_and_done_without_a_review_is_no_approval() -> None:
    nothing = {"review_base": C2}
    assert offences(moved({**REVIEW, **nothing}, {**DONE, **nothing}, ADA), Facts(in_base={C2: False})) == []
    unreviewed = {key: value for key, value in DONE.items() if key != "review_commit"}
    assert Offence.UNPINNED in offences(moved(REVIEW, unreviewed, ADA))


def test_a_restoration_sets_what_the_named_commit_has() -> None:
    change = changed(DONE, REVIEW)
    old = change.after.blob if change.after else ""
    assert offences(by_hand(change, Restores=C1), Facts(restored={PATH: old})) == []
    assert offences(by_hand(change, Restores=C1), Facts(restored={PATH: "other"})) == [Offence.WRONG_TRAILER]
    assert offences(by_hand(change, Restores=C1), Facts(restored=None)) == [Offence.WRONG_TRAILER]
    assert offences(by_hand(changed(DONE, None), Restores=C1), Facts(restored={PATH: None})) == []
    again = changed(REVIEW, DONE)
    facts = Facts(restored={PATH: again.after.blob if again.after else ""}, in_base={C2: False})
    assert offences(by_hand(again, Restores=C1), facts) == [Offence.NOT_MERGED]


def test_a_merge_holds_what_a_parent_has_or_a_legal_edit_of_it() -> None:
    both = {**REVIEW, "priority": 1}
    fine = ((changed({**TODO, "priority": 1}, both),), (changed(REVIEW, both),))
    assert offences(Commit(Message("merge"), ADA, fine)) == []
    evil = ((changed(TODO, DONE),), (changed(REVIEW, {**DONE, "attempts": 3}),))
    assert offences(Commit(Message("merge"), ADA, evil)) == [Offence.ILLEGAL_JUMP]


def test_a_file_that_cannot_be_read_and_its_mending() -> None:
    broken = File("x", InvalidFileError(PATH, "is not one of todo", line=3, key="status"))
    found = audit.judge(by_hand(Change(PATH, a_file(AT_WORK), broken)))
    assert [(each.offence, each.reason) for each in found] == [
        (Offence.INVALID_FILE, "line 3: status: is not one of todo")
    ]
    assert offences(by_hand(Change(PATH, broken, a_file(AT_WORK)))) == []


@pytest.mark.parametrize("item", [Config(), Agent("bot", "agents/bot.md"), Team("core", "teams/core.md", "bot")])
def test_the_team_is_for_people_to_change(item: Config | Agent | Team) -> None:
    change = Change("x", File("1", item), File("2", item))
    assert offences(by_hand(change)) == []
    assert offences(by_hand(change, by=BOT)) == [Offence.ILLEGAL_JUMP]


OWN = Goal("gol_1", "Be fast", "goals/gol_1.md", assignee="bot")


@pytest.mark.parametrize(
    ("before", "after", "legal"),
    [
        (OWN, replace(OWN, status=goal.Status.ACHIEVED), True),
        (OWN, replace(OWN, status=goal.Status.ABANDONED), False),
        (OWN, replace(OWN, status=goal.Status.ACHIEVED, title="Be done"), False),
        (replace(OWN, assignee=None), replace(OWN, assignee=None, status=goal.Status.ACHIEVED), False),
        (replace(OWN, status=goal.Status.PAUSED), replace(OWN, status=goal.Status.ACHIEVED), False),
        (None, OWN, False),
        (OWN, None, False),
    ],
)
def test_of_a_goal_an_agent_may_say_no_more_than_that_it_is_achieved(
    before: Goal | None, after: Goal | None, *, legal: bool
) -> None:
    old, new = (File(str(number), each) if each else None for number, each in enumerate((before, after)))
    change = Change(OWN.path, old, new)
    assert offences(by_hand(change)) == []
    assert offences(by_hand(change, by=BOT)) == ([] if legal else [Offence.ILLEGAL_JUMP])


@pytest.mark.parametrize("signed", list(Signed))
def test_a_signature(signed: Signed) -> None:
    expected = [] if signed is Signed.GOOD else [Offence.BAD_SIGNATURE]
    assert offences(by_hand(changed(None, TODO)), Facts(signed=signed)) == expected


def test_names_are_compared_as_git_keeps_them() -> None:
    by = Actor(Kind.PERSON, "Ada L", "ada@example.org")
    assert offences(by_hand(changed(None, TODO), by=by, Actor="Ada <L.>")) == []


def test_the_messages_of_people_may_end_in_any_words() -> None:
    said = trailers.parse("Tidy up\n\nRun: make lint\nAttempt: again\n")
    assert offences(Commit(said, ADA, ((changed(TODO, {**TODO, "priority": 1}),),))) == []


def test_the_settings_may_change_and_not_be_deleted() -> None:
    before, after = (File(blob, Config()) for blob in ("b1", "b2"))
    assert offences(by_hand(Change("config.yaml", before, after))) == []
    (found,) = audit.judge(by_hand(Change("config.yaml", before, None)))
    assert (found.offence, found.reason) == (Offence.INVALID_FILE, "was deleted, and the team needs it")
