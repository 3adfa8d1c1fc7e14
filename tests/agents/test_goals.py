"""Two goals of real agents, from the plan to the verdict: one reached by commands, one by tools of MCP alone."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from orchgit.model.task import Status
from tests.agents import bench as benches
from tests.support import clis
from tests.support.model_server.script import ANSWER, Call, Say, Shell, Write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.agents.bench import Bench
    from tests.support.model_server.script import Answer, Thought
    from tests.support.model_server.wire import Question

pytestmark = pytest.mark.agents

PRICE: Final = 0.00309  # dollars that claude-sonnet-4-5 takes for one `ANSWER`
ASSESS: Final = "Find out whether it is achieved."
API, CLIENT = "Write the API", "Write the client"
ARGUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "task add": ("title",), "task edit": ("id",), "task approve": ("id",), "goal show": ("id",),
    "goal status": ("id", "status"), "goal approve": ("id",), "context set": ("key", "value"), "context get": ("key",),
    "msg send": ("to", "body"),
}  # fmt: skip


def by_shell(command: str, *words: str, **options: str | list[str]) -> Answer:
    named = ((f"--{key.replace('_', '-')}", value) for key, value in options.items())
    given = [word for key, value in named for word in (key, value if isinstance(value, str) else ",".join(value))]
    return Shell(shlex.join(("orchgit", *command.split(), *words, *given)))


def by_tool(command: str, *words: str, **options: str | list[str]) -> Answer:
    return Call(command.replace(" ", "_"), {**dict(zip(ARGUMENTS.get(command, ()), words, strict=True)), **options})


@dataclass(frozen=True)
class Way:
    """How agents ask orchgit for something, and their settings for that."""

    name: str
    ask: Callable[..., Answer]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def agent(self, role: str) -> str:
        return f"{role}-{self.name}"

    @property
    def agents(self) -> tuple[str, str, str]:
        return self.agent("lead"), self.agent("ada"), self.agent("bea")


SHELL = Way("shell", by_shell)
TOOLS = Way("tools", by_tool, {"mcp_servers": ("orchgit",), "args": ("--disallowedTools", "Bash")})
WAYS: Final = (SHELL, TOOLS)


def goal(asked: Question) -> str:
    """Return the id of the goal that the prompt speaks of."""
    return str(re.findall(r"gol_\w{6}", "\n".join(asked.said))[0])


def made(asked: Question, title: str) -> str:
    """Return the id of the task of that title, from what the tool said that made it."""
    (said,) = (each for each in asked.results if title in each)
    return str(re.findall(r"tsk_\w{6}", said)[0])


def plan(way: Way) -> tuple[Thought, ...]:
    """Return what the lead does: a plan, with the mistakes that a model makes, and after each the next try."""
    lead, ada, bea = way.agents
    return (
        lambda asked: way.ask("goal show", goal(asked)),
        lambda _: way.ask("agent list"),
        lambda _: way.ask("team list"),
        lambda asked: way.ask("task add", "Write all", goal=goal(asked), assignee="nobody"),
        lambda asked: way.ask("task add", API, goal=goal(asked), assignee=ada, description="In api.txt."),
        lambda asked: way.ask("task add", CLIENT, assignee=bea, depends_on=[made(asked, API)[:7]]),
        lambda asked: way.ask("task edit", made(asked, API), depends_on=[made(asked, CLIENT)]),
        lambda _: way.ask("context set", f"{lead}/style", "Be terse."),
        lambda asked: way.ask("goal status", goal(asked), "achieved"),
        lambda asked: way.ask("goal approve", goal(asked)),
        lambda _: Say("The API, then the client."),
    )


def assess(way: Way) -> tuple[Thought, ...]:
    return (
        lambda asked: way.ask("goal show", goal(asked)),
        lambda asked: way.ask("goal status", goal(asked), "achieved"),
        lambda _: Say("Achieved."),
    )


def write_api(way: Way) -> tuple[Thought, ...]:
    lead, _, bea = way.agents
    return (
        lambda _: way.ask("context get", f"{lead}/style"),
        lambda asked: Write(f"api-{way.name}.txt", f"{told(asked, 'Be terse.')}\n"),
        lambda _: way.ask("msg send", bea, "Call it at /v2."),
        lambda asked: way.ask("task approve", asked.task),
        lambda _: Say("The API is in place."),
    )


def write_client(way: Way) -> tuple[Thought, ...]:
    return (
        lambda _: way.ask("msg read"),
        lambda asked: Write(f"client-{way.name}.txt", f"{told(asked, 'Call it at /v2.')}\n"),
        lambda _: Say("The client is in place."),
    )


def told(asked: Question, words: str) -> str:
    """Return the words where orchgit has told them, in the prompt or by a tool; else that it didn't."""
    return words if any(words in each for each in (*asked.results, *asked.said)) else "never told"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Yield a project in which both goals were achieved."""
    for bench in benches.make(tmp_path_factory.mktemp("goals")):
        for way in WAYS:
            scripts = plan(way), write_api(way), write_client(way)
            for name, script in zip(way.agents, scripts, strict=True):
                bench.agent(clis.CLAUDE, name, *script, **way.settings)
            bench.model.play_where(way.agent("lead"), ASSESS, *assess(way))
        for way in WAYS:
            bench.ok("goal", "add", f"Reach it by {way.name}", "--assignee", way.agent("lead"))
        with bench.served():
            work_off(bench)
        yield bench


def work_off(bench: Bench) -> None:
    benches.until(lambda: is_achieved(bench), "the goals were not achieved")


def is_achieved(bench: Bench) -> bool:
    """Approve what waits for a person; is nothing left to do?"""
    tasks = bench.state.tasks.values()
    for task in tasks:
        if task.status is Status.REVIEW and task.purpose is None:
            bench.ok("task", "approve", task.id)
    return len(tasks) == 4 * len(WAYS) and all(task.status is Status.DONE for task in tasks)


def shown(bench: Bench, way: Way) -> Any:
    (known,) = (each["id"] for each in bench.ok("goal", "list", "--json").data if way.name in each["title"])
    return bench.ok("goal", "show", known, "--json").data


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_goal_is_planned_worked_and_achieved(bench: Bench, way: Way) -> None:
    found = shown(bench, way)
    lead, ada, bea = way.agents
    assert (found["status"], found["done"], found["all"]) == ("achieved", 2, 2)
    tasks = {each["title"]: each for each in found["tasks"]}
    planned, asked = (next(each for each in tasks.values() if each["purpose"] == word) for word in ("plan", "assess"))
    assert {title: (each["status"], each["agent"]) for title, each in tasks.items()} == {
        API: ("done", ada), CLIENT: ("done", bea), planned["title"]: ("done", lead), asked["title"]: ("done", lead),
    }  # fmt: skip
    assert tasks[API]["depends_on"] == [planned["id"]]
    assert tasks[CLIENT]["depends_on"] == [tasks[API]["id"], planned["id"]]
    assert bench.git("show", f"main:api-{way.name}.txt") == "Be terse."
    assert bench.git("show", f"main:client-{way.name}.txt") == "Call it at /v2."
    log = bench.git("log", "-1", "--format=%an", f"--grep=^goal({found['id']}): active -> achieved", "orchestry")
    assert log == lead
    assert bench.ok("verify").out.endswith("verified.\n")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_what_a_goal_took_is_counted(bench: Bench, way: Way) -> None:
    found = shown(bench, way)
    given = [benches.given(bench.model, name) for name in way.agents]
    assert found["runs"] == 4
    assert (found["used"]["input"], found["used"]["output"], found["used"]["cache"]) == tuple(
        sum(getattr(each, key) for each in given) for key in ("input", "output", "cache")
    )
    answers = sum(each.output for each in given) / (ANSWER.output + ANSWER.reasoning)
    assert found["used"]["cost_usd"] == pytest.approx(answers * PRICE)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_what_an_agent_may_not_ask_for_is_refused_in_words_that_help(bench: Bench, way: Way) -> None:
    lead, ada, bea = way.agents
    planned = bench.model.asked(lead)[len(plan(way)) - 1].results
    names = ", ".join(sorted(name for each in WAYS for name in each.agents))
    for result, words in (
        (3, ("There is no agent or team 'nobody'.", f"There are: {names}.")),
        (6, ("These would wait for each other", "Leave one of them out.")),
        (8, (f"It is not for {lead} to say", "a person decides")),
        (9, ("No such tool",) if way is TOOLS else ("No plan of",)),
    ):
        assert all(each in planned[result] for each in words), planned[result]
    refused = bench.model.asked(ada)[-1].results[-1]
    assert ("No such tool" if way is TOOLS else "is not for an agent to do") in refused
    approvals = bench.git("log", "--format=%an", "--grep=review -> done", "--extended-regexp", "orchestry").split("\n")
    assert not {ada, bea} & set(approvals)


def test_who_has_tools_alone_is_given_no_shell(bench: Bench) -> None:
    for name in TOOLS.agents:
        assert "Bash" not in {tool for each in bench.model.asked(name) for tool in each.tools}
