from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.model import actor
from orchgit.model.actor import ENGINE
from orchgit.model.errors import InvalidFileError, NotFoundError, RefusedError
from orchgit.model.lifecycle import Ask
from orchgit.model.task import Status
from orchgit.repository import identity, ledger
from orchgit.repository.layout import STATE_REF
from tests.support.repos import git, git_bytes, is_clean, make_script, subjects
from tests.support.states import (
    ADA,
    committed,
    disorder,
    make_project,
    path_of,
    place_of,
    take,
    task_text,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orchgit.repository.layout import Layout

ONE, TWO = "tsk_000001", "tsk_000002"
SHA = "0123456789" * 4


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_project(tmp_path / "project", ONE, TWO)


def trailers(layout: Layout, revision: str = STATE_REF) -> str:
    """Return the trailers of a commit as git itself reads them."""
    message = git_bytes(layout.common, "show", "--no-patch", "--format=%B", revision)
    return git(layout.common, "interpret-trailers", "--parse", stdin=message)


# What is written


def test_a_transition_is_one_commit_that_changes_its_lines_only(layout: Layout) -> None:
    assert take(layout, ONE) == []
    assert subjects(layout.common, "orchestry")[0] == f"task({ONE}): todo -> in_progress"
    text = task_text(ONE).replace("todo  # as it is", "in_progress  # as it is")
    assert committed(layout, path_of(ONE)) == text.replace("---\nDo", "attempts: 1\nagent: Ada Lovelace\n---\nDo")
    assert git(layout.common, "show", "--format=", "--name-only", "orchestry") == path_of(ONE)
    assert trailers(layout) == f"Task: {ONE}\nTransition: todo -> in_progress\nActor: Ada Lovelace"
    assert git(layout.common, "show", "--no-patch", "--format=%b", "orchestry").startswith(f"Do {ONE}\n\nTask: ")
    assert disorder(layout) == ""


def test_a_run_is_told_in_full(layout: Layout) -> None:
    keys = {"run": "run_1", "machine": "abc123", "agent": "backend", "branch": f"orchgit/{ONE}-do"}
    with ledger.writing(layout, ENGINE) as book:
        book.transition(ONE, Ask.DISPATCH, sets=keys)
    with ledger.writing(layout, ENGINE) as book:
        book.transition(
            ONE,
            Ask.SUCCEED,
            sets={"review_base": SHA, "review_commit": SHA},
            credit=actor.agent("backend"),
            details={"Tokens": "4200 in, 812 out", "Note": "two\nlines", "Reason": ""},
        )
    assert trailers(layout).splitlines() == [
        f"Task: {ONE}",
        "Transition: in_progress -> review",
        "Actor: backend",
        "Run: run_1",
        "Attempt: 1/3",
        f"Review-Commit: {SHA}",
        "Tokens: 4200 in, 812 out",
        "Note: two lines",
    ]
    assert git(layout.common, "log", "-2", "--format=%an <%ae>|%cn <%ce>", "orchestry").splitlines() == [
        "backend <backend@orchgit>|Ada Lovelace <ada@example.org>",
        "orchgit <orchgit@orchgit>|Ada Lovelace <ada@example.org>",
    ]


def test_many_transitions_of_one_task_in_one_write_are_a_commit_each(layout: Layout) -> None:
    with ledger.writing(layout, ADA) as book:
        for _ in range(3):
            book.transition(ONE, Ask.TAKE, sets={"agent": "Ada"})
            book.transition(ONE, Ask.RELEASE)
        assert book.state.task(ONE).status is Status.TODO
    assert (
        subjects(layout.common, "orchestry")[:6]
        == [
            f"task({ONE}): in_progress -> todo",
            f"task({ONE}): todo -> in_progress",
        ]
        * 3
    )
    assert disorder(layout) == ""


def test_feedback_goes_under_its_heading(layout: Layout) -> None:
    with ledger.writing(layout, ADA) as book:
        book.transition(ONE, Ask.TAKE, sets={"agent": "Ada"})
        sets = {"review_base": SHA, "review_commit": SHA, "branch": f"orchgit/{ONE}"}
        book.transition(ONE, Ask.SUBMIT, sets=sets)
        book.transition(ONE, Ask.REJECT, feedback="**Ada:** once more")
    assert place_of(layout, ONE).read_text().endswith("---\nDo it.\n\n## Feedback\n\n**Ada:** once more\n")


def test_files_are_made_changed_and_removed(layout: Layout) -> None:
    with ledger.writing(layout, ADA) as book:
        book.put("agents/fmt.md", "---\nadapter: shell\n---\n", "agent(fmt): created")
        assert book.exists("agents/fmt.md")
        book.remove(path_of(ONE), f"task({ONE}): deleted", details={"Task": ONE})
        assert not book.exists(path_of(ONE))
        with pytest.raises(NotFoundError):
            book.text(path_of(ONE))
    assert not place_of(layout, ONE).exists()
    assert (layout.state / "agents/fmt.md").read_text() == "---\nadapter: shell\n---\n"
    assert trailers(layout) == f"Task: {ONE}\nActor: Ada Lovelace"
    assert disorder(layout) == ""


def test_an_edit_that_changes_nothing_makes_no_commit(layout: Layout) -> None:
    before = git(layout.common, "rev-parse", "orchestry")
    with ledger.writing(layout, ADA) as book:
        book.edit(ONE, {"title": f"Do {ONE}"})
        book.rewrite(ONE, task_text(ONE))
    assert git(layout.common, "rev-parse", "orchestry") == before


def test_what_raises_leaves_nothing_behind(layout: Layout) -> None:
    before = git(layout.common, "rev-parse", "orchestry")
    with pytest.raises(ZeroDivisionError), ledger.writing(layout, ADA) as book:  # noqa: PT012 - it raises late
        book.transition(ONE, Ask.TAKE, sets={"agent": "Ada"})
        raise ZeroDivisionError
    assert git(layout.common, "rev-parse", "orchestry") == before
    assert disorder(layout) == ""


@pytest.mark.parametrize("ask", [Ask.SUBMIT, Ask.REJECT, Ask.APPROVE, Ask.REOPEN, Ask.RELEASE, Ask.DISPATCH])
def test_what_the_lifecycle_forbids_is_refused_and_the_rest_goes_on(layout: Layout, ask: Ask) -> None:
    with ledger.writing(layout, ADA) as book:
        with pytest.raises(RefusedError, match=ONE):
            book.transition(ONE, ask)
        book.transition(TWO, Ask.TAKE, sets={"agent": "Ada"})
    assert subjects(layout.common, "orchestry")[0] == f"task({TWO}): todo -> in_progress"
    assert place_of(layout, ONE).read_text() == task_text(ONE)
    assert disorder(layout) == ""


def test_a_file_that_can_not_be_read_is_not_written(layout: Layout) -> None:
    with ledger.writing(layout, ADA) as book:
        with pytest.raises(InvalidFileError, match=r"tasks/x\.md:2"):
            book.put("tasks/x.md", "---\nid: [\n---\n", "task: broken")
        with pytest.raises(InvalidFileError, match=f"{ONE} is taken by {path_of(ONE)}"):
            book.put("tasks/x.md", task_text(ONE), "task: twice")
        book.transition(TWO, Ask.TAKE, sets={"agent": "Ada"})
    assert subjects(layout.common, "orchestry")[0] == f"task({TWO}): todo -> in_progress"
    assert disorder(layout) == ""


@pytest.mark.parametrize(
    "name",
    [
        "a b.md",
        "it's.md",
        'say "hi".md',
        "-rf.md",
        "--all.md",
        "smile \U0001f600.md",
        "two\nlines.md",
        "back\\slash.md",
        "tab\t.md",
        "ünï.md",
        "$(id).md",
        "%s.md",
        ":top.md",
    ],
)
def test_any_name_of_a_file(layout: Layout, name: str) -> None:
    path = f"tasks/{name}"
    with ledger.writing(layout, ADA) as book:
        book.put(path, task_text("tsk_odd"), "task: created")
    with ledger.writing(layout, ENGINE) as book:
        assert book.state.task("tsk_odd").path == path
        assert book.text(path) == task_text("tsk_odd")
        book.transition("tsk_odd", Ask.CANCEL, sets={"closed": "2026-11-22T10:00:00Z"})
    assert git_bytes(layout.common, "ls-tree", "-z", "--name-only", "orchestry", "tasks/").split(b"\0").count(
        path.encode()
    ) == 1  # fmt: skip
    assert (layout.state / path).read_bytes() == git_bytes(layout.common, "show", f"orchestry:{path}")
    assert is_clean(layout.state)


# Where it is written


def _config(*settings: str) -> Callable[[Layout], None]:
    def prepare(layout: Layout) -> None:
        for setting in settings:
            key, _, value = setting.partition("=")
            git(layout.root, "config", key, value)
        git(layout.state, "update-index", "--refresh")

    return prepare


def _pack(layout: Layout) -> None:
    git(layout.root, "gc", "--quiet", "--prune=now")
    assert not (layout.common / STATE_REF).exists()


def _detach(layout: Layout) -> None:
    git(layout.root, "checkout", "--quiet", "--detach")


def _other_branch(layout: Layout) -> None:
    git(layout.root, "checkout", "--quiet", "-b", "other")


def _no_index(layout: Layout) -> None:
    (layout.common / "worktrees/orchestry/index").unlink()


def _broken_index(layout: Layout) -> None:
    (layout.common / "worktrees/orchestry/index").write_bytes(b"DIRC nonsense")


@pytest.mark.parametrize(
    "prepare",
    [
        _config("core.splitIndex=true"),
        _config("core.untrackedCache=true", "index.version=4"),
        _config("core.autocrlf=true", "core.safecrlf=true", "core.eol=crlf"),
        _config("i18n.commitEncoding=ISO-8859-1"),
        _config("transfer.fsckObjects=true", "fastimport.unpackLimit=1"),
        _config("index.sparse=true", "core.sparseCheckout=true", "extensions.worktreeConfig=true"),
        _config("user.useConfigOnly=true", "core.logAllRefUpdates=always"),
        _pack,
        _detach,
        _other_branch,
        _no_index,
        _broken_index,
    ],
)
def test_a_repository_set_up_otherwise(layout: Layout, prepare: Callable[[Layout], None]) -> None:
    prepare(layout)
    take(layout, ONE)
    take(layout, TWO)
    assert subjects(layout.common, "orchestry")[:2] == [
        f"task({TWO}): todo -> in_progress",
        f"task({ONE}): todo -> in_progress",
    ]
    assert disorder(layout) == ""
    assert is_clean(layout.root)


def test_a_sha256_repository(tmp_path: Path) -> None:
    layout = make_project(tmp_path / "project", ONE, TWO, options=("--object-format=sha256",))
    take(layout, ONE)
    with ledger.writing(layout, ADA) as book:
        book.remove(path_of(TWO), "task: deleted")
    assert len(git(layout.common, "rev-parse", "orchestry")) == 64
    assert disorder(layout) == ""


def test_no_hook_of_the_person_runs(layout: Layout, tmp_path: Path) -> None:
    elsewhere = tmp_path / "hooks"
    for hook in (
        "reference-transaction", "pre-commit", "post-commit", "commit-msg", "prepare-commit-msg", "post-index-change",
        "post-checkout", "post-rewrite", "pre-auto-gc", "update", "post-update", "pre-receive",
    ):  # fmt: skip
        for folder in (layout.common / "hooks", elsewhere):
            make_script(folder / hook, f"echo ran >> {tmp_path}/ran; exit 1")
    take(layout, ONE)
    git(layout.root, "config", "core.hooksPath", elsewhere)
    take(layout, TWO)
    _no_index(layout)
    with ledger.writing(layout, ADA) as book:
        book.transition(ONE, Ask.RELEASE)
    assert not (tmp_path / "ran").exists()


def test_a_machine_without_identity_writes_all_the_same(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("USER", "someone")
    git(layout.root, "config", "user.useConfigOnly", "true")
    identity.machine.cache_clear()
    with ledger.writing(layout, ENGINE) as book:
        book.transition(ONE, Ask.CANCEL, sets={"closed": "2026-11-22T10:00:00Z"})
    assert git(layout.common, "log", "-1", "--format=%cn", "orchestry")
    assert disorder(layout) == ""


def test_the_state_branch_is_gone(layout: Layout) -> None:
    git(layout.common, "update-ref", "-d", STATE_REF)
    with pytest.raises(RefusedError, match=r"The branch orchestry of .* is gone"):
        take(layout, ONE)
