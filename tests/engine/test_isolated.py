"""Repositories of their own: what is in them, what comes home, and what never does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchgit.engine import tasks, workspaces
from orchgit.engine.tasks import Wish
from orchgit.model.task import Status
from tests.engine.team import ADA
from tests.support import repos
from tests.support.repos import git

if TYPE_CHECKING:
    from tests.engine.team import Team


@pytest.fixture(autouse=True)
def isolated(team: Team) -> None:
    team.set("defaults.agent.workspace_mode", "isolated")


def test_the_main_job(team: Team) -> None:
    team.agent("echo x > x.txt")
    task = team.add()
    team.run()
    where = team.workspaces / task
    assert (where / ".git").is_dir()
    assert team.task(task).status is Status.REVIEW
    assert team.git("rev-parse", str(team.task(task).branch)) == team.task(task).review_commit
    (place,) = workspaces.listed(team.layout, team.state)
    assert (place.path, place.branch, place.kept) == (where, team.task(task).branch, True)
    team.approve(task)
    assert team.show("main", "x.txt") == "x"
    assert not where.exists()
    assert team.git("for-each-ref", "refs/orchgit/lent", "refs/orchgit/fetched") == ""
    assert team.is_sound()


def test_it_has_the_history_of_its_branch_and_nothing_else(team: Team) -> None:
    team.git("branch", "other")
    repos.commit(team.root, {"two.txt": "2\n"}, "second")
    team.git("config", "alias.x", "status")
    team.agent("git for-each-ref > refs.txt; git log --format=%s > log.txt; git config --local --list > config.txt")
    task = team.add()
    team.run()
    commit = str(team.task(task).review_commit)
    assert team.show(commit, "log.txt").split() == ["second", "first"]
    assert [line.split("\t")[1] for line in team.show(commit, "refs.txt").splitlines()] == [
        f"refs/heads/{team.task(task).branch}"
    ]
    assert "alias" not in team.show(commit, "config.txt")
    assert "remote" not in team.show(commit, "config.txt")
    assert not (team.workspaces / task / ".git" / "objects" / "info" / "alternates").exists()


def test_what_an_agent_does_there_harms_nothing_here(team: Team) -> None:
    before = (team.root / ".git" / "config").read_bytes()
    team.agent(
        "git config user.name X; git branch -f main; git tag v1; echo x > x.txt; rm -rf .git/objects/*; exit 1",
        max_retries=0,
    )
    team.add()
    team.run()
    assert (team.root / ".git" / "config").read_bytes() == before
    assert team.git("tag") == ""
    assert repos.subjects(team.root, "main") == ["first"]
    assert team.is_sound()


def test_its_agent_talks_with_the_team(team: Team) -> None:
    team.agent(
        "set -e; orchgit task list > tasks.txt; orchgit context set bot/found 'a value'; orchgit task add Next;"
        " mkdir deep; cd deep; orchgit context get bot/found > ../found.txt; cp $ORCHGIT_PROMPT_FILE ../p"
    )
    task = team.add()
    team.run(only=task)
    commit = str(team.task(task).review_commit)
    assert team.task(task).status is Status.REVIEW, team.reasons()
    assert task in team.show(commit, "tasks.txt")
    assert team.show(commit, "found.txt") == "a value"
    assert "This folder is a Git repository made for this task alone" in team.show(commit, "p")
    assert "Next" in team.statuses()
    assert "bot" in repos.git(team.layout.state, "log", "--format=%an", "--", "context/bot/found.md").split()


def test_every_branch_and_stash_comes_home(team: Team) -> None:
    team.agent(
        "echo a > a.txt; git add .; git commit -qm a; git switch -qc side; echo s > side.txt; git add .;"
        "git commit -qm side; git switch -q -; echo t >> a.txt; git stash -q; exit 1",
        max_retries=0,
    )
    task = team.add()
    team.run()
    assert team.keeps(task, "a.txt", "a")
    assert team.keeps(task, "side.txt", "s")
    assert team.keeps(task, "a.txt", "a\nt")


def test_the_next_attempt_goes_on_in_it(team: Team) -> None:
    team.agent("test -e half.txt || { echo half > half.txt; exit 1; }; echo rest > rest.txt")
    task = team.add()
    team.run()
    assert {"half.txt", "rest.txt"} <= set(team.files(str(team.task(task).review_commit)))
    team.reject(task)
    team.run()
    assert team.task(task).status is Status.REVIEW


def test_it_is_made_anew_where_the_branch_went_on_at_home(team: Team) -> None:
    team.agent("ls > seen.txt")
    task = team.add()
    team.run()
    branch = str(team.task(task).branch)
    repos.write(team.workspaces / task, {"loose.txt": "loose\n"})
    team.git("worktree", "add", "--quiet", team.root.parent / "mine", branch)
    repos.commit(team.root.parent / "mine", {"mine.txt": "mine\n"}, "mine")
    team.git("worktree", "remove", team.root.parent / "mine")
    team.reject(task)
    team.run()
    seen = team.show(str(team.task(task).review_commit), "seen.txt").split()
    assert "mine.txt" in seen
    assert "loose.txt" not in seen
    assert team.keeps(task, "loose.txt", "loose")


def test_a_mess_is_set_right(team: Team) -> None:
    team.agent(
        "test $ORCHGIT_ATTEMPT = 1 && { git switch -q --detach; echo w > w.txt; touch .git/index.lock; exit 1; }; true"
    )
    task = team.add()
    team.run()
    assert team.task(task).status is Status.REVIEW
    assert team.keeps(task, "w.txt", "w")
    assert git(team.workspaces / task, "symbolic-ref", "--short", "HEAD") == team.task(task).branch


def test_who_deletes_it_has_not_succeeded(team: Team) -> None:
    team.agent('rm -rf "$PWD"', max_retries=0)
    task = team.add()
    team.run()
    assert team.task(task).status is Status.FAILED
    assert any("was deleted" in reason for reason in team.reasons())


def test_what_is_no_clone_of_ours_is_not_touched(team: Team) -> None:
    team.agent("true", max_retries=0)
    task = team.add()
    repos.write(team.workspaces / task, {"precious.txt": "mine\n"})
    team.run()
    assert team.task(task).status is Status.FAILED
    assert (team.workspaces / task / "precious.txt").read_text() == "mine\n"


def test_the_task_says_it_before_the_agent_and_the_agent_before_the_project(team: Team) -> None:
    team.agent("true", workspace_mode="worktree")
    first, second = team.add("One"), team.add("Two", workspace_mode="isolated")
    team.run()
    assert (team.workspaces / first / ".git").is_file()
    assert (team.workspaces / second / ".git").is_dir()
    after = tasks.edit(team.layout, ADA, team.task(first), Wish(workspace_mode="isolated"))
    assert after.workspace_mode == "isolated"


def test_files_and_hooks_come_along(team: Team) -> None:
    repos.write(team.root, {".env": "K=1\n"})
    (team.root / ".git" / "info" / "exclude").write_text(".env\n.orchestry\n")
    team.set("workspace.bring", ".env")
    team.set("workspace.hooks.after_create", "cp .env copied.txt")
    team.agent("git status --porcelain > status.txt")
    task = team.add()
    team.run()
    commit = str(team.task(task).review_commit)
    assert team.show(commit, "copied.txt") == "K=1"
    assert ".env" not in team.show(commit, "status.txt")
    assert ".env" not in team.files(commit)
