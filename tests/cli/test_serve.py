"""`serve`, `stop`, `pause` and `resume` as they are typed, and as a service manager signals them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.agents import until, waits_for
from tests.support.cli import ok, type_

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def served(project: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run `orchgit serve`; whoever has not ended it leaves its runs at the end."""
    argv = [sys.executable, "-m", "orchgit", "serve", *options]
    with subprocess.Popen(argv, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def logged(log: Path) -> list[dict[str, str | None]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def events(log: Path) -> list[str | None]:
    return [each["event"] for each in logged(log)]


def test_once_ends_well(project: Path, tmp_path: Path) -> None:
    ok(project, "agent", "add", "writer", "--command", "echo hi > hi.txt")
    task = ok(project, "task", "add", "Write").id
    said = ok(project, "serve", "--once", "--log-format", "json", "--log-file", str(tmp_path / "log"))
    assert (tmp_path / "log").read_text() == said.out
    lines = logged(tmp_path / "log")
    assert [each["event"] for each in lines] == ["serving", "run_started", "run_ended", "verdict", "ended"]
    run = lines[1]["run"]
    about = [(each["run"], each["task"], each["agent"], each["status"]) for each in lines]
    nothing = (None, None, None, None)
    assert about == [
        nothing, (run, task, "writer", "in_progress"), (run, task, "writer", "review"),
        (None, task, "writer", "review"), nothing,
    ]  # fmt: skip
    assert all(str(each["time"]).endswith("Z") and each["level"] == "info" for each in lines)


def test_once_says_what_failed_and_what_stayed_blocked(project: Path) -> None:
    ok(project, "agent", "add", "bad", "--command", "exit 3")
    failing = ok(project, "task", "add", "Fail", "--max-attempts", "1").id
    waiting = ok(project, "task", "add", "Wait", "--depends-on", failing).id
    said = type_(project, "serve", "--once")
    assert said.code == 1
    assert f"{failing} failed: exit code 3" in said.out
    assert f"{waiting} was not started: it waits for {failing} (failed)" in said.out
    assert type_(project, "serve", "--once").code == 1  # still blocked


def test_a_team_that_runs_is_named_to_the_second(project: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with served(project, "--log-file", str(log), "--log-format", "json"):
        until(lambda: "serving" in events(log))
        until(lambda: ok(project, "status", "--json").data["running"])
        said = type_(project, "serve", "--once")
        assert said.code == 1
        assert "orchgit: The team already runs here: process " in said.err
        assert "`orchgit stop` ends it." in said.err
        assert "serving" not in said.out
        assert ok(project, "stop", "--timeout", "60").out == "The team has ended.\n"
    assert events(log)[-2:] == ["asked", "ended"]
    said = type_(project, "stop")
    assert (said.code, said.err.splitlines()[0]) == (1, "orchgit: No team is running here, so there is none to stop.")


def test_a_signal_drains_and_a_second_one_leaves(project: Path, tmp_path: Path) -> None:
    log, gate = tmp_path / "log", tmp_path / "gate"
    ok(project, "agent", "add", "slow", "--command", waits_for(gate))
    task = ok(project, "task", "add", "Wait").id
    with served(project, "--log-file", str(log), "--log-format", "json") as process:
        until(lambda: "run_started" in events(log))
        process.send_signal(signal.SIGTERM)
        until(lambda: "asked" in events(log))
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    assert ok(project, "task", "show", task, "--json").data["status"] == "in_progress"
    gate.touch()
    ok(project, "serve", "--once")
    assert ok(project, "task", "show", task, "--json").data["status"] == "review"


def test_what_others_close_and_what_is_taken_up_is_logged(project: Path, tmp_path: Path) -> None:
    log, gate = tmp_path / "log", tmp_path / "gate"
    ok(project, "agent", "add", "slow", "--command", waits_for(gate))
    task = ok(project, "task", "add", "Wait").id
    with served(project, "--log-file", str(log), "--log-format", "json") as process:
        until(lambda: "run_started" in events(log))
        ok(project, "stop", "--leave")
        process.wait()
    log.unlink()
    with served(project, "--log-file", str(log), "--log-format", "json"):
        until(lambda: "run_followed" in events(log))
        gate.touch()
        until(lambda: "run_ended" in events(log))
        other = ok(project, "task", "add", "Never", "--assignee", "ada").id
        ok(project, "stop")
    followed = next(each for each in logged(log) if each["event"] == "run_followed")
    assert (followed["task"], followed["message"]) == (task, f"{followed['run']} is followed on: Wait")
    gate.unlink()
    log.unlink()
    ok(project, "task", "assign", other, "slow")
    with served(project, "--log-file", str(log), "--log-format", "json"):
        until(lambda: "run_started" in events(log))
        ok(project, "task", "cancel", other)
        until(lambda: "transition" in events(log))
        third = ok(project, "task", "add", "Third").id
        until(lambda: [each["task"] for each in logged(log) if each["event"] == "run_started"] == [other, third])
        gate.touch()
        until(lambda: "run_ended" in events(log)[events(log).index("transition") :])
        ok(project, "task", "approve", third)
        until(lambda: events(log).count("transition") == 2)
    told = [(each["task"], each["message"]) for each in logged(log) if each["event"] == "transition"]
    assert told == [
        (other, "cancelled: Never (by a command or a commit)"),
        (third, "done: Third (approved, and in the base branch)"),
    ]
    assert "with another run" not in log.read_text()


def test_an_agent_that_cools_down_is_named_wherever_one_looks(project: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    ok(project, "agent", "add", "bot", "--command", "echo ::limited seconds=600 later; exit 1")
    ok(project, "task", "add", "A")
    with served(project, "--log-file", str(log), "--log-format", "json") as process:
        until(lambda: "rest" in events(log))
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    ended, cooled = (each for each in logged(log) if each["event"] in ("run_ended", "rest"))
    assert ended["message"] == "retrying: A (the provider's limit was hit: later)"
    assert str(cooled["message"]).startswith("bot cools down until ")
    assert (cooled["level"], cooled["agent"], cooled["task"], cooled["status"]) == ("warning", "bot", None, None)
    assert "transition" not in events(log)
    assert ok(project, "agent", "list").out.splitlines()[1].split()[:2] == ["bot", "cooling"]
    assert "\n  bot cools down until " in ok(project, "agent", "status", "bot").out
    assert "\nagents that are given nothing for a while\n  bot cools down until " in ok(project, "status").out
    assert "A (again at " in ok(project, "task", "list").out
    shown = ok(project, "agent", "status", "bot", "--json").data
    assert (shown["cools_until"][-1], shown["rests_until"]) == ("Z", None)


def test_hangup_opens_the_log_anew(project: Path, tmp_path: Path) -> None:
    log, old = tmp_path / "log", tmp_path / "log.1"
    with served(project, "--log-file", str(log), "--log-format", "json") as process:
        until(lambda: "serving" in events(log))
        until(lambda: ok(project, "status", "--json").data["running"])
        log.rename(old)
        process.send_signal(signal.SIGHUP)
        ok(project, "stop")
        assert process.wait() == 0
    assert (events(old)[0], events(log)[-1]) == ("serving", "ended")


def test_pause_is_said_and_outlives_the_team(project: Path) -> None:
    ok(project, "agent", "add", "writer", "--command", "true")
    task = ok(project, "task", "add", "Write").id
    assert ok(project, "pause").out == "Paused: nothing is started until `orchgit resume`.\n"
    assert "It is paused already." in ok(project, "pause").out
    status = ok(project, "status")
    assert "and paused by Ada Lovelace (orchgit resume)" in status.out
    assert ok(project, "status", "--json").data["paused"] is True
    for command in (("run", "--all"), ("serve", "--once")):
        said = type_(project, *command)
        assert said.code == 1
        assert "paused by Ada Lovelace" in (said.out + said.err).replace("Paused", "paused")
        assert f"{task} was not started: it waits for `orchgit resume`: the team is paused" in said.out
    assert ok(project, "resume").out == "Resumed.\n"
    assert ok(project, "resume").out == "It was not paused.\n"
    ok(project, "run", "--all")
    assert ok(project, "task", "show", task, "--json").data["status"] == "review"


def test_a_broken_config_is_named_by_its_line(project: Path) -> None:
    (project / ".orchestry" / "config.yaml").write_text("version: 1\nproject: [\n")
    subprocess.run(["git", "commit", "--quiet", "--all", "-m", "x"], cwd=project / ".orchestry", check=True)
    for command in (("run", "--all"), ("serve", "--once")):
        said = type_(project, *command)
        assert said.code == 1
        assert "config.yaml:" in said.err
        assert "base branch" not in said.err


def test_stop_is_one_way_at_a_time(project: Path) -> None:
    assert type_(project, "stop", "--now", "--leave").code == 2
