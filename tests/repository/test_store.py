from __future__ import annotations

import marshal
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from orchgit.model.errors import InvalidFileError, NotFoundError
from orchgit.model.task import Purpose
from orchgit.repository import cache, objects, states, store
from tests.support.repos import commit, git, git_bytes
from tests.support.states import PACKAGE, add_tasks, make_project, path_of, place_of, task_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orchgit.repository.layout import Layout
    from orchgit.repository.states import State

ONE, TWO = "tsk_000001", "tsk_000002"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_project(tmp_path / "project", ONE, TWO)


def read(layout: Layout) -> State:
    """Read the state as a new process does."""
    store._last.clear()
    return store.read(layout, git(layout.common, "rev-parse", "orchestry"))


def complaints(state: State) -> list[str]:
    return [str(error) for error in state.broken]


def test_what_a_commit_says(layout: Layout) -> None:
    commit(
        layout.state, {"agents/a.md": "---\nadapter: shell\n---\nBe kind.\n", "agents/b.yaml": "role: Be quick.\n"}, "x"
    )
    state = read(layout)
    assert sorted(state.tasks) == [ONE, TWO]
    assert {name: (agent.adapter, agent.role) for name, agent in state.agents.items()} == {
        "a": ("shell", "Be kind."),
        "b": (None, "Be quick."),
    }
    assert (state.config.project_name, state.config.project_base) == ("project", "main")
    assert state.broken == ()


def test_only_what_is_committed_counts(layout: Layout) -> None:
    place_of(layout, ONE).write_text("---\nid: [")
    (layout.state / path_of("tsk_x")).write_text(task_text("tsk_x"))
    assert sorted(read(layout).tasks) == [ONE, TWO]


def test_what_is_no_task_and_no_agent_is_not_read(layout: Layout) -> None:
    files = {"tasks/.hidden.md": "", "tasks/notes.txt": "", "tasks/deep/x.md": "", "agents/x.txt": "", "notes/x.md": ""}
    commit(layout.state, files, "more")
    state = read(layout)
    assert (sorted(state.tasks), state.agents, state.broken) == ([ONE, TWO], {}, ())


def test_a_word_names_a_task(layout: Layout) -> None:
    state = read(layout)
    assert state.task("000001").id == ONE
    with pytest.raises(NotFoundError):
        state.task("0")
    with pytest.raises(NotFoundError, match="There is no agent 'x'"):
        state.agent("x")


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        ("tasks/a.md", b"---\nid: [\n---\n", "tasks/a.md:"),
        ("tasks/a.md", b"\xff\n", "tasks/a.md:1: has the byte 0xff, which is no UTF-8"),
        ("tasks/a.md", b"no front matter\n", "tasks/a.md:1: has no front matter"),
        ("tasks/a.md", b"", "tasks/a.md:1: has no front matter"),
        ("tasks/a.md", b"---\nid: tsk_a\n---\n", "title: is missing"),
        ("tasks/a.md", b"---\nid: tsk_a\ntitle: x\nstatus: dne\n---\n", "tasks/a.md:4: status: 'dne' is not one of"),
        ("agents/a b.md", b"---\n---\n", "agents/a b.md:1: 'a b' is not a name"),
        ("agents/a.yaml", b"role: [\n", "agents/a.yaml:"),
        ("agents/a.yml", b"adapter: 7\nenabled: maybe\n", "enabled: 'maybe' is not true or false"),
        ("config.yaml", b"version: 2\n", "config.yaml:1: version: 2 is a format that this orchgit doesn't know"),
        ("config.yaml", b"project: [\n", "config.yaml:"),
    ],
)
def test_a_broken_file_is_told_and_the_others_are_read(layout: Layout, path: str, data: bytes, words: str) -> None:
    commit(layout.state, {path: data}, "broken")
    state = read(layout)
    assert sorted(state.tasks) == [ONE, TWO]
    (complaint,) = complaints(state)
    assert words in complaint
    assert complaints(read(layout)) == [complaint]


def test_a_link_is_not_followed(layout: Layout) -> None:
    (layout.state / "tasks/link.md").symlink_to("/etc/passwd")
    (layout.state / "agents").mkdir(exist_ok=True)
    (layout.state / "agents/link.md").symlink_to("../tasks/" + ONE + ".md")
    git(layout.state, "add", ".")
    git(layout.state, "commit", "-qm", "links")
    assert complaints(read(layout)) == [
        "agents/link.md:1: is not a file of its own in the state branch",
        "tasks/link.md:1: is not a file of its own in the state branch",
    ]


def test_folders_that_are_none(layout: Layout) -> None:
    git(layout.state, "rm", "-rq", "tasks")
    (layout.state / "agents").rmdir()
    commit(layout.state, {"tasks": "a file\n", "agents": "too\n"}, "files")
    assert read(layout).tasks == {}


@pytest.mark.parametrize("copy", [f"{ONE} copy.md", f"{ONE}-2.md", "0.md", "zzz.md", f"a-{ONE}.md"])
def test_of_two_files_with_one_id_the_copy_is_broken(layout: Layout, copy: str) -> None:
    commit(layout.state, {f"tasks/{copy}": task_text(ONE)}, "copy")
    state = read(layout)
    assert state.task(ONE).path == path_of(ONE)
    assert complaints(state) == [f"tasks/{copy}:1: id: {ONE} is taken by {path_of(ONE)}\nGive one of them another."]


def test_of_two_files_of_one_agent_the_second_is_broken(layout: Layout) -> None:
    commit(layout.state, {"agents/a.yaml": "role: x\n", "agents/a.md": "---\nmodel: y\n---\n"}, "twice")
    state = read(layout)
    assert state.agent("a").model == "y"
    assert complaints(state) == ["agents/a.yaml:1: a is taken by agents/a.md\nGive one of them another."]


# The cache


def _delete(place: Path) -> None:
    place.unlink()


def _cut(place: Path) -> None:
    place.write_bytes(place.read_bytes()[:-20])


def _garbage(place: Path) -> None:
    place.write_bytes(b"\x00\xff garbage")


def _empty(place: Path) -> None:
    place.write_bytes(b"")


def _other_shape(place: Path) -> None:
    place.write_bytes(marshal.dumps([1, 2]))


def _other_version(place: Path) -> None:
    _, tip, packed = marshal.loads(place.read_bytes())
    place.write_bytes(marshal.dumps((("0.0.0",), tip, packed)))


def _unknown_kind(place: Path) -> None:
    version, tip, packed = marshal.loads(place.read_bytes())
    place.write_bytes(marshal.dumps((version, tip, [(path, oid, "Goat", values) for path, oid, _, values in packed])))


def _unknown_tip(place: Path) -> None:
    version, _, packed = marshal.loads(place.read_bytes())
    place.write_bytes(marshal.dumps((version, "0" * 40, packed)))


def _directory(place: Path) -> None:
    place.unlink()
    place.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [_delete, _cut, _garbage, _empty, _other_shape, _other_version, _unknown_kind, _unknown_tip, _directory],
)
def test_the_cache_is_disposable(layout: Layout, spoil: Callable[[Path], None]) -> None:
    commit(layout.state, {"tasks/broken.md": "broken", "agents/a.yaml": "role: x\nenv: {A: b}\n"}, "more")
    before = read(layout)
    spoil(layout.cache)
    assert repr(read(layout)) == repr(before)
    assert repr(read(layout)) == repr(before)


def test_what_is_cached_is_what_was_read(layout: Layout) -> None:
    times = {
        "created": "2026-11-22T10:00:00Z",
        "labels": "[a, b]",
        "priority": 2,
        "retry_at": "2026-11-22T10:00:00+02:00",
    }
    add_tasks(layout, "tsk_full", **times)
    own = "events: {usage: {match: {a.0: [1, x]}, input: b}}\nmcp_servers: {s: {command: x, env: {A: $B}}}\n"
    goal = "---\nid: gol_1\ntitle: Be fast\nstatus: paused\nassignee: own\ncreated: 2026-11-22T10:00:00Z\n---\n"
    team = "---\nlead: own\nmembers: [own, b]\nmax_concurrent_tasks: 2\nauto_claim: false\n---\nOurs.\n"
    add_tasks(layout, "tsk_plan", goal="gol_1", purpose="plan")
    commit(layout.state, {"agents/own.yaml": own, "goals/gol_1.md": goal, "teams/core.md": team}, "agent")
    fresh = read(layout)
    assert fresh.agents["own"].events
    assert fresh.goal("1").created is not None
    assert (fresh.team("core").everyone, fresh.team("core").auto_claim) == (("own", "b"), False)
    assert fresh.tasks["tsk_plan"].purpose is Purpose.PLAN
    assert cache.load(layout) == (fresh.tip, fresh.items)
    assert read(layout) == fresh


def test_only_what_changed_is_read_again(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    read(layout)
    commit(layout.state, {path_of(TWO): task_text(TWO, priority=1)}, "edit")
    git(layout.state, "mv", path_of(ONE), "tasks/moved.md")
    git(layout.state, "commit", "-qm", "move")
    parsed: list[str] = []
    real = states.parse

    def noting(path: str, data: bytes) -> cache.Item:
        parsed.append(path)
        return real(path, data)

    monkeypatch.setattr(states, "parse", noting)
    state = read(layout)
    assert sorted(parsed) == ["tasks/moved.md", path_of(TWO)]
    assert (state.task(TWO).priority, state.task(ONE).path) == (1, "tasks/moved.md")
    read(layout)
    assert len(parsed) == 2


def test_a_cache_that_can_not_be_written_is_only_slower(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("orchgit.repository.files.replace", refuse)
    layout.cache.unlink(missing_ok=True)
    assert sorted(read(layout).tasks) == [ONE, TWO]


def test_reading_what_is_cached_starts_no_git_and_loads_no_yaml(layout: Layout) -> None:
    tip = read(layout).tip
    code = (
        "import sys, subprocess\nfrom pathlib import Path\nfrom orchgit.repository import layout, states, store\n"
        "def refuse(*_, **__): raise AssertionError('git was called')\nsubprocess.Popen = refuse\n"
        f"place = layout.Layout(Path({str(layout.root)!r}), Path({str(layout.common)!r}))\n"
        f"assert len(store.read(place, {tip!r}).tasks) == 2\n"
        "heavy = {'yaml', 'frontmatter', 'tempfile', 'git', 'rich', 'jinja2', 'psutil', 'click'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(PACKAGE)})


# Drafts


def test_a_draft_leaves_the_state_that_it_was_made_from(layout: Layout) -> None:
    before = read(layout)
    draft = states.draft(before)
    draft = states.change(draft, path_of(ONE), None)
    draft = states.change(draft, "tasks/new.md", task_text("tsk_new").encode())
    draft = states.change(draft, "agents/a.md", b"---\nmodel: m\n---\n")
    draft = states.change(draft, "config.yaml", b"project:\n  name: other\n")
    assert sorted(draft.tasks) == [TWO, "tsk_new"]
    assert (draft.agent("a").model, draft.config.project_name) == ("m", "other")
    assert states.change(draft, "config.yaml", None).config.project_name == ""
    assert states.change(draft, "agents/a.md", None).agents == {}
    goal = b"---\nid: gol_1\ntitle: Be fast\n---\n"
    assert list(states.change(draft, "goals/x.md", goal).goals) == ["gol_1"]
    with pytest.raises(InvalidFileError, match=r"goals/y.md:1: id: gol_1 is taken by goals/x.md"):
        states.change(draft, "goals/y.md", goal)
    assert states.change(draft, "goals/x.md", None).goals == {}
    assert list(states.change(draft, "teams/t.md", b"---\nlead: a\n---\n").teams) == ["t"]
    with pytest.raises(InvalidFileError, match=r"agents/t.md:1: t is taken by teams/t.md"):
        states.change(draft, "agents/t.md", b"---\nmodel: m\n---\n")
    assert states.change(draft, "teams/t.md", None).teams == {}
    assert before == read(layout)


def test_an_id_that_is_taken_is_refused_in_a_draft(layout: Layout) -> None:
    draft = states.draft(read(layout))
    before = states.draft(draft)
    with pytest.raises(InvalidFileError, match=f"tasks/copy.md:1: id: {ONE} is taken by {path_of(ONE)}"):
        states.change(draft, "tasks/copy.md", task_text(ONE).encode())
    with pytest.raises(InvalidFileError, match="has no front matter"):
        states.change(draft, path_of(ONE), b"")
    assert draft == before


def test_a_task_whose_copy_goes_stays(layout: Layout) -> None:
    commit(layout.state, {"tasks/copy.md": task_text(ONE)}, "copy")
    draft = states.change(states.draft(read(layout)), "tasks/copy.md", None)
    assert draft.task(ONE).path == path_of(ONE)


# Objects


def test_objects_are_read_by_any_name(layout: Layout) -> None:
    with objects.reader(layout.common) as reader:
        blob, data = reader.object(f"orchestry:{path_of(ONE)}") or ("", b"")
        assert data.decode() == task_text(ONE)
        assert reader.object(blob) == (blob, data)
        assert blob == objects.blob_id(data, like=blob)
        assert reader.object("orchestry:no\nsuch file") is None
        assert reader.object("no such ref") is None
        assert reader.file("orchestry", "tasks") is None
        assert reader.file("orchestry", path_of(TWO)) == task_text(TWO).encode()
        assert reader.tree("orchestry:config.yaml") == {}
        assert {name: entry.mode for name, entry in reader.tree("orchestry:").items()} == {
            ".gitattributes": "100644",
            ".pre-commit-config.yaml": "100644",
            "config.yaml": "100644",
            "tasks": "40000",
        }


def test_blobs_come_in_order(layout: Layout) -> None:
    ids = git(layout.common, "ls-tree", "-r", "--object-only", "orchestry").split()
    expected = [git_bytes(layout.common, "cat-file", "blob", each) for each in ids]
    assert list(objects.blobs(ids, cwd=layout.common)) == expected
    assert list(objects.blobs([], cwd=layout.common)) == []
