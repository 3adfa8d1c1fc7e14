"""`orchgit stats`: what it prints to a program, to a file and to a person."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from orchgit.cli.stats import chart
from orchgit.model.spending import By, Sum
from orchgit.model.usage import Usage
from tests.cli.test_start_up import HEAVY, loaded
from tests.support.cli import ok, type_

if TYPE_CHECKING:
    from pathlib import Path

SPENDS = "echo ::usage input=4200 output=800 cache=9 reasoning=12 cost-usd=0.25"


def test_it_says_what_was_used(project: Path) -> None:
    assert (ok(project, "stats").out, ok(project, "stats").err) == ("", "No run has ended yet.\n")
    assert ok(project, "stats", "--json").data["rows"] == []
    ok(project, "agent", "add", "writer", "--command", f"{SPENDS}; echo I did it.")
    task = ok(project, "task", "add", "Write", "--goal", "speed").id
    ok(project, "run", "--all")
    assert ok(project, "stats").out == (
        "AGENT   RUNS  SUCCEEDED  IN    OUT  CACHED  REASONING  COST\n"
        "writer  1     1          4200  800  9       12         $0.2500\n"
        "total   1     1          4200  800  9       12         $0.2500\n"
    )
    assert f"\n{task}  Write  1 " in ok(project, "stats", "--by", "task").out
    assert "\nspeed  1 " in ok(project, "stats", "--by", "goal").out
    assert (
        ok(project, "stats", "--by", "day", "--since", "yesterday").out.splitlines()[0].startswith("DAY         RUNS")
    )
    said = ok(project, "stats", "--by", "task", "--json").data
    assert (said["by"], said["since"], said["total"]["used"]["cost_usd"]) == ("task", None, 0.25)
    assert [(each["key"], each["title"], each["succeeded"]) for each in said["rows"]] == [(task, "Write", 1)]
    assert ok(project, "stats", "--since", "2099-01-01").err == "No run has ended in that time.\n"
    assert type_(project, "stats", "--since", "sometime").code == 2


def test_tokens_that_nobody_told_are_no_number(project: Path) -> None:
    ok(project, "agent", "add", "bot", "--command", "true")
    ok(project, "task", "add", "Silent")
    ok(project, "run", "--all")
    assert ok(project, "stats").out.splitlines()[1].split() == ["bot", "1", "1", "-", "-", "-", "-", "-"]


def test_it_loads_nothing_heavy_where_nobody_looks(project: Path) -> None:
    ok(project, "agent", "add", "writer", "--command", SPENDS)
    ok(project, "task", "add", "Write")
    ok(project, "run", "--all")
    assert loaded(project, "stats") & HEAVY == set()


def drawn(found: list[Sum], total: Sum, *, width: int = 60) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(chart(found, total, By.AGENT, width=width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_person_sees_bars() -> None:
    found = [Sum("dear", 2, 1, Usage(1000, cost_usd=2.0)), Sum("cheap", 1, 1, Usage(9000, cost_usd=1.0)), Sum("", 1)]
    lines = drawn(found, Sum("", 4, 2, Usage(10_000, cost_usd=3.0))).splitlines()
    bars = [line.count("█") for line in lines]
    dear, cheap, nobody = (
        next(line for line in lines if line.startswith(name)) for name in ("dear", "cheap", "nobody")
    )
    assert dear.count("█") > cheap.count("█") > nobody.count("█") == 0
    assert max(bars) == dear.count("█")
    assert ("$2.0000" in dear, "9.0k" in cheap, "-" in nobody) == (True, True, True)
    assert lines[-1].split() == ["total", "$3.0000", "10.0k", "4", "2"]
    assert all(len(line) <= 60 for line in lines)


def test_where_nothing_has_a_price_the_bars_are_tokens() -> None:
    lines = drawn(
        [Sum("a", 1, 1, Usage(10)), Sum("b", 1, 1, Usage(20))], Sum("", 2, 2, Usage(30)), width=50
    ).splitlines()
    counts = {line[0]: line.count("█") for line in lines}
    assert 0 < counts["a"] < counts["b"]


def test_a_task_and_an_agent_show_what_they_used(project: Path) -> None:
    ok(project, "agent", "add", "writer", "--retry-delay-ms", "0", "--command",
       f"{SPENDS}; echo 'Half of it.'; test $ORCHGIT_ATTEMPT = 2")  # fmt: skip
    task = ok(project, "task", "add", "Write").id
    ok(project, "run", "--all")
    shown = ok(project, "task", "show", task).out
    once = "4200 in, 812 out, 9 cached, $0.2500, by its last run"
    assert f"  used        {once}; 8400 in, 1624 out, 18 cached, $0.5000 by all 2\n" in shown
    assert "\nwriter said last\n  Half of it.\n" in shown
    assert "(Half of it.)" in ok(project, "task", "list", "-s", "review").out
    assert "Half of it." not in ok(project, "task", "list").out
    (listed,) = ok(project, "task", "list", "-s", "review", "--json").data
    assert (listed["summary"], listed["note"]) == ("Half of it.", "")
    assert "summary" not in ok(project, "task", "list", "--json").data[0]
    assert (
        "  used              8400 in, 1624 out, 18 cached, $0.5000, by 2 runs in 30 days\n"
        in ok(project, "agent", "status", "writer").out
    )


def test_a_prompt_can_be_printed(project: Path) -> None:
    ok(project, "agent", "add", "writer", "--command", "true")
    task = ok(project, "task", "add", "Write", "-d", "Two lines.").id
    said = ok(project, "task", "show", task, "--prompt").out
    assert said.startswith("You are writer, an agent of the project ")
    assert "Two lines." in said
    assert type_(project, "task", "show", task, "--prompt", "--json").code == 2
    (project / ".orchestry" / "prompt.md").write_text("{{ nope }}")
    said = type_(project, "task", "show", task, "--prompt").err
    assert "prompt.md:1: the prompt template fails: there is no nope\nThere are: project, " in said
