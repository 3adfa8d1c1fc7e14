"""An agent's process: what is heard of it, how it is stopped, and that nothing of it is left."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from orchgit.engine import process
from orchgit.engine.environment import MARKER
from orchgit.engine.process import Cause, Ended, Limits
from orchgit.model.errors import RefusedError
from tests.support import agents
from tests.support.agents import lives, until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

LONG = 300.0


class Agent:
    """Runs a command as an agent, and remembers what was heard."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stdin = folder / "stdin"
        self.stdin.write_bytes(b"")
        self.heard: list[tuple[str, str]] = []

    def __call__(
        self,
        command: str | Sequence[str],
        *,
        timeout: float = LONG,
        stall: float = LONG,
        should_stop: Callable[[], bool] = lambda: False,
        is_overspent: Callable[[], bool] = lambda: False,
        on_line: Callable[[str, str], None] | None = None,
    ) -> Ended:
        with (self.folder / "agent.lock").open("w") as lock:
            return process.run(
                ["/bin/sh", "-c", command] if isinstance(command, str) else command,
                cwd=self.folder,
                env={**os.environ, MARKER: f"run_{secrets.token_hex(6)}"},
                stdin=self.stdin,
                limits=Limits(timeout=timeout, stall=stall, is_overspent=is_overspent),
                lock=lock.fileno(),
                on_line=on_line or (lambda stream, line: self.heard.append((stream, line))),
                should_stop=should_stop,
            )

    def said(self, stream: str = "stdout") -> list[str]:
        return [line for name, line in self.heard if name == stream]


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    folder = tmp_path / "agent"
    folder.mkdir()
    return Agent(folder)


@pytest.mark.parametrize(
    ("command", "ended"),
    [
        ("exit 0", Ended(0, None)),
        ("exit 3", Ended(3, None)),
        ("kill -9 $$", Ended(-9, None)),
        ("kill -15 $$", Ended(-15, None)),
    ],
)
def test_how_it_ends_by_itself(agent: Agent, command: str, ended: Ended) -> None:
    assert agent(command) == ended


def test_what_has_used_too_much_is_ended(agent: Agent) -> None:
    ended = agent("echo working; sleep 300", is_overspent=lambda: bool(agent.heard))
    assert ended == Ended(-15, Cause.OVERSPENT)
    assert agent.said() == ["working"]


def test_it_may_end_by_itself_where_it_does_so_at_once(agent: Agent) -> None:
    assert agent("echo done; sleep 0.3", is_overspent=lambda: bool(agent.heard)) == Ended(0, None)


@pytest.mark.parametrize(
    ("output", "lines"),
    [
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\ntwo", ["one", "two"]),
        (b"no line end", ["no line end"]),
        (b"\n\n", ["", ""]),
        (b"windows\r\n", ["windows"]),
        (b"not \xff\xfe text\n", ["not \ufffd\ufffd text"]),
        (b"a\x00b\x1b[0m\n", ["a\x00b\x1b[0m"]),
        ("Grüße \u2028 \x85\n".encode(), ["Grüße \u2028 \x85"]),
        (b"", []),
    ],
)
def test_lines_are_what_stands_between_newlines(agent: Agent, output: bytes, lines: list[str]) -> None:
    (agent.folder / "output").write_bytes(output)
    agent("cat output; cat output >&2")
    assert agent.said("stdout") == lines
    assert agent.said("stderr") == lines


def test_an_over_long_line_comes_in_pieces(agent: Agent) -> None:
    length = 3 * process._LONGEST_LINE
    agent([sys.executable, "-c", f"print('x' * {length}); print('end')"])
    *pieces, end = agent.said()
    assert "".join(pieces) == "x" * length
    assert max(map(len, pieces)) <= process._LONGEST_LINE + process._CHUNK
    assert end == "end"


def test_an_agent_that_closes_its_output_works_on(agent: Agent) -> None:
    assert agent("echo hello; exec >&- 2>&-; sleep 0.3; touch worked; exit 4") == Ended(4, None)
    assert (agent.folder / "worked").exists()
    assert agent.said() == ["hello"]


def test_a_huge_prompt_that_nobody_reads_blocks_nothing(agent: Agent) -> None:
    agent.stdin.write_bytes(b"prompt " * 1_000_000)
    assert agent("echo unread") == Ended(0, None)
    assert agent("wc -c") == Ended(0, None)
    assert [line.strip() for line in agent.said()] == ["unread", "7000000"]


@pytest.mark.parametrize(
    ("limits", "cause"), [({"timeout": 0.2}, Cause.TIMEOUT), ({"stall": 0.2}, Cause.STALL)], ids=["timeout", "stall"]
)
@pytest.mark.parametrize("command", ["sleep 300", "exec >&- 2>&-; sleep 300"], ids=["silent", "closed"])
def test_limits(agent: Agent, command: str, limits: dict[str, float], cause: Cause) -> None:
    assert agent(command, **limits) == Ended(-15, cause)  # type: ignore[arg-type]


def test_who_talks_does_not_stall(agent: Agent) -> None:
    talks = "i=0; while [ $i -lt 15 ]; do i=$((i+1)); echo $i >&2; sleep 0.1; done"
    assert agent(talks, stall=1.0) == Ended(0, None)


def test_who_talks_runs_out_of_time_all_the_same(agent: Agent) -> None:
    assert agent("while :; do echo on and on; sleep 0.01; done", timeout=0.3) == Ended(-15, Cause.TIMEOUT)


def test_a_stopped_agent_may_end_in_good_order_and_is_heard(agent: Agent) -> None:
    command = "trap 'echo cleaning up; exit 7' TERM; echo ready; while :; do sleep 0.02; done"
    assert agent(command, should_stop=lambda: bool(agent.heard)) == Ended(7, Cause.STOP)
    assert agent.said() == ["ready", "cleaning up"]


def test_an_agent_that_ignores_sigterm_is_killed(agent: Agent) -> None:
    command = "trap '' TERM; echo ready; while :; do sleep 0.02; done"
    assert agent(command, should_stop=lambda: bool(agent.heard)) == Ended(-9, Cause.STOP)


@pytest.mark.parametrize("end", ["exit 0", "exit 1", "sleep 300"])
def test_a_process_that_hides_is_ended_too(agent: Agent, end: str) -> None:
    hider, pidfile = agents.hider(agent.folder)
    agent(f"{hider}; echo ready; {end}", should_stop=lambda: bool(agent.heard))
    assert not lives(int(pidfile.read_text()))


def test_a_daemon_that_holds_the_output_open_keeps_nothing_waiting(agent: Agent) -> None:
    ended = agent("sh -c 'echo $$ > daemon.pid; while :; do echo still here; sleep 0.01; done' & echo done")
    assert ended == Ended(0, None)
    assert "done" in agent.said()
    assert not lives(int((agent.folder / "daemon.pid").read_text()))


def test_orphans_that_have_ended_do_not_pile_up(agent: Agent) -> None:
    def buried() -> bool:
        dead = [each for each in psutil.Process().children() if each.status() == psutil.STATUS_ZOMBIE]
        return bool(agent.heard) and not dead

    spawn = "i=0; while [ $i -lt 20 ]; do i=$((i+1)); (true & true); done; echo ready; sleep 300"
    assert agent(spawn, timeout=agents.PATIENCE, should_stop=buried).cause is Cause.STOP


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["/no/such/program"], "/no/such/program can't be started: No such file or directory"),
        (["no-such-program"], "no-such-program is not on the PATH"),
        (["."], ". can't be started: Permission denied"),
        (["sh", "-c", "zero \0 byte"], "sh can't be started: embedded null byte"),
        (["sh", "-c", "half a character \ud800"], "sh can't be started: 'utf-8' codec can't encode"),
        (["sh", "-c", "x" * 4_000_000], "sh can't be started: Argument list too long"),
    ],
    ids=["missing", "not on the PATH", "folder", "zero byte", "surrogate", "too long"],
)
def test_what_can_not_be_started_is_refused_with_the_reason(agent: Agent, argv: list[str], why: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        agent(argv)
    assert refusal.value.what.startswith(why)


def test_where_the_log_can_not_be_written_the_agent_is_ended(agent: Agent) -> None:
    def full(_stream: str, _line: str) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        agent("echo $$ > agent.pid; echo words; sleep 300", on_line=full)
    assert not lives(int((agent.folder / "agent.pid").read_text()))


def test_signals_are_as_the_agent_expects_them(agent: Agent) -> None:
    """Also where whoever started us ignores some, as a shell does for what it starts in the background."""
    ours = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)  # as a runner does
    before = {each: signal.signal(each, lambda *_: None) for each in ours}
    try:
        agent("grep SigIgn /proc/self/status || echo SigIgn: 0")
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert int(agent.said()[0].split()[1], 16) & 0b111 == 0


def test_the_lock_is_inherited_by_all_that_the_agent_starts(agent: Agent) -> None:
    def holders() -> int:
        held = str(agent.folder / "agent.lock")
        everyone = psutil.Process().children(recursive=True)
        return sum(any(file.path == held for file in each.open_files()) for each in everyone)

    assert agent("sleep 300 & sleep 300", should_stop=lambda: holders() >= 3).cause is Cause.STOP
    until(lambda: holders() == 0)
