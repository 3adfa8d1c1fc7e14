"""`orchgit goal` and `orchgit team`, as typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.cli import goalview
from orchgit.model.task import Status, Task
from tests.support.cli import ok, type_

if TYPE_CHECKING:
    from pathlib import Path


def test_a_goal_from_the_command_line(project: Path) -> None:
    added = ok(project, "goal", "add", "Be fast", "-d", "-", stdin="In 5 ms.")
    goal = added.id
    first = ok(project, "task", "add", "First", "--goal", goal[4:7]).id
    ok(project, "task", "add", "Second", "--goal", goal, "--depends-on", first)
    assert ok(project, "goal", "status", goal, "paused").out == f"{goal} is paused.\n"
    assert f"First (waits: its goal {goal} is paused)" in ok(project, "task", "list").out
    assert f"{goal}  paused, 0 of 2 done  Be fast" in ok(project, "status").out
    shown = ok(project, "goal", "show", goal).out
    assert f"└─ · {first}  todo  -  First\n   └─ · " in shown
    assert "0%, 0 of 2 done" in shown
    assert "In 5 ms." in shown
    assert f"orchgit goal status {goal} active" in shown
    assert ok(project, "goal", "list", "--status", "active", "--json").data == []
    assert "active" in ok(project, "goal", "list", "--at", "orchestry~1").out
    ok(project, "goal", "update", goal, "--title", "Be quick", "--assignee", "Ada")
    assert ok(project, "goal", "list", "--json").data[0]["assignee"] == "Ada"
    log = ok(project, "log", "--goal", goal[4:8]).out
    assert f"goal({goal}): active -> paused" in log
    assert "task(" in log


def test_a_goal_that_is_named_and_not_there_is_told(project: Path) -> None:
    said = ok(project, "task", "add", "Write", "--goal", "speed")
    assert said.err == "orchgit: speed is not a goal here: `orchgit goal list` shows them.\n"
    assert "There is no goal 'speed'" in type_(project, "goal", "show", "speed").err
    said = ok(project, "goal", "add", "Be fast", "--assignee", "ghost")
    assert "ghost is no agent and no team here" in said.err


def test_a_person_is_asked_when_all_is_done(project: Path) -> None:
    ok(project, "agent", "add", "bot", "--command", "echo hi > hi.txt; echo ::usage input=2 cost-usd=0.5")
    goal = ok(project, "goal", "add", "Be fast").id
    task = ok(project, "task", "add", "Write", "--goal", goal).id
    ok(project, "run", "--all")
    assert "is it achieved" not in ok(project, "status").out
    shown = ok(project, "goal", "show", goal, "--json").data
    assert (shown["runs"], shown["used"]["input"], shown["used"]["cost_usd"]) == (1, 2, 0.5)
    ok(project, "task", "approve", task)
    assert f"is it achieved? orchgit goal status {goal} achieved" in ok(project, "status").out
    ok(project, "goal", "status", goal, "achieved")
    assert "goals\n" not in ok(project, "status").out
    ok(project, "goal", "delete", goal)


def test_a_plan_is_sent_back_and_approved(project: Path) -> None:
    ok(project, "agent", "add", "lead", "--command", "orchgit task add Write", "--approval-policy", "manual")
    said = ok(project, "goal", "add", "Be fast", "--assignee", "lead")
    goal = said.id
    ok(project, "run", "--all")
    assert f"orchgit goal approve {goal}" in ok(project, "goal", "show", goal).out
    assert "1 task of its plan removed." in ok(project, "goal", "reject", goal, "-r", "Smaller.").out
    ok(project, "run", "--all")
    ok(project, "goal", "status", goal, "paused")
    assert f"What it made waits: {goal} is paused." in ok(project, "goal", "approve", goal).out
    assert f"`orchgit goal status {goal} abandoned`" in type_(project, "goal", "delete", goal).err
    ok(project, "goal", "status", goal, "abandoned")
    assert "Cancel it first" in type_(project, "goal", "delete", goal).err
    ok(project, "goal", "status", goal, "active")
    assert ok(project, "undo", goal[:7]).out == "1 task of its plan removed.\n"
    assert f"no task serves it: orchgit goal plan {goal}" in ok(project, "status").out
    ok(project, "undo")
    assert len(ok(project, "goal", "undo", goal, "--json").data["removed"]) == 1
    assert f"No task is left of the plan of {goal}." in ok(project, "goal", "undo", goal).out
    ok(project, "undo")
    (task,) = [each["id"] for each in ok(project, "task", "list", "--goal", goal, "-s", "todo", "--json").data]
    ok(project, "task", "take", task)
    assert f"{task} (Ada Lovelace) of this plan is being worked on" in type_(project, "goal", "undo", goal).err
    said = ok(project, "goal", "undo", goal, "--stop", "--json").data
    assert [each["id"] for each in said["cancelled"]] == [task]
    assert f"No open task is left of the plan of {goal}." in ok(project, "goal", "undo", goal).out
    ok(project, "task", "retry", task)
    ok(project, "task", "take", task)
    ok(project, "task", "submit", task, "--allow-empty")
    ok(project, "task", "approve", task)
    assert ok(project, "goal", "undo", goal).out == (
        f"Every task of the plan of {goal} is done.\n{task} is done, and stays.\n"
    )
    other = ok(project, "goal", "add", "Be small").id
    refused = type_(project, "undo", other)
    assert (refused.code, "No agent has planned" in refused.err) == (1, True)
    assert "There is no commit, task or goal" in type_(project, "undo", "gol_nope").err
    assert "Plan: Be fast" in ok(project, "goal", "plan", goal).out


def test_a_plan_of_which_nothing_is_left_is_not_approved(project: Path) -> None:
    ok(project, "agent", "add", "lead", "--command", "orchgit task add Write", "--approval-policy", "manual")
    goal = ok(project, "goal", "add", "Be fast", "--assignee", "lead").id
    ok(project, "run", "--all")
    ok(project, "goal", "undo", goal)
    refused = type_(project, "goal", "approve", goal)
    assert (refused.code, f"Nothing is left of the plan of {goal}" in refused.err) == (1, True)
    again = f"othing is left of its plan: orchgit goal reject {goal} -r WHY"
    assert again in ok(project, "status").out
    assert again in ok(project, "goal", "show", goal).out
    ok(project, "goal", "reject", goal, "-r", "Smaller.")
    assert again not in ok(project, "status").out


def test_a_plan_that_failed_says_why_and_what_to_do(project: Path) -> None:
    ok(project, "agent", "add", "lead", "--command", "true", "--max-retries", "0")
    goal = ok(project, "goal", "add", "Be fast", "--assignee", "lead").id
    type_(project, "run", "--all")
    plan = ok(project, "task", "list", "--json").data[0]["id"]
    shown = ok(project, "goal", "show", goal).out
    assert f"Its plan failed: orchgit task retry {plan}\nIt failed because: it made no task for its goal\n" in shown
    assert f" - its plan failed: orchgit task retry {plan}\n" in ok(project, "status").out
    assert ok(project, "goal", "show", goal, "--json").data["tasks"][0]["reason"] == "it made no task for its goal"
    ok(project, "task", "cancel", plan)
    assert (
        f"No task serves it: orchgit goal plan {goal}\nThat has lead plan it." in ok(project, "goal", "show", goal).out
    )


def test_a_goal_that_is_active_again_with_all_done_says_what_comes(project: Path) -> None:
    goal = ok(project, "goal", "add", "Be fast").id
    assert f"no task serves it: orchgit task add TITLE --goal {goal}" in ok(project, "status").out
    task = ok(project, "task", "add", "Write", "--goal", goal).id
    ok(project, "task", "take", task)
    ok(project, "task", "submit", task, "--allow-empty")
    ok(project, "task", "approve", task)
    ok(project, "goal", "status", goal, "achieved")
    said = ok(project, "goal", "status", goal, "active").out
    assert said.startswith(f"{goal} is active.\nIs it achieved? orchgit goal status {goal} achieved\nIf not, ")
    ok(project, "agent", "add", "lead", "--command", "true")
    ok(project, "goal", "edit", goal, "--assignee", "lead")
    ok(project, "goal", "status", goal, "achieved")
    assert (
        "lead is asked whether it is achieved when the team runs." in ok(project, "goal", "status", goal, "active").out
    )


def test_whether_a_goal_is_achieved_is_asked_by_the_command_that_answers(project: Path) -> None:
    ok(project, "agent", "add", "lead", "--command", "true", "--approval-policy", "manual")
    goal = ok(project, "goal", "add", "Be fast", "--assignee", "lead").id
    ok(project, "task", "cancel", ok(project, "task", "list", "--json").data[0]["id"])
    task = ok(project, "task", "add", "Write", "--goal", goal).id
    ok(project, "run", "--all")
    ok(project, "task", "approve", task)
    ok(project, "run", "--all")
    yes = f"orchgit goal status {goal} achieved"
    assert f"If it is achieved: {yes}" in ok(project, "goal", "show", goal).out
    assert f"is it achieved? {yes}" in ok(project, "status").out
    said = ok(project, "goal", "approve", goal).out
    assert said.endswith(f" is done: Is it achieved? Be fast. If it is achieved, say so: {yes}\n")
    assert f"is it achieved? {yes}" in ok(project, "status").out


def test_a_team_from_the_command_line(project: Path) -> None:
    for name in ("a", "b", "c"):
        ok(project, "agent", "add", name, "--command", "true")
    ok(project, "team", "create", "core", "--lead", "a", "--members", "b, c", "-d", "Ours.", "--no-auto-claim")
    ok(project, "team", "leave", "core", "c")
    task = ok(project, "task", "add", "Write", "--assignee", "core")
    assert task.err == ""
    other = ok(project, "task", "add", "Read").id
    assert ok(project, "team", "add-task", "core", other).out == f"{other} is for core.\n"
    shown = ok(project, "team", "show", "core")
    assert "a               free  leads" in shown.out
    assert "Ours." in shown.out
    assert ok(project, "team", "list", "--json").data[0]["tasks"] == [task.id, other]
    ok(project, "task", "take", task.id)
    ok(project, "task", "submit", task.id, "--allow-empty")
    done = ok(project, "task", "add", "Said").id
    ok(project, "task", "take", done)
    ok(project, "task", "submit", done, "--allow-empty")
    ok(project, "task", "approve", done)
    refused = type_(project, "team", "add-task", "core", done)
    assert refused.err == f"orchgit: {done} is done: there is nothing to give to core.\nAdd a new task.\n"
    ok(project, "task", "edit", done, "--title", "Said it")
    said = ok(project, "team", "disband", "core")
    assert (
        f"{task.id} was for it, and is in review; to be done again it would wait for a person of that name" in said.err
    )
    assert f"{other} was for it, and waits for a person of that name now" in said.err
    assert "There is no team 'core'" in type_(project, "team", "show", "core").err


def test_a_team_is_edited_by_options_and_in_an_editor(project: Path) -> None:
    for name in ("a", "b"):
        ok(project, "agent", "add", name, "--command", "true")
    ok(project, "team", "create", "core", "--lead", "a", "-d", "-", stdin="Ours.\n")
    said = ok(project, "team", "edit", "core", "--members", "b", "--max-concurrent-tasks", "2", "--no-auto-claim")
    assert said.out == "core is changed.\n"
    place = project / ".orchestry/teams/core.md"
    assert place.read_text() == "---\nlead: a\nmembers: [b]\nmax_concurrent_tasks: 2\nauto_claim: false\n---\nOurs.\n"
    ok(project, "team", "edit", "core", EDITOR="sed -i 's/Ours/All ours/; s/: 2/: 3/'")
    assert "max_concurrent_tasks: 3" in place.read_text()
    assert place.read_text().endswith("All ours.\n")
    ok(project, "team", "edit", "core", "--members", "", "--auto-claim")
    assert "members" not in place.read_text()
    said = type_(project, "team", "edit", "core", "--lead", "ghost")
    assert (said.code, said.err) == (
        1,
        "orchgit: teams/core.md:2: lead: there is no agent 'ghost'\nAgents here: a, b.\n",
    )


def test_what_was_for_an_agent_that_is_gone_is_named(project: Path) -> None:
    for name in ("a", "b"):
        ok(project, "agent", "add", name, "--command", "true")
    ok(project, "team", "create", "core", "--lead", "a", "--members", "b")
    task = ok(project, "task", "add", "Write", "--assignee", "b").id
    goal = ok(project, "goal", "add", "Be fast", "--assignee", "b").id
    refused = type_(project, "agent", "remove", "a")
    assert refused.err == "orchgit: a leads core.\n`orchgit team set-lead core AGENT` comes first.\n"
    said = ok(project, "agent", "remove", "b")
    assert said.out == "b is removed.\n"
    assert f"orchgit: {task} was for it, and waits for a person of that name now: Write\n" in said.err
    assert f"`orchgit task assign {task} NAME` gives it to somebody else.\n" in said.err
    assert f"orchgit: {goal} was its to plan, and is a person's of that name now: Be fast\n" in said.err
    assert ok(project, "team", "show", "core", "--json").data["everyone"] == ["a"]


def task_(name: str, *needs: str, status: Status = Status.TODO) -> Task:
    return Task(f"tsk_{name}", name, f"tasks/{name}.md", status, depends_on=tuple(f"tsk_{each}" for each in needs))


@pytest.mark.parametrize(
    ("tasks", "lines"),
    [
        ([], []),
        ([task_("a"), task_("b")], ["├─ · tsk_a  todo  -  a", "└─ · tsk_b  todo  -  b"]),
        (
            [task_("d", "a", "c"), task_("c", "b"), task_("b", "a"), task_("a", status=Status.DONE)],
            [
                "└─ ✓ tsk_a  done  -  a",
                "   └─ · tsk_b  todo  -  b",
                "      └─ · tsk_c  todo  -  c",
                "         └─ · tsk_d  todo  -  d (after tsk_a too)",
            ],
        ),
        ([task_("a", "b"), task_("b", "a"), task_("c", "elsewhere")], [
            "├─ · tsk_a  todo  -  a", "├─ · tsk_b  todo  -  b", "└─ · tsk_c  todo  -  c",
        ]),
    ],
    ids=["none", "side by side", "below the last that it waits for", "a circle"],
)  # fmt: skip
def test_the_tree_of_a_goals_tasks(tasks: list[Task], lines: list[str]) -> None:
    assert list(goalview.tree(tasks)) == lines
