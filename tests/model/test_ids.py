from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchgit.model import ids
from orchgit.model.errors import NotFoundError
from orchgit.repository.layout import WORK_BRANCHES

FEW = settings(max_examples=100, deadline=None, derandomize=True)
KNOWN = ("tsk_7k3m9q", "tsk_7k3xyz", "tsk_ab", "tsk_abc", "tsk_Imp0rted-1", "tsk_run_1", "tsk_tsk")


@pytest.mark.parametrize(
    ("number", "made"),
    [(0, "tsk_000000"), (1, "tsk_100000"), (31, "tsk_z00000"), (32, "tsk_010000"), (ids.SPACE - 1, "tsk_zzzzzz")],
)
def test_an_id_spells_a_number(number: int, made: str) -> None:
    assert ids.make("tsk", number) == made


@given(st.integers(0, ids.SPACE - 1), st.integers(0, ids.SPACE - 1))
@FEW
def test_different_numbers_make_different_ids(one: int, other: int) -> None:
    made = {ids.make(ids.RUN, one), ids.make(ids.RUN, other)}
    assert len(made) == len({one, other})
    assert all(ids.is_id(each, ids.RUN) and not re.search("[ilou]", each.removeprefix("run_")) for each in made)


@pytest.mark.parametrize("word", ["tsk_7k3m9q", "tsk_1", "tsk_V1StGXR8_Z5jdHi6B-myT", "tsk_-", f"tsk_{'a' * 32}"])
def test_ids(word: str) -> None:
    assert ids.is_id(word, ids.TASK)


@pytest.mark.parametrize(
    "word",
    ["", "tsk", "tsk_", "TSK_1", "run_4w8zr1", "7k3m9q", "-tsk_1", " tsk_1", "tsk_1\n", "tsk_é", "tsk_٣", "tsk_a.b",
     "tsk_../x", "tsk_a/b", "tsk_a b", "tsk_a\0", "tsk_a@{1}", f"tsk_{'a' * 33}"],
)  # fmt: skip
def test_what_is_no_task_id(word: str) -> None:
    assert not ids.is_id(word, ids.TASK)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Add OAuth2 middleware", "add-oauth2-middleware"),
        ("  Überprüfe: Größe & Façade!  ", "uberprufe-groe-facade"),
        ("--force; rm -rf /", "force-rm-rf"),
        ("../../etc/passwd", "etc-passwd"),
        ("a.lock", "a-lock"),
        ("日本語", ""),
        ("!?", ""),
        ("", ""),
        ("x" * 39 + " yz", "x" * 39),
        ("x" * 60, "x" * 40),
    ],
)
def test_slugs(title: str, slug: str) -> None:
    assert ids.slug(title) == slug
    assert ids.named("tsk_1", title) == (f"tsk_1-{slug}" if slug else "tsk_1")


@given(st.text())
@FEW
def test_a_slug_is_safe_in_paths_and_refs(title: str) -> None:
    assert re.fullmatch(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*)?", ids.slug(title))
    assert len(ids.slug(title)) <= 40
    assert ids.is_work_branch(f"{WORK_BRANCHES}/{ids.named('tsk_1', title)}", "tsk_1")


@pytest.mark.parametrize("branch", ["orchgit/tsk_1", "orchgit/tsk_1-add-it", "orchgit/tsk_1-Old_2"])
def test_work_branches(branch: str) -> None:
    assert ids.is_work_branch(branch, "tsk_1")


@pytest.mark.parametrize(
    "branch",
    ["", "main", "orchestry", "orchgit", "orchgit/", "orchgit/tsk_2", "orchgit/tsk_2-add-it", "orchgit/tsk_1x",
     "orchgit/tsk_1/x", "orchgit/tsk_1-", "orchgit/tsk_1-a..b", "orchgit/tsk_1-a.lock", "orchgit/tsk_1-a@{1}",
     "orchgit/tsk_1-../../main", "refs/heads/orchgit/tsk_1", "-orchgit/tsk_1", "orchgit/tsk_1\n", "orchgit/tsk_1-a b",
     "ORCHGIT/tsk_1", f"orchgit/tsk_1-{'a' * 101}"],
)  # fmt: skip
def test_what_is_not_the_work_branch_of_a_task(branch: str) -> None:
    assert not ids.is_work_branch(branch, "tsk_1")


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("tsk_7k3m9q", "tsk_7k3m9q"),
        ("7k3m9q", "tsk_7k3m9q"),
        ("7k3m", "tsk_7k3m9q"),
        ("tsk_7k3m", "tsk_7k3m9q"),
        ("7K3M", "tsk_7k3m9q"),
        ("TSK_7K3X", "tsk_7k3xyz"),
        ("tsk_ab", "tsk_ab"),
        ("ab", "tsk_ab"),
        ("AB", "tsk_ab"),
        ("abc", "tsk_abc"),
        ("imp", "tsk_Imp0rted-1"),
        ("Imp0", "tsk_Imp0rted-1"),
        ("run", "tsk_run_1"),
        ("run_1", "tsk_run_1"),
        ("tsk", "tsk_tsk"),
    ],
)
def test_an_id_is_found_by_any_clear_prefix(word: str, found: str) -> None:
    assert ids.resolve(word, KNOWN) == found


@pytest.mark.parametrize(
    ("word", "what", "next_step"),
    [
        ("7k3", "'7k3' could be any of 2 tasks: tsk_7k3m9q, tsk_7k3xyz.", "Give more of the id."),
        ("a", "'a' is too short: at least 3 characters of an id.", "It could be tsk_ab, tsk_abc."),
        ("t", "'t' is too short: at least 3 characters of an id.", "It could be tsk_tsk."),
        ("tsk_i", "'tsk_i' is too short: at least 3 characters of an id.", "It could be tsk_Imp0rted-1."),
        ("7k", "'7k' is too short: at least 3 characters of an id.", "It could be tsk_7k3m9q, tsk_7k3xyz."),
        ("x", "There is no task 'x'.", "`orchgit task list` shows them."),
        ("tsk_", "There is no task 'tsk_'.", "`orchgit task list` shows them."),
        ("", "There is no task ''.", "`orchgit task list` shows them."),
        ("k3m9q", "There is no task 'k3m9q'.", "`orchgit task list` shows them."),
        ("run_7k3m9q", "There is no task 'run_7k3m9q'.", "`orchgit task list` shows them."),
        ("tsk_7k3m9qq", "There is no task 'tsk_7k3m9qq'.", "`orchgit task list` shows them."),
    ],
)
def test_what_no_id_is_found_by(word: str, what: str, next_step: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        ids.resolve(word, KNOWN)
    assert (caught.value.what, caught.value.next_step) == (what, next_step)


def test_of_many_that_it_could_be_five_are_named() -> None:
    with pytest.raises(NotFoundError) as caught:
        ids.resolve("0ab", [f"tsk_0ab{each}" for each in "abcdefg"])
    named = ", ".join(f"tsk_0ab{each}" for each in "abcde")
    assert caught.value.what == f"'0ab' could be any of 7 tasks: {named} and 2 more."


def test_ids_that_differ_by_case_alone_are_told_apart_by_it() -> None:
    known = ("tsk_aB", "tsk_ab")
    assert ids.resolve("tsk_aB", known) == "tsk_aB"
    with pytest.raises(NotFoundError, match=r"could be any of 2 tasks: tsk_aB, tsk_ab\."):
        ids.resolve("AB", known)


def test_a_run_is_found_the_same_way() -> None:
    assert ids.resolve("4w8", ["run_4w8zr1", "run_5a0000"], kind="run") == "run_4w8zr1"
    with pytest.raises(NotFoundError, match=r"^There is no run 'tsk_4w'\.\n`orchgit logs --task ID` shows a task's\.$"):
        ids.resolve("tsk_4w", ["run_4w8zr1"], kind="run")


@given(st.lists(st.from_regex(r"tsk_[0-9a-z]{1,4}", fullmatch=True), unique=True, min_size=1), st.data())
@FEW
def test_what_is_found_begins_with_what_was_said(known: list[str], data: st.DataObject) -> None:
    said = data.draw(st.one_of(st.sampled_from(known), st.text("tsk_0az", max_size=6)))
    try:
        found = ids.resolve(said, known)
    except NotFoundError:
        begun = said.removeprefix("tsk_")
        fitting = [each for each in known if said and each.removeprefix("tsk_").startswith(begun)]
        assert len(fitting) != 1 or len(begun) < 3
        assert said not in known
    else:
        assert found in known
        assert found.removeprefix("tsk_").startswith(said.removeprefix("tsk_"))
