"""The MCP server, asked by the SDK's own client over standard input and output."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orchgit.mcp.offer import DESTROYS, FOR_ALL, FOR_PERSONS, READS
from tests.support import repos
from tests.support.cli import ok, type_

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp import Client

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    repo = repos.make_repo(tmp_path / "shop")
    ok(repo, "init")
    ok(repo, "agent", "add", "writer", "--role", "Writes.", "--command", "echo hello > hello.txt; echo working")
    return repo


def asked(place: Path, ask: Callable[[Client], Awaitable[Any]], **env: str) -> Any:
    """Return what `ask` returns, which is given a client of a server that was started in `place`."""
    from mcp import Client, StdioServerParameters

    # A client hands on next to nothing of its environment: this is what the server needs of the tests' own world.
    names = ("HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "LC_ALL", "TZ", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
    given = {**{name: os.environ[name] for name in names}, "PYTHONPATH": str(CHECKOUT), **env}
    server = StdioServerParameters(command=sys.executable, args=["-m", "orchgit", "mcp"], cwd=place, env=given)

    async def talk() -> Any:
        async with Client(server) as client:
            return await ask(client)

    return asyncio.run(asyncio.wait_for(talk(), timeout=120))


async def call(client: Client, name: str, **arguments: Any) -> Any:
    """Call a tool that must not fail, and return what it said."""
    said = await client.call_tool(name, arguments)
    assert not said.is_error, said.content
    return said.structured_content


async def refused(client: Client, name: str, **arguments: Any) -> str:
    said = await client.call_tool(name, arguments)
    assert said.is_error
    return "\n".join(getattr(each, "text", "") for each in said.content)


async def offered(client: Client) -> set[str]:
    return {each.name for each in (await client.list_tools()).tools}


def test_a_person_s_agent_hands_over_work_follows_it_and_collects_the_result(shop: Path) -> None:
    async def hand_over(client: Client) -> tuple[str, str]:
        assert await offered(client) == {*FOR_ALL, *FOR_PERSONS}
        assert "team of coding agents" in (client.instructions or "")
        assert (await call(client, "agent_list"))["agents"][0]["name"] == "writer"
        first = await call(
            client, "task_add", title="Say hello", description="In hello.txt.", assignee="writer", priority=1
        )
        second = await call(
            client, "task_add", title="Then", depends_on=[first["id"]], labels=["docs"], scope=["docs/**"], goal="speed"
        )
        listed = (await call(client, "task_list", status="todo"))["tasks"]
        assert [(each["id"], each["blocked_by"]) for each in listed] == [
            (first["id"], []), (second["id"], [first["id"]]),
        ]  # fmt: skip
        edited = await call(client, "task_edit", id=second["id"], title="After that", labels=[])
        assert (edited["title"], edited["labels"], edited["goal"]) == ("After that", [], "speed")
        return first["id"], second["id"]

    first, second = asked(shop, hand_over)
    ok(shop, "run", first)

    async def collect(client: Client) -> None:
        assert [each["id"] for each in (await call(client, "status"))["in_review"]] == [first]
        diff = await call(client, "task_diff", id=first)
        assert ("+hello" in diff["diff"], diff["is_cut"]) == (True, False)
        assert "working" in [each["text"] for each in (await call(client, "task_logs", id=first))["lines"]]
        sent_back = await call(client, "task_reject", id=first, reason="Say it in French.")
        assert sent_back["status"] == "todo"
        assert "> Say it in French." in (await call(client, "task_show", id=first))["body"]

    asked(shop, collect)
    ok(shop, "run", first)

    async def approve(client: Client) -> None:
        done = await call(client, "task_approve", id=first)
        assert (done["status"], done["base"]) == ("done", "main")
        history = (await call(client, "task_history", id=first, limit=2))["history"]
        assert history[0]["what"] == f"task({first}): review -> done"
        assert (await call(client, "task_show", id=second))["blocked_by"] == {}
        assert (await call(client, "task_cancel", id=second))["status"] == "cancelled"
        assert (await call(client, "task_retry", id=second))["status"] == "todo"

    asked(shop, approve)
    assert (shop / "hello.txt").read_text() == "hello\n"
    assert ok(shop, "verify").out.endswith("verified.\n")


def test_a_refusal_says_what_a_person_would_read(shop: Path) -> None:
    async def ask(client: Client) -> None:
        task = (await call(client, "task_add", title="A"))["id"]
        said = await refused(client, "task_show", id="tsk_nope")
        assert said.endswith("There is no task 'tsk_nope'.\n`orchgit task list` shows them.")
        assert "approve needs it to be review" in await refused(client, "task_approve", id=task)
        assert "There are: todo, in_progress" in await refused(client, "task_list", status="open")
        assert "9 is no priority." in await refused(client, "task_add", title="A", priority=9)
        assert "A task needs a title." in await refused(client, "task_add", title=" ")
        assert "has handed in no commit" in await refused(client, "task_diff", id=task)
        assert "No run of" in await refused(client, "task_logs", id=task)
        assert "title" in await refused(client, "task_add")

    asked(shop, ask)
    assert len(ok(shop, "task", "list", "--json").data) == 1


def test_what_a_command_would_warn_of_is_given_back_in_the_same_words(shop: Path) -> None:
    async def ask(client: Client) -> None:
        task = await call(client, "task_add", title="A", assignee="ghost")
        (said,) = task["warnings"]
        typed = type_(shop, "task", "add", "A", "--assignee", "ghost")
        assert (typed.code, typed.err) == (0, f"orchgit: {said}\n")
        assert said == "ghost is not an agent here: the task waits for a person of that name."
        edited = await call(client, "task_edit", id=task["id"], assignee="writr", goal="speed")
        assert len(edited["warnings"]) == 2
        assert edited["warnings"][1].endswith("Did you mean writer?")
        goal = await call(client, "goal_add", title="G", assignee="ghost")
        assert goal["warnings"] == [f"ghost is no agent and no team here: {goal['id']} is a person's to plan."]
        listed = await call(client, "task_list", assignee="nobody")
        assert listed["warnings"] == ["'nobody' is no agent and no team here, and no task is for them."]
        assert "warnings" not in await call(client, "task_edit", id=task["id"], assignee="writer", goal="")
        assert "warnings" not in await call(client, "task_list", assignee="writer")

    asked(shop, ask)


def test_a_file_that_is_refused_is_told_of_by_the_call_that_came_upon_it(shop: Path) -> None:
    file = shop / ".orchestry" / ok(shop, "task", "add", "A", "--json").data["path"]
    file.write_text(file.read_text().replace("status: todo", "status: tood"))

    async def ask(client: Client) -> list[str]:
        warnings: list[str] = (await call(client, "task_list"))["warnings"]
        return warnings

    assert any("'tood' is not one of" in each for each in asked(shop, ask))


def test_an_argument_that_is_none_of_a_tool_s_is_refused_with_the_nearest(shop: Path) -> None:
    async def ask(client: Client) -> None:
        said = await refused(client, "task_add", title="B", dependencies=["tsk_7k3m9q"])
        assert "task_add has no argument 'dependencies'.\nDid you mean depends_on? It takes: title, " in said
        assert "Did you mean assignee?" in await refused(client, "task_add", title="B", asignee="writer")
        assert "agent_list has no argument 'x'.\nIt takes none." in await refused(client, "agent_list", x=1)
        assert "task_add needs the argument 'title'." in await refused(client, "task_add")
        said = await refused(client, "task_add", title="B", priority="high", labels=[1])
        assert "task_add: priority: 'high' is to be a whole number." in said
        assert "task_add: labels (number 1 of them): 1 is to be a text." in said
        assert "pydantic" not in said
        for wrong in (0, -1):
            assert f"{wrong} is no number" in await refused(client, "task_list", limit=wrong)

    asked(shop, ask)
    assert ok(shop, "task", "list", "--json").data == []


def test_a_client_is_told_which_tools_only_read_and_which_take_away(shop: Path) -> None:
    async def ask(client: Client) -> None:
        tools = {each.name: each for each in (await client.list_tools()).tools}
        assert all(each.input_schema["additionalProperties"] is False for each in tools.values())
        hints = {name: each.annotations for name, each in tools.items()}
        assert {name for name, each in hints.items() if each and each.read_only_hint} == READS
        assert {name for name, each in hints.items() if each and each.destructive_hint} == DESTROYS
        assert all(each and each.open_world_hint is False for each in hints.values())

    asked(shop, ask)
    assert {*FOR_ALL, *FOR_PERSONS} > READS | DESTROYS


def test_long_lists_and_long_words_are_cut_and_say_so(shop: Path) -> None:
    ok(shop, "agent", "edit", "writer", "--role", f"Writes {'much, ' * 200}and well.")
    goal = ok(shop, "goal", "add", "Be long").id
    for number in range(3):
        ok(shop, "task", "add", f"Part {number}", "--goal", goal)
    ok(shop, "team", "create", "core", "--lead", "writer")

    async def ask(client: Client) -> None:
        listed = await call(client, "task_list", goal=goal[:7], limit=2)
        assert ([each["goal"] for each in listed["tasks"]], listed["left_off"]) == ([goal, goal], 1)
        (writer,) = (await call(client, "agent_list"))["agents"]
        assert writer["role"].startswith("Writes much, much")
        assert writer["role"].endswith("... (1,216 characters in all)")
        assert (await call(client, "team_list"))["teams"] == [
            {"name": "core", "lead": "writer", "members": ["writer"], "description": ""}
        ]
        made = await call(client, "task_add", title="Brief")
        assert "run" not in made, "it says what isn't there"

    asked(shop, ask)


def test_an_agent_is_offered_only_what_agents_may_do(shop: Path) -> None:
    task = ok(shop, "task", "add", "A").id
    ok(shop, "run", task)

    async def ask(client: Client) -> None:
        assert await offered(client) == set(FOR_ALL)
        assert "You are writer" in (client.instructions or "")
        assert (await call(client, "status"))["you_are"] == "writer"
        for name in FOR_PERSONS:
            assert "Unknown tool" in await refused(client, name, id=task, reason="x", title="x")
        await call(client, "task_add", title="Found on the way")

    asked(shop, ask, ORCHGIT_AGENT="writer", ORCHGIT_RUN="run_x")
    assert ok(shop, "task", "show", task, "--json").data["status"] == "review"
    assert repos.git(shop, "log", "-1", "--format=%an", "orchestry").strip() == "writer"


def test_in_the_worktree_of_a_run_it_is_that_run_s_agent(shop: Path, tmp_path: Path) -> None:
    """The server hears of the run by where it is started alone, as from a client that hands on no environment."""
    go = tmp_path / "go"
    ok(shop, "agent", "edit", "writer", "--command", f"while [ ! -e '{go}' ]; do sleep 0.05; done; touch made")
    task = ok(shop, "task", "add", "A").id
    with subprocess.Popen(
        [sys.executable, "-m", "orchgit", "run", task], cwd=shop, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            place = _workspace(shop, task)

            async def ask(client: Client) -> None:
                assert await offered(client) == set(FOR_ALL)
                assert (await call(client, "status"))["you_are"] == "writer"
                await refused(client, "task_approve", id=task)

            asked(place, ask)
        finally:
            go.touch()
        assert running.wait(timeout=120) == 0
    assert ok(shop, "task", "show", task, "--json").data["status"] == "review"


def _workspace(shop: Path, task: str) -> Path:
    while True:
        said = type_(shop, "workspace", "path", task)
        if said.code == 0 and ok(shop, "task", "show", task, "--json").data["run"]:
            return Path(said.out.strip())


def test_a_goal_is_planned_worked_and_followed(shop: Path) -> None:
    async def ask(client: Client) -> None:
        goal = await call(client, "goal_add", title="Greet the world", description="Every greeting is in a file.")
        task = await call(client, "task_add", title="Say hello", goal=goal["id"])
        shown = await call(client, "goal_show", id=goal["id"])
        assert (shown["body"], shown["count"]) == ("Every greeting is in a file.", {"todo": 1})
        assert [each["id"] for each in shown["tasks"]] == [task["id"]]
        assert [each["id"] for each in (await call(client, "task_list", goal=goal["id"]))["tasks"]] == [task["id"]]
        assert (await call(client, "goal_status", id=goal["id"], status="paused"))["status"] == "paused"
        (paused,) = (await call(client, "goal_list", status="paused"))["goals"]
        assert (paused["id"], paused["done"], paused["all"]) == (goal["id"], 0, 1)
        assert "There are: active, paused" in await refused(client, "goal_status", id=goal["id"], status="done")
        assert "There is no goal" in await refused(client, "goal_show", id="gol_nope")
        mine = await call(client, "goal_add", title="Plan me", assignee="writer")
        plan = (await call(client, "task_list", goal=mine["id"]))["tasks"]
        assert [each["agent"] or each["assignee"] for each in plan] == ["writer"]
        assert await refused(client, "goal_approve", id=mine["id"]) != ""

    asked(shop, ask)

    async def as_agent(client: Client) -> None:
        goal = (await call(client, "goal_list"))["goals"][0]["id"]
        assert await refused(client, "goal_status", id=goal, status="achieved") != ""

    asked(shop, as_agent, ORCHGIT_AGENT="writer", ORCHGIT_RUN="run_x")


def test_context_and_messages_go_between_a_person_s_agent_and_the_team_s(shop: Path) -> None:
    async def person(client: Client) -> None:
        kept = await call(client, "context_set", key="plans/auth", value="Use OAuth2.\n", ttl="1d")
        assert (kept["value"], kept["expires"] is None) == ("Use OAuth2.\n", False)
        assert [each["key"] for each in (await call(client, "context_list", prefix="plans"))["values"]] == [
            "plans/auth"
        ]
        sent = await call(client, "msg_send", to="writer", body="FIPS too.", subject="New")
        assert (sent["to"], sent["by_agent"], sent["delivery"]) == ("writer", False, "next-attempt")
        assert len((await call(client, "msg_broadcast", body="All."))["messages"]) == 1
        assert "is not a span of time" in await refused(client, "msg_send", to="writer", body="x", ttl="soon")
        await refused(client, "context_get", key="nope")

    asked(shop, person)

    async def agent(client: Client) -> None:
        assert (await call(client, "context_get", key="plans/auth"))["value"] == "Use OAuth2.\n"
        assert [each["body"] for each in (await call(client, "msg_inbox"))["messages"]] == ["FIPS too.", "All."]
        read = (await call(client, "msg_read"))["messages"]
        assert (await call(client, "msg_inbox"))["messages"] == []
        answer = await call(client, "msg_send", to="Ada Lovelace", body="Done.", reply_to=read[0]["id"])
        assert (answer["from"], answer["by_agent"], answer["reply_to"]) == ("writer", True, read[0]["id"])

    asked(shop, agent, ORCHGIT_AGENT="writer", ORCHGIT_RUN="run_x")

    async def back(client: Client) -> None:
        assert [each["body"] for each in (await call(client, "msg_inbox"))["messages"]] == ["Done."]
        assert (await call(client, "context_delete", key="plans/auth"))["key"] == "plans/auth"

    asked(shop, back)


def test_where_the_sdk_is_missing_it_says_how_to_get_it(shop: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "mcp.py").write_text("raise ModuleNotFoundError(\"No module named 'mcp'\", name='mcp')\n")
    said = type_(shop, "mcp", PYTHONPATH=f"{hidden}{os.pathsep}{CHECKOUT}")
    assert (said.code, said.out) == (1, "")
    assert "needs the MCP SDK" in said.err
    assert "-m pip install 'mcp>=2,<3'" in said.err


def test_outside_a_project_it_says_so(tmp_path: Path) -> None:
    said = type_(tmp_path, "mcp")
    assert (said.code, "is not in a Git repository" in said.err) == (1, True)


def test_no_other_command_loads_it(shop: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "orchgit", "--help"],
        cwd=shop,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "orchgit.cli.main" in done.stderr
    assert "pydantic" not in done.stderr


def test_every_tool_is_documented() -> None:
    text = (CHECKOUT / "docs" / "mcp.md").read_text()
    for name in (*FOR_ALL, *FOR_PERSONS):
        assert f"`{name}`" in text
