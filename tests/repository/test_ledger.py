from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from orchgit.model import actor
from orchgit.model.actor import ENGINE
from orchgit.model.errors import BusyError, InvalidFileError, NotFoundError, OrchgitError, RefusedError
from orchgit.model.lifecycle import Ask
from orchgit.model.task import Status
from orchgit.repository import identity, ledger, locks, store
from orchgit.repository.layout import STATE_REF
from tests.support.repos import commit, git, git_bytes, is_clean, make_script, subjects, write
from tests.support.states import (
    ADA,
    add_tasks,
    committed,
    disorder,
    make_project,
    path_of,
    place_of,
    run_python,
    start_python,
    task_text,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orchgit.repository.layout import Layout

ONE, TWO = "tsk_000001", "tsk_000002"
SHA = "0123456789" * 4


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_project(tmp_path / "project", ONE, TWO)


def take(layout: Layout, *tasks: str) -> list[str]:
    """Take tasks in one write and return what a person is told."""
    with ledger.writing(layout, ADA) as book:
        for each in tasks:
            book.transition(each, Ask.TAKE, sets={"agent": ADA.name})
    return book.notices


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
        _config("commit.gpgsign=true", "user.signingkey=0000000000000000", "gpg.program=false"),
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
    with pytest.raises(NotFoundError, match="The state branch is gone"):
        take(layout, ONE)


# Beside a person


def test_what_a_person_typed_elsewhere_in_the_file_stays(layout: Layout) -> None:
    typed = task_text(ONE).replace("title: Do", "labels: [mine]  # typed\ntitle: Really do") + "And more.\n"
    place_of(layout, ONE).write_text(typed)
    assert take(layout, ONE) == []
    now = place_of(layout, ONE).read_text()
    assert now == typed.replace("todo  #", "in_progress  #").replace(
        "---\nDo", "attempts: 1\nagent: Ada Lovelace\n---\nDo"
    )
    assert "mine" not in committed(layout, path_of(ONE))
    assert git(layout.state, "status", "--porcelain") == f" M {path_of(ONE)}"


def test_where_both_change_a_key_the_ledger_wins_and_the_typed_file_is_kept(layout: Layout) -> None:
    typed = task_text(ONE).replace("status: todo", "status: done")
    place_of(layout, ONE).write_text(typed)
    (notice,) = take(layout, ONE)
    ref = f"refs/orchgit/edits/{ONE}/1"
    assert notice == (
        f"{path_of(ONE)}: status as typed gave way to what orchgit had to write; the typed file is {ref}."
    )
    assert git_bytes(layout.common, "cat-file", "blob", ref).decode() == typed
    assert disorder(layout) == ""


def test_config_is_merged_key_by_key(layout: Layout) -> None:
    place = layout.state / "config.yaml"
    before = place.read_text()
    place.write_text(before.replace("  base: main", "  base: trunk") + "mine: 1  # typed\n")
    with ledger.writing(layout, ADA) as book:
        text = book.text("config.yaml").replace("  base: main", "  base: next").replace("name: project", "name: shop")
        book.put("config.yaml", text, "config: set project.base")
    assert "mine: 1  # typed\n" in place.read_text()
    assert "  base: next" in place.read_text()
    assert "name: shop" in place.read_text()
    (notice,) = book.notices
    assert notice.startswith("config.yaml: project.base as typed gave way to what orchgit had to write; ")
    assert notice.endswith("the typed file is refs/orchgit/edits/config-yaml/1.")


@pytest.mark.parametrize(
    "typed", [b"---\nid: [broken\n---\n", b"---\nnever closed\n", b"\xff\xfe", b"---\na: 1\na: 2\n---\n"]
)
def test_what_is_typed_and_can_not_be_read_stays_as_typed(layout: Layout, typed: bytes) -> None:
    place_of(layout, ONE).write_bytes(typed)
    (notice,) = take(layout, ONE)
    assert notice.startswith(f"{path_of(ONE)} stays as typed, though orchgit had to change it: {path_of(ONE)}:")
    assert place_of(layout, ONE).read_bytes() == typed
    assert "status: in_progress" in committed(layout, path_of(ONE))


def test_an_empty_file_is_an_edit_too(layout: Layout) -> None:
    place_of(layout, ONE).write_bytes(b"")
    take(layout, ONE)
    assert place_of(layout, ONE).read_text() == ("---\nstatus: in_progress\nattempts: 1\nagent: Ada Lovelace\n---\n")


def test_what_is_staged_stays_staged(layout: Layout) -> None:
    write(layout.state, {"notes/mine.md": "mine\n", path_of(TWO): task_text(TWO) + "More.\n"})
    git(layout.state, "add", "--", "notes/mine.md", path_of(TWO))
    (layout.state / ".gitattributes").unlink()
    git(layout.state, "rm", "--quiet", "--cached", "--", ".gitattributes")
    take(layout, ONE)
    assert git(layout.state, "status", "--porcelain").splitlines() == [
        "D  .gitattributes",
        "A  notes/mine.md",
        f"M  {path_of(TWO)}",
    ]


def test_a_file_deleted_by_hand_is_back(layout: Layout) -> None:
    place_of(layout, ONE).unlink()
    assert take(layout, ONE) == [f"{path_of(ONE)} had been deleted by hand; it is back."]
    assert disorder(layout) == ""


def test_a_folder_deleted_by_hand_is_back(layout: Layout) -> None:
    for place in sorted((layout.state / "tasks").iterdir()):
        place.unlink()
    (layout.state / "tasks").rmdir()
    take(layout, ONE)
    assert git(layout.state, "status", "--porcelain") == f" D {path_of(TWO)}"


def test_a_file_typed_meanwhile_where_one_is_removed_stays(layout: Layout) -> None:
    place_of(layout, ONE).write_text("mine\n")
    with ledger.writing(layout, ADA) as book:
        book.remove(path_of(ONE), "task: deleted")
    assert book.notices == [f"{path_of(ONE)} was changed by hand meanwhile; it stays as typed."]
    assert place_of(layout, ONE).read_text() == "mine\n"
    assert git(layout.state, "status", "--porcelain") == f"?? {path_of(ONE)}"


def _directory(place: Path, tmp_path: Path) -> None:
    place.unlink()
    place.mkdir()
    (place / "mine").write_text("mine\n")


def _link(place: Path, tmp_path: Path) -> None:
    place.unlink()
    (tmp_path / "target").write_text("theirs\n")
    place.symlink_to(tmp_path / "target")


def _linked_folder(place: Path, tmp_path: Path) -> None:
    place.parent.rename(tmp_path / "elsewhere")
    place.parent.symlink_to(tmp_path / "elsewhere")


def _file_for_folder(place: Path, tmp_path: Path) -> None:
    place.parent.rename(tmp_path / "elsewhere")
    place.parent.write_text("mine\n")


@pytest.mark.parametrize("obstruct", [_directory, _link, _linked_folder, _file_for_folder])
def test_what_is_no_file_of_ours_is_left_alone_and_named(
    layout: Layout, tmp_path: Path, obstruct: Callable[[Path, Path], None]
) -> None:
    obstruct(place_of(layout, ONE), tmp_path)
    (notice,) = take(layout, ONE)
    assert notice.startswith(f"{path_of(ONE)} was committed, but {layout.state}/tasks")
    assert not (layout.journal).exists()
    for kept in ("elsewhere/tsk_000001.md", "target"):
        if (tmp_path / kept).exists():
            assert "in_progress" not in (tmp_path / kept).read_text()
    take(layout, TWO)
    assert "status: in_progress" in committed(layout, path_of(ONE))


def test_a_merge_that_a_person_has_begun_is_not_lost(layout: Layout) -> None:
    """Unmerged entries of other files stay unmerged."""
    git(layout.state, "checkout", "--quiet", "--detach")
    mine = commit(layout.state, {path_of(TWO): task_text(TWO) + "Mine.\n"}, "mine")
    git(layout.state, "checkout", "--quiet", "orchestry")
    commit(layout.state, {path_of(TWO): task_text(TWO) + "Theirs.\n"}, "theirs")
    subprocess.run(["git", "merge", "--quiet", mine], cwd=layout.state, check=False, capture_output=True)
    take(layout, ONE)
    assert git(layout.state, "status", "--porcelain") == f"UU {path_of(TWO)}"


def test_a_person_who_commits_in_between_is_built_upon(layout: Layout) -> None:
    take(layout, ONE)
    commit(layout.state, {path_of(TWO): task_text(TWO) + "More.\n"}, "by hand")
    with ledger.writing(layout, ADA) as book:
        assert book.text(path_of(TWO)).endswith("More.\n")
        book.transition(TWO, Ask.TAKE, sets={"agent": "Ada"})
    assert committed(layout, path_of(TWO)).endswith("More.\n")
    assert disorder(layout) == ""


# Locks


def index_lock(layout: Layout) -> Path:
    return layout.common / "worktrees" / "orchestry" / "index.lock"


@pytest.mark.parametrize("content", [b"", b"DIRC\0\0\0\2"])
def test_a_foreign_index_lock_is_waited_for_named_and_never_removed(layout: Layout, content: bytes) -> None:
    index_lock(layout).write_bytes(content)
    with pytest.raises(BusyError, match="a git command holds") as caught, ledger.writing(layout, ADA, wait=0.1):
        pass
    assert str(index_lock(layout)) in caught.value.what
    ledger.mend(layout)
    assert index_lock(layout).read_bytes() == content
    index_lock(layout).unlink()
    take(layout, ONE)
    assert disorder(layout) == ""


def test_an_index_lock_that_goes_in_time_is_waited_for(layout: Layout) -> None:
    index_lock(layout).write_bytes(b"")
    with start_python(f"time.sleep(0.3); os.unlink({str(index_lock(layout))!r})", layout.root) as other:
        take(layout, ONE)
        assert other.wait() == 0
    assert disorder(layout) == ""


def test_while_the_ledger_writes_a_person_s_add_is_told_to_wait(layout: Layout) -> None:
    with ledger.writing(layout, ADA) as book:
        book.transition(ONE, Ask.TAKE, sets={"agent": "Ada"})
        done = subprocess.run(["git", "add", "."], cwd=layout.state, capture_output=True, check=False)
        assert b"index.lock': File exists" in done.stderr
    git(layout.state, "add", ".")
    assert disorder(layout) == ""


def test_a_writer_that_waits_too_long_names_the_holder(layout: Layout) -> None:
    with ledger.writing(layout, ADA):
        code, err = run_python("with ledger.writing(layout, ADA, wait=0.1): pass", layout.root)
    assert code == 1
    assert "BusyError: Can't write the state: process " in err
    assert str(layout.lock) in err


# Kill -9

AT = {
    "the index is locked": "patch(journal, 'write', before=1)",
    "the journal is written": "patch(stream, 'write', before=1)",
    "the branch has moved": "patch(stream, 'write', after=1)",
    "half of the files are carried": "patch(carry, 'carry', after=1)",
    "a file is half written": "patch(files, '_mode', before=1)",
    "the second file is half written": "patch(files, '_mode', before=2)",
    "the files are carried": "patch(carry, 'carry', after=2)",
    "the index is replaced": "patch(journal, 'drop', before=1)",
    "the journal is dropped": "patch(journal, 'drop', after=1)",
}
KILLED = """
def patch(module, name, *, before=0, after=0):
    real, calls = getattr(module, name), [0]
    def patched(*args, **options):
        calls[0] += 1
        if calls[0] == before: os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **options)
        if calls[0] == after: os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(module, name, patched)
{at}
with ledger.writing(layout, ADA) as book:
    book.transition("tsk_000001", Ask.TAKE, sets={{"agent": "Ada"}})
    book.transition("tsk_000002", Ask.TAKE, sets={{"agent": "Ada"}})
"""


@pytest.mark.parametrize("at", AT)
def test_a_writer_killed_while_it_writes(layout: Layout, at: str) -> None:
    landed = at not in ("the index is locked", "the journal is written")
    assert run_python(KILLED.format(at=AT[at]), layout.root)[0] == -9
    locks.wait_until_free(layout.lock)  # a git of the dead one may still hold it
    ledger.mend(layout)
    assert disorder(layout) == ""
    assert len(subjects(layout.common, "orchestry")) == (5 if landed else 3)
    assert ("in_progress" in place_of(layout, TWO).read_text()) is landed
    with ledger.writing(layout, ADA) as book:
        book.transition(ONE, Ask.RELEASE if landed else Ask.TAKE, sets={} if landed else {"agent": "Ada"})
    assert disorder(layout) == ""


@pytest.mark.parametrize("at", ["the branch has moved", "half of the files are carried", "the index is replaced"])
def test_what_was_typed_before_a_writer_was_killed_is_there_when_the_next_one_has_mended(
    layout: Layout, at: str
) -> None:
    typed = task_text(TWO).replace("title: Do", "title: Really do") + "More.\n"
    place_of(layout, TWO).write_text(typed)
    place_of(layout, ONE).write_text(task_text(ONE).replace("todo", "done"))
    write(layout.state, {"notes/mine.md": "mine\n"})
    git(layout.state, "add", "notes/mine.md")
    assert run_python(KILLED.format(at=AT[at]), layout.root)[0] == -9
    with ledger.writing(layout, ADA) as book:
        book.transition(ONE, Ask.RELEASE)
    text = place_of(layout, TWO).read_text()
    assert text == typed.replace("todo", "in_progress").replace("---\nDo", "attempts: 1\nagent: Ada\n---\nDo")
    assert (
        git_bytes(layout.common, "cat-file", "blob", f"refs/orchgit/edits/{ONE}/1")
        == task_text(ONE).replace("todo", "done").encode()
    )
    assert git(layout.state, "status", "--porcelain").splitlines() == ["A  notes/mine.md", f" M {path_of(TWO)}"]
    assert not index_lock(layout).exists()


def test_a_person_can_not_commit_from_the_old_index_before_a_killed_writer_is_mended(layout: Layout) -> None:
    assert run_python(KILLED.format(at=AT["the branch has moved"]), layout.root)[0] == -9
    done = subprocess.run(["git", "commit", "-am", "x"], cwd=layout.state, capture_output=True, check=False)
    assert done.returncode != 0
    assert b"index.lock" in done.stderr


def test_a_failing_writer_leaves_the_index_locked_until_it_is_mended(layout: Layout) -> None:
    code = "def fail(*_, **__): raise KeyboardInterrupt\ncarry.carry = fail\n" + KILLED.format(at="")
    assert run_python(code, layout.root)[0] != 0
    assert index_lock(layout).exists()
    locks.wait_until_free(layout.lock)
    ledger.mend(layout)
    assert disorder(layout) == ""
    assert len(subjects(layout.common, "orchestry")) == 5


def test_git_that_goes_on_writing_for_a_killed_writer_is_waited_for(layout: Layout, tmp_path: Path) -> None:
    fed, real = tmp_path / "fed", shutil.which("git")
    slowly = f'cat > {fed}.new; mv {fed}.new {fed}; sleep 0.7; exec {real} "$@" < {fed}'
    make_script(tmp_path / "slow" / "git", f'case " $* " in *" fast-import "*) {slowly};; esac\nexec {real} "$@"')
    path = f"{tmp_path / 'slow'}{os.pathsep}{os.environ['PATH']}"
    with start_python(KILLED.format(at=""), layout.root, PATH=path) as writer:
        while not fed.exists():
            time.sleep(0.01)
        writer.kill()
    assert locks.is_held(layout.lock)
    with ledger.writing(layout, ADA) as book:
        if book.state.task(ONE).status is Status.TODO:  # it died of the pipe that nobody reads
            book.transition(ONE, Ask.TAKE, sets={"agent": "Ada"})
    assert f"task({ONE}): todo -> in_progress" in subjects(layout.common, "orchestry")
    assert disorder(layout) == ""


def commit_behind(layout: Layout, path: str) -> None:
    """Commit a change of `path` as a `git commit` does that has read the index before we locked it."""
    index = layout.common / "index.behind"
    text = committed(layout, path) if path.startswith("tasks/") else ""
    blob = git(layout.common, "hash-object", "-w", "--stdin", stdin=f"{text}Behind.\n".encode())
    with_index = {**os.environ, "GIT_INDEX_FILE": str(index)}
    for args in (["read-tree", "orchestry"], ["update-index", "--add", "--cacheinfo", f"100644,{blob},{path}"]):
        subprocess.run(["git", *args], cwd=layout.common, env=with_index, check=True)
    tree = subprocess.check_output(["git", "write-tree"], cwd=layout.common, env=with_index, text=True).strip()
    made = git(layout.common, "commit-tree", tree, "-p", "orchestry", "-m", "behind")
    git(layout.common, "update-ref", STATE_REF, made)


def test_a_commit_of_other_files_that_comes_in_between_is_built_upon(layout: Layout) -> None:
    with ledger.writing(layout, ADA) as book:
        book.transition(ONE, Ask.TAKE, sets={"agent": "Ada"})
        commit_behind(layout, "notes/mine.md")
    assert subjects(layout.common, "orchestry")[:2] == [f"task({ONE}): todo -> in_progress", "behind"]
    assert committed(layout, "notes/mine.md") == "Behind.\n"
    with ledger.writing(layout, ADA) as book:
        book.transition(ONE, Ask.RELEASE)
    assert committed(layout, "notes/mine.md") == "Behind.\n"


def test_a_commit_of_the_same_file_that_comes_in_between_is_not_overwritten(layout: Layout) -> None:
    with pytest.raises(BusyError, match="moved on"), ledger.writing(layout, ADA) as book:  # noqa: PT012 - it raises at the end
        book.transition(ONE, Ask.TAKE, sets={"agent": "Ada"})
        commit_behind(layout, path_of(ONE))
    assert subjects(layout.common, "orchestry")[0] == "behind"
    assert disorder(layout) == ""


# Failing disks


def test_no_room_for_the_index(layout: Layout) -> None:
    """The limit on the size of files stands for a disk that is full."""
    limit = "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (150, 150))\n"
    code, err = run_python(f"import resource\n{limit}{KILLED.format(at='')}", layout.root)
    assert code == 1
    assert "OSError" in err
    take(layout, ONE)
    assert len(subjects(layout.common, "orchestry")) == 4
    assert disorder(layout) == ""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own that can be filled."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"tmpfs can't be mounted here: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_costs_nothing_but_time(disk: Path) -> None:
    """Room is made little by little: the write fails at one step after the other, and then is done once."""
    layout = make_project(disk / "project", ONE, TWO)
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    failures = 0
    for room in range(100):
        os.truncate(disk / "filler", max((disk / "filler").stat().st_size - room * 2048, 0))
        try:
            take(layout, ONE)
        except (OSError, OrchgitError):
            failures += 1
        else:
            break
        if store.read(layout, git(layout.common, "rev-parse", "orchestry")).task(ONE).status is Status.IN_PROGRESS:
            break
    assert failures
    (disk / "filler").unlink()
    locks.wait_until_free(layout.lock)
    ledger.mend(layout)
    assert len(subjects(layout.common, "orchestry")) == 4
    assert disorder(layout) == ""


# Many at once

WRITER = """
me = os.environ["TASK"]
for turn in range(int(os.environ["TURNS"])):
    with ledger.writing(layout, ADA, wait=60) as book:
        if turn % 2:
            book.transition(me, Ask.RELEASE)
        else:
            book.transition(me, Ask.TAKE, sets={"agent": "Ada"})
"""


def is_linear(layout: Layout) -> bool:
    return not git(layout.common, "rev-list", "--merges", "orchestry")


def test_eight_writers_lose_nothing(layout: Layout) -> None:
    tasks = [f"tsk_w{number}" for number in range(8)]
    add_tasks(layout, *tasks)
    before = int(git(layout.common, "rev-list", "--count", "orchestry"))
    writers = [start_python(WRITER, layout.root, TASK=each, TURNS="50") for each in tasks]
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [(b"", 0)] * 8
    assert int(git(layout.common, "rev-list", "--count", "orchestry")) == before + 400
    said = subjects(layout.common, "orchestry")[:400]
    assert all(said.count(f"task({each}): todo -> in_progress") == 25 for each in tasks)
    assert all(said.count(f"task({each}): in_progress -> todo") == 25 for each in tasks)
    assert is_linear(layout)
    assert disorder(layout) == ""


def test_writers_beside_a_person_s_own_add_and_commit(layout: Layout) -> None:
    tasks = [f"tsk_w{number}" for number in range(4)]
    add_tasks(layout, *tasks)
    before = int(git(layout.common, "rev-list", "--count", "orchestry"))
    writers = [start_python(WRITER, layout.root, TASK=each, TURNS="25") for each in tasks]
    turns = 0
    while any(writer.poll() is None for writer in writers) or turns < 10:
        write(layout.state, {f"notes/{turns}.md": f"{turns}\n"})
        persist(layout, "add", "--", f"notes/{turns}.md")
        persist(layout, "commit", "--quiet", "-m", f"note {turns}")
        turns += 1
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [(b"", 0)] * 4
    assert int(git(layout.common, "rev-list", "--count", "orchestry")) == before + 100 + turns
    said = subjects(layout.common, "orchestry")
    assert [each for each in said if each.startswith("note ")] == [f"note {each}" for each in reversed(range(turns))]
    assert all(
        git(layout.common, "show", "--format=", "--name-only", f"orchestry~{at}").count("\n") == 0 for at in range(20)
    )
    assert is_linear(layout)
    assert disorder(layout) == ""


def persist(layout: Layout, *args: str) -> None:
    """Do what a person does whom git tells that the index is locked: try again."""
    while True:
        done = subprocess.run(["git", *args], cwd=layout.state, capture_output=True, check=False)
        if done.returncode == 0:
            return
        assert b"index.lock" in done.stderr or b"cannot lock ref" in done.stderr, done.stderr
