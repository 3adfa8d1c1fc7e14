"""The main job as it is typed: from a task to merged work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import repos
from tests.support.cli import ok, type_
from tests.support.repos import git

if TYPE_CHECKING:
    from pathlib import Path


def test_a_task_becomes_reviewed_merged_work(project: Path) -> None:
    ok(project, "agent", "add", "fmt", "--adapter", "shell", "--command", "echo formatted >> src/app.py")
    task = ok(project, "task", "add", "Format the code", "-p", "1").id
    assert repos.is_clean(project)

    said = ok(project, "run", "--all")
    assert f"{task} waits for your review: orchgit task show {task}" in said.out
    assert ok(project, "task", "list", "--status", "review", "--json").data[0]["id"] == task
    assert repos.is_clean(project)
    assert "+formatted" in git(project, "diff", f"main...orchgit/{task}-format-the-code")

    said = ok(project, "task", "approve", task)
    assert said.out.startswith(f"{task} is done: ")
    assert git(project, "show", "HEAD:src/app.py").endswith("formatted")
    assert repos.is_clean(project)
    assert repos.is_sound(project)

    trailers = git(project, "log", "-1", "--format=%(trailers:only)", "main").splitlines()
    assert trailers[0] == f"Task: {task}"
    assert [line.split(":")[0] for line in trailers] == ["Task", "Run", "Agent", "Review-Commit"]
    assert git(project, "log", "-1", "--format=%an <%ae>", "main^2") == "fmt <fmt@orchgit>"
    story = [line.replace(task, "T") for line in repos.subjects(project / ".orchestry")]
    assert story == [
        "task(T): review -> done",
        "task(T): in_progress -> review",
        "task(T): todo -> in_progress",
        "task(T): created",
        "agent(fmt): created",
        "state: created",
    ]
    assert not (project.parent / "project.orchgit" / task).exists()
    assert git(project, "for-each-ref", "--format=%(refname)", "refs/orchgit") == f"refs/orchgit/attempts/{task}/1"
    assert git(project, "branch", "--list", "orchgit/*") == ""


def test_rejected_work_continues_on_its_branch_with_the_reason_in_its_prompt(project: Path) -> None:
    command = 'cat >> seen.txt; echo "$ORCHGIT_ATTEMPT" >> attempts.txt'
    ok(project, "agent", "add", "writer", "--adapter", "shell", "--command", command)
    task = ok(project, "task", "add", "Write", "-d", "Write it well.").id
    ok(project, "run", task)
    ok(project, "task", "reject", task, "-r", "Too short: $(touch pwned)")
    ok(project, "run", task)
    ok(project, "task", "approve", task)

    seen = git(project, "show", "main:seen.txt")
    assert "Write it well." in seen
    assert "Too short: $(touch pwned)" in seen
    assert git(project, "show", "main:attempts.txt") == "1\n1"
    assert not (project / "pwned").exists()
    file = next((project / ".orchestry" / "tasks").iterdir()).read_text()
    assert "## Feedback\n\n**Ada Lovelace, " in file
    refs = git(project, "for-each-ref", "--format=%(refname:lstrip=3)", "refs/orchgit/attempts").splitlines()
    assert refs == [f"{task}/1", f"{task}/2"]


def test_a_failing_task_is_retried_then_fails_and_can_be_started_over(project: Path) -> None:
    ok(project, "config", "set", "scheduling.retry_base_delay_ms", "1")
    ok(project, "agent", "add", "bad", "--adapter", "shell", "--command", "echo half > half.txt; exit 3")
    task = ok(project, "task", "add", "Fail", "--max-attempts", "2").id
    said = type_(project, "run", "--all")
    assert said.code == 1
    assert f"{task} failed: exit code 3. orchgit logs --task {task}" in said.out
    shown = ok(project, "task", "show", task, "--json").data
    assert (shown["status"], shown["attempts"]) == ("failed", 2)
    kept = git(project, "for-each-ref", "--format=%(refname)", f"refs/orchgit/attempts/{task}").splitlines()
    assert [git(project, "show", f"{ref}:half.txt") for ref in kept] == ["half", "half"]
    assert "(exit code 3)" in ok(project, "log", task).out

    ok(project, "agent", "edit", "bad", "--command", "true")
    ok(project, "task", "retry", task)
    ok(project, "run", task)
    assert ok(project, "task", "show", task, "--json").data["status"] == "review"


def test_a_run_that_changed_nothing_is_reviewed_too(project: Path) -> None:
    ok(project, "agent", "add", "idle", "--adapter", "shell", "--command", "true")
    task = ok(project, "task", "add", "Look").id
    ok(project, "run", task)
    assert "It changes no file." in ok(project, "task", "show", task).out
    before = git(project, "rev-parse", "main")
    assert "there was nothing to merge" in ok(project, "task", "approve", task).out
    assert git(project, "rev-parse", "main") == before


def test_a_person_takes_a_task_and_hands_it_in(project: Path) -> None:
    task = ok(project, "task", "add", "By hand").id
    ok(project, "task", "take", task, "--branch")
    branch = f"orchgit/{task}-by-hand"
    repos.add_worktree(project, project.parent / "mine", "scratch")
    git(project.parent / "mine", "switch", "--quiet", branch)
    repos.commit(project.parent / "mine", {"hand.txt": "made by hand\n"}, "By hand")
    ok(project.parent / "mine", "task", "submit", task)
    git(project.parent / "mine", "switch", "--quiet", "scratch")
    ok(project, "task", "approve", task)
    assert (project / "hand.txt").read_text() == "made by hand\n"


def test_a_dependent_task_waits_for_the_merge_of_what_it_needs(project: Path) -> None:
    ok(project, "agent", "add", "one", "--adapter", "shell", "--command", 'ls > "seen-$ORCHGIT_TASK"')
    first = ok(project, "task", "add", "First").id
    second = ok(project, "task", "add", "Second", "--depends-on", first).id
    said = ok(project, "run", "--all")
    assert f"{second} was not started: it waits for {first} (review)" in said.out
    assert f"(waits for {first}: review)" in ok(project, "task", "list").out
    ok(project, "task", "approve", first)
    ok(project, "run", "--all")
    ok(project, "task", "approve", second)
    assert f"seen-{first}" in git(project, "show", f"main:seen-{second}")


def test_a_moved_project_goes_on_where_its_worktrees_are(project: Path) -> None:
    ok(project, "agent", "add", "w", "--command", 'echo "$ORCHGIT_ATTEMPT" >> made.txt')
    task = ok(project, "task", "add", "Move").id
    ok(project, "run", task)
    moved = project.rename(project.parent / "moved")
    ok(moved, "task", "reject", task, "-r", "again")
    ok(moved, "run", task)
    ok(moved, "task", "approve", task)
    assert (moved / "made.txt").read_text() == "1\n1\n"
    assert not (project.parent / "project.orchgit" / task).exists()
    assert repos.is_sound(moved)
