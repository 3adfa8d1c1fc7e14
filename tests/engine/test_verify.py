"""A history is held against the rules: each kind of forged commit is refused by its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from orchgit.engine import moves, verify
from orchgit.engine.verify import Lack
from orchgit.model.audit import Offence
from orchgit.model.errors import GitError, UsageError
from orchgit.repository.layout import STATE_REF
from tests.engine.team import ADA
from tests.support import repos, signing

if TYPE_CHECKING:
    from pathlib import Path

    from orchgit.engine.verify import Report
    from tests.engine.team import Team

FIX = "echo fixed >> fixed.txt"


def check(team: Team, *revisions: str) -> Report:
    return verify.check(team.layout.state, revisions or (STATE_REF,))


def offences(team: Team) -> list[Offence]:
    return sorted(check(team).counts)


def path_of(team: Team, task: str) -> Path:
    return team.layout.state / team.task(task).path


def commit(team: Team, message: str, *options: str) -> str:
    repos.git(team.layout.state, "add", "--all")
    repos.git(team.layout.state, "commit", "--quiet", "--no-verify", f"--message={message}", *options)
    return repos.git(team.layout.state, "rev-parse", "HEAD")


def change(team: Team, task: str, old: str, new: str) -> None:
    place = path_of(team, task)
    text, count = re.subn(old, new, place.read_text(), count=1, flags=re.MULTILINE)
    assert count == 1
    place.write_text(text)


def reviewed(team: Team) -> str:
    """Return a task in review."""
    team.agent(FIX)
    task = team.add("Fix it")
    team.run()
    assert team.task(task).status == "review"
    return task


def test_what_the_team_and_its_people_do_is_clean(team: Team) -> None:
    team.agent(f'{FIX}; test "$ORCHGIT_ATTEMPT" = 2', retry_delay_ms=0)
    team.agent(f'{FIX}; test "$ORCHGIT_ATTEMPT" = 2', "other", retry_delay_ms=0)  # whose runs die in a row rests
    one, two = (team.add(title, assignee="bot") for title in ("One", "Two ✓"))
    three = team.add("Three", assignee="other")
    team.run()
    team.approve(one)
    team.reject(two, "# no\n\nmore")
    team.cancel(two)
    moves.retry(team.layout, ADA, team.task(two))
    moves.take(team.layout, ADA, team.task(two), branch=True)
    moves.delete(team.layout, team.state, ADA, team.task(three))
    report = check(team)
    assert (report.is_clean, report.unchecked) == (True, {}), report.first
    assert report.commits == int(team.git("rev-list", "--count", STATE_REF))


def test_a_range_is_judged_alone(team: Team) -> None:
    team.add("One")
    team.add("Two")
    assert check(team, f"{STATE_REF}~1..{STATE_REF}").commits == 1
    assert check(team, "HEAD~2..").commits == 2
    with pytest.raises(GitError, match="nonsense"):
        check(team, "nonsense")


def test_an_illegal_jump(team: Team) -> None:
    task = team.add("One")
    change(team, task, "status: todo", "status: done")
    forged = commit(team, "Be quick")
    found = check(team).first[Offence.ILLEGAL_JUMP]
    assert (found.commit, found.author, found.finding.path) == (forged, "Ada Lovelace", team.task(task).path)
    assert "todo can't become done" in found.finding.reason


def test_two_tasks_in_one_commit(team: Team) -> None:
    for title in ("One", "Two"):
        change(team, team.add(title), "status: todo", "status: cancelled")
    commit(team, "Forget them")
    assert offences(team) == [Offence.TWO_TASKS]


def test_a_wrong_trailer(team: Team) -> None:
    task = team.add("One")
    change(team, task, "priority: 3|created", "priority: 1\ncreated")
    commit(team, f"Change it\n\nTask: {task}\nTransition: todo -> cancelled\nActor: orchgit")
    report = check(team)
    assert report.counts[Offence.WRONG_TRAILER] == 2
    assert "todo -> todo" in report.first[Offence.WRONG_TRAILER].finding.reason


def test_a_rewritten_body(team: Team) -> None:
    task = team.add("One", description="Be nice.")
    change(team, task, "status: todo", "status: cancelled\nclosed: 2026-11-22T10:00:00Z")
    change(team, task, "Be nice.", "Be rude.")
    commit(team, f"Say it\n\nTask: {task}\nTransition: todo -> cancelled\nActor: Ada Lovelace")
    assert offences(team) == [Offence.REWRITTEN_BODY]


def test_done_without_a_merge(team: Team) -> None:
    task = reviewed(team)
    change(team, task, "status: review", "status: done\nclosed: 2026-11-22T10:00:00Z")
    forged = commit(team, f"Done\n\nTask: {task}\nTransition: review -> done\nActor: Ada Lovelace")
    assert offences(team) == [Offence.NOT_MERGED]
    team.git("merge", "--quiet", "--no-edit", str(team.task(task).review_commit))
    assert offences(team) == []
    assert check(team, f"{forged}^!").commits == 1


def test_an_approval_of_what_was_not_merged(team: Team) -> None:
    task = reviewed(team)
    merge = repos.commit(team.root, {"other.txt": "x"}, "Merge something else")
    change(team, task, "status: review", "status: done\nclosed: 2026-11-22T10:00:00Z")
    named = f"Task: {task}\nTransition: review -> done\nActor: Ada Lovelace\nMerge-Commit: {merge}"
    commit(team, f"Done\n\n{named}")
    assert offences(team) == [Offence.UNPINNED]


def test_a_clone_that_has_no_base_branch_says_what_it_could_not_check(team: Team, tmp_path: Path) -> None:
    task = reviewed(team)
    team.approve(task)
    bare = tmp_path / "state.git"
    repos.git(tmp_path, "init", "--quiet", "--bare", bare)
    team.git("push", "--quiet", str(bare), STATE_REF)
    report = verify.check(bare)
    assert (report.is_clean, report.unchecked) == (True, {task: Lack.BASE})
    team.git("push", "--quiet", str(bare), "main")
    assert verify.check(bare).unchecked == {}


def test_of_work_that_is_not_here_the_commit_that_has_it_is_looked_at(team: Team, tmp_path: Path) -> None:
    first = team.git("rev-parse", "main")
    begun = repos.commit(team.root, {"other.txt": "x"}, "go on")
    task = reviewed(team)
    other = repos.commit(team.root, {"fixed.txt": "x"}, "for another\n\nTask: tsk_2hd8xw")
    team.git("commit", "--quiet", "--allow-empty", "--message=nothing")
    empty = team.git("rev-parse", "main")
    squashed = repos.commit(team.root, {"fixed.txt": "fixed\n"}, "squashed")
    aside = team.git("commit-tree", "-p", begun, "-m", "aside", f"{squashed}^{{tree}}")
    change(team, task, "status: review", "status: done\nclosed: 2026-11-22T10:00:00Z")
    clone = repos.clone(team.root, tmp_path / "clone", "--single-branch", "--branch=main")
    repos.git(clone, "config", "core.logAllRefUpdates", "false")
    for landed in (first, begun, other, empty, aside, squashed):
        named = f"Review-Commit: {team.task(task).review_commit}\nLanded-Commit: {landed}"
        commit(team, f"Done\n\nTask: {task}\nTransition: review -> done\n{named}", "--author=orchgit <orchgit@orchgit>")
        repos.git(clone, "fetch", "--quiet", "origin", f"+{STATE_REF}:{STATE_REF}")
        report = verify.check(clone)
        honest = landed == squashed
        assert (list(report.counts), report.unchecked) == (
            ([], {task: Lack.WORK}) if honest else ([Offence.NOT_MERGED], {})
        )
        if not honest:
            repos.git(team.layout.state, "reset", "--quiet", "--soft", "HEAD~1")


def test_a_file_that_cannot_be_read_and_its_mending(team: Team) -> None:
    task = reviewed(team)
    place, text = path_of(team, task), path_of(team, task).read_text()
    place.write_text("no front matter\n")
    commit(team, "Break it")
    place.write_text(text)
    commit(team, "Mend it")
    assert offences(team) == [Offence.INVALID_FILE]
    place.write_text("no front matter\n")
    commit(team, "Break it again")
    place.write_text(text.replace("status: review", "status: failed"))
    commit(team, "Mend it otherwise")
    assert offences(team) == [Offence.ILLEGAL_JUMP, Offence.INVALID_FILE]


def test_a_second_file_of_one_id(team: Team) -> None:
    task = team.add("One")
    first = path_of(team, task)
    second = first.with_name("a.md")
    second.write_text(first.read_text().replace("title: One", "title: Two"))
    forged = commit(team, "Another")
    for revisions in ((STATE_REF,), (f"{STATE_REF}~1..{STATE_REF}",)):
        found = verify.check(team.layout.state, revisions, claims=True)
        case = found.first[Offence.INVALID_FILE]
        assert (case.commit, case.finding.path) == (forged, "tasks/a.md")
        assert case.finding.reason == f"{task} is taken by {team.task(task).path}"
    second.unlink()
    commit(team, "Take it back")
    assert verify.check(team.layout.state, claims=True).is_clean


def test_a_link_in_place_of_a_file(team: Team) -> None:
    place = path_of(team, team.add("One"))
    place.unlink()
    place.symlink_to("/etc/passwd")
    commit(team, "Link it")
    assert offences(team) == [Offence.INVALID_FILE]


def test_a_restoration_must_be_one(team: Team) -> None:
    task = team.add("One")
    fine = team.git("rev-parse", STATE_REF)
    change(team, task, "status: todo", "status: failed")
    commit(team, "Jump")
    change(team, task, "status: failed", "status: todo")
    commit(team, f"Set it right\n\nRestores: {fine}")
    assert check(team).counts == {Offence.ILLEGAL_JUMP: 1}
    change(team, task, "title: One", "title: Two")
    commit(team, f"Pretend\n\nRestores: {fine}")
    assert check(team).counts == {Offence.ILLEGAL_JUMP: 1, Offence.WRONG_TRAILER: 1}


def test_two_histories_that_merge(team: Team) -> None:
    task = team.add("One", description="Be nice.\n\nAnd\n\nquick.")
    state = team.layout.state
    repos.git(state, "checkout", "--quiet", "--detach")
    repos.git(state, "checkout", "--quiet", "-B", "other")
    change(team, task, "quick", "slow")
    theirs = commit(team, "Edit it there")
    repos.git(state, "checkout", "--quiet", "orchestry")
    moves.cancel(team.layout, team.state, ADA, team.task(task))
    repos.git(state, "merge", "--quiet", "--no-edit", theirs)
    report = check(team)
    assert report.is_clean, report.first
    assert report.commits == int(team.git("rev-list", "--count", STATE_REF))
    team.git("branch", "--quiet", "-D", "other")


def test_a_history_that_was_rewritten(team: Team) -> None:
    team.add("One")
    lost = team.git("rev-parse", STATE_REF)
    repos.git(team.layout.state, "reset", "--quiet", "--hard", "HEAD~1")
    found = check(team).first[Offence.REWRITTEN_HISTORY]
    assert (found.commit, found.finding.reason) == (
        lost,
        "it was the tip of orchestry, and is not in its history any more",
    )


def test_replaced_objects_hide_nothing(team: Team) -> None:
    task = team.add("One")
    change(team, task, "status: todo", "status: done")
    forged = commit(team, "Be quick")
    team.git("replace", forged, f"{forged}~1")
    assert Offence.ILLEGAL_JUMP in offences(team)


def test_a_shallow_clone_begins_where_it_begins(team: Team, tmp_path: Path) -> None:
    task = reviewed(team)
    team.approve(task)
    team.add("Two")
    shallow = repos.clone(team.root, tmp_path / "shallow", "--depth=2", "--branch=orchestry", "--no-single-branch")
    report = verify.check(shallow)
    assert (report.is_clean, report.commits) == (True, 2), report.first


def test_signatures(team: Team, world: Path) -> None:
    team.add("Before")
    key = signing.use_ssh(world)
    team.set("verify.require_signatures", "true")
    team.add("One")
    assert offences(team) == []
    change(team, team.add("Two"), "title: Two", "title: Three")
    repos.git(team.layout.state, "-c", "commit.gpgsign=false", "commit", "--quiet", "-a", "--message=By hand")
    found = check(team).first[Offence.BAD_SIGNATURE].finding
    assert found.reason == "it is not signed, and verify.require_signatures asks for it"
    signing.forget_signers(world)
    assert "not trusted" in check(team).first[Offence.BAD_SIGNATURE].finding.reason
    assert key.exists()


def test_a_signature_by_a_stranger(team: Team, world: Path) -> None:
    signing.use_ssh(world)
    team.set("verify.require_signatures", "true")
    signing.use_ssh(world, name="stranger", allowed=False)
    team.add("One")
    assert Offence.BAD_SIGNATURE in offences(team)


def test_words_that_are_no_revision(team: Team) -> None:
    team.add("One")
    with pytest.raises(UsageError, match="--output"):
        verify.named(team.layout, team.state, ("--output=/tmp/x",))
    with pytest.raises(UsageError, match="main"):
        verify.named(team.layout, team.state, ("main",))
    assert verify.named(team.layout, team.state, ("orchestry~1..",)) == ("orchestry~1..",)
