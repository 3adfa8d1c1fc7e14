from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from orchgit.model.errors import BusyError, OrchgitError
from orchgit.model.lifecycle import Ask
from orchgit.model.task import Status
from orchgit.repository import ledger, locks, store
from orchgit.repository.layout import STATE_REF
from tests.support import disks
from tests.support.repos import git, git_bytes, make_script, subjects, write
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
    take,
    task_text,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orchgit.repository.layout import Layout

ONE, TWO = "tsk_000001", "tsk_000002"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_project(tmp_path / "project", ONE, TWO)


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
    "git has the commits": "patch(index, 'put', before=1)",
    "the index is replaced": "patch(index, 'put', after=1)",
    "the branch has moved": "patch(stream, 'write', after=1)",
    "half of the files are carried": "patch(carry, 'carry', after=1)",
    "a file is half written": "patch(files, '_mode', before=1)",
    "the second file is half written": "patch(files, '_mode', before=2)",
    "the files are carried": "patch(carry, 'carry', after=2)",
    "all is there": "patch(journal, 'drop', before=1)",
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
    landed = at not in ("the index is locked", "the journal is written", "git has the commits", "the index is replaced")
    assert run_python(KILLED.format(at=AT[at]), layout.root)[0] == -9
    locks.wait_until_free(layout.lock)  # a git of the dead one may still hold it
    ledger.mend(layout)
    assert disorder(layout) == ""
    assert len(subjects(layout.common, "orchestry")) == (5 if landed else 3)
    assert ("in_progress" in place_of(layout, TWO).read_text()) is landed
    with ledger.writing(layout, ADA) as book:
        book.transition(ONE, Ask.RELEASE if landed else Ask.TAKE, sets={} if landed else {"agent": "Ada"})
    assert disorder(layout) == ""


@pytest.mark.parametrize("at", ["the branch has moved", "half of the files are carried", "all is there"])
def test_what_was_typed_before_a_writer_was_killed_is_there_when_the_next_one_has_mended(
    layout: Layout, at: str, caplog: pytest.LogCaptureFixture
) -> None:
    typed = task_text(TWO).replace("title: Do", "title: Really do") + "More.\n"
    place_of(layout, TWO).write_text(typed)
    place_of(layout, ONE).write_text(task_text(ONE).replace("todo", "done"))
    write(layout.state, {"notes/mine.md": "mine\n"})
    git(layout.state, "add", "notes/mine.md")
    code, err = run_python(KILLED.format(at=AT[at]), layout.root)
    assert code == -9
    with ledger.writing(layout, ADA) as book:
        book.transition(ONE, Ask.RELEASE)
    told = f"{err}{caplog.text}"
    assert (told.count("status as typed gave way") == 1) is (at != "all is there" and "half" not in at)
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
    with disks.small(tmp_path / "disk", size="3m") as place:
        yield place


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


def test_a_disk_that_can_only_be_read(disk: Path) -> None:
    layout = make_project(disk / "project", ONE, TWO)
    assert run_python(KILLED.format(at=AT["the branch has moved"]), layout.root)[0] == -9
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    ledger.mend(layout)
    assert store.read(layout, git(layout.common, "rev-parse", "orchestry")).task(ONE).status is Status.IN_PROGRESS
    with pytest.raises(OSError, match="Read-only file system"):
        take(layout, ONE)
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    ledger.mend(layout)
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
